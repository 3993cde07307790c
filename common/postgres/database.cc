#include "common/postgres/database.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <pqxx/result>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/failpoint.h"
#include "common/postgres/connection.h"
#include "common/postgres/errors.h"
#include "common/postgres/sql/queries.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

// A value of libpq's key=value form.
std::string Quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// What the server reads from `options`: a blank within a value is escaped.
std::string Setting(std::string_view name, std::string_view value) {
  std::string out = fmt::format("-c {}=", name);
  for (const char c : value) {
    if (c == ' ' || c == '\\') out += '\\';
    out += c;
  }
  return out + " ";
}

std::string SessionConninfo(const DatabaseOptions& options) {
  std::string settings =
      Setting("statement_timeout", std::to_string(options.statement_timeout_ms)) +
      Setting("lock_timeout", std::to_string(options.lock_timeout_ms)) +
      Setting("idle_in_transaction_session_timeout",
              std::to_string(options.idle_in_transaction_timeout_ms)) +
      // What Row reads back: one time zone, one form of dates and bytes.
      Setting("TimeZone", "UTC") + Setting("DateStyle", "ISO") + Setting("bytea_output", "hex") +
      // A service finds rows by key, in tables that are in memory or on flash. At the default price
      // of a random page the planner reads a table whole for a chunk of two thousand keys.
      Setting("random_page_cost", "1.1") + Setting("jit", "off");
  for (const auto& [name, value] : options.settings) settings += Setting(name, value);
  return fmt::format(
      "{} application_name={} connect_timeout={} client_encoding=UTF8 tcp_user_timeout={} "
      "options={}",
      options.conninfo, Quoted(options.application_name), options.connect_timeout_s,
      options.statement_timeout_ms, Quoted(settings));
}

class TextResult : public ResultSource {
 public:
  explicit TextResult(const pqxx::result& result) : result_(result) {}
  int64_t rows() const override { return static_cast<int64_t>(result_.size()); }
  int columns() const override { return static_cast<int>(result_.columns()); }
  int64_t affected() const override {
    return static_cast<int64_t>(result_.columns() > 0 ? result_.size() : result_.affected_rows());
  }
  Value Get(int64_t row, int column) const override {
    const pqxx::field field = result_[static_cast<pqxx::result::size_type>(row)]
                                     [static_cast<pqxx::row::size_type>(column)];
    const uint32_t type = result_.column_type(static_cast<pqxx::row::size_type>(column));
    if (field.is_null()) return {nullptr, 0, false, type};
    return {field.c_str(), static_cast<int>(field.size()), false, type};
  }

 private:
  pqxx::result result_;
};

// What the people on watch see of a database.
class Watch {
 public:
  explicit Watch(telemetry::Metrics& metrics)
      : statements_(
            metrics.Counters("yikatong_database_statements_total", "Statements sent.").With()),
        retries_(metrics
                     .Counters("yikatong_database_retries_total",
                               "Transactions run again after a deadlock or serialization failure.")
                     .With()),
        outcomes_(metrics.Counters("yikatong_database_transactions_total",
                                   "Transactions by outcome.", {"transaction", "outcome"})),
        seconds_(metrics.Histograms(
            "yikatong_database_transaction_seconds",
            "Time of a transaction with its retries and its wait for a connection.",
            {"transaction"})),
        connections_(metrics.Gauges(
            "yikatong_database_connections",
            "Connections open and in use, and transactions waiting for one.", {"state"})) {}

  void Publish(const DatabaseCounters& now) {
    std::lock_guard lock(mutex_);
    // Two threads may come in either order: a total never goes back.
    statements_.Increment(
        static_cast<double>(std::max<int64_t>(0, now.statements - last_.statements)));
    retries_.Increment(static_cast<double>(std::max<int64_t>(0, now.retries - last_.retries)));
    last_.statements = std::max(last_.statements, now.statements);
    last_.retries = std::max(last_.retries, now.retries);
    connections_.With({"open"}).Set(static_cast<double>(now.connections_open));
    connections_.With({"in_use"}).Set(static_cast<double>(now.connections_in_use));
    connections_.With({"waiting"}).Set(static_cast<double>(now.waiting));
  }

  void Ended(std::string_view transaction, std::string_view outcome, double seconds) {
    outcomes_.With({transaction, outcome}).Increment();
    seconds_.With({transaction}).Observe(seconds);
  }

 private:
  std::mutex mutex_;
  DatabaseCounters last_;
  telemetry::Counter statements_, retries_;
  telemetry::CounterFamily outcomes_;
  telemetry::HistogramFamily seconds_;
  telemetry::GaugeFamily connections_;
};

// Reports one call of Transact when it ends.
class Timed {
 public:
  Timed(std::string_view name, const Database& database, Watch* watch)
      : name_(name), database_(database), watch_(watch) {}
  ~Timed() {
    if (watch_ == nullptr) return;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start_;
    watch_->Ended(name_, outcome, took.count());
    watch_->Publish(database_.Counters());
  }
  const char* outcome = "failed";

