// One connection and what is prepared on it. For this room's own use: not thread-safe, used by one
// transaction at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <pqxx/connection>
#include <pqxx/errorhandler>
#include <pqxx/transaction>
#include <string>
#include <utility>
#include <vector>

#include "common/postgres/database.h"

struct pg_conn;  // libpq's PGconn

namespace yikatong::postgres {

// A libpqxx connection that gives away its handle, for the one file that speaks raw libpq.
// libpqxx's own policies hide it. Never reactivated: a lost connection stays lost, since nobody
// could say what of its transaction was done.
class SharedHandleConnection : public pqxx::connection_base {
 public:
  explicit SharedHandleConnection(const std::string& conninfo);  // throws when it cannot connect
  ~SharedHandleConnection() noexcept;
  pg_conn* handle() const { return policy_.handle_; }

 private:
  class KeepHandle : public pqxx::connect_direct {
   public:
    using pqxx::connect_direct::connect_direct;
    handle do_startconnect(handle original) override;
    handle do_disconnect(handle original) noexcept override;
    pg_conn* handle_ = nullptr;
  };
  KeepHandle policy_;
};

class Connection {
 public:
  // Throws what libpqxx throws. `statements` counts every statement; outlives the connection.
  Connection(const std::string& conninfo, std::atomic<int64_t>& statements);

  pqxx::connection_base& pq() { return pq_; }
  pg_conn* handle() { return pq_.handle(); }
  bool healthy() const { return !broken_ && pq_.is_open(); }
  void MarkBroken() { broken_ = true; }

  void Begin(const TransactOptions& options);
  // Runs a prepared statement in the open transaction; throws.
  pqxx::result Execute(const std::string& statement, const std::vector<const char*>& values);
  void Commit();  // throws
  // What the server answers from now on is lost; it still gets what we send. For failpoints.
  void LoseAnswers();
  void Abort() noexcept;  // marks the connection broken when it does not succeed

  // The prepared statement's name on this connection; `*is_new` when it is yet to be prepared. Two
  // queries may have one name (two rooms in one binary), so the text tells them apart. `bulk`:
  // prepared by raw libpq, with types of its own.
  std::string StatementName(const Query& query, bool bulk, bool* is_new);
  void ForgetStatement(const Query& query, bool bulk) { prepared_.erase({query.sql, bulk}); }
  void CountStatement() { statements_.fetch_add(1, std::memory_order_relaxed); }

 private:
  SharedHandleConnection pq_;
  std::unique_ptr<pqxx::errorhandler> silence_;
  std::atomic<int64_t>& statements_;
  std::unique_ptr<pqxx::dbtransaction> transaction_;
  std::map<std::pair<const char*, bool>, std::string> prepared_;
  int names_given_ = 0;
  bool broken_ = false;
};

}  // namespace yikatong::postgres
