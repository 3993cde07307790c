#include "common/postgres/migrate.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/transaction>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/hex.h"
#include "common/postgres/connection.h"
#include "common/postgres/errors.h"
#include "common/postgres/sql/queries.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

using status::Reason;

constexpr int kLockTimeoutMs = 3'000;  // of a migration's statements
constexpr int kLockTries = 10;         // of one migration that cannot have a lock
constexpr int kTurnWaitMs = 600'000;   // for another migrator to finish
constexpr int kTurnPollMs = 100;
constexpr int kFirstPauseMs = 100;  // until a start asks again; then twice as long each time
constexpr int kLongestPauseMs = 2'000;
constexpr int64_t kMigrateLock = 0x796b746d;    // "yktm": one migrator in a database
constexpr int64_t kProvisionLock = 0x796b7470;  // "yktp": one provisioner in a server

// Runs `attempt` again and again until its status is none of those that time mends, or `wait_ms`
// are over; its last status.
template <typename Attempt, typename TimeMends>
absl::Status UntilItCan(int wait_ms, Attempt attempt, TimeMends time_mends) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  for (auto pause = std::chrono::milliseconds(kFirstPauseMs);; pause *= 2) {
    absl::Status done = attempt();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (!time_mends(done) || left.count() <= 0) return done;
    pause = std::min({pause, std::chrono::milliseconds(kLongestPauseMs), left});
    std::this_thread::sleep_for(pause);
  }
}

// Work with a connection of its own, which is waited for; what it throws becomes a status.
template <typename Function>
absl::Status WithConnection(const std::string& conninfo, const char* what, int wait_ms,
                            Function function) {
  std::optional<SharedHandleConnection> connection;
  YKT_RETURN_IF_ERROR(UntilItCan(
      wait_ms,
      [&]() -> absl::Status {
        try {
          connection.emplace(conninfo + " client_encoding=UTF8");
          return absl::OkStatus();
        } catch (...) {
          return FromCurrentException(what).status;
        }
      },
      [](const absl::Status& status) { return absl::IsUnavailable(status); }));
  try {
    return function(*connection);
  } catch (...) {
    return FromCurrentException(what).status;
  }
}

// Waits for the advisory lock by asking again and again: a session that waited inside the server
// would hold a snapshot, for which CREATE INDEX CONCURRENTLY waits in turn.
absl::Status TakeTurn(pqxx::connection_base& connection, int64_t lock) {
  for (int waited_ms = 0; waited_ms < kTurnWaitMs; waited_ms += kTurnPollMs) {
    pqxx::nontransaction work(connection);
    const pqxx::result got = work.exec_params(sql::kMigrationTurn.sql, lock);
    if (got[0][0].as<bool>()) return absl::OkStatus();
    std::this_thread::sleep_for(std::chrono::milliseconds(kTurnPollMs));
  }
  return Busy("another migration is running");
}

std::string Sha256Hex(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return base::ToHex({reinterpret_cast<const char*>(digest), sizeof digest});
}

enum class MigrationKind { kExpand, kContract, kNontransactional };

const char* KindName(MigrationKind kind) {
  switch (kind) {
    case MigrationKind::kContract:
      return "contract";
    case MigrationKind::kNontransactional:
      return "nontransactional";
    case MigrationKind::kExpand:
      break;
  }
  return "expand";
}

