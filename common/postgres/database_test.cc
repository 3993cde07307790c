#include "common/postgres/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

#include "common/base/testing/failpoint_folder.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/postgres/testing/sql/queries.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

using status::Reason;
using status::ReasonOf;
using testing::HasSubstr;
using testing::Not;

class DatabaseTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pg_ = PgFixture::Start({"things", things::kMigrations}); }
  static void TearDownTestSuite() { pg_.reset(); }
  void SetUp() override { db_ = pg_->FreshDatabase(); }

  absl::Status Put(Database& database, int district, int64_t id, int64_t fen) {
    return database.Transact("put", [&](Transaction& tx) {
      return tx.Run(things::kPutBareThing, district, id, fen).status();
    });
  }
  std::string Count() { return db_->Sql("SELECT count(*) FROM thing"); }

  static inline std::unique_ptr<PgFixture> pg_;
  std::unique_ptr<TestDatabase> db_;
};

TEST_F(DatabaseTest, WhatIsWrittenByScalarParametersIsReadBack) {
  const absl::Time at = absl::FromUnixMicros(1'790'000'000'123'456);
  const std::string seal("\0\x01\xff'\\", 5);
  absl::Status status =
      db_->database().Transact("round_trip", [&](Transaction& tx) -> absl::Status {
        EXPECT_TRUE(tx.Run(things::kPutThing, 120105, int64_t{1}, int64_t{-0}, "低保 'quoted' \\",
                           Bytes{seal}, "0123456789abcdef0123456789abcdef",
                           absl::CivilDay(2026, 2, 28), at, true, 7)
                        .ok());
        EXPECT_TRUE(tx.Run(things::kPutThing, 120105, int64_t{2}, nullptr,
                           std::optional<std::string>(), nullptr, nullptr, nullptr, nullptr,
                           std::optional<bool>(), nullptr)
                        .ok());
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(things::kGetThings));
        EXPECT_EQ(rows.size(), 2);
        const Row row = rows[0];
        EXPECT_EQ(row.Int(0), 120105);
        EXPECT_EQ(row.Int64(1), 1);
        EXPECT_EQ(row.Int64(2), 0);
        EXPECT_EQ(row.Text(3), "低保 'quoted' \\");
        EXPECT_EQ(row.TextView(3), "低保 'quoted' \\");
        EXPECT_EQ(row.Bytes(4), seal);
        EXPECT_EQ(row.Text(5), "0123456789abcdef0123456789abcdef");
        EXPECT_EQ(row.Bytes(5).size(), 16u);
        EXPECT_EQ(row.Date(6), absl::CivilDay(2026, 2, 28));
        EXPECT_EQ(row.Time(7), at);
        EXPECT_TRUE(row.Bool(8));
        EXPECT_EQ(row.Int(9), 7);
        for (int column = 2; column < 10; ++column) EXPECT_TRUE(rows[1].IsNull(column)) << column;
        EXPECT_EQ(rows[1].MaybeInt64(2), std::nullopt);
        EXPECT_EQ(rows[0].MaybeTime(7), at);
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(DatabaseTest, AFunctionThatRefusesLeavesNothingBehind) {
  const absl::Status status =
      db_->database().Transact("refuse", [&](Transaction& tx) -> absl::Status {
        EXPECT_TRUE(tx.Run(things::kPutBareThing, 1, 1, 1).ok());
        return status::Refuse(Reason::kLeaseLost);
      });
  EXPECT_EQ(ReasonOf(status), Reason::kLeaseLost);
  EXPECT_EQ(Count(), "0");
}

TEST_F(DatabaseTest, AFailedStatementFailsTheTransactionEvenWhenTheFunctionOverlooksIt) {
  const absl::Status status = db_->database().Transact("overlook", [&](Transaction& tx) {
    tx.Run(things::kPutBareThing, 1, 1, 1).IgnoreError();
    tx.Run(things::kPutBareThing, 1, 1, 1).IgnoreError();
    EXPECT_EQ(ReasonOf(tx.Run(things::kCountThings).status()), Reason::kDuplicateKey);
    return absl::OkStatus();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kDuplicateKey);
  EXPECT_EQ(Count(), "0");
}

TEST_F(DatabaseTest, ConstraintsAreNamedAndTheDriversTextStaysInside) {
  ASSERT_TRUE(Put(db_->database(), 1, 1, 10).ok());
  const absl::Status twice = Put(db_->database(), 1, 1, 10);
  EXPECT_EQ(twice.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ConstraintOf(twice), "thing_key");
  EXPECT_THAT(twice.ToString(absl::StatusToStringMode::kWithNoExtraData),
              Not(HasSubstr("violates")));
  const absl::Status negative = Put(db_->database(), 1, 2, -1);
  EXPECT_EQ(ReasonOf(negative), Reason::kConstraintViolated);
  EXPECT_EQ(ConstraintOf(negative), "thing_amount_not_negative");
  const absl::Status broken = db_->database().Read(
      "broken", [](Transaction& tx) { return tx.Run(things::kBrokenThing).status(); });
  EXPECT_EQ(ReasonOf(broken), Reason::kDatabaseRefused);
  EXPECT_THAT(std::string(broken.message()), Not(HasSubstr("nothing_here")));
}

TEST_F(DatabaseTest, ARowReadAsWhatItIsNotIsABrokenInvariantAndCommitsNothing) {
  const absl::Status status =
      db_->database().Transact("misread", [&](Transaction& tx) -> absl::Status {
        EXPECT_TRUE(tx.Run(things::kPutBareThing, 1, 1, 1).ok());
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(things::kGetThings));
        rows[0].Text(3);  // NULL
        return absl::OkStatus();
      });
  EXPECT_EQ(ReasonOf(status), Reason::kInvariantBroken);
  EXPECT_EQ(Count(), "0");
}

TEST_F(DatabaseTest, ATextWithANulCharacterIsRefusedBeforeItIsSent) {
  const absl::Status status = db_->database().Transact("nul", [&](Transaction& tx) {
    return tx
        .Run(things::kPutThing, 1, 1, 1, std::string("a\0b", 3), nullptr, nullptr, nullptr, nullptr,
             nullptr, nullptr)
        .status();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kInvariantBroken);
}

TEST_F(DatabaseTest, AReadOnlyTransactionWritesNothing) {
  const absl::Status status = db_->database().Read(
      "read", [](Transaction& tx) { return tx.Run(things::kPutBareThing, 1, 1, 1).status(); });
  EXPECT_EQ(ReasonOf(status), Reason::kDatabaseRefused);
}

TEST_F(DatabaseTest, TwoThatDeadlockBothSucceedAfterARetry) {
  Database& database = db_->database();
  ASSERT_TRUE(Put(database, 1, 1, 0).ok());
  ASSERT_TRUE(Put(database, 1, 2, 0).ok());
  std::barrier both(2);
  std::atomic<int> runs = 0;
  const auto raise = [&](int first, int second) {
    bool met = false;
    const absl::Status status = database.Transact("raise", [&](Transaction& tx) -> absl::Status {
      ++runs;
      YKT_RETURN_IF_ERROR(tx.Run(things::kRaiseThing, 1, first, 1).status());
      if (!std::exchange(met, true))
        both.arrive_and_wait();  // both hold one row on their first run
      return tx.Run(things::kRaiseThing, 1, second, 1).status();
    });
    EXPECT_TRUE(status.ok()) << status;
  };
  std::thread other([&] { raise(2, 1); });
  raise(1, 2);
  other.join();
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(database.Counters().retries, 1);
  EXPECT_EQ(db_->Sql("SELECT string_agg(amount_fen::text, ',') FROM thing"), "2,2");
}

TEST_F(DatabaseTest, ASerializationFailureIsRetriedAndAtLastGivenUp) {
  Database& database = db_->database();
  ASSERT_TRUE(Put(database, 1, 1, 0).ok());
  std::barrier both(2);
  std::atomic<int> runs = 0;
  const auto add_sum = [&](int id) {
    bool met = false;
    return database.Transact("add_sum",
                             [&](Transaction& tx) -> absl::Status {
                               ++runs;
                               YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(things::kSumThings, 1));
                               const int64_t sum = rows[0].Int64(0);
                               if (!std::exchange(met, true)) both.arrive_and_wait();
                               return tx.Run(things::kPutBareThing, 1, id, sum + 1).status();
                             },
                             {.isolation = Isolation::kSerializable});
  };
  std::thread other([&] { EXPECT_TRUE(add_sum(10).ok()); });
  EXPECT_TRUE(add_sum(11).ok());
  other.join();
  EXPECT_GE(runs, 3);
  EXPECT_EQ(db_->Sql("SELECT sum(amount_fen) FROM thing"), "3");  // 1 and 2: one after the other

  // One attempt only: the failure comes out.
  std::atomic<int> refused = 0;
  std::barrier again(2);
  const auto once = [&](int id) {
    const absl::Status status =
        database.Transact("once",
                          [&](Transaction& tx) -> absl::Status {
                            YKT_RETURN_IF_ERROR(tx.Run(things::kSumThings, 1).status());
                            again.arrive_and_wait();
                            return tx.Run(things::kPutBareThing, 1, id, 1).status();
                          },
                          {.isolation = Isolation::kSerializable, .max_attempts = 1});
    if (ReasonOf(status) == Reason::kDatabaseConflict) ++refused;
  };
  std::thread third([&] { once(20); });
  once(21);
  third.join();
  EXPECT_EQ(refused, 1);
}

TEST_F(DatabaseTest, ASessionHasItsTimeoutsAndDurableCommits) {
  const auto database = db_->Open({.statement_timeout_ms = 1234,
                                   .lock_timeout_ms = 567,
                                   .idle_in_transaction_timeout_ms = 890,
                                   .settings = {{"plan_cache_mode", "force_custom_plan"}}});
  static constexpr Query kSettings{
      "settings",
      "SELECT concat_ws('/', current_setting('statement_timeout'), "
      "current_setting('lock_timeout'), "
      "current_setting('idle_in_transaction_session_timeout'), "
      "current_setting('synchronous_commit'), "
      "current_setting('TimeZone'), current_setting('plan_cache_mode'))"};
  ASSERT_TRUE(database
                  ->Read("settings",
                         [](Transaction& tx) -> absl::Status {
                           YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(kSettings));
                           EXPECT_EQ(rows[0].Text(0),
                                     "1234ms/567ms/890ms/on/UTC/force_custom_plan");
                           return absl::OkStatus();
                         })
                  .ok());
}

TEST_F(DatabaseTest, AStatementThatTakesTooLongIsBusyAndItsConnectionGoesOn) {
  const auto database = db_->Open({.statement_timeout_ms = 50});
  const absl::Status slow = database->Read(
      "slow", [](Transaction& tx) { return tx.Run(things::kSleepThing, 30).status(); });
  EXPECT_EQ(ReasonOf(slow), Reason::kDatabaseBusy);
  EXPECT_TRUE(database->Ping().ok());
  EXPECT_EQ(database->Counters().connections_opened, 1);
}

TEST_F(DatabaseTest, ThePoolIsBoundedAndAWaitForAConnectionEnds) {
  const auto database = db_->Open({.max_connections = 1, .acquire_timeout_ms = 20});
  const absl::Status status = database->Read("outer", [&](Transaction&) {
    EXPECT_EQ(database->Counters().connections_in_use, 1);
    EXPECT_EQ(ReasonOf(database->Ping()), Reason::kDatabaseBusy);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(database->Counters().connections_opened, 1);
  EXPECT_EQ(database->Counters().connections_in_use, 0);
  EXPECT_EQ(database->Counters().waiting, 0);
}

TEST_F(DatabaseTest, ManyThreadsShareFewConnections) {
  const auto database = db_->Open({.max_connections = 3});
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) EXPECT_TRUE(Put(*database, t, i, 1).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(), "200");
  EXPECT_LE(database->Counters().connections_opened, 3);
  EXPECT_EQ(database->Counters().commits, 200);
  EXPECT_EQ(database->Counters().statements, 200);
}

TEST_F(DatabaseTest, AConnectionLostInATransactionIsUnavailableAndReplaced) {
  Database& database = db_->database();
  const absl::Status status = database.Transact("lost", [](Transaction& tx) -> absl::Status {
    EXPECT_TRUE(tx.Run(things::kPutBareThing, 1, 1, 1).ok());
    return tx.Run(things::kKillSelf).status();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kDatabaseUnavailable);
  EXPECT_EQ(Count(), "0");
  EXPECT_TRUE(Put(database, 1, 2, 2).ok());
  EXPECT_EQ(database.Counters().connections_dropped, 1);
}

TEST_F(DatabaseTest, AConnectionLostInCommitIsUnknownAndNeverRepeated) {
  Database& database = db_->database();
  int runs = 0;
  const absl::Status status = database.Transact("unknown", [&](Transaction& tx) -> absl::Status {
    ++runs;
    static constexpr Query kPid{"pid", "SELECT pg_backend_pid()"};
    YKT_RETURN_IF_ERROR(tx.Run(things::kPutBareThing, 1, 1, 1).status());
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(kPid));
    const int pid = rows[0].Int(0);
    db_->Sql(fmt::format("SELECT pg_terminate_backend({}, 5000)", pid));  // returns when it is gone
    return absl::OkStatus();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kCommitUnknown);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(database.Counters().commit_unknown, 1);
  EXPECT_TRUE(Put(database, 1, 2, 2).ok());
}

TEST_F(DatabaseTest, AConstraintCheckedAtCommitIsARefusalAndNotUnknown) {
  db_->Sql(
      "CREATE TABLE late (id int, CONSTRAINT late_key UNIQUE (id) DEFERRABLE INITIALLY DEFERRED);"
      "GRANT ALL ON late TO things_app");
  static constexpr Query kPut{"put_late", "INSERT INTO late VALUES (1), (1)"};
  const absl::Status status =
      db_->database().Transact("late", [](Transaction& tx) { return tx.Run(kPut).status(); });
  EXPECT_EQ(ReasonOf(status), Reason::kDuplicateKey);
  EXPECT_EQ(ConstraintOf(status), "late_key");
  EXPECT_TRUE(db_->database().Ping().ok());
}

TEST_F(DatabaseTest, NothingIsOpenedBeforeItIsNeededAndAnAbsentServerIsUnavailable) {
  Database absent({.conninfo = "host=/nonexistent user=x dbname=x"});
  EXPECT_EQ(absent.Counters().connections_opened, 0);
  EXPECT_EQ(ReasonOf(absent.Ping()), Reason::kDatabaseUnavailable);
  EXPECT_EQ(absent.Counters().connections_open, 0);
}

TEST_F(DatabaseTest, TwoQueriesOfOneNameAreToldApart) {
  static constexpr Query kOne{"same", "SELECT 1"}, kTwo{"same", "SELECT 2"};
  ASSERT_TRUE(db_->database()
                  .Read("same",
                        [](Transaction& tx) -> absl::Status {
                          YKT_ASSIGN_OR_RETURN(const Rows one, tx.Run(kOne));
                          YKT_ASSIGN_OR_RETURN(const Rows two, tx.Run(kTwo));
                          EXPECT_EQ(one[0].Int(0), 1);
                          EXPECT_EQ(two[0].Int(0), 2);
                          return absl::OkStatus();
                        })
                  .ok());
}

TEST_F(DatabaseTest, MetricsShowStatementsOutcomesAndConnections) {
  telemetry::Metrics metrics;
  const auto database = db_->Open({.metrics = &metrics});
  ASSERT_TRUE(Put(*database, 1, 1, 1).ok());
  EXPECT_FALSE(Put(*database, 1, 1, 1).ok());
  const std::string page = metrics.Exposition();
  EXPECT_THAT(page, HasSubstr("yikatong_database_statements_total 2"));
  EXPECT_THAT(page, HasSubstr(R"(outcome="committed",transaction="put"} 1)"));
  EXPECT_THAT(page, HasSubstr(R"(outcome="failed",transaction="put"} 1)"));
  EXPECT_THAT(page, HasSubstr(R"(yikatong_database_connections{state="open"} 1)"));
}

// The server dies under a busy pool: every acknowledged row is there afterwards, every refused one
// is not, and the pool recovers by itself.
TEST(CrashTest, WhatWasAcknowledgedSurvivesKillNine) {
  const auto pg =
      PgFixture::Start({.service = "things", .migrations = things::kMigrations, .durable = true});
  const auto db = pg->FreshDatabase();
  Database& database = db->database();
  std::atomic<bool> stop = false;
  std::atomic<int> total = 0;
  std::vector<std::vector<int>> done(4), unknown(4);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const absl::Status status = database.Transact("put", [&](Transaction& tx) {
          return tx.Run(things::kPutBareThing, t, i, 1).status();
        });
        if (status.ok()) {
          done[t].push_back(i);
          ++total;
        } else if (ReasonOf(status) == Reason::kCommitUnknown) {
          unknown[t].push_back(i);
        } else {
          EXPECT_EQ(ReasonOf(status), Reason::kDatabaseUnavailable) << status;
          std::this_thread::sleep_for(std::chrono::milliseconds(1));  // as a caller would
        }
      }
    });
  }
  const auto wait_for = [&](int rows) {
    while (total < rows) std::this_thread::yield();
  };
  wait_for(200);
  pg->Kill();
  pg->Restart();
  wait_for(total + 200);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  int64_t acknowledged = 0, doubtful = 0;
  for (int t = 0; t < 4; ++t) {
    acknowledged += static_cast<int64_t>(done[t].size());
    doubtful += static_cast<int64_t>(unknown[t].size());
    // Of the acknowledged ones none is missing.
    std::string ids;
    for (const int i : done[t]) ids += fmt::format("{}({})", ids.empty() ? "" : ",", i);
    EXPECT_EQ(db->Sql(fmt::format(
                  "SELECT count(*) FROM (VALUES {}) AS acknowledged(id) WHERE NOT EXISTS "
                  "(SELECT FROM thing WHERE district = {} AND thing.id = acknowledged.id)",
                  ids, t)),
              "0");
  }
  const int64_t stored = std::stoll(db->Sql("SELECT count(*) FROM thing"));
  EXPECT_GE(stored, acknowledged);
  EXPECT_LE(stored, acknowledged + doubtful);
  EXPECT_GE(database.Counters().connections_dropped, 1);
}

