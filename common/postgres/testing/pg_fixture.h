// A private PostgreSQL for tests: on a unix socket only, with its data in a temporary folder, from
// a template that is built once for each build folder and copied for each server (about 0.25 s).
//
//   class ItemStoreTest : public testing::Test {
//    protected:
//     static void SetUpTestSuite() { pg_ = postgres::PgFixture::Start({"dispatch", kMigrations}); }
//     static void TearDownTestSuite() { pg_.reset(); }
//     void SetUp() override { db_ = pg_->FreshDatabase(); }      // empty, migrated
//     static inline std::unique_ptr<postgres::PgFixture> pg_;
//     std::unique_ptr<postgres::TestDatabase> db_;               // db_->database() is a Database
//   };
//
// Failures of the machinery (no PostgreSQL, broken migration) abort the test binary with a message.
// Not thread-safe. Start it on the main thread: the server dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/postgres/database.h"
#include "common/postgres/migration.h"

namespace yikatong::postgres {

struct PgFixtureOptions {
  std::string service = {};
  std::span<const Migration> migrations = {};
  bool durable = false;  // true: fsync on, for tests of what survives a crash
  std::map<std::string, std::string> server_settings = {};  // postgresql.conf
};

// A database of one test; dropped with it.
class TestDatabase {
 public:
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;

  // As the runtime role. A new pool with `options` (conninfo is filled in), or a shared default
  // one.
  std::unique_ptr<Database> Open(DatabaseOptions options = {}) const;
  Database& database();

  std::string runtime_conninfo() const;
  std::string owner_conninfo() const;
  const std::string& name() const { return name_; }

  // Runs statements as the superuser, e.g. to spoil a row; returns the first column of the first
  // row, or "".
  std::string Sql(std::string_view statements);

 private:
  friend class PgFixture;
  TestDatabase(class PgFixture& fixture, std::string service, std::string name);

  class PgFixture& fixture_;
  std::string service_;
  std::string name_;
  std::unique_ptr<Database> database_;
};

class PgFixture {
 public:
  static std::unique_ptr<PgFixture> Start(PgFixtureOptions options);
  ~PgFixture();  // stops the server and removes its folder
  PgFixture(const PgFixture&) = delete;

  // A copy of the migrated, empty database of the service that the fixture was started for (or of
  // one given to AddService).
  std::unique_ptr<TestDatabase> FreshDatabase(std::string_view service = "");

  // Makes and migrates another service's database in the same server.
  void AddService(std::string_view service, std::span<const Migration> migrations);

  // kill -9 to the server, and its start again over the same data (returns when it answers).
  void Kill();
  void Restart();
  // SIGSTOP and SIGCONT to the server's parent process alone: no new connection gets through.
  void Pause();
  void Resume();

  std::string admin_conninfo(std::string_view database = "postgres") const;  // superuser
  std::string conninfo(std::string_view role, std::string_view database) const;
  const std::string& socket_dir() const { return root_; }
  pid_t pid() const { return pid_; }

  // Runs statements as the superuser in `database`.
  std::string Sql(std::string_view database, std::string_view statements);

 private:
  explicit PgFixture(PgFixtureOptions options);
  void Launch();

  PgFixtureOptions options_;
  std::string root_;  // temporary folder: data/, log, socket
  pid_t pid_ = -1;
  int databases_ = 0;
};

}  // namespace yikatong::postgres
