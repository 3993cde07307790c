#include "common/postgres/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <pqxx/connection>
#include <thread>
#include <vector>

#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

using status::Reason;
using status::ReasonOf;

constexpr Migration kFirst{1, "0001_first",
                           "CREATE TABLE a (id int PRIMARY KEY); GRANT SELECT ON a TO :app;"};
constexpr Migration kSecond{2, "0002_second",
                            "ALTER TABLE a ADD COLUMN note text DEFAULT ':app'::text;"};
constexpr Migration kIndex{3, "0003_index",
                           "-- kind: nontransactional\n"
                           "-- One that does not block writers; it cannot be in a transaction.\n"
                           "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_note\n  ON a (note);\n"
                           "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_note_id ON a (note, id);\n"};
constexpr Migration kContract{4, "0004_contract",
                              "-- kind: contract\nALTER TABLE a DROP COLUMN note;"};

constexpr int kLongMs = 600'000;  // past the patience of who runs the tests

class MigrateTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pg_ = PgFixture::Start({}); }
  static void TearDownTestSuite() { pg_.reset(); }

  // A new, empty database of a service of its own.
  void SetUp() override {
    service_ = fmt::format("service{}", ++services_);
    ASSERT_TRUE(Provision(service_).ok());
  }
  static absl::Status Provision(const std::string& service) {
    return ProvisionServiceDatabase(pg_->admin_conninfo(), service, {"owner-word", "runtime-word"});
  }
  static std::string Conninfo(const std::string& role, const std::string& word,
                              const std::string& database) {
    return fmt::format("host={} user={} password={} dbname={}", pg_->socket_dir(), role, word,
                       database);
  }
  std::string Owner() { return Conninfo(OwnerRole(service_), "owner-word", service_); }
  std::string Runtime() { return Conninfo(RuntimeRole(service_), "runtime-word", service_); }
  absl::StatusOr<MigrateResult> Run(const std::vector<Migration>& migrations) {
    return Migrate(Owner(), service_, migrations);
  }
  std::string Sql(std::string_view statements) { return pg_->Sql(service_, statements); }
  static bool CanConnect(const std::string& conninfo) {
    try {
      pqxx::connection connection(conninfo);
      return true;
    } catch (const pqxx::broken_connection&) {
      return false;
    }
  }

  static inline std::unique_ptr<PgFixture> pg_;
  static inline int services_ = 0;
  std::string service_;
};

TEST_F(MigrateTest, MigrationsRunOnceInOrder) {
  auto result = Run({kFirst, kSecond});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->applied, 2);
  EXPECT_EQ(result->version, 2);
  result = Run({kFirst, kSecond, kIndex});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->applied, 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_indexes WHERE indexname IN ('a_note', 'a_note_id')"), "2");
  // A cast and a quoted word are not placeholders of roles.
  EXPECT_EQ(Sql("INSERT INTO a (id) VALUES (1) RETURNING note"), ":app");
  EXPECT_EQ(Run({kFirst, kSecond, kIndex})->applied, 0);
}

TEST_F(MigrateTest, TheRuntimeRoleOwnsNothingAndMayDoOnlyWhatItWasGranted) {
  ASSERT_TRUE(Run({kFirst}).ok());
  Database database({.conninfo = Runtime()});
  static constexpr Query kRead{"read", "SELECT * FROM a"},
      kWrite{"write", "INSERT INTO a VALUES (1)"}, kCreate{"create", "CREATE TABLE b (id int)"},
      kForget{"forget", "DELETE FROM schema_migrations"},
      kOwned{"owned", "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"};
  const auto run = [&](const Query& query) {
    return database.Transact("run", [&](Transaction& tx) { return tx.Run(query).status(); });
  };
  EXPECT_TRUE(run(kRead).ok());
  EXPECT_FALSE(run(kWrite).ok());
  EXPECT_FALSE(run(kCreate).ok());
  EXPECT_FALSE(run(kForget).ok());
  ASSERT_TRUE(database
                  .Read("owned",
                        [](Transaction& tx) -> absl::Status {
                          YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(kOwned));
                          EXPECT_EQ(rows[0].Int64(0), 0);
                          return absl::OkStatus();
                        })
                  .ok());
}

