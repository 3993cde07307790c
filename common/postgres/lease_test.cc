#include "common/postgres/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "common/postgres/testing/pg_fixture.h"
#include "common/postgres/testing/sql/queries.h"

namespace yikatong::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WorkerOptions kOptions{.beat_every_ms = 1'000,
                                 .dead_after_ms = 15'000,
                                 .margin_ms = 2'000,
                                 .forget_after_ms = 600'000};

class LeaseTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pg_ = PgFixture::Start({"things", things::kMigrations}); }
  static void TearDownTestSuite() { pg_.reset(); }
  void SetUp() override { db_ = pg_->FreshDatabase(); }

  static inline std::unique_ptr<PgFixture> pg_;
  std::unique_ptr<TestDatabase> db_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
};

TEST_F(LeaseTest, AWorkerThatBeatsIsNeverDead) {
  WorkerRegistry one(db_->database(), clock_, "one", kOptions),
      two(db_->database(), clock_, "two", kOptions);
  for (int second = 0; second < 60; ++second) {
    ASSERT_TRUE(one.BeatOnce().ok());
    ASSERT_TRUE(two.BeatOnce().ok());
    EXPECT_THAT(one.DeadWorkers(), IsEmpty());
    EXPECT_THAT(two.DeadWorkers(), IsEmpty());
    EXPECT_TRUE(one.MayAct());
    clock_.Advance(absl::Seconds(1));
  }
}

TEST_F(LeaseTest, AWorkerThatStandsStillStopsActingBeforeOthersTakeOver) {
  WorkerRegistry one(db_->database(), clock_, "one", kOptions),
      two(db_->database(), clock_, "two", kOptions);
  ASSERT_TRUE(two.BeatOnce().ok());
  ASSERT_TRUE(one.BeatOnce().ok());
  int acting_seconds = 0, alive_seconds = 0;
  for (int second = 0; second < 30; ++second) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_TRUE(one.BeatOnce().ok());
    if (two.MayAct()) ++acting_seconds;
    if (one.DeadWorkers().empty()) ++alive_seconds;
  }
  EXPECT_EQ(acting_seconds, 12);
  EXPECT_EQ(alive_seconds, 14);
  EXPECT_THAT(one.DeadWorkers(), ElementsAre("two"));
  ASSERT_TRUE(two.BeatOnce().ok());
  ASSERT_TRUE(one.BeatOnce().ok());
  EXPECT_THAT(one.DeadWorkers(), IsEmpty());
}

TEST_F(LeaseTest, AJumpOfTheWallClockKillsNobody) {
  WorkerRegistry one(db_->database(), clock_, "one", kOptions),
      two(db_->database(), clock_, "two", kOptions);
  ASSERT_TRUE(two.BeatOnce().ok());
  ASSERT_TRUE(one.BeatOnce().ok());
  for (const absl::Duration jump : {absl::Hours(1), -absl::Hours(2)}) {
    clock_.JumpWallClock(jump);
    ASSERT_TRUE(one.BeatOnce().ok());
    EXPECT_THAT(one.DeadWorkers(), IsEmpty());
    EXPECT_TRUE(two.MayAct());
  }
}

TEST_F(LeaseTest, OneThatWasPausedItselfDoesNotJudgeOthersByItsOwnAbsence) {
  WorkerRegistry one(db_->database(), clock_, "one", kOptions),
      two(db_->database(), clock_, "two", kOptions);
  ASSERT_TRUE(two.BeatOnce().ok());
  ASSERT_TRUE(one.BeatOnce().ok());
  clock_.Advance(absl::Seconds(20));  // one sleeps, two goes on
  ASSERT_TRUE(two.BeatOnce().ok());
  EXPECT_THAT(one.DeadWorkers(), IsEmpty());
  EXPECT_FALSE(one.MayAct());
  ASSERT_TRUE(one.BeatOnce().ok());
  EXPECT_THAT(one.DeadWorkers(), IsEmpty());
}

TEST_F(LeaseTest, ANewcomerWatchesForAWholeTermBeforeItJudges) {
  WorkerRegistry dead(db_->database(), clock_, "dead", kOptions);
  ASSERT_TRUE(dead.BeatOnce().ok());
  clock_.Advance(absl::Hours(1));
  WorkerRegistry fresh(db_->database(), clock_, "fresh", kOptions);
  ASSERT_TRUE(fresh.BeatOnce().ok());
  EXPECT_THAT(fresh.DeadWorkers(), IsEmpty());
  clock_.Advance(absl::Seconds(15));
  ASSERT_TRUE(fresh.BeatOnce().ok());
  EXPECT_THAT(fresh.DeadWorkers(), ElementsAre("dead"));
}

TEST_F(LeaseTest, OneThatStopsInOrderLeavesNoRowAndTheLongDeadAreForgotten) {
  WorkerRegistry one(db_->database(), clock_, "one", kOptions);
  ASSERT_TRUE(one.BeatOnce().ok());
  {
    WorkerRegistry leaves(db_->database(), clock_, "leaves", kOptions);
    ASSERT_TRUE(leaves.BeatOnce().ok());
  }
  EXPECT_EQ(db_->Sql("SELECT string_agg(worker, ',') FROM worker_heartbeat"), "one");
  db_->Sql("INSERT INTO worker_heartbeat VALUES ('crashed', 7)");
  ASSERT_TRUE(one.BeatOnce().ok());
  clock_.Advance(absl::Seconds(700));
  ASSERT_TRUE(one.BeatOnce().ok());
  EXPECT_EQ(db_->Sql("SELECT string_agg(worker, ',') FROM worker_heartbeat"), "one");
}

TEST_F(LeaseTest, WithoutItsDatabaseAWorkerStopsActing) {
  Database absent({.conninfo = "host=/nonexistent user=x dbname=x"});
  WorkerRegistry lost(absent, clock_, "lost", kOptions);
  EXPECT_FALSE(lost.Start().ok());
  EXPECT_FALSE(lost.MayAct());
}

TEST_F(LeaseTest, TheThreadKeepsBeating) {
  const base::SystemClock clock;
  WorkerRegistry one(db_->database(), clock, "one", {.beat_every_ms = 5});
  ASSERT_TRUE(one.Start().ok());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::stoi(db_->Sql("SELECT beat FROM worker_heartbeat")) < 3) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  one.Stop();
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM worker_heartbeat"), "0");
}

}  // namespace
}  // namespace yikatong::postgres