 private:
  std::string_view name_;
  const Database& database_;
  Watch* watch_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

class Database::Impl {
 public:
  explicit Impl(DatabaseOptions options)
      : options_(std::move(options)),
        conninfo_(SessionConninfo(options_)),
        random_(std::random_device{}()) {
    if (options_.metrics != nullptr) watch_ = std::make_unique<Watch>(*options_.metrics);
  }

  // A connection that is the caller's until the lease ends.
  class Lease {
   public:
    Lease(Impl& impl, std::unique_ptr<Connection> connection)
        : impl_(&impl), connection_(std::move(connection)) {}
    Lease(Lease&& other) = default;
    ~Lease() {
      if (connection_ != nullptr) impl_->Release(std::move(connection_));
    }
    Connection& operator*() { return *connection_; }
    Connection* operator->() { return connection_.get(); }

   private:
    Impl* impl_;
    std::unique_ptr<Connection> connection_;
  };

  absl::StatusOr<Lease> Acquire(int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    std::unique_lock lock(mutex_);
    ++waiting_;
    const bool free = freed_.wait_until(
        lock, deadline, [&] { return !idle_.empty() || open_ < options_.max_connections; });
    --waiting_;
    if (!free) return Busy("no free connection");
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return Lease(*this, std::move(connection));
    }
    ++open_;
    lock.unlock();
    try {
      auto connection = std::make_unique<Connection>(conninfo_, statements_);
      opened_.fetch_add(1, std::memory_order_relaxed);
      return Lease(*this, std::move(connection));
    } catch (...) {
      lock.lock();
      --open_;
      lock.unlock();
      freed_.notify_one();
      const Failure failure = FromCurrentException("connect");
      // Whatever the reason, be it a wrong password: the database cannot be had.
      return failure.kind == Failure::Kind::kLost ? failure.status : Unavailable("cannot connect");
    }
  }

  void Release(std::unique_ptr<Connection> connection) {
    std::vector<std::unique_ptr<Connection>> dropped;  // closed outside of the lock
    {
      std::lock_guard lock(mutex_);
      if (connection->healthy()) {
        idle_.push_back(std::move(connection));
      } else {
        // The server most likely went away as a whole: the idle ones are stale, too.
        dropped.swap(idle_);
        dropped.push_back(std::move(connection));
        open_ -= static_cast<int>(dropped.size());
        dropped_.fetch_add(static_cast<int64_t>(dropped.size()), std::memory_order_relaxed);
      }
    }
    if (dropped.empty()) {
      freed_.notify_one();
    } else {
      freed_.notify_all();
    }
  }