absl::StatusOr<MigrationKind> KindOf(const Migration& migration) {
  constexpr std::string_view kKindLine = "-- kind: ";
  std::string_view rest = migration.sql;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.substr(0, kKindLine.size()) != kKindLine) continue;
    for (const MigrationKind kind :
         {MigrationKind::kExpand, MigrationKind::kContract, MigrationKind::kNontransactional}) {
      if (line.substr(kKindLine.size()) == KindName(kind)) return kind;
    }
    return status::Invariant(
        fmt::format("{}: kind is none of expand, contract, nontransactional", migration.name));
  }
  return MigrationKind::kExpand;
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Puts role names in for :app and :owner (never for a cast, "::app", a quoted ":app" or a longer
// word).
std::string WithRoles(std::string_view sql, std::string_view service) {
  std::string out;
  out.reserve(sql.size() + 256);
  for (size_t at = 0; at < sql.size();) {
    const char before = at == 0 ? ' ' : sql[at - 1];
    bool put_in = false;
    if (sql[at] == ':' && before != ':' && before != '\'' && !IsWordCharacter(before)) {
      for (const auto& [word, role] :
           {std::pair<std::string_view, std::string>(":app", RuntimeRole(service)),
            {":owner", OwnerRole(service)}}) {
        const size_t end = at + word.size();
        if (sql.substr(at, word.size()) != word) continue;
        if (end < sql.size() && IsWordCharacter(sql[end])) continue;
        out.append("\"").append(role).append("\"");
        at = end;
        put_in = true;
        break;
      }
    }
    if (!put_in) out += sql[at++];
  }
  return out;
}

// Statements of a nontransactional migration: parted by a semicolon at a line's end.
std::vector<std::string> Statements(const std::string& sql) {
  std::vector<std::string> out;
  std::string statement;
  bool has_code = false;
  size_t start = 0;
  while (start < sql.size()) {
    const size_t end = std::min(sql.find('\n', start), sql.size());
    std::string_view line(sql.data() + start, end - start);
    start = end + 1;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.substr(0, 2) == "--") continue;
    has_code = true;
    statement.append(line).append("\n");
    if (line.back() == ';') {
      out.push_back(std::move(statement));
      statement.clear();
      has_code = false;
    }
  }
  if (has_code) out.push_back(std::move(statement));
  return out;
}

struct Applied {
  std::string checksum;
  std::string kind;
  bool done = false;
};

absl::Status CheckApplied(const std::map<int, Applied>& applied,
                          std::span<const Migration> migrations) {
  const int known = migrations.empty() ? 0 : migrations.back().number;
  for (const auto& [number, row] : applied) {
    if (number > known) {
      if (row.kind == "contract") {
        return status::Refuse(Reason::kSchemaTooNew, "", {{"migration", std::to_string(number)}});
      }
      continue;
    }
    const Migration& migration = migrations[static_cast<size_t>(number) - 1];
    if (row.checksum != Sha256Hex(migration.sql)) {
      return status::Refuse(Reason::kSchemaChanged, "", {{"migration", migration.name}});
    }
  }
  return absl::OkStatus();
}

// Without the row that stands for "no migrations"; their numbers must be 1, 2, 3, …
absl::StatusOr<std::span<const Migration>> Numbered(std::span<const Migration> migrations) {
  if (migrations.size() == 1 && migrations[0].number == 0) return std::span<const Migration>();
  for (size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].number != static_cast<int>(i) + 1) {
      return status::Invariant("migrations are not numbered from 1 without a gap");
    }
  }
  return migrations;
}

class Migrator {
 public:
  Migrator(pqxx::connection_base& connection, std::string_view service)
      : connection_(connection), service_(service) {}

  absl::StatusOr<MigrateResult> Run(std::span<const Migration> migrations) {
    YKT_RETURN_IF_ERROR(TakeTurn(connection_, kMigrateLock));
    MakeTable();
    std::map<int, Applied> applied;
    {
      pqxx::nontransaction work(connection_);
      for (const pqxx::row& row : work.exec(sql::kSchemaRead.sql)) {
        applied[row[0].as<int>()] = {row[1].as<std::string>(), row[2].as<std::string>(),
                                     row[3].as<bool>()};
      }
    }
    YKT_RETURN_IF_ERROR(CheckApplied(applied, migrations));
    MigrateResult result;
    for (const Migration& migration : migrations) {
      const auto at = applied.find(migration.number);
      if (at != applied.end() && at->second.done) continue;
      YKT_RETURN_IF_ERROR(Apply(migration));
      telemetry::Log::Info("migration_applied",
                           {{"schema", service_}, {"migration", migration.name}});
      ++result.applied;
    }
    result.version = migrations.empty() ? 0 : migrations.back().number;
    if (!applied.empty()) result.version = std::max(result.version, applied.rbegin()->first);
    return result;
  }

