#include "common/outbox/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/testing/failpoint_folder.h"
#include "common/outbox/testing/fake_sink.h"
#include "common/outbox/testing/sql/queries.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "fmt/core.h"

namespace yikatong::outbox {
namespace {

using postgres::PgFixture;
using postgres::TestDatabase;
using postgres::Transaction;
using postgres::WorkerRegistry;
using status::Reason;
using status::ReasonOf;
using testing::HasSubstr;
using Fault = FakeSink::Fault;
using Step = Relay::Step;

constexpr char kProducer[] = "dispatch/1";

class RelayTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pg_ = PgFixture::Start({"outboxes", schema::kMigrations}); }
  static void TearDownTestSuite() { pg_.reset(); }
  void SetUp() override {
    db_ = pg_->FreshDatabase();
    ASSERT_TRUE(one_.emplace(db_->database(), clock_, "one").BeatOnce().ok());
  }
  void TearDown() override { one_.reset(); }

  static Entry MakeEntry(int number, int district = 120105) {
    Entry entry;
    entry.service = "dispatch";
    entry.kind = "batch.sealed";
    entry.district = district;
    entry.subject = fmt::format("batches/{}", number);
    entry.at = absl::FromUnixSeconds(1'790'000'000);
    entry.business_date = absl::CivilDay(2026, 9, 21);
    return entry;
  }
  absl::Status AppendOne(int number, int district = 120105) {
    return db_->database().Transact("deed", [&](Transaction& tx) {
      return Append(tx, ids_.NewId(), MakeEntry(number, district));
    });
  }
  void AppendMany(int count) {
    ASSERT_TRUE(db_->database()
                    .Transact("deeds",
                              [&](Transaction& tx) -> absl::Status {
                                for (int i = 0; i < count; ++i) {
                                  YKT_RETURN_IF_ERROR(Append(tx, ids_.NewId(), MakeEntry(i)));
                                }
                                return absl::OkStatus();
                              })
                    .ok());
  }
  // Runs until there is nothing to do; failures of the log are tried again.
  void Drain(Relay& relay) {
    for (int i = 0; i < 1'000; ++i) {
      const auto step = relay.RunOnce();
      if (step.ok() && *step == Step::kIdle) return;
    }
    FAIL() << "never idle";
  }
  static size_t Distinct(const std::vector<std::string>& log) {
    return std::set<std::string>(log.begin(), log.end()).size();
  }

  static inline std::unique_ptr<PgFixture> pg_;
  std::unique_ptr<TestDatabase> db_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  base::SequentialIdSource ids_;
  std::optional<WorkerRegistry> one_;
  FakeSink sink_;
};

TEST_F(RelayTest, EntriesArriveInOrderOfTheirNumbersAndOnce) {
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_entries = 7});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(AppendOne(i, i % 2 == 0 ? 120105 : 120000).ok());
  Drain(relay);
  const std::vector<std::string> log = sink_.Log(kProducer);
  ASSERT_EQ(log.size(), 20u);
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(log[i], HasSubstr(fmt::format("subject: batches/{}\n", i)));
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), "0");
  EXPECT_EQ(db_->Sql("SELECT acked_number || '/' || last_number FROM outbox_relay"), "20/20");
  EXPECT_EQ(sink_.refused(), 0);
}

TEST_F(RelayTest, AnEntryOfACallHasItsTrace) {
  const rpc::Trace trace = rpc::Trace::New();
  {
    const rpc::CallScope scope(trace);
    ASSERT_TRUE(AppendOne(1).ok());
  }
  ASSERT_TRUE(AppendOne(2).ok());
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_entries = 7});
  Drain(relay);
  const std::vector<std::string> log = sink_.Log(kProducer);
  ASSERT_EQ(log.size(), 2u);
  EXPECT_THAT(log[0], HasSubstr("\ndetail.trace_id: " + trace.trace_id + "\n"));
  EXPECT_EQ(log[1].find("trace_id"), std::string::npos);
}

