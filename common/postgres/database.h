// One service's database: a bounded pool of connections and the transactions over it.
//
//   absl::Status s = database.Transact("submit_chunk", [&](postgres::Transaction& tx) ->
//   absl::Status {
//     YKT_ASSIGN_OR_RETURN(postgres::Rows rows, tx.Run(kLockChunk, district, chunk_id, fence));
//     if (rows.empty()) return status::Refuse(status::Reason::kLeaseLost);
//     return tx.RunColumns(kInsertAttempts, columns).status();
//   });
//
// The function may run more than once (after a deadlock or a serialization failure): it keeps no
// state between runs except what it overwrites, and sends nothing to anybody.
//
// Errors. Everything that goes wrong in the database becomes an absl::Status here, in one place
// (errors.h); the driver's text goes to the log and never into a status:
//   COMMIT_UNKNOWN        UNAVAILABLE          connection lost in COMMIT: read your fence or
//   request row,
//                                              never repeat blindly
//   DATABASE_UNAVAILABLE  UNAVAILABLE          no connection, or lost before COMMIT: nothing was
//   done DATABASE_BUSY         UNAVAILABLE          pool wait, lock or statement took too long:
//   nothing was done DATABASE_CONFLICT     ABORTED              deadlocks or serialization failures
//   past the last retry STORAGE_FULL          RESOURCE_EXHAUSTED DUPLICATE_KEY ALREADY_EXISTS
//   unique or exclusion constraint: see ConstraintOf CONSTRAINT_VIOLATED   FAILED_PRECONDITION  any
//   other constraint: see ConstraintOf DATABASE_REFUSED      INTERNAL             any other
//   statement error INVARIANT_BROKEN      INTERNAL             a row read as what it is not, arrays
//   of unequal length
//
// Thread safety: Database is thread-safe; a Transaction belongs to the thread that runs its
// function.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/postgres/query.h"
#include "common/postgres/values.h"

namespace yikatong::telemetry {
class Metrics;
}

namespace yikatong::postgres {

class Columns;     // bulk.h
class Connection;  // connection.h
struct Failure;    // errors.h

enum class Isolation { kReadCommitted, kRepeatableRead, kSerializable };

struct DatabaseOptions {
  std::string conninfo = {};  // libpq's key=value form; holds a password, never logged
  std::string application_name = "yikatong";
  int max_connections = 8;
  int acquire_timeout_ms = 5'000;  // how long a transaction may wait for a free connection
  int connect_timeout_s = 5;
  int statement_timeout_ms = 30'000;
  int lock_timeout_ms = 10'000;
  int idle_in_transaction_timeout_ms = 10'000;  // must be shorter than a lease
  int max_attempts = 5;  // of one transaction, on deadlock or serialization failure
  std::map<std::string, std::string> settings = {};  // more session settings, e.g. plan_cache_mode
  telemetry::Metrics* metrics = nullptr;  // where to count; outlives the database; may be null
};

struct TransactOptions {
  Isolation isolation = Isolation::kReadCommitted;
  bool read_only = false;
  int acquire_timeout_ms = 0;  // 0: the database's
  int max_attempts = 0;        // 0: the database's
};

// Totals since the start. BEGIN, COMMIT and ROLLBACK are not counted as statements.
struct DatabaseCounters {
  int64_t statements = 0;
  int64_t transactions = 0;  // begun, each retry counts
  int64_t commits = 0;
  int64_t retries = 0;
  int64_t commit_unknown = 0;
  int64_t connections_opened = 0;
  int64_t connections_dropped = 0;  // found broken
  int64_t connections_open = 0;     // now
  int64_t connections_in_use = 0;   // now
  int64_t waiting = 0;              // now, for a connection
};

// One open transaction. After the first failed statement every later one fails with the same status
// and the transaction cannot commit, whatever its function returns.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Runs a statement, prepared on this connection at its first use.
  template <typename... Args>
  absl::StatusOr<Rows> Run(const Query& query, const Args&... args) {
    if constexpr (sizeof...(Args) == 0) {
      return RunParams(query, {});
    } else {
      const Param params[] = {Param(args)...};
      return RunParams(query, std::span<const Param>(params));
    }
  }
  absl::StatusOr<Rows> RunParams(const Query& query, std::span<const Param> params);

  // Runs a statement over binary arrays (bulk.h) in one round trip; results come back in binary.
  absl::StatusOr<Rows> RunColumns(const Query& query, const Columns& columns);

  // The name given to Transact.
  const std::string& name() const { return name_; }

 private:
  friend class Database;
  friend class BinaryCopy;
  Transaction(Connection& connection, std::string_view name)
      : connection_(connection), name_(name) {}
  absl::Status Fail(const Failure& failure);

  Connection& connection_;
  std::string name_;
  absl::Status failure_;    // of the first failed statement
  bool retry_ = false;      // that failure was a deadlock or serialization failure
  bool open_copy_ = false;  // between BinaryCopy::Start and Finish
};

class Database {
 public:
  using Function = std::function<absl::Status(Transaction&)>;

  // Opens no connection yet: a service starts, and says it is not ready, while its database is
  // away.
  explicit Database(DatabaseOptions options);
  ~Database();  // all transactions must have ended
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs `function` in a transaction: commits when it returns OK, rolls back otherwise and returns
  // its status. `name` is for logs, e.g. "submit_chunk".
  absl::Status Transact(std::string_view name, const Function& function,
                        TransactOptions options = {});

  // The same, read only; a connection lost in COMMIT is then DATABASE_UNAVAILABLE.
  absl::Status Read(std::string_view name, const Function& function);

  // OK when a connection answers within the acquire time-out: for readiness.
  absl::Status Ping();

  DatabaseCounters Counters() const;
  const DatabaseOptions& options() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The constraint that a DUPLICATE_KEY or CONSTRAINT_VIOLATED status came from, or "". For the store
// layer that turns it into a reason of its own; it is not sent to callers.
std::string ConstraintOf(const absl::Status& status);

}  // namespace yikatong::postgres
