#include "common/postgres/settings.h"

#include <cstdint>
#include <ostream>

#include "common/postgres/migrate.h"
#include "common/status/status.h"

namespace yikatong::postgres {
namespace {

// A value of a conninfo, quoted as libpq reads it.
std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string WithPassword(const std::string& conninfo, const std::string& password) {
  return password.empty() ? conninfo : conninfo + " password=" + Quoted(password);
}

std::int64_t LeaseMs(const config::Config& config) {
  return absl::ToInt64Milliseconds(config.Duration("lease"));
}

}  // namespace

void DeclareDatabase(config::Schema& schema, PoolSize pool) {
  schema
      .Text("database_conninfo", config::kRequired,
            "Database as the runtime role, in libpq's key=value form, without the password.")
      .EachItsOwn()
      .OptionalSecret("database_password", "Password of the runtime role.")
      .Int("database_connections", pool.connections, pool.least, pool.most,
           "Connections of the pool.")
      .Duration(
          "start_wait", "0s", absl::ZeroDuration(), absl::Minutes(10),
          "How long a start asks again, and --migrate too, where the database does not answer "
          "yet; a service also while its schema is behind.")
      .Text("owner_conninfo", "", "Database as the owner role; only --migrate uses it.")
      .EachItsOwn()
      .OptionalSecret("owner_password", "Password of the owner role.")
      .Duration("lease", "15s", absl::Seconds(3), absl::Minutes(10),
                "How long a worker's life sign stands still until others take over its work; the "
                "same for all replicas.");
}

DatabaseOptions DatabaseOptionsOf(const config::Config& config, std::string_view service,
                                  telemetry::Metrics* metrics) {
  DatabaseOptions options;
  options.conninfo =
      WithPassword(config.Text("database_conninfo"), config.Secret("database_password"));
  options.application_name = service;
  options.metrics = metrics;
  options.max_connections = static_cast<int>(config.Int("database_connections"));
  options.idle_in_transaction_timeout_ms = static_cast<int>(LeaseMs(config) * 2 / 3);
  return options;
}

absl::StatusOr<DatabaseOptions> OwnerOptionsOf(const config::Config& config,
                                               std::string_view service) {
  const std::string& conninfo = config.Text("owner_conninfo");
  if (conninfo.empty()) {
    return status::Refuse(status::Reason::kConfigInvalid, "owner_conninfo is needed to migrate");
  }
  DatabaseOptions options;
  options.conninfo = WithPassword(conninfo, config.Secret("owner_password"));
  options.application_name = service;
  return options;
}

int StartWaitMs(const config::Config& config) {
  return static_cast<int>(absl::ToInt64Milliseconds(config.Duration("start_wait")));
}

WorkerOptions WorkerOptionsOf(const config::Config& config) {
  const std::int64_t lease_ms = LeaseMs(config);
  WorkerOptions options;
  options.beat_every_ms = static_cast<int>(lease_ms / 15);
  options.dead_after_ms = static_cast<int>(lease_ms);
  options.margin_ms = static_cast<int>(lease_ms * 2 / 15);
  options.forget_after_ms = static_cast<int>(lease_ms * 40);
  return options;
}

absl::Status MigrateAsOwner(const config::Config& config, std::string_view service,
                            std::span<const Migration> migrations, std::ostream& out) {
  YKT_ASSIGN_OR_RETURN(const DatabaseOptions owner, OwnerOptionsOf(config, service));
  YKT_ASSIGN_OR_RETURN(const MigrateResult result,
                       Migrate(owner.conninfo, service, migrations, StartWaitMs(config)));
  out << "migrations applied: " << result.applied << ", schema version: " << result.version << "\n";
  return absl::OkStatus();
}

}  // namespace yikatong::postgres