 private:
  void MakeTable() {
    pqxx::work work(connection_);
    work.exec(fmt::format("SET LOCAL lock_timeout = {}", kLockTimeoutMs));
    work.exec(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        " number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, kind text NOT "
        "NULL,"
        " done boolean NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    work.exec(fmt::format("GRANT SELECT ON schema_migrations TO \"{}\"", RuntimeRole(service_)));
    work.commit();
  }

  void Record(pqxx::transaction_base& work, const Migration& migration, MigrationKind kind,
              bool done) {
    work.exec_params(sql::kMigrationRecord.sql, migration.number, migration.name,
                     Sha256Hex(migration.sql), KindName(kind), done);
  }

  absl::Status Apply(const Migration& migration) {
    YKT_ASSIGN_OR_RETURN(const MigrationKind kind, KindOf(migration));
    for (int attempt = 1;; ++attempt) {
      try {
        if (kind == MigrationKind::kNontransactional) {
          ApplyNontransactional(migration);
        } else {
          pqxx::work work(connection_);
          work.exec(fmt::format("SET LOCAL lock_timeout = {}", kLockTimeoutMs));
          work.exec(WithRoles(migration.sql, service_));
          Record(work, migration, kind, /*done=*/true);
          work.commit();
        }
        return absl::OkStatus();
      } catch (...) {
        const Failure failure = FromCurrentException(migration.name);
        const bool lock_was_busy =
            failure.sqlstate == "55P03" || failure.kind == Failure::Kind::kRetry;
        if (!lock_was_busy || attempt >= kLockTries) return failure.status;
        // Others get through the queue that our waiting had formed.
        std::this_thread::sleep_for(std::chrono::milliseconds(200 * attempt));
      }
    }
  }

  void ApplyNontransactional(const Migration& migration) {
    pqxx::nontransaction work(connection_);
    work.exec(fmt::format("SET lock_timeout = {}", kLockTimeoutMs));
    Record(work, migration, MigrationKind::kNontransactional, /*done=*/false);
    for (const pqxx::row& row : work.exec(sql::kInvalidIndexes.sql)) {
      work.exec("DROP INDEX CONCURRENTLY IF EXISTS " + row[0].as<std::string>());
    }
    for (const std::string& statement : Statements(WithRoles(migration.sql, service_))) {
      work.exec(statement);
    }
    Record(work, migration, MigrationKind::kNontransactional, /*done=*/true);
  }

  pqxx::connection_base& connection_;
  const std::string service_;
};

absl::Status CheckSchemaIn(Transaction& tx, std::span<const Migration> numbered) {
  YKT_ASSIGN_OR_RETURN(const Rows there, tx.Run(sql::kSchemaTableThere));
  std::map<int, Applied> applied;
  if (there[0].Bool(0)) {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kSchemaRead));
    for (const Row row : rows) applied[row.Int(0)] = {row.Text(1), row.Text(2), row.Bool(3)};
  }
  YKT_RETURN_IF_ERROR(CheckApplied(applied, numbered));
  for (const Migration& migration : numbered) {
    const auto at = applied.find(migration.number);
    if (at == applied.end() || !at->second.done) {
      return status::Refuse(Reason::kSchemaBehind, "", {{"migration", migration.name}});
    }
  }
  return absl::OkStatus();
}

// [a-z][a-z0-9_]*, short enough for the names made of it.
bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 41 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string Base64(const unsigned char* data, int size) {
  std::string out(static_cast<size_t>((size + 2) / 3 * 4) + 1, '\0');
  out.resize(static_cast<size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data, size)));
  return out;
}

// What the server stores of a password (RFC 5803). Made here, so that the password is in no
// statement and thus in no log of the server.
absl::StatusOr<std::string> ScramVerifier(const std::string& password) {
  constexpr int kIterations = 4096;
  const bool printable =
      !password.empty() &&
      std::all_of(password.begin(), password.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable) return status::Invariant("a password must be of printable ASCII without blanks");
  unsigned char salt[16], salted[32], client[32], stored[32], server[32];
  if (RAND_bytes(salt, sizeof salt) != 1 ||
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt, sizeof salt,
                        kIterations, EVP_sha256(), sizeof salted, salted) != 1) {
    return status::Invariant("no random bytes or key derivation");
  }
  const auto keyed = [&](std::string_view text, unsigned char* out) {
    HMAC(EVP_sha256(), salted, sizeof salted, reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), out, nullptr);
  };
  keyed("Client Key", client);
  keyed("Server Key", server);
  SHA256(client, sizeof client, stored);
  return fmt::format("SCRAM-SHA-256${}:{}${}:{}", kIterations, Base64(salt, sizeof salt),
                     Base64(stored, sizeof stored), Base64(server, sizeof server));
}

