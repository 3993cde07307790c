// Going on after the database of a service was put back from a backup.
//
// What the service did behind the backup's moment is undone in its database, but not in the world:
// the audit log has entries of it, a bank may have paid. So nothing that was numbered then may be
// numbered again: each number carries the restore epoch, which is raised once for each restore,
// before the first start. The log is told by the entry `service.restored`: of the former epoch, the
// entries up to `kept_through` are of the history that goes on; later ones were undone, or are
// repeated under the new epoch (the relay sends again what was not acknowledged by then).
//
// A service puts the table of its restores into its migrations by
//   -- include common/outbox/sql/restored_v1.sql
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/postgres/database.h"
#include "common/postgres/migration.h"
#include "common/rpc/command.h"

namespace yikatong::outbox {

// The epoch is one digit in every number.
inline constexpr std::int64_t kMaxRestoreEpoch = 9;

// The setting restore_id.
void DeclareRestore(config::Schema& schema);

// The statements are the service's own, since so is the table; each returns the epoch.
absl::StatusOr<std::int64_t> ReadRestoreEpoch(postgres::Database& database,
                                              const postgres::Query& read);

// An entry of the service by itself about itself, `services/<service>`, from a command: on the day
// of the clock on the wall.
absl::Status AppendOwn(postgres::Transaction& tx, std::string_view service, std::string_view kind,
                       std::map<std::string, std::string> details);

// The command --raise-restore-epoch: once for each restore_id, whoever asks how often; says on
// `out` what the epoch is now. CONFIG_INVALID without a restore_id, STATE_CONFLICT where the last
// epoch has begun already.
absl::Status RaiseRestoreEpoch(const std::string& restore_id, std::string_view service,
                               const postgres::DatabaseOptions& options,
                               const postgres::Query& read, const postgres::Query& raise,
                               std::ostream& out);

// A service that numbers what it does. What it refers to outlives the process's command.
struct Numbered {
  std::string service;
  std::span<const postgres::Migration> migrations;
  const postgres::Query& read;
  const postgres::Query& raise;
};

// `own` with what every such service has besides: --raise-restore-epoch, and --migrate, which
// brings the schema up to date as the owner role and, where the setting restore_id names a restore,
// raises the epoch too, so that one Job does both before the first pod starts.
rpc::Commands WithRestores(const Numbered& numbered, rpc::Commands own);

}  // namespace yikatong::outbox