TEST_F(RelayTest, EachStepOfTheThreadHasATraceOfItsOwn) {
  std::mutex mutex;
  std::set<std::string> traces;
  int lines = 0;
  const auto seen = [&] {
    std::lock_guard lock(mutex);
    return lines;
  };
  const telemetry::LogCapture capture([&](std::string_view line) {
    std::lock_guard lock(mutex);
    ++lines;
    const size_t at = line.find("\"trace_id\":\"");
    if (at != std::string_view::npos) traces.emplace(line.substr(at, 45));
  });
  sink_.SetAway(true);
  Relay relay(db_->database(), *one_, sink_,
              {.producer = kProducer, .idle_ms = 2, .max_backoff_ms = 4});
  relay.Start();
  while (seen() < 3) std::this_thread::yield();
  relay.Stop();
  EXPECT_EQ(traces.size(), static_cast<size_t>(lines));
}

TEST_F(RelayTest, ARefusedDeedLeavesNoEntry) {
  EXPECT_FALSE(db_->database()
                   .Transact("deed",
                             [&](Transaction& tx) -> absl::Status {
                               YKT_RETURN_IF_ERROR(Append(tx, ids_.NewId(), MakeEntry(1)));
                               return status::Refuse(Reason::kLeaseLost);
                             })
                   .ok());
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), "0");
}

TEST_F(RelayTest, TheSameOutboxIdTwiceIsRefused) {
  const std::string id = ids_.NewId();
  const auto append = [&] {
    return db_->database().Transact("deed",
                                    [&](Transaction& tx) { return Append(tx, id, MakeEntry(1)); });
  };
  EXPECT_TRUE(append().ok());
  EXPECT_EQ(ReasonOf(append()), Reason::kDuplicateKey);
}

TEST_F(RelayTest, ARowThatCommitsLateIsNotLost) {
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
  ASSERT_TRUE(db_->database()
                  .Transact("late",
                            [&](Transaction& tx) -> absl::Status {
                              YKT_RETURN_IF_ERROR(Append(tx, ids_.NewId(), MakeEntry(1)));
                              // A later one commits, is numbered and sent first.
                              EXPECT_TRUE(AppendOne(2).ok());
                              Drain(relay);
                              EXPECT_EQ(sink_.Log(kProducer).size(), 1u);
                              return absl::OkStatus();
                            })
                  .ok());
  Drain(relay);
  const auto log = sink_.Log(kProducer);
  ASSERT_EQ(log.size(), 2u);
  EXPECT_THAT(log[0], HasSubstr("batches/2"));
  EXPECT_THAT(log[1], HasSubstr("batches/1"));
}

TEST_F(RelayTest, WhileTheLogIsAwayWorkGoesOnAndTheLagIsSeen) {
  telemetry::Metrics metrics;
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .metrics = &metrics});
  sink_.SetAway(true);
  AppendMany(3);
  db_->Sql("UPDATE outbox SET created_at = created_at - interval '1 hour'");
  EXPECT_FALSE(relay.RunOnce().ok());
  EXPECT_FALSE(relay.RunOnce().ok());
  EXPECT_EQ(relay.last_lag().entries, 3);
  EXPECT_GE(relay.last_lag().oldest_age_seconds, 3'600);
  EXPECT_THAT(metrics.Exposition(), HasSubstr("yikatong_outbox_lag_entries 3"));
  AppendMany(2);
  sink_.SetAway(false);
  Drain(relay);
  EXPECT_EQ(sink_.Log(kProducer).size(), 5u);
  EXPECT_EQ(relay.last_lag().entries, 0);
}

TEST_F(RelayTest, AnAnswerThatIsLostIsAskedAboutAndNothingIsThereTwice) {
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_entries = 4});
  AppendMany(20);
  sink_.Inject({Fault::kTakesAndDies, Fault::kAway, Fault::kTakesAndDies, Fault::kTakesAndDies});
  Drain(relay);
  const auto log = sink_.Log(kProducer);
  EXPECT_EQ(log.size(), 20u);
  EXPECT_EQ(Distinct(log), 20u);
  EXPECT_EQ(sink_.refused(), 0);
}