TEST_F(MigrateTest, NoRoleConnectsToTheDatabaseOfAnother) {
  const std::string other = service_ + "_other";
  ASSERT_TRUE(Provision(other).ok());
  for (const auto& [role, word] : std::vector<std::pair<std::string, std::string>>{
           {RuntimeRole(service_), "runtime-word"}, {OwnerRole(service_), "owner-word"}}) {
    EXPECT_TRUE(CanConnect(Conninfo(role, word, service_))) << role;
    EXPECT_FALSE(CanConnect(Conninfo(role, "another-word", service_))) << role;
    for (const std::string& database : {other, std::string("postgres"), std::string("template1")}) {
      EXPECT_FALSE(CanConnect(Conninfo(role, word, database))) << role << " to " << database;
    }
  }
  EXPECT_EQ(Sql(fmt::format(
                "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolname = '{}'",
                RuntimeRole(service_))),
            "t");
}

TEST_F(MigrateTest, ProvisioningAgainChangesOnlyThePasswords) {
  ASSERT_TRUE(Run({kFirst}).ok());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(
          ProvisionServiceDatabase(pg_->admin_conninfo(), service_, {"owner-word", "new-word"})
              .ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(CanConnect(Runtime()));
  EXPECT_TRUE(CanConnect(Conninfo(RuntimeRole(service_), "new-word", service_)));
  EXPECT_EQ(Run({kFirst})->applied, 0);
}

TEST_F(MigrateTest, AnUnfitNameOrPasswordIsRefused) {
  EXPECT_FALSE(ProvisionServiceDatabase(pg_->admin_conninfo(), "a\"b", {"x", "y"}).ok());
  EXPECT_FALSE(ProvisionServiceDatabase(pg_->admin_conninfo(), "ab", {"", "y"}).ok());
  EXPECT_FALSE(ProvisionServiceDatabase(pg_->admin_conninfo(), "ab", {"x", "密码"}).ok());
}

TEST_F(MigrateTest, ALaterEditOfAMigrationIsRefused) {
  ASSERT_TRUE(Run({kFirst, kSecond}).ok());
  Migration edited = kFirst;
  edited.sql = "CREATE TABLE a (id bigint PRIMARY KEY);";
  EXPECT_EQ(ReasonOf(Run({edited, kSecond}).status()), Reason::kSchemaChanged);
}

TEST_F(MigrateTest, AFailedMigrationLeavesNoTraceAndStopsTheRest) {
  constexpr Migration bad{2, "0002_bad", "CREATE TABLE half (id int); SELECT 1/0;"};
  constexpr Migration after{3, "0003_after", "CREATE TABLE after (id int);"};
  const auto result = Run({kFirst, bad, after});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_tables WHERE tablename IN ('half', 'after')"), "0");
  EXPECT_EQ(Sql("SELECT max(number) FROM schema_migrations"), "1");
  EXPECT_TRUE(Run({kFirst, kSecond}).ok());
}

TEST_F(MigrateTest, AnOldBinaryWorksWithANewerSchemaUntilItIsContracted) {
  ASSERT_TRUE(Run({kFirst, kSecond, kIndex}).ok());
  Database database({.conninfo = Runtime()});
  const std::vector<Migration> old = {kFirst, kSecond};
  EXPECT_EQ(Run(old)->version, 3);
  EXPECT_TRUE(CheckSchema(database, old).ok());
  const std::vector<Migration> newest = {kFirst, kSecond, kIndex, kContract};
  EXPECT_EQ(ReasonOf(CheckSchema(database, newest)), Reason::kSchemaBehind);
  ASSERT_TRUE(Run(newest).ok());
  EXPECT_EQ(ReasonOf(Run(old).status()), Reason::kSchemaTooNew);
  EXPECT_EQ(ReasonOf(CheckSchema(database, old)), Reason::kSchemaTooNew);
  EXPECT_TRUE(CheckSchema(database, newest).ok());
}

TEST_F(MigrateTest, ADatabaseWithoutASchemaIsBehind) {
  Database database({.conninfo = Runtime()});
  EXPECT_EQ(ReasonOf(CheckSchema(database, std::vector<Migration>{kFirst})), Reason::kSchemaBehind);
  EXPECT_TRUE(CheckSchema(database, std::vector<Migration>{{0, "", ""}}).ok());
}

TEST_F(MigrateTest, WhatIsNotThereYetIsWaitedForAndNoLonger) {
  const std::string nobody = fmt::format("host={} user=a dbname=a", testing::TempDir());
  EXPECT_EQ(ReasonOf(Migrate(nobody, service_, {}, 0).status()), Reason::kDatabaseUnavailable);
  EXPECT_EQ(ReasonOf(Migrate(nobody, service_, {}, 300).status()), Reason::kDatabaseUnavailable);

  const std::string later = fmt::format("service{}", ++services_);
  const auto conninfo = [&](const std::string& role, const char* word) {
    return Conninfo(role, word, later);
  };
  const std::vector<Migration> migrations{kFirst};
  Database database({.conninfo = conninfo(RuntimeRole(later), "runtime-word")});
  absl::Status started, migrated;
  std::thread server([&] { started = CheckSchema(database, migrations, kLongMs); });
  std::thread migrator([&] {
    migrated =
        Migrate(conninfo(OwnerRole(later), "owner-word"), later, migrations, kLongMs).status();
  });
  ASSERT_TRUE(Provision(later).ok());
  server.join();
  migrator.join();
  EXPECT_TRUE(migrated.ok()) << migrated;
  EXPECT_TRUE(started.ok()) << started;
}

TEST_F(MigrateTest, WhatTimeDoesNotMendIsToldAtOnce) {
  ASSERT_TRUE(Run({kFirst, kSecond, kIndex, kContract}).ok());
  Database database({.conninfo = Runtime()});
  EXPECT_EQ(ReasonOf(CheckSchema(database, std::vector<Migration>{kFirst}, kLongMs)),
            Reason::kSchemaTooNew);
}

TEST_F(MigrateTest, SeveralMigratorsAtOnceDoTheWorkOnce) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> applied = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto result = Run({kFirst, kSecond, kIndex});
      ASSERT_TRUE(result.ok()) << result.status();
      applied += result->applied;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(applied, 3);
}

