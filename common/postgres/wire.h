// PostgreSQL's binary forms and the texts that stand for them. For this room's own use.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::postgres {

// Object ids of built-in types; they never change.
namespace oid {
inline constexpr uint32_t kBool = 16, kBytea = 17, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                          kText = 25, kBpchar = 1042, kVarchar = 1043, kDate = 1082,
                          kTimestamptz = 1184, kUuid = 2950;
inline constexpr uint32_t kBoolArray = 1000, kByteaArray = 1001, kInt2Array = 1005,
                          kInt4Array = 1007, kTextArray = 1009, kInt8Array = 1016,
                          kDateArray = 1182, kTimestamptzArray = 1185, kUuidArray = 2951;
}  // namespace oid

static_assert(std::endian::native == std::endian::little, "the byte swaps below assume it");

namespace wire {

inline constexpr absl::CivilDay kEpochDay(2000, 1, 1);
inline absl::Time EpochTime() { return absl::FromUnixSeconds(946'684'800); }

// Numbers travel with the highest byte first.
inline int16_t GetInt16(const char* at) {
  uint16_t v;
  std::memcpy(&v, at, sizeof v);
  return static_cast<int16_t>(__builtin_bswap16(v));
}
inline int32_t GetInt32(const char* at) {
  uint32_t v;
  std::memcpy(&v, at, sizeof v);
  return static_cast<int32_t>(__builtin_bswap32(v));
}
inline int64_t GetInt64(const char* at) {
  uint64_t v;
  std::memcpy(&v, at, sizeof v);
  return static_cast<int64_t>(__builtin_bswap64(v));
}
inline void PutInt16(std::string& out, int16_t value) {
  const uint16_t v = __builtin_bswap16(static_cast<uint16_t>(value));
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline void PutInt32(std::string& out, int32_t value) {
  const uint32_t v = __builtin_bswap32(static_cast<uint32_t>(value));
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}
inline void PutInt64(std::string& out, int64_t value) {
  const uint64_t v = __builtin_bswap64(static_cast<uint64_t>(value));
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

inline int32_t DateNumber(absl::CivilDay day) { return static_cast<int32_t>(day - kEpochDay); }
inline int64_t TimeNumber(absl::Time time) { return absl::ToInt64Microseconds(time - EpochTime()); }

std::string DateText(absl::CivilDay day);  // 2026-11-23
std::string TimeText(absl::Time time);     // 2026-11-23 08:00:00.123456+00
std::string WithoutDashes(std::string_view uuid);
// 16 bytes from 32 hex digits (dashes allowed) or from 16 raw bytes; "" for anything else.
std::string UuidBytes(std::string_view uuid);

}  // namespace wire
}  // namespace yikatong::postgres