TEST_F(RelayTest, BatchesAreBoundedInBytesAndALargeBodyGoesAlone) {
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_bytes = 500});
  AppendMany(6);  // about 180 bytes each
  Entry large = MakeEntry(99);
  large.details["text"] = std::string(2'000, 'x');
  ASSERT_TRUE(
      db_->database()
          .Transact("deed", [&](Transaction& tx) { return Append(tx, ids_.NewId(), large); })
          .ok());
  Drain(relay);
  EXPECT_EQ(sink_.Log(kProducer).size(), 7u);
  EXPECT_EQ(sink_.appends(), 4);
}

TEST_F(RelayTest, OneRelayHoldsTheLeaseAndTheOtherTakesOverWhenItsHolderIsDead) {
  WorkerRegistry two(db_->database(), clock_, "two");
  ASSERT_TRUE(two.BeatOnce().ok());
  Relay first(db_->database(), *one_, sink_, {.producer = kProducer});
  Relay second(db_->database(), two, sink_, {.producer = kProducer});
  AppendMany(1);
  Drain(first);
  EXPECT_EQ(*second.RunOnce(), Step::kNotMine);
  AppendMany(1);
  clock_.Advance(absl::Seconds(20));  // the first one is paused
  ASSERT_TRUE(two.BeatOnce().ok());
  Drain(second);
  EXPECT_EQ(sink_.Log(kProducer).size(), 2u);
  // The first one wakes: it may not act by its own reckoning, nor, having beaten again, by its
  // fence.
  EXPECT_EQ(*first.RunOnce(), Step::kNotMine);
  ASSERT_TRUE(one_->BeatOnce().ok());
  EXPECT_EQ(*first.RunOnce(), Step::kNotMine);
  AppendMany(1);
  Drain(second);
  EXPECT_EQ(sink_.Log(kProducer).size(), 3u);
}

TEST_F(RelayTest, WhoNoLongerHoldsTheLeaseTellsNoLag) {
  telemetry::Metrics metrics;
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .metrics = &metrics});
  const auto told = [&](const char* lag) {
    EXPECT_THAT(metrics.Exposition(), HasSubstr(fmt::format("yikatong_outbox_lag_{}\n", lag)));
  };
  sink_.SetAway(true);
  AppendMany(3);
  db_->Sql("UPDATE outbox SET created_at = now() - interval '1 hour'");
  EXPECT_FALSE(relay.RunOnce().ok());
  told("entries 3");
  // Another has it; then it is free again; then we do not know whether others take us for dead.
  db_->Sql(
      "UPDATE outbox_relay SET fence = fence + 1, holder = 'another';"
      "INSERT INTO worker_heartbeat VALUES ('another', 1)");
  EXPECT_EQ(*relay.RunOnce(), Step::kNotMine);
  told("entries 0");
  told("seconds 0");
  EXPECT_EQ(*relay.RunOnce(), Step::kNotMine);
  told("entries 0");
  db_->Sql("DELETE FROM worker_heartbeat WHERE worker = 'another'");
  EXPECT_FALSE(relay.RunOnce().ok());
  told("entries 3");
  clock_.Advance(absl::Seconds(20));
  EXPECT_EQ(*relay.RunOnce(), Step::kNotMine);
  told("entries 0");
}

TEST_F(RelayTest, AFencedOffRelayNumbersAndAcknowledgesNothing) {
  Relay first(db_->database(), *one_, sink_, {.producer = kProducer});
  AppendMany(1);
  Drain(first);
  db_->Sql(
      "UPDATE outbox_relay SET fence = fence + 1, holder = 'another';"
      "INSERT INTO worker_heartbeat VALUES ('another', 1)");
  AppendMany(1);
  EXPECT_EQ(*first.RunOnce(), Step::kNotMine);
  EXPECT_EQ(db_->Sql("SELECT last_number FROM outbox_relay"), "1");
  EXPECT_EQ(sink_.Log(kProducer).size(), 1u);
}

