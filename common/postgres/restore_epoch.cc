#include "common/postgres/restore_epoch.h"

#include <ostream>

#include "common/status/status.h"

namespace yikatong::postgres {

absl::StatusOr<std::int64_t> ReadRestoreEpoch(Database& database, const Query& read) {
  std::int64_t epoch = 0;
  YKT_RETURN_IF_ERROR(database.Read("read_epoch", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(read));
    epoch = rows[0].Int64(0);
    return absl::OkStatus();
  }));
  return epoch;
}

absl::Status RaiseRestoreEpoch(const DatabaseOptions& options, const Query& raise,
                               std::ostream& out) {
  Database database(options);
  std::int64_t epoch = 0;
  YKT_RETURN_IF_ERROR(database.Transact("raise_epoch", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(raise));
    epoch = rows[0].Int64(0);
    return absl::OkStatus();
  }));
  out << "restore epoch: " << epoch << "\n";
  return absl::OkStatus();
}

}  // namespace yikatong::postgres
