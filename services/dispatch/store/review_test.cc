// Notice, objections and review, over a real database.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "common/crypto/merkle.h"
#include "common/status/status.h"
#include "services/dispatch/testing/rig.h"

namespace yikatong::dispatch {
namespace {

using identity::Role;
using testing::CallerOf;
using testing::RuleOf;
namespace pb = catalogue::v1;

class NoticeTest : public testing::IntakeTest {
 protected:
  absl::StatusOr<v1::Batch> Close(std::int64_t batch) {
    v1::CloseNoticeRequest request;
    request.set_request_id(NewRequest());
    request.set_batch_id(batch);
    return rig_->handlers.CloseNotice(request, operator_);
  }
  std::vector<v1::NoticeLine> Lines(std::int64_t batch, int page_size, v1::Notice* notice) {
    v1::ListNoticeLinesRequest request;
    request.set_batch_id(batch);
    request.set_page_size(page_size);
    std::vector<v1::NoticeLine> lines;
    do {
      const auto page = rig_->handlers.ListNoticeLines(request, operator_);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      *notice = page->notice();
      lines.insert(lines.end(), page->lines().begin(), page->lines().end());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return lines;
  }
};

TEST_F(NoticeTest, TheListIsMaskedPagedAndFrozenByItsRoot) {
  Renew({.notice_page = 7});
  const std::int64_t batch = Noticed(23);
  v1::Notice notice;
  const auto lines = Lines(batch, 5, &notice);
  ASSERT_EQ(lines.size(), 23u);
  EXPECT_EQ(notice.lines(), 23);
  EXPECT_EQ(notice.from_date(), "2026-03-02");
  EXPECT_EQ(notice.to_date(), "2026-03-08") << "seven days with the first";
  crypto::MerkleAccumulator tree;
  for (const v1::NoticeLine& line : lines) {
    EXPECT_EQ(line.masked_name(), "张**");
    EXPECT_EQ(line.people(), 1);
    tree.Add(crypto::LeafHash(NoticeLineBytes({line.line(), line.masked_name(), line.village_code(),
                                               line.amount_fen(), line.people(), line.item_id()})));
  }
  EXPECT_EQ(crypto::StringOf(tree.Root()), notice.root());
  EXPECT_EQ(lines.back().line(), 23);
}

TEST_F(NoticeTest, ANoticeOfCountsShowsNobodyAndNoSmallCell) {
  pb::GetPayableVersionResponse orphans = RuleOf("P016");
  orphans.mutable_version()->mutable_notice()->set_aggregate_only(true);
  rig_->catalogue.Put(orphans);
  const std::int64_t batch =
      Noticed(30, "P016");  // seven villages: two of five people, five of four
  v1::Notice notice;
  const auto lines = Lines(batch, 3, &notice);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_TRUE(notice.aggregate_only());
  EXPECT_EQ(notice.lines(), 7);
  for (const v1::NoticeLine& line : lines) {
    EXPECT_EQ(line.masked_name(), "");
    EXPECT_EQ(line.item_id(), 0);
    EXPECT_TRUE(line.people() == 0 || line.people() >= 5) << line.people();
    EXPECT_EQ(line.amount_fen(), line.people() * 104'500);
  }
  EXPECT_EQ(lines[0].people(), 5);
  EXPECT_EQ(lines[6].people(), 0);
  rig_->business.AdvanceDays(7);
  EXPECT_EQ(Outcome(Close(batch)), "OK") << "counts are not posted, so no photograph";
}

TEST_F(NoticeTest, ItEndsAfterItsLastDayAndWithAPhotograph) {
  const std::int64_t batch = Noticed(3);
  ASSERT_EQ(Outcome(AddPhoto(batch)), "OK");
  rig_->business.AdvanceDays(6);
  EXPECT_EQ(Outcome(Close(batch)), "NOTICE_RUNNING");
  rig_->business.AdvanceDays(1);
  const auto closed = Close(batch);
  ASSERT_TRUE(closed.ok()) << closed.status();
  EXPECT_EQ(closed->state(), v1::BATCH_STATE_IN_REVIEW);
  EXPECT_EQ(closed->next_step(), "town_review");
  EXPECT_EQ(closed->next_step_due_on(), "2026-03-12");
  EXPECT_EQ(closed->attachments_size(), 1);
}

TEST_F(NoticeTest, WithoutAPhotographItDoesNotEnd) {
  const std::int64_t batch = Noticed(3);
  rig_->business.AdvanceDays(7);
  EXPECT_EQ(Outcome(Close(batch)), "NOTICE_EVIDENCE_MISSING");
  EXPECT_EQ(Outcome(AddPhoto(batch)), "OK");
  EXPECT_EQ(Outcome(AddPhoto(batch)), "OK") << "the same photograph again is the same";
  EXPECT_EQ(Outcome(Close(batch)), "OK");
}

TEST_F(NoticeTest, AnObjectionHoldsItsItemAndTheOthersGoOn) {
  const std::int64_t batch = Noticed(5);
  const auto items = Items(batch);
  const auto objection = Raise(batch, items[1].item_id(), hearer_);
  ASSERT_TRUE(objection.ok()) << objection.status();
  EXPECT_EQ(objection->objection_id(), 1);
  EXPECT_EQ(Outcome(Raise(batch, items[1].item_id(), hearer_)), "OBJECTION_OPEN");
  EXPECT_EQ(Outcome(Raise(batch, items[4].item_id() + 1, hearer_)), "ITEM_UNKNOWN");
  EXPECT_EQ(Get(batch).totals().held(), 1);
  EXPECT_EQ(Get(batch).totals().waiting(), 4);
  EXPECT_EQ(Items(batch, "held")[0].reason(), "OBJECTION_OPEN");
  ExpectBalanced(batch);
}

TEST_F(NoticeTest, AnObjectionIsDecidedOnceAndByAnotherPerson) {
  const std::int64_t batch = Noticed(5);
  const auto items = Items(batch);
  ASSERT_TRUE(Raise(batch, items[0].item_id(), hearer_).ok());
  ASSERT_TRUE(Raise(batch, items[1].item_id(), hearer_).ok());
  ASSERT_TRUE(Raise(batch, items[2].item_id(), hearer_).ok());
  EXPECT_EQ(Outcome(Decide(batch, 1, v1::OBJECTION_STATE_UPHELD, hearer_)), "SAME_PERSON");
  EXPECT_EQ(Outcome(Decide(batch, 9, v1::OBJECTION_STATE_UPHELD, operator_)), "OBJECTION_UNKNOWN");
  EXPECT_EQ(Outcome(Decide(batch, 1, v1::OBJECTION_STATE_OPEN, operator_)), "FIELD_INVALID");
  EXPECT_EQ(Decide(batch, 1, v1::OBJECTION_STATE_UPHELD, operator_)->state(),
            v1::OBJECTION_STATE_UPHELD);
  EXPECT_EQ(Outcome(Decide(batch, 1, v1::OBJECTION_STATE_REJECTED, operator_)),
            "OBJECTION_DECIDED");
  EXPECT_EQ(Outcome(Decide(batch, 2, v1::OBJECTION_STATE_REJECTED, operator_)), "OK");
  EXPECT_EQ(Outcome(Decide(batch, 3, v1::OBJECTION_STATE_WITHDRAWN, hearer_)), "OK")
      << "whoever raised it may take it back";
  EXPECT_EQ(Get(batch).totals().stopped(), 1);
  EXPECT_EQ(Get(batch).totals().waiting(), 4);
  EXPECT_EQ(Items(batch, "stopped")[0].reason(), "OBJECTION_UPHELD");
  EXPECT_EQ(Outcome(Raise(batch, items[0].item_id(), hearer_)), "OBJECTION_DECIDED")
      << "it is stopped for good";
  EXPECT_EQ(Outcome(Raise(batch, items[1].item_id(), hearer_)), "OK")
      << "a rejected one can be raised anew";
  ExpectBalanced(batch);
}

TEST_F(NoticeTest, AfterTheNoticeNoObjectionIsTaken) {
  const std::int64_t early = Sealed(3);
  EXPECT_EQ(Outcome(Raise(early, Items(early)[0].item_id(), hearer_)), "BATCH_STATE");
  Renew({});
  const std::int64_t batch = Noticed(3);
  rig_->business.AdvanceDays(7);
  EXPECT_EQ(Outcome(Raise(batch, Items(batch)[0].item_id(), hearer_)), "NOTICE_ENDED");
}

TEST_F(NoticeTest, AnObjectionDecidedAfterFundingMovesMoneyToo) {
  const std::int64_t batch = Noticed(3);
  const auto items = Items(batch);
  ASSERT_TRUE(Raise(batch, items[0].item_id(), hearer_).ok());
  ASSERT_TRUE(Raise(batch, items[1].item_id(), hearer_).ok());
  Sql("UPDATE batch SET state = 7");
  EXPECT_EQ(Outcome(Decide(batch, 1, v1::OBJECTION_STATE_UPHELD, operator_)), "OK");
  EXPECT_EQ(rig_->money.stopped_fen, 104'500);
  EXPECT_EQ(Outcome(Decide(batch, 2, v1::OBJECTION_STATE_REJECTED, operator_)), "OK");
  EXPECT_EQ(rig_->money.freed, 1);
}

TEST_F(NoticeTest, ACancelledBatchFreesItsHeldItems) {
  const std::int64_t batch = Noticed(3);
  ASSERT_TRUE(Raise(batch, Items(batch)[0].item_id(), hearer_).ok());
  ASSERT_EQ(Outcome(Cancel(batch)), "OK");
  EXPECT_EQ(Get(batch).totals().held(), 0);
  EXPECT_EQ(Get(batch).totals().stopped(), 3);
  EXPECT_EQ(Outcome(Decide(batch, 1, v1::OBJECTION_STATE_UPHELD, operator_)), "BATCH_STATE");
  ExpectBalanced(batch);
}

class ReviewStepsTest : public NoticeTest {};

TEST_F(ReviewStepsTest, EachStepByAnotherPersonLeadsToApproval) {
  const std::int64_t batch = InReview(3);
  EXPECT_EQ(Outcome(Review(batch, "department_review", department_)), "STEP_ORDER");
  EXPECT_EQ(Outcome(Review(batch, "town_review", department_)), "PERMISSION_DENIED");
  EXPECT_EQ(Outcome(Review(batch, "town_review", CallerOf("operator", {Role::kTownReviewer}))),
            "SAME_PERSON");
  const auto first = Review(batch, "town_review", town_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->next_step(), "department_review");
  EXPECT_EQ(
      Outcome(Review(batch, "department_review", CallerOf("town", {Role::kDepartmentReviewer}))),
      "SAME_PERSON");
  const auto second = Review(batch, "department_review", department_);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->state(), v1::BATCH_STATE_APPROVED);
  EXPECT_EQ(second->next_step(), "");
  ASSERT_EQ(second->reviews_size(), 2);
  EXPECT_EQ(second->reviews(1).person(), "department");
  EXPECT_EQ(Outcome(Review(batch, "department_review", CallerOf("x", {Role::kDepartmentReviewer}))),
            "BATCH_STATE");
}

TEST_F(ReviewStepsTest, AStepAfterItsLastWorkingDayIsLate) {
  const std::int64_t batch = InReview(3);
  rig_->business.AdvanceDays(3);
  EXPECT_FALSE(Review(batch, "town_review", town_)->reviews(0).late());
  rig_->business.AdvanceDays(30);
  EXPECT_TRUE(Review(batch, "department_review", department_)->reviews(1).late());
}

TEST_F(ReviewStepsTest, AReturnedBatchSaysWhyAndCanOnlyBeCancelled) {
  const std::int64_t batch = InReview(3);
  EXPECT_EQ(Outcome(Review(batch, "town_review", town_, false)), "REASON_MISSING");
  const auto returned = Review(batch, "town_review", town_, false, "two signatures are missing");
  ASSERT_TRUE(returned.ok()) << returned.status();
  EXPECT_EQ(returned->state(), v1::BATCH_STATE_RETURNED);
  EXPECT_EQ(returned->reason(), "two signatures are missing");
  EXPECT_EQ(Outcome(Review(batch, "town_review", department_)), "BATCH_STATE");
  EXPECT_EQ(Outcome(Cancel(batch)), "OK");
}

TEST_F(ReviewStepsTest, OfAnApprovalAndAReturnAtOneMomentExactlyOneWins) {
  for (int round = 0; round < 5; ++round) {
    Renew({});
    const std::int64_t batch = InReview(3);
    ASSERT_TRUE(Review(batch, "town_review", town_).ok());
    std::array<std::string, 2> outcomes;
    std::thread approve(
        [&] { outcomes[0] = Outcome(Review(batch, "department_review", department_)); });
    std::thread giveback([&] {
      outcomes[1] = Outcome(Review(batch, "department_review",
                                   CallerOf("second", {Role::kDepartmentReviewer}), false, "no"));
    });
    approve.join();
    giveback.join();
    EXPECT_EQ((outcomes[0] == "OK") + (outcomes[1] == "OK"), 1)
        << outcomes[0] << " " << outcomes[1];
    EXPECT_EQ(Get(batch).state(),
              outcomes[0] == "OK" ? v1::BATCH_STATE_APPROVED : v1::BATCH_STATE_RETURNED);
    EXPECT_EQ(Sql("SELECT count(*) FROM review"), "2");
  }
}

TEST_F(ReviewStepsTest, TheSameReviewRequestTwiceIsOneStep) {
  const std::int64_t batch = InReview(3);
  v1::ReviewBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_step("town_review");
  request.set_approve(true);
  const auto first = rig_->handlers.ReviewBatch(request, town_);
  const auto again = rig_->handlers.ReviewBatch(request, town_);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->SerializeAsString(), again->SerializeAsString());
  EXPECT_EQ(Sql("SELECT count(*) FROM review"), "1");
  request.set_comment("changed");
  EXPECT_EQ(Outcome(rig_->handlers.ReviewBatch(request, town_)), "REQUEST_ID_REUSED");
}

}  // namespace
}  // namespace yikatong::dispatch
