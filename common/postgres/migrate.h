// Making a service's database and bringing its schema up to date.
//
// Rules of migrations (sql/migrations/NNNN_name.sql, numbered from 0001 without a gap):
//   * Forward only, and never edited once released: the SHA-256 of each is kept and compared.
//   * Each works with the release before it ("expand"), so old and new binaries run side by side.
//   One
//     that does not says `-- kind: contract` in its first lines; a binary that does not know it
//     then refuses the database.
//   * Each runs in one transaction with its row in schema_migrations, under lock_timeout, retried
//   when a
//     lock is not to be had. One that cannot (CREATE INDEX CONCURRENTLY) says `-- kind:
//     nontransactional`: its statements, parted by a semicolon at a line's end, run one by one and
//     must be safe to run again (IF NOT EXISTS); an invalid index that an interrupted run left is
//     dropped first.
//   * The runtime role owns nothing: migrations GRANT what it needs, naming it :app (and the owner
//     :owner), e.g. `GRANT SELECT, INSERT ON item TO :app;`.
//   * Text of another room is put in by a line `-- include common/outbox/sql/outbox_v1.sql`.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/postgres/database.h"
#include "common/postgres/migration.h"

namespace yikatong::postgres {

// The names that a service's database and roles have.
std::string OwnerRole(std::string_view service);    // <service>_owner
std::string RuntimeRole(std::string_view service);  // <service>_app

struct ServicePasswords {
  std::string owner = {};
  std::string runtime = {};
};

// Creates, where they are missing, the two roles and the database <database> (empty: named as the
// service), owned by the owner role; no one but these two may connect to it, and the roles may
// connect to no other. Sets both passwords anew. `admin_conninfo` is a role that may create both.
// Idempotent and safe to run from several places at once. `wait_ms`: see Migrate.
absl::Status ProvisionServiceDatabase(const std::string& admin_conninfo, std::string_view service,
                                      const ServicePasswords& passwords,
                                      std::string_view database = "", int wait_ms = 0);

struct MigrateResult {
  int applied = 0;  // by this call
  int version = 0;  // highest number in the database now; may be above what this binary knows
};

// Brings the schema up to date as the owner role. Several may run at once: one works, the others
// wait. Errors: FAILED_PRECONDITION SCHEMA_CHANGED (an applied migration has another text now),
// FAILED_PRECONDITION SCHEMA_TOO_NEW (the database has a contract migration that this binary does
// not know); a failing migration is INTERNAL, leaves no trace if transactional, and stops the rest.
// For `wait_ms` it asks again for a connection that it does not get: a cluster that enforces
// network rules may know a new process some seconds after it has begun.
absl::StatusOr<MigrateResult> Migrate(const std::string& owner_conninfo, std::string_view service,
                                      std::span<const Migration> migrations, int wait_ms = 0);

// For a starting server, as the runtime role: OK when the database has everything that this binary
// knows and nothing that it must refuse. SCHEMA_BEHIND when migrations are yet to run; for this and
// for a database that does not answer it asks again for `wait_ms`.
absl::Status CheckSchema(Database& database, std::span<const Migration> migrations,
                         int wait_ms = 0);

}  // namespace yikatong::postgres