TEST_F(RelayTest, ARelayStoppedInTheMiddleOfAStepDoesNoHarmWhenItWakes) {
  for (const char* step : {"outbox_number", "outbox_acknowledge"}) {
    SCOPED_TRACE(step);
    one_.reset();
    db_ = pg_->FreshDatabase();
    ASSERT_TRUE(one_.emplace(db_->database(), clock_, "one").BeatOnce().ok());
    FakeSink log;
    WorkerRegistry two(db_->database(), clock_, "two");
    ASSERT_TRUE(two.BeatOnce().ok());
    Relay first(db_->database(), *one_, log, {.producer = kProducer});
    Relay second(db_->database(), two, log, {.producer = kProducer});
    AppendMany(3);
    const base::testing::FailpointFolder points;
    const std::string point = std::string(step) + ".before_begin";
    points.Put(point, "wait");
    std::thread stopped([&] {
      const auto woke = first.RunOnce();
      EXPECT_TRUE(woke.ok() && *woke == Step::kNotMine);
    });
    points.AwaitTaken(point);
    clock_.Advance(absl::Seconds(20));
    ASSERT_TRUE(two.BeatOnce().ok());
    AppendMany(2);
    Drain(second);
    points.LetGo(point);
    stopped.join();
    EXPECT_EQ(log.Log(kProducer).size(), 5u);
    EXPECT_EQ(db_->Sql("SELECT acked_number || '/' || last_number FROM outbox_relay"), "5/5");
    EXPECT_EQ(db_->Sql("SELECT holder FROM outbox_relay"), "two");
  }
}

TEST_F(RelayTest, ARelayThatStopsLeavesTheLeaseAtOnce) {
  WorkerRegistry two(db_->database(), clock_, "two");
  ASSERT_TRUE(two.BeatOnce().ok());
  Relay first(db_->database(), *one_, sink_, {.producer = kProducer});
  Drain(first);
  first.Stop();
  Relay second(db_->database(), two, sink_, {.producer = kProducer});
  EXPECT_EQ(*second.RunOnce(), Step::kIdle);
}

TEST_F(RelayTest, AfterACrashTheRelayGoesOnFromWhatTheLogSays) {
  AppendMany(9);
  {
    Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_entries = 3});
    sink_.Inject({Fault::kTakesAndDies});
    EXPECT_FALSE(relay.RunOnce().ok());  // and dies before it asks
  }
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_entries = 3});
  Drain(relay);
  EXPECT_EQ(Distinct(sink_.Log(kProducer)), 9u);
  EXPECT_EQ(sink_.Log(kProducer).size(), 9u);
}

TEST_F(RelayTest, ALogThatKnowsMoreOrForgotStopsTheRelay) {
  {
    Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
    AppendMany(3);
    Drain(relay);
  }
  sink_.Truncate(kProducer, 2);
  {
    Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
    AppendMany(1);
    EXPECT_EQ(ReasonOf(relay.RunOnce().status()), Reason::kOutboxDiverged);
  }
  sink_.Truncate(kProducer, 9);
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
  EXPECT_EQ(ReasonOf(relay.RunOnce().status()), Reason::kOutboxDiverged);
}

TEST_F(RelayTest, ARaisedRestoreEpochNumbersAnewWhatWasNotAcknowledged) {
  {
    Relay relay(db_->database(), *one_, sink_, {.producer = kProducer, .max_entries = 2});
    AppendMany(2);
    Drain(relay);
    sink_.SetAway(true);
    AppendMany(2);
    EXPECT_FALSE(relay.RunOnce().ok());  // numbered 3 and 4, not sent
    sink_.SetAway(false);
  }
  Relay relay(db_->database(), *one_, sink_, {.producer = "dispatch/2"});
  AppendMany(1);
  Drain(relay);
  EXPECT_EQ(sink_.Log(kProducer).size(), 2u);
  EXPECT_EQ(sink_.Log("dispatch/2").size(), 3u);
  EXPECT_EQ(db_->Sql("SELECT string_agg(number::text, ',' ORDER BY number) FROM outbox_number "
                     "WHERE producer = 'dispatch/2'"),
            "1,2,3");
}

