// The epoch that every number of a service carries: raised after its database was restored from a
// backup, before the first write, so that no number of the lost timeline is ever used again. The
// statements are the service's own, since so is the table; each returns the epoch.
#pragma once

#include <cstdint>
#include <iosfwd>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/postgres/database.h"

namespace yikatong::postgres {

absl::StatusOr<std::int64_t> ReadRestoreEpoch(Database& database, const Query& read);

// As a command of the binary; says on `out` what the epoch is now.
absl::Status RaiseRestoreEpoch(const DatabaseOptions& options, const Query& raise,
                               std::ostream& out);

}  // namespace yikatong::postgres