  // Between two tries of one transaction: 5, 10, 20 … ms, at most 200, each halved or more at
  // random so that two that collided do not collide again.
  void BackOff(int attempt) {
    const int cap_ms = std::min(200, 5 << std::min(attempt, 6));
    int wait_ms = 0;
    {
      std::lock_guard lock(mutex_);
      wait_ms = std::uniform_int_distribution<int>(cap_ms / 2, cap_ms)(random_);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  }

  DatabaseCounters Counters() const {
    DatabaseCounters counters;
    counters.statements = statements_.load(std::memory_order_relaxed);
    counters.transactions = transactions_.load(std::memory_order_relaxed);
    counters.commits = commits_.load(std::memory_order_relaxed);
    counters.retries = retries_.load(std::memory_order_relaxed);
    counters.commit_unknown = commit_unknown_.load(std::memory_order_relaxed);
    counters.connections_opened = opened_.load(std::memory_order_relaxed);
    counters.connections_dropped = dropped_.load(std::memory_order_relaxed);
    std::lock_guard lock(mutex_);
    counters.connections_open = open_;
    counters.connections_in_use = open_ - static_cast<int64_t>(idle_.size());
    counters.waiting = waiting_;
    return counters;
  }

  const DatabaseOptions options_;
  const std::string conninfo_;
  std::unique_ptr<Watch> watch_;  // may be null
  std::atomic<int64_t> statements_{0}, transactions_{0}, commits_{0}, retries_{0},
      commit_unknown_{0}, opened_{0}, dropped_{0};

 private:
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  int open_ = 0;  // idle, in use and being opened
  int64_t waiting_ = 0;
  std::minstd_rand random_;
};

Database::Database(DatabaseOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Database::~Database() = default;

namespace {

// How one try of a transaction ended.
struct Outcome {
  absl::Status status = {};
  bool try_again = false;  // nothing was done, and the same again may succeed
  bool stale = false;      // the connection was dead before the first statement
  bool committed = false;
  bool unknown = false;
};

}  // namespace

absl::Status Database::Transact(std::string_view name, const Function& function,
                                TransactOptions options) {
  const int timeout_ms = options.acquire_timeout_ms > 0 ? options.acquire_timeout_ms
                                                        : impl_->options_.acquire_timeout_ms;
  const int max_attempts =
      options.max_attempts > 0 ? options.max_attempts : impl_->options_.max_attempts;

  const base::failpoint::TransactionMoments moments(name);
  const auto try_once = [&](Connection& connection) -> Outcome {
    impl_->transactions_.fetch_add(1, std::memory_order_relaxed);
    if (!options.read_only) {
      if (absl::Status status = moments.BeforeBegin(); !status.ok()) return {.status = status};
    }
    try {
      connection.Begin(options);
    } catch (...) {
      const Failure failure = FromCurrentException("begin");
      connection.MarkBroken();
      return {.status = failure.status, .stale = failure.kind == Failure::Kind::kLost};
    }
    Transaction tx(connection, name);
    absl::Status status;
    try {
      status = function(tx);
    } catch (const RowError&) {
      status = FromCurrentException(name).status;
    } catch (...) {
      connection.Abort();
      throw;
    }
    if (tx.open_copy_ && tx.failure_.ok()) {
      connection.MarkBroken();  // in the middle of a COPY: nothing else can be said on it
      if (status.ok()) status = status::Invariant("a COPY was not finished");
    }
    if (status.ok()) status = tx.failure_;
    if (status.ok() && !options.read_only) {
      status = moments.BeforeCommit();
      if (absl::IsAborted(status)) {
        // As the server says it of a transaction that it rolls back for the sake of another.
        const Failure conflict = FromSqlState("40001", "", "failpoint", name);
        status = conflict.status;
        tx.retry_ = conflict.kind == Failure::Kind::kRetry;
      }
    }
    if (!status.ok()) {
      connection.Abort();
      return {.status = std::move(status), .try_again = tx.retry_};
    }
    try {
      if (!options.read_only && moments.LosesCommit()) connection.LoseAnswers();
      connection.Commit();
      if (!options.read_only) moments.AfterCommit();
      return {.committed = true};
    } catch (...) {
      const Failure failure = FromCommitException(name, connection.pq().is_open());
      connection.Abort();
      const bool unknown = status::ReasonOf(failure.status) == status::Reason::kCommitUnknown;
      if (unknown) connection.MarkBroken();
      if (unknown && options.read_only) return {.status = Unavailable("the connection was lost")};
      return {.status = failure.status,
              .try_again = failure.kind == Failure::Kind::kRetry,
              .unknown = unknown};
    }
  };

  Timed timed(name, *this, impl_->watch_.get());
  int stale_left = impl_->options_.max_connections + 1;
  for (int attempt = 1;;) {
    Outcome outcome;
    {
      absl::StatusOr<Impl::Lease> lease = impl_->Acquire(timeout_ms);
      if (!lease.ok()) return lease.status();
      outcome = try_once(**lease);
    }
    if (outcome.committed) {
      impl_->commits_.fetch_add(1, std::memory_order_relaxed);
      timed.outcome = "committed";
      return absl::OkStatus();
    }
    if (outcome.unknown) {
      impl_->commit_unknown_.fetch_add(1, std::memory_order_relaxed);
      timed.outcome = "unknown";
    }
    if (outcome.stale && --stale_left > 0) continue;
    if (!outcome.try_again || attempt >= max_attempts) return outcome.status;
    impl_->retries_.fetch_add(1, std::memory_order_relaxed);
    impl_->BackOff(attempt++);
  }
}

absl::Status Database::Read(std::string_view name, const Function& function) {
  return Transact(name, function, {.read_only = true});
}

absl::Status Database::Ping() {
  return Read("ping", [](Transaction& tx) { return tx.Run(sql::kPing).status(); });
}

DatabaseCounters Database::Counters() const { return impl_->Counters(); }
const DatabaseOptions& Database::options() const { return impl_->options_; }

absl::Status Transaction::Fail(const Failure& failure) {
  failure_ = failure.status;
  retry_ = failure.kind == Failure::Kind::kRetry;
  if (failure.kind == Failure::Kind::kLost) connection_.MarkBroken();
  return failure_;
}

absl::StatusOr<Rows> Transaction::RunParams(const Query& query, std::span<const Param> params) {
  if (!failure_.ok()) return failure_;
  if (open_copy_) return Fail({.status = status::Invariant("a statement in the middle of a COPY")});
  std::vector<const char*> values;
  values.reserve(params.size());
  for (const Param& param : params) {
    if (param.text().find('\0') != std::string::npos) {
      return Fail({.status = status::Invariant("a text parameter with a NUL character")});
    }
    values.push_back(param.null() ? nullptr : param.text().c_str());
  }
  connection_.CountStatement();
  try {
    bool is_new = false;
    const std::string statement = connection_.StatementName(query, /*bulk=*/false, &is_new);
    if (is_new) connection_.pq().prepare(statement, query.sql);
    const pqxx::result result = connection_.Execute(statement, values);
    return Rows(std::make_shared<TextResult>(result));
  } catch (...) {
    return Fail(FromCurrentException(query.name));
  }
}

}  // namespace yikatong::postgres
