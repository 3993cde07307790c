#include "common/postgres/connection.h"

#include <sys/socket.h>

#include <utility>

#include "fmt/core.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace yikatong::postgres {
namespace {

// libpqxx 6.4 loses the last result (a kilobyte) when a statement finds the connection gone; it
// throws before it has taken the result over. The leak checker is told to overlook what is
// allocated there.
#if defined(__SANITIZE_ADDRESS__)
using DriverLeak = __lsan::ScopedDisabler;
#else
struct DriverLeak {
  DriverLeak() {}
};
#endif

// Notices (a table that exists already) are no news; libpq would print them to stderr.
class SilentHandler : public pqxx::errorhandler {
 public:
  using pqxx::errorhandler::errorhandler;
  bool operator()(const char[]) noexcept override { return false; }
};

template <pqxx::isolation_level kLevel>
std::unique_ptr<pqxx::dbtransaction> Make(pqxx::connection_base& connection, bool read_only) {
  if (read_only) {
    return std::make_unique<pqxx::transaction<kLevel, pqxx::readwrite_policy::read_only>>(
        connection);
  }
  return std::make_unique<pqxx::transaction<kLevel, pqxx::readwrite_policy::read_write>>(
      connection);
}

}  // namespace

pqxx::connectionpolicy::handle SharedHandleConnection::KeepHandle::do_startconnect(
    handle original) {
  handle_ = pqxx::connect_direct::do_startconnect(original);
  return handle_;
}

pqxx::connectionpolicy::handle SharedHandleConnection::KeepHandle::do_disconnect(
    handle original) noexcept {
  handle_ = nullptr;
  return pqxx::connect_direct::do_disconnect(original);
}

SharedHandleConnection::SharedHandleConnection(const std::string& conninfo)
    : pqxx::connection_base(policy_), policy_(conninfo) {
  init();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  inhibit_reactivation(true);
#pragma GCC diagnostic pop
  set_verbosity(terse);
}

SharedHandleConnection::~SharedHandleConnection() noexcept { close(); }

Connection::Connection(const std::string& conninfo, std::atomic<int64_t>& statements)
    : pq_(conninfo), silence_(std::make_unique<SilentHandler>(pq_)), statements_(statements) {}

void Connection::Begin(const TransactOptions& options) {
  const DriverLeak overlooked;
  switch (options.isolation) {
    case Isolation::kReadCommitted:
      transaction_ = Make<pqxx::read_committed>(pq_, options.read_only);
      return;
    case Isolation::kRepeatableRead:
      transaction_ = Make<pqxx::repeatable_read>(pq_, options.read_only);
      return;
    case Isolation::kSerializable:
      transaction_ = Make<pqxx::serializable>(pq_, options.read_only);
      return;
  }
}

pqxx::result Connection::Execute(const std::string& statement,
                                 const std::vector<const char*>& values) {
  const DriverLeak overlooked;
  return transaction_->exec_prepared(statement, pqxx::prepare::make_dynamic_params(values));
}

void Connection::Commit() {
  const DriverLeak overlooked;
  transaction_->commit();
  transaction_.reset();
}

void Connection::LoseAnswers() { shutdown(pq_.sock(), SHUT_RD); }

void Connection::Abort() noexcept {
  if (transaction_ == nullptr) return;
  const DriverLeak overlooked;
  try {
    transaction_->abort();
  } catch (...) {
    // Whatever it was, the server rolls back when the connection ends.
    broken_ = true;
  }
  transaction_.reset();
  if (!pq_.is_open()) broken_ = true;
}

std::string Connection::StatementName(const Query& query, bool bulk, bool* is_new) {
  const auto [at, inserted] = prepared_.try_emplace({query.sql, bulk});
  if (inserted) at->second = fmt::format("{}_{}", query.name, ++names_given_);
  *is_new = inserted;
  return at->second;
}

}  // namespace yikatong::postgres