TEST_F(RelayTest, AnEmptyLogInThePlaceOfTheOldOneTakesARaisedEpochFromNumberOne) {
  {
    Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
    AppendMany(3);
    Drain(relay);
  }
  FakeSink anew;
  AppendMany(2);
  {
    Relay relay(db_->database(), *one_, anew, {.producer = kProducer});
    EXPECT_EQ(ReasonOf(relay.RunOnce().status()), Reason::kOutboxDiverged);
  }
  EXPECT_EQ(anew.appends(), 0) << "its old numbers go into no other log";
  Relay relay(db_->database(), *one_, anew, {.producer = "dispatch/2"});
  Drain(relay);
  EXPECT_EQ(anew.Log(kProducer).size(), 0u);
  EXPECT_EQ(anew.Log("dispatch/2").size(), 2u) << "what the former log had not acknowledged";
  EXPECT_EQ(db_->Sql("SELECT string_agg(number::text, ',' ORDER BY number) FROM outbox_number "
                     "WHERE producer = 'dispatch/2'"),
            "1,2");
}

TEST_F(RelayTest, OldAcknowledgedEntriesAreForgottenAndNoOthers) {
  {
    Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
    AppendMany(3);
    Drain(relay);
  }
  db_->Sql(
      "UPDATE outbox_number SET created_at = created_at - interval '40 days' WHERE number < 3");
  Relay relay(db_->database(), *one_, sink_, {.producer = kProducer});
  AppendMany(1);
  Drain(relay);
  EXPECT_EQ(db_->Sql("SELECT string_agg(number::text, ',' ORDER BY number) FROM outbox_number"),
            "3,4");
}

// Writers, two relays and a log that fails at random, all at once: everything is in the log, once,
// densely.
TEST_F(RelayTest, UnderFaultsAndWithTwoRelaysEverythingArrivesOnce) {
  const base::SystemClock clock;
  const auto database = db_->Open({.max_connections = 10});
  WorkerRegistry a(*database, clock, "a", {.beat_every_ms = 50}),
      b(*database, clock, "b", {.beat_every_ms = 50});
  ASSERT_TRUE(a.Start().ok());
  ASSERT_TRUE(b.Start().ok());
  sink_.Inject({Fault::kTakesAndDies, Fault::kAway, Fault::kAway, Fault::kTakesAndDies,
                Fault::kAway, Fault::kTakesAndDies});
  {
    Relay first(*database, a, sink_,
                {.producer = kProducer, .max_entries = 20, .idle_ms = 2, .max_backoff_ms = 4});
    Relay second(*database, b, sink_,
                 {.producer = kProducer, .max_entries = 20, .idle_ms = 2, .max_backoff_ms = 4});
    first.Start();
    second.Start();
    std::vector<std::thread> writers;
    writers.reserve(3);
    for (int w = 0; w < 3; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < 60; ++i) {
          EXPECT_TRUE(database
                          ->Transact("deed",
                                     [&](Transaction& tx) {
                                       return Append(tx, ids_.NewId(),
                                                     MakeEntry(w * 1'000 + i, 120101 + w));
                                     })
                          .ok());
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    first.Stop();  // the other goes on
    while (sink_.Log(kProducer).size() < 180) std::this_thread::yield();
    second.Stop();
  }
  const auto log = sink_.Log(kProducer);
  EXPECT_EQ(log.size(), 180u);
  EXPECT_EQ(Distinct(log), 180u);
  EXPECT_EQ(sink_.refused(), 0);
}

}  // namespace
}  // namespace yikatong::outbox
