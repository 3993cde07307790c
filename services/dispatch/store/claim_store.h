// ClaimTable inside one transaction of PostgreSQL.
#pragma once

#include <map>
#include <span>

#include "common/postgres/database.h"
#include "services/dispatch/domain/claims.h"

namespace yikatong::dispatch {

// Belongs to the thread of its transaction.
class PgClaimTable final : public ClaimTable {
 public:
  explicit PgClaimTable(postgres::Transaction& tx) : tx_(tx) {}

  absl::StatusOr<std::vector<LostClaim>> Take(std::span<const Claim> claims) override;
  absl::Status Release(std::span<const Claim> claims) override;
  absl::StatusOr<std::vector<ClaimKey>> TakeEdges(std::int64_t owner,
                                                  std::span<const EdgeClaim> claims) override;
  absl::Status ReleaseEdges(std::int64_t owner, std::span<const EdgeClaim> claims) override;

 private:
  postgres::Transaction& tx_;
};

// The batch that each of these items is of; items that are not (or no longer) there are left out.
absl::StatusOr<std::map<std::int64_t, std::int64_t>> BatchesOfItems(
    postgres::Transaction& tx, std::span<const std::int64_t> item_ids);

// Sixteen raw bytes, as a uuid parameter takes them.
std::string UuidOf(const ClaimKey& key);

}  // namespace yikatong::dispatch
