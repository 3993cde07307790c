// The log in PostgreSQL: the port of the domain over tables that the runtime role may only read and
// add to.
#pragma once

#include <span>
#include <vector>

#include "common/postgres/database.h"
#include "common/postgres/migration.h"
#include "services/auditlog/domain/log_store.h"

namespace yikatong::auditlog {

// The schema of the service's database.
std::span<const postgres::Migration> LogMigrations();

// `database` must outlive the store.
class PostgresLogStore : public LogStore {
 public:
  explicit PostgresLogStore(postgres::Database& database) : database_(database) {}

  absl::Status Append(const std::function<absl::Status(AppendSession&)>& append) override;
  absl::StatusOr<SourceState> StateOf(const Source& source) override;
  absl::StatusOr<Ends> ReadEnds() override;
  absl::StatusOr<std::optional<StoredEntry>> Find(const EntrySelector& selector) override;
  absl::StatusOr<std::vector<StoredEntry>> List(const EntryFilter& filter,
                                                const identity::Scope& scope,
                                                std::uint64_t first_index, int limit) override;
  absl::StatusOr<std::vector<StoredEntry>> Range(std::uint64_t first, int limit) override;
  absl::StatusOr<std::vector<TreeNode>> NodesCompletedBy(std::uint64_t first,
                                                         std::uint64_t last) override;
  absl::StatusOr<std::vector<TreeHead>> HeadsBetween(std::uint64_t after,
                                                     std::uint64_t up_to) override;
  absl::StatusOr<std::vector<crypto::Digest>> Nodes(std::span<const crypto::NodeId> ids) override;

 private:
  postgres::Database& database_;
};

}  // namespace yikatong::auditlog
