#include "services/dispatch/store/claim_store.h"

#include <algorithm>

#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

absl::StatusOr<ClaimKey> KeyOf(const postgres::Row& row, int column) {
  const std::string bytes = row.Bytes(column);
  YKT_INVARIANT(bytes.size() == std::tuple_size_v<ClaimKey>, "a claim key that is no uuid");
  ClaimKey key;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

template <typename Claims>
std::vector<std::string> UuidsOf(const Claims& claims) {
  std::vector<std::string> uuids;
  uuids.reserve(claims.size());
  for (const auto& claim : claims) uuids.push_back(UuidOf(claim.key));
  return uuids;
}

std::vector<std::int64_t> OwnersOf(std::span<const Claim> claims) {
  std::vector<std::int64_t> owners;
  owners.reserve(claims.size());
  for (const Claim& claim : claims) owners.push_back(claim.owner);
  return owners;
}

std::vector<std::int32_t> HoldersOf(std::span<const EdgeClaim> claims) {
  std::vector<std::int32_t> holders;
  holders.reserve(claims.size());
  for (const EdgeClaim& claim : claims) holders.push_back(claim.holders);
  return holders;
}

}  // namespace

std::string UuidOf(const ClaimKey& key) {
  return std::string(reinterpret_cast<const char*>(key.data()), key.size());
}

absl::StatusOr<std::vector<LostClaim>> PgClaimTable::Take(std::span<const Claim> claims) {
  postgres::Columns columns;
  columns.Uuids(UuidsOf(claims)).Int64s(OwnersOf(claims));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows taken, tx_.RunColumns(sql::kClaimTake, columns));
  std::vector<LostClaim> lost;
  if (taken.affected() == static_cast<std::int64_t>(claims.size())) return lost;
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx_.RunColumns(sql::kClaimOwners, columns));
  for (const postgres::Row row : rows) {
    YKT_ASSIGN_OR_RETURN(const ClaimKey key, KeyOf(row, 0));
    lost.push_back({key, row.Int64(1)});
  }
  YKT_INVARIANT(taken.affected() + static_cast<std::int64_t>(lost.size()) ==
                    static_cast<std::int64_t>(claims.size()),
                "claims taken and lost do not add up");
  return lost;
}

absl::Status PgClaimTable::Release(std::span<const Claim> claims) {
  postgres::Columns columns;
  columns.Uuids(UuidsOf(claims)).Int64s(OwnersOf(claims));
  return tx_.RunColumns(sql::kClaimRelease, columns).status();
}

absl::StatusOr<std::vector<ClaimKey>> PgClaimTable::TakeEdges(std::int64_t owner,
                                                              std::span<const EdgeClaim> claims) {
  postgres::Columns columns;
  columns.Scalar(owner).Uuids(UuidsOf(claims)).Int32s(HoldersOf(claims));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows taken, tx_.RunColumns(sql::kEdgeTake, columns));
  std::vector<ClaimKey> lost;
  if (taken.size() == static_cast<std::int64_t>(claims.size())) return lost;
  std::vector<ClaimKey> got;
  got.reserve(static_cast<std::size_t>(taken.size()));
  for (const postgres::Row row : taken) {
    YKT_ASSIGN_OR_RETURN(const ClaimKey key, KeyOf(row, 0));
    got.push_back(key);
  }
  std::sort(got.begin(), got.end());
  for (const EdgeClaim& claim : claims) {
    if (!std::binary_search(got.begin(), got.end(), claim.key)) lost.push_back(claim.key);
  }
  return lost;
}

absl::Status PgClaimTable::ReleaseEdges(std::int64_t owner, std::span<const EdgeClaim> claims) {
  postgres::Columns columns;
  columns.Scalar(owner).Uuids(UuidsOf(claims)).Int32s(HoldersOf(claims));
  return tx_.RunColumns(sql::kEdgeRelease, columns).status();
}

absl::StatusOr<std::map<std::int64_t, std::int64_t>> BatchesOfItems(
    postgres::Transaction& tx, std::span<const std::int64_t> item_ids) {
  std::map<std::int64_t, std::int64_t> batches;
  if (item_ids.empty()) return batches;
  std::vector<std::int32_t> districts;
  for (const std::int64_t item : item_ids) districts.push_back(DistrictOfItem(item));
  postgres::Columns columns;
  columns.Int32s(districts).Int64s(item_ids);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.RunColumns(sql::kClaimHolderBatches, columns));
  for (const postgres::Row row : rows) batches.emplace(row.Int64(0), row.Int64(1));
  return batches;
}

}  // namespace yikatong::dispatch