TEST_F(DatabaseTest, AFailpointBeforeTheCommitLeavesNothingAndOneAfterItEverything) {
  const base::testing::FailpointFolder points;
  points.Put("put.before_commit", "fail RESOURCE_EXHAUSTED");
  EXPECT_EQ(Put(db_->database(), 120105, 1, 100).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Count(), "0");
  points.Put("put.before_begin", "fail UNAVAILABLE");
  EXPECT_EQ(Put(db_->database(), 120105, 1, 100).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Count(), "0");
  // What is committed stays so, whatever happens then.
  points.Put("put.after_commit", "fail ABORTED");
  EXPECT_TRUE(Put(db_->database(), 120105, 1, 100).ok());
  EXPECT_FALSE(points.Has("put.after_commit"));
  EXPECT_EQ(Count(), "1");
}

TEST_F(DatabaseTest, AnAbortedFailpointIsASerializationFailureSoTheTransactionRunsAgain) {
  const base::testing::FailpointFolder points;
  points.Put("put.before_commit", "fail ABORTED");
  EXPECT_TRUE(Put(db_->database(), 120105, 1, 100).ok());
  EXPECT_FALSE(points.Has("put.before_commit"));
  EXPECT_EQ(Count(), "1");
  EXPECT_EQ(db_->database().Counters().retries, 1);
  points.Put("put.before_commit", "fail ABORTED");
  const absl::Status once = db_->database().Transact(
      "put", [](Transaction&) { return absl::OkStatus(); }, {.max_attempts = 1});
  EXPECT_EQ(ReasonOf(once), Reason::kDatabaseConflict) << "past the last try";
}

TEST_F(DatabaseTest, ACommitWhoseAnswerIsLostIsUnknownAndDone) {
  const base::testing::FailpointFolder points;
  points.Put("put.in_commit", "fail UNAVAILABLE");
  EXPECT_EQ(ReasonOf(Put(db_->database(), 120105, 1, 100)), Reason::kCommitUnknown);
  // The server got the commit; only what it said of it did not come.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (Count() != "1" && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(Count(), "1");
  EXPECT_EQ(db_->database().Counters().commit_unknown, 1);
  EXPECT_TRUE(Put(db_->database(), 120105, 2, 100).ok()) << "on another connection";
}

}  // namespace
}  // namespace yikatong::postgres
