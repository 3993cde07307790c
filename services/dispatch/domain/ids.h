// The arithmetic of batch ids, item ids and references. Pure.
//
//   batch id   (district % 10000) · 10^8 + epoch · 10^7 + number    12 digits, number 1 … 10^7 − 1
//   item id    (district % 10000) · 10^10 + epoch · 10^9 + serial   14 digits, serial 1 … 10^9 − 1
//   reference  item id · 100 + attempt                       16 digits, attempt 1 … 99
//   recovery   as a batch id, numbered by itself; arrivals of money are numbered among them
//
// The district stands first in each, so that whoever has an id knows the district to ask, and no
// statement has to search them all. The epoch is raised before the first write after a restore from
// a backup: no number is used again.
#pragma once

#include <cstdint>

namespace yikatong::dispatch {

inline constexpr std::int32_t kProvince =
    12;  // the first two digits of every district of this installation
inline constexpr std::int64_t kBatchesPerEpoch = 10'000'000;
inline constexpr std::int64_t kBatchesPerDistrict = 10 * kBatchesPerEpoch;
inline constexpr std::int64_t kSerialsPerEpoch = 1'000'000'000;
inline constexpr std::int64_t kItemsPerDistrict = 10 * kSerialsPerEpoch;
inline constexpr int kMaxAttempts = 99;

constexpr std::int64_t MakeBatchId(std::int32_t district, int epoch, std::int64_t number) {
  return district % 10'000 * kBatchesPerDistrict + epoch * kBatchesPerEpoch + number;
}
constexpr std::int64_t MakeRecoveryId(std::int32_t district, int epoch, std::int64_t number) {
  return MakeBatchId(district, epoch, number);
}
constexpr std::int64_t MakeItemId(std::int32_t district, int epoch, std::int64_t serial) {
  return district % 10'000 * kItemsPerDistrict + epoch * kSerialsPerEpoch + serial;
}
constexpr std::int64_t MakeReference(std::int64_t item_id, int attempt) {
  return item_id * 100 + attempt;
}

// The six digits of the district that an id belongs to; 0 where no district has such an id.
constexpr std::int32_t DistrictOf(std::int64_t id, std::int64_t per_district) {
  const std::int64_t tail = id / per_district;
  return id > 0 && tail < 10'000 ? kProvince * 10'000 + static_cast<std::int32_t>(tail) : 0;
}
constexpr std::int32_t DistrictOfBatch(std::int64_t batch_id) {
  return DistrictOf(batch_id, kBatchesPerDistrict);
}
constexpr std::int32_t DistrictOfRecovery(std::int64_t recovery_id) {
  return DistrictOfBatch(recovery_id);
}
constexpr std::int32_t DistrictOfItem(std::int64_t item_id) {
  return DistrictOf(item_id, kItemsPerDistrict);
}
constexpr std::int32_t DistrictOfReference(std::int64_t reference) {
  return DistrictOfItem(reference / 100);
}

constexpr std::int64_t ItemOfReference(std::int64_t reference) { return reference / 100; }
constexpr int AttemptOfReference(std::int64_t reference) {
  return static_cast<int>(reference % 100);
}

}  // namespace yikatong::dispatch
