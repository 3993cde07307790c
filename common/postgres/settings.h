// The settings of a service's database, declared once, so that every service has the same keys.
//
//   config::Schema schema("dispatch");
//   postgres::DeclareDatabase(schema, {.connections = 16, .least = 4, .most = 128});
//   …
//   postgres::DatabaseOptions options = postgres::DatabaseOptionsOf(config, "dispatch");
//
// Keys: database_conninfo, database_password, database_connections, start_wait, owner_conninfo,
// owner_password, lease.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/postgres/database.h"
#include "common/postgres/lease.h"
#include "common/postgres/migration.h"

namespace yikatong::postgres {

// Connections of the pool: what holds where nothing is said, and what may be said.
struct PoolSize {
  int connections = 8;
  int least = 2;
  int most = 64;
};

void DeclareDatabase(config::Schema& schema, PoolSize pool = {});

// As the runtime role; `service` is the name that the server shows for our sessions. No
// transaction stands still as long as the lease. `metrics` outlives the database; it may be null.
DatabaseOptions DatabaseOptionsOf(const config::Config& config, std::string_view service,
                                  telemetry::Metrics* metrics = nullptr);

// As the owner role, which migrates. CONFIG_INVALID where none is configured.
absl::StatusOr<DatabaseOptions> OwnerOptionsOf(const config::Config& config,
                                               std::string_view service);

// How long what starts asks again for a database or a schema that is not there yet, see migrate.h.
int StartWaitMs(const config::Config& config);

// Beats, margin and the time until others take over, in proportion to `lease` as the defaults are
// to 15 s. All replicas must have the same.
WorkerOptions WorkerOptionsOf(const config::Config& config);

// Brings the schema of `service` up to date as the owner role, and says on `out` what it did.
// CONFIG_INVALID where no owner is configured.
absl::Status MigrateAsOwner(const config::Config& config, std::string_view service,
                            std::span<const Migration> migrations, std::ostream& out);

}  // namespace yikatong::postgres
