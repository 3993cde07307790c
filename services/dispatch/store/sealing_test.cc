// The end of a collection: sealing, who left since last period, cancelling; over a real database.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "services/dispatch/domain/ids.h"
#include "services/dispatch/testing/rig.h"

namespace yikatong::dispatch {
namespace {

using testing::FakePeople;
using testing::RuleOf;
namespace pb = catalogue::v1;

class SealingTest : public testing::IntakeTest {
 protected:
  std::int64_t Claims() { return std::stoll(Sql("SELECT count(*) FROM claim")); }
};

// --- Sealing ---

TEST_F(SealingTest, CountAndTotalMustBeThoseDeclared) {
  const std::int64_t batch = Opened(3);
  EXPECT_EQ(Outcome(Seal(batch)), "BATCH_EMPTY");
  ASSERT_TRUE(Upload(People(batch, 1, 1, 0, 2)).ok());
  EXPECT_EQ(Outcome(Seal(batch)), "COUNT_DIFFERS");
  v1::UploadItemsRequest last = People(batch, 2, 3, 2, 1);
  last.mutable_rows(0)->set_amount_fen(104'499);
  ASSERT_TRUE(Upload(last).ok());
  EXPECT_EQ(Outcome(Seal(batch)), "TOTAL_DIFFERS");
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_COLLECTING);
  EXPECT_EQ(Sql("SELECT count(*) FROM chunk"), "0");
}

TEST_F(SealingTest, ABatchWithoutOneGoodRowCannotBeSealed) {
  const std::int64_t batch = Opened(1);
  rig_->people.Forget(0);
  ASSERT_TRUE(Upload(People(batch, 1, 1, 0, 1)).ok());
  EXPECT_EQ(Outcome(Seal(batch)), "BATCH_EMPTY");
}

TEST_F(SealingTest, ARowAfterSealingIsRefusedAndSealingTwiceToo) {
  const std::int64_t batch = Sealed(3);
  EXPECT_EQ(Outcome(Upload(People(batch, 2, 4, 10, 1))), "BATCH_STATE");
  EXPECT_EQ(Outcome(Seal(batch)), "BATCH_STATE");
  EXPECT_EQ(Get(batch).totals().accepted(), 3);
}

TEST_F(SealingTest, SealingWaitsForUploadsThatAreUnderWay) {
  const std::int64_t batch = Opened(100);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int chunk = 1; chunk <= 10; ++chunk) {
    threads.emplace_back([&, chunk] {
      if (Upload(People(batch, chunk, 10 * (chunk - 1) + 1, 10 * (chunk - 1), 10)).ok()) ++done;
    });
  }
  std::string outcome;
  do {
    outcome = Outcome(Seal(batch));
    ASSERT_THAT(outcome, ::testing::AnyOf("OK", "COUNT_DIFFERS", "BATCH_EMPTY"));
  } while (outcome != "OK");
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 10) << "none came after the seal";
  EXPECT_EQ(Sql("SELECT sum(accepted) FROM upload_chunk"), "100");
  EXPECT_EQ(Sql("SELECT count(*) FROM chunk"), "10");
}

TEST_F(SealingTest, AChunkInTheMiddleOfAnotherKeepsItsItemsApart) {
  const std::int64_t batch = Opened(10);
  ASSERT_TRUE(Upload(People(batch, 1, 4, 0, 3)).ok());         // rows 4 to 6
  v1::UploadItemsRequest around = People(batch, 2, 1, 10, 7);  // rows 1 to 7: four of them are new
  ASSERT_EQ(Upload(around)->accepted(), 4);
  ASSERT_EQ(Outcome(Seal(batch)), "OK");
  EXPECT_EQ(Sql("SELECT string_agg(chunk || ':' || coalesce(cardinality(item_ids)::text, 'range'), "
                "' ' ORDER BY chunk) FROM chunk"),
            "1:3 2:4");
}

// --- Departures ---

TEST_F(SealingTest, WhoLeftSinceLastPeriodNeedsAReason) {
  Sealed(5, "P001", "2026-02");
  const std::int64_t march = Opened(3, "P001", "2026-03");
  ASSERT_TRUE(Upload(People(march, 1, 1, 2, 3)).ok());  // people 0 and 1 left
  const auto sealed = Seal(march);
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealed->unexplained_departures(), 2);
  v1::ListDeparturesRequest list;
  list.set_batch_id(march);
  const auto left = rig_->handlers.ListDepartures(list, operator_);
  ASSERT_EQ(left->departures_size(), 2);
  EXPECT_EQ(left->departures(0).person_id(), FakePeople::PersonId(0));
  EXPECT_EQ(left->departures(0).amount_fen(), 104'500);
  v1::PublishNoticeRequest publish;
  publish.set_request_id(NewRequest());
  publish.set_batch_id(march);
  EXPECT_EQ(Outcome(rig_->handlers.PublishNotice(publish, operator_)), "DEPARTURES_UNEXPLAINED");

  v1::ExplainDeparturesRequest explain;
  explain.set_request_id(NewRequest());
  explain.set_batch_id(march);
  explain.add_person_ids(FakePeople::PersonId(4));
  explain.set_reason("moved away");
  EXPECT_EQ(Outcome(rig_->handlers.ExplainDepartures(explain, operator_)), "PERSON_UNKNOWN");
  explain.set_request_id(NewRequest());
  explain.set_person_ids(0, FakePeople::PersonId(0));
  const auto one = rig_->handlers.ExplainDepartures(explain, operator_);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->explained(), 1);
  EXPECT_EQ(one->unexplained(), 1);
  explain.set_request_id(NewRequest());
  explain.clear_person_ids();
  EXPECT_EQ(rig_->handlers.ExplainDepartures(explain, operator_)->unexplained(), 0);
  publish.set_request_id(NewRequest());
  EXPECT_EQ(Outcome(rig_->handlers.PublishNotice(publish, operator_)), "OK");
}