absl::Status MakeRole(pqxx::nontransaction& work, const std::string& role,
                      const std::string& password) {
  YKT_ASSIGN_OR_RETURN(const std::string verifier, ScramVerifier(password));
  if (work.exec_params(sql::kRoleThere.sql, role).empty()) {
    work.exec(fmt::format("CREATE ROLE \"{}\"", role));
  }
  work.exec(fmt::format("ALTER ROLE \"{}\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}",
                        role, work.quote(verifier)));
  return absl::OkStatus();
}

absl::Status Provision(pqxx::connection_base& connection, const std::string& service,
                       const std::string& database, const ServicePasswords& passwords) {
  YKT_RETURN_IF_ERROR(TakeTurn(connection, kProvisionLock));
  pqxx::nontransaction work(connection);
  const std::string owner = OwnerRole(service), runtime = RuntimeRole(service);
  YKT_RETURN_IF_ERROR(MakeRole(work, owner, passwords.owner));
  YKT_RETURN_IF_ERROR(MakeRole(work, runtime, passwords.runtime));
  const bool superuser = work.exec1(sql::kAmSuperuser.sql)[0].as<bool>();
  if (!superuser) work.exec(fmt::format("GRANT \"{}\" TO CURRENT_USER", owner));
  if (work.exec_params(sql::kDatabaseThere.sql, database).empty()) {
    work.exec(fmt::format("CREATE DATABASE \"{}\" OWNER \"{}\" ENCODING 'UTF8' TEMPLATE template0",
                          database, owner));
  }
  work.exec(fmt::format("REVOKE ALL ON DATABASE \"{}\" FROM PUBLIC", database));
  work.exec(fmt::format("GRANT CONNECT ON DATABASE \"{}\" TO \"{}\"", database, runtime));
  if (superuser) work.exec("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC");
  return absl::OkStatus();
}

}  // namespace

std::string OwnerRole(std::string_view service) { return fmt::format("{}_owner", service); }
std::string RuntimeRole(std::string_view service) { return fmt::format("{}_app", service); }

absl::Status ProvisionServiceDatabase(const std::string& admin_conninfo, std::string_view service,
                                      const ServicePasswords& passwords, std::string_view database,
                                      int wait_ms) {
  if (database.empty()) database = service;
  if (!IsName(service) || !IsName(database)) {
    return status::Invariant("a service and its database are named [a-z][a-z0-9_]*");
  }
  return WithConnection(
      admin_conninfo, "provision", wait_ms, [&](pqxx::connection_base& connection) {
        return Provision(connection, std::string(service), std::string(database), passwords);
      });
}

absl::StatusOr<MigrateResult> Migrate(const std::string& owner_conninfo, std::string_view service,
                                      std::span<const Migration> migrations, int wait_ms) {
  if (!IsName(service)) return status::Invariant("a service is named [a-z][a-z0-9_]*");
  YKT_ASSIGN_OR_RETURN(const std::span<const Migration> numbered, Numbered(migrations));
  MigrateResult result;
  YKT_RETURN_IF_ERROR(WithConnection(
      owner_conninfo, "migrate", wait_ms, [&](pqxx::connection_base& connection) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(result, Migrator(connection, service).Run(numbered));
        return absl::OkStatus();
      }));
  return result;
}

absl::Status CheckSchema(Database& database, std::span<const Migration> migrations, int wait_ms) {
  YKT_ASSIGN_OR_RETURN(const std::span<const Migration> numbered, Numbered(migrations));
  return UntilItCan(
      wait_ms,
      [&] {
        return database.Read("check_schema", [&](Transaction& tx) -> absl::Status {
          return CheckSchemaIn(tx, numbered);
        });
      },
      [](const absl::Status& status) {
        return absl::IsUnavailable(status) || status::ReasonOf(status) == Reason::kSchemaBehind;
      });
}

}  // namespace yikatong::postgres
