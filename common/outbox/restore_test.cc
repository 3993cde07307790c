#include "common/outbox/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/outbox/relay.h"
#include "common/outbox/testing/fake_sink.h"
#include "common/outbox/testing/sql/queries.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "fmt/core.h"

namespace yikatong::outbox {
namespace {

using postgres::PgFixture;
using postgres::TestDatabase;
using postgres::Transaction;
using status::Reason;
using status::ReasonOf;
using testing::HasSubstr;

class RestoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pg_ = PgFixture::Start({"outboxes", schema::kMigrations}); }
  static void TearDownTestSuite() { pg_.reset(); }
  void SetUp() override { db_ = pg_->FreshDatabase(); }

  absl::Status Raise(const std::string& restore_id) {
    said_.str("");
    postgres::DatabaseOptions options;
    options.conninfo = db_->runtime_conninfo();
    return RaiseRestoreEpoch(restore_id, "dispatch", options, schema::kEpochRead,
                             schema::kEpochRaise, said_);
  }
  void AppendOne(const std::string& subject) {
    Entry entry;
    entry.service = "dispatch";
    entry.kind = "batch.sealed";
    entry.district = 120105;
    entry.subject = subject;
    entry.at = absl::FromUnixSeconds(1'790'000'000);
    entry.business_date = absl::CivilDay(2026, 9, 21);
    ASSERT_TRUE(
        db_->database()
            .Transact("deed", [&](Transaction& tx) { return Append(tx, ids_.NewId(), entry); })
            .ok());
  }
  // What a service does with its outbox from its start to its end.
  void RunService(const std::string& producer) {
    postgres::WorkerRegistry workers(db_->database(), clock_, producer);
    ASSERT_TRUE(workers.BeatOnce().ok());
    Relay relay(db_->database(), workers, sink_, {.producer = producer});
    for (int i = 0; i < 100; ++i) {
      const auto step = relay.RunOnce();
      ASSERT_TRUE(step.ok()) << step.status();
      if (*step == Relay::Step::kIdle) return;
    }
    FAIL() << "never idle";
  }

  static inline std::unique_ptr<PgFixture> pg_;
  std::unique_ptr<TestDatabase> db_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  base::SequentialIdSource ids_;
  FakeSink sink_;
  std::ostringstream said_;
};

TEST_F(RestoreTest, TellsTheLogWhichEntriesAreOfTheHistoryThatGoesOn) {
  AppendOne("kept");
  RunService("dispatch/1");
  const std::string moment = "CREATE TABLE backup AS TABLE outbox_relay";
  AppendOne("written");  // and sent behind the backup's moment, as what comes after it
  db_->Sql(moment);
  RunService("dispatch/1");
  ASSERT_EQ(sink_.Log("dispatch/1").size(), 2u);
  // The database as it was at the moment; the log as it is.
  db_->Sql(
      "UPDATE outbox_relay r SET last_number = b.last_number, acked_number = b.acked_number, "
      "holder = '' FROM backup b WHERE b.producer = r.producer;"
      "INSERT INTO outbox (district, outbox_id, created_at, body) SELECT district, outbox_id, "
      "created_at, body FROM outbox_number WHERE number = 2;"
      "DELETE FROM outbox_number WHERE number = 2");

  ASSERT_TRUE(Raise("2026-11-26").ok());
  EXPECT_EQ(said_.str(), "restore epoch: 2\n");
  EXPECT_EQ(db_->Sql("SELECT restore_id || '/' || epoch || '/' || kept_through FROM restored"),
            "2026-11-26/2/1");
  RunService("dispatch/2");
  const std::vector<std::string> log = sink_.Log("dispatch/2");
  ASSERT_EQ(log.size(), 2u);
  EXPECT_THAT(log[0], HasSubstr("subject: written\n"));
  EXPECT_THAT(log[1], HasSubstr("kind: service.restored\n"));
  EXPECT_THAT(log[1], HasSubstr("subject: services/dispatch\n"));
  EXPECT_THAT(log[1], HasSubstr("detail.former_epoch: 1\ndetail.kept_through: 1\n"
                                "detail.restore_id: 2026-11-26\n"));
}

TEST_F(RestoreTest, IsDoneOnceForEachRestore) {
  ASSERT_TRUE(Raise("one").ok());
  ASSERT_TRUE(Raise("one").ok());
  EXPECT_EQ(said_.str(), "restore epoch: 2 (raised before)\n");
  ASSERT_TRUE(Raise("two").ok());
  EXPECT_EQ(said_.str(), "restore epoch: 3\n");
  EXPECT_EQ(*ReadRestoreEpoch(db_->database(), schema::kEpochRead), 3);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), "2");
}

TEST_F(RestoreTest, KeepsNothingOfAServiceThatHasToldTheLogNothing) {
  AppendOne("never sent");
  ASSERT_TRUE(Raise("one").ok());
  EXPECT_EQ(db_->Sql("SELECT kept_through FROM restored"), "0");
}

TEST_F(RestoreTest, RefusesARestoreWithoutAProperName) {
  for (const std::string& id : {std::string(), std::string("a b"), std::string(65, 'x')}) {
    EXPECT_EQ(ReasonOf(Raise(id)), Reason::kConfigInvalid) << id;
  }
  EXPECT_EQ(*ReadRestoreEpoch(db_->database(), schema::kEpochRead), 1);
}

TEST_F(RestoreTest, RefusesBehindTheLastEpoch) {
  db_->Sql("UPDATE numbering SET restore_epoch = 9");
  EXPECT_EQ(ReasonOf(Raise("ten")), Reason::kStateConflict);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM restored"), "0");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), "0");
}

}  // namespace
}  // namespace yikatong::outbox