TEST_F(SealingTest, ACancelledBatchOfLastPeriodIsNotComparedWith) {
  const std::int64_t february = Sealed(5, "P001", "2026-02");
  ASSERT_TRUE(Cancel(february).ok());
  const std::int64_t march = Opened(1);
  ASSERT_TRUE(Upload(People(march, 1, 1, 10, 1)).ok());
  EXPECT_EQ(Seal(march)->unexplained_departures(), 0);
}

TEST_F(SealingTest, ARosterThatIsPartedOverSeveralBatchesIsComparedWhole) {
  Sealed(5, "P001", "2026-02");
  const std::int64_t town = Opened(2, "P001", "2026-02");
  ASSERT_TRUE(Upload(People(town, 1, 1, 5, 2)).ok());
  ASSERT_TRUE(Seal(town).ok());
  // Of the people 0 to 6, those from 2 to 4 stand in the first batch of March; 5 in the second,
  // which still collects.
  const std::int64_t first = Opened(3, "P001", "2026-03");
  ASSERT_TRUE(Upload(People(first, 1, 1, 2, 3)).ok());
  const std::int64_t second = Opened(1, "P001", "2026-03");
  ASSERT_TRUE(Upload(People(second, 1, 1, 5, 1)).ok());
  EXPECT_EQ(Seal(first)->unexplained_departures(), 3) << "0, 1 and 6";
  EXPECT_EQ(Seal(second)->unexplained_departures(), 0) << "each is asked about once";
  EXPECT_EQ(Sql("SELECT string_agg((batch_id - " + std::to_string(first) +
                ")::text || ':' || amount_fen, ' ') FROM departure"),
            "0:104500 0:104500 0:104500");
}

// --- Cancelling ---

TEST_F(SealingTest, CancellingFreesTheClaimsAndASecondTimeChangesNothing) {
  const std::int64_t batch = Sealed(20);
  const auto cancelled = Cancel(batch);
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(cancelled->totals().stopped(), 20);
  EXPECT_EQ(Claims(), 0);
  EXPECT_EQ(Items(batch)[0].state(), "cancelled");
  const std::string before = Sql("SELECT count(*) FROM outbox");
  EXPECT_EQ(Cancel(batch)->state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox"), before);
  ExpectBalanced(batch);
  Sealed(20);
}

TEST_F(SealingTest, CancellingAFundedBatchGivesItsMoneyBackAndAPayingOneIsRefused) {
  const std::int64_t batch = Sealed(2);
  Sql("UPDATE batch SET state = 6");
  EXPECT_EQ(Outcome(Cancel(batch)), "OK");
  EXPECT_EQ(rig_->money.released, 1);
  Sql("UPDATE batch SET state = 7");
  EXPECT_EQ(Outcome(Cancel(batch)), "BATCH_STATE");
}

TEST_F(SealingTest, ACancellationRacingUploadsLeavesNoClaimBehind) {
  pb::GetPayableVersionResponse dibao = RuleOf("P001"), destitute = RuleOf("P003");
  testing::Exclude(dibao, destitute, pb::SLOT_UNIT_YEAR);
  rig_->catalogue.Put(dibao);
  rig_->catalogue.Put(destitute);
  const std::int64_t doomed = Opened(150, "P001", "2026-05");
  const std::int64_t other = Opened(150, "P001", "2026-06");
  for (int i = 0; i < 15; ++i)
    ASSERT_TRUE(Upload(People(doomed, i + 1, 10 * i + 1, 10 * i, 10)).ok());
  std::thread uploader([&] {
    for (int i = 14; i >= 0; --i)
      ASSERT_TRUE(Upload(People(other, i + 1, 10 * i + 1, 10 * i, 10)).ok());
  });
  EXPECT_EQ(Outcome(Cancel(doomed)), "OK");
  uploader.join();
  EXPECT_EQ(Sql("SELECT count(*) || '/' || sum(holders) FROM claim WHERE owner < 0"), "150/150");
  EXPECT_EQ(Sql("SELECT count(*) FROM claim WHERE owner > 0"), "150");
  ASSERT_TRUE(Cancel(other).ok());
  EXPECT_EQ(Claims(), 0);
}

}  // namespace
}  // namespace yikatong::dispatch