TEST_F(MigrateTest, AnInterruptedConcurrentIndexIsBuiltAnew) {
  ASSERT_TRUE(Run({kFirst, kSecond}).ok());
  Sql("INSERT INTO a VALUES (1, 'x'), (2, 'x')");
  constexpr Migration unique{
      3, "0003_unique",
      "-- kind: nontransactional\n"
      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_unique ON a (note);\n"};
  EXPECT_FALSE(Run({kFirst, kSecond, unique}).ok());
  EXPECT_EQ(Sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_unique'::regclass"), "f");
  EXPECT_EQ(Sql("SELECT done FROM schema_migrations WHERE number = 3"), "f");
  Sql("DELETE FROM a WHERE id = 2");
  ASSERT_TRUE(Run({kFirst, kSecond, unique}).ok());
  EXPECT_EQ(Sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_unique'::regclass"), "t");
}

TEST_F(MigrateTest, AMigrationWaitsForALockOnlySoLongAndTriesAgain) {
  ASSERT_TRUE(Run({kFirst}).ok());
  Database owner({.conninfo = Owner(), .idle_in_transaction_timeout_ms = 60'000});
  static constexpr Query kLock{"lock", "LOCK TABLE a IN ACCESS SHARE MODE"};
  absl::StatusOr<MigrateResult> result;
  std::thread migrator;
  ASSERT_TRUE(owner
                  .Transact("hold",
                            [&](Transaction& tx) -> absl::Status {
                              YKT_RETURN_IF_ERROR(tx.Run(kLock).status());
                              migrator = std::thread([&] { result = Run({kFirst, kSecond}); });
                              // Held until the migrator has waited, given up and left the queue: a
                              // reader gets through meanwhile.
                              while (Sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                                         "relation = 'a'::regclass") == "0") {
                              }
                              while (Sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                                         "relation = 'a'::regclass") != "0") {
                              }
                              return absl::OkStatus();
                            })
                  .ok());
  migrator.join();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->applied, 1);
}

TEST_F(MigrateTest, NumbersWithAGapAndUnknownKindsAreRefused) {
  EXPECT_FALSE(Run({kSecond}).ok());
  EXPECT_FALSE(Run({{1, "0001_odd", "-- kind: odd\nSELECT 1;"}}).ok());
  EXPECT_TRUE(Run({{0, "", ""}}).ok());
}

}  // namespace
}  // namespace yikatong::postgres
