// Batches that mend others, over real gRPC: top-ups of missed amounts, and corrections of returned
// batches.
#include <fmt/format.h>

#include "common/status/status.h"
#include "services/dispatch/testing/repair_rpc.h"

namespace yikatong::dispatch::testing {
namespace {

using identity::Role;
using identity::RoleSet;

// --- Missed amounts ---

TEST_F(RepairRpcTest, AMissedAmountIsToppedUpInABatchOfItsOwnThatOthersReview) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  Report({Paid(Item(batch, 1) * 100 + 1), Paid(Item(batch, 2) * 100 + 1),
          Failed(Item(batch, 3) * 100 + 1)});
  Follow(replica);
  Settle();
  v1::CreateTopUpRequest request;
  request.set_batch_id(batch);
  request.set_reason("the standard was raised from January on");
  v1::TopUpRow& row = *request.add_rows();
  row.set_item_id(Item(batch, 1));
  row.set_amount_fen(5'500);
  v1::Batch top_up;
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator),
            "TOP_UP_NOTHING_MISSED");
  auto raised = RuleOf("P001");
  raised.mutable_version()->mutable_calculation()->set_rate_fen(110'000);
  rig_->catalogue.Put(raised);
  row.set_amount_fen(5'501);
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "AMOUNT_NOT_STANDARD");
  row.set_amount_fen(5'500);
  row.set_item_id(Item(batch, 3));
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "TOP_UP_NOT_POSSIBLE")
      << "it failed, and may go out again";
  row.set_item_id(Item(batch, 1));
  v1::TopUpRow& other = *request.add_rows();
  other.set_item_id(Item(batch, 2));
  other.set_amount_fen(5'500);
  const std::int64_t claims = Number("SELECT count(*) FROM claim");
  request.set_request_id(NewRequest());
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "OK");
  const std::int64_t id = top_up.batch_id();
  EXPECT_EQ(top_up.tops_up_batch_id(), batch);
  EXPECT_EQ(top_up.state(), v1::BATCH_STATE_IN_REVIEW);
  EXPECT_EQ(top_up.next_step(), "town_review");
  EXPECT_EQ(top_up.totals().accepted_fen(), 11'000);
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), claims + 2) << "slots of their own";
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "OK");
  EXPECT_EQ(top_up.batch_id(), id) << "the same request, the first answer";

  // Cancelled, its slots are free again, and the same amounts can be asked for anew.
  v1::CancelBatchRequest cancel;
  cancel.set_batch_id(id);
  cancel.set_reason("wrong file");
  ASSERT_EQ(Do(&Stub::CancelBatch, cancel, &top_up, "operator", kOperator), "OK");
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), claims);
  request.set_request_id("");
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "OK");

  v1::ReviewBatchRequest review;
  review.set_batch_id(top_up.batch_id());
  review.set_step("town_review");
  review.set_approve(true);
  const RoleSet both = {Role::kTownReviewer, Role::kDepartmentReviewer};
  EXPECT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "operator", both), "SAME_PERSON");
  ASSERT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "town", both), "OK");
  review.set_step("department_review");
  EXPECT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "town", both), "SAME_PERSON");
  ASSERT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "department", both), "OK");
  ASSERT_EQ(Outcome(Fund(top_up.batch_id())), "OK");
  ASSERT_EQ(Outcome(Release(top_up.batch_id())), "OK");
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Totals(top_up.batch_id()).paid_fen(), 11'000);
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM item WHERE batch_id = {} AND person_id = {}",
                               top_up.batch_id(), FakePeople::PersonId(0))),
            1);
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator),
            "TOP_UP_NOTHING_MISSED");
  EXPECT_EQ(Books(line), "675500/104500/0/220000/0");
  ExpectBooks();
}

// --- A returned batch ---

TEST_F(RepairRpcTest, AReturnedBatchIsCorrectedByAnotherThatTakesItsPlaceAndItsClaims) {
  v1::CreateBatchRequest create;
  create.set_district(kHebei);
  create.set_department_id(kCivil);
  create.set_policy_id("P001");
  create.set_period("2026-03");
  create.set_declared_count(3);
  create.set_declared_fen(3 * 104'500L);
  v1::Batch batch;
  ASSERT_EQ(Do(&Stub::CreateBatch, create, &batch, "operator", kOperator), "OK");
  const auto upload = [&](std::int64_t id, const std::vector<int>& people) {
    v1::UploadItemsRequest chunk;
    chunk.set_batch_id(id);
    chunk.set_chunk(1);
    for (std::size_t i = 0; i < people.size(); ++i)
      *chunk.add_rows() = RowOf(static_cast<std::int64_t>(i) + 1, people[i]);
    UploadStream stream;
    const auto answer = rig_->handlers.UploadChunk(chunk, operator_, stream);
    EXPECT_EQ(Outcome(answer), "OK");
    return answer->accepted();
  };
  ASSERT_EQ(upload(batch.batch_id(), {0, 1, 2}), 3);
  v1::SealBatchRequest seal;
  seal.set_batch_id(batch.batch_id());
  ASSERT_EQ(Do(&Stub::SealBatch, seal, &batch, "operator", kOperator), "OK");
  v1::CorrectBatchRequest correct;
  correct.set_batch_id(batch.batch_id());
  correct.set_declared_count(2);
  correct.set_declared_fen(2 * 104'500L);
  correct.set_reason("person 3 moved away");
  v1::Batch taking_over;
  EXPECT_EQ(Do(&Stub::CorrectBatch, correct, &taking_over, "operator", kOperator), "BATCH_STATE");
  v1::ReviewBatchRequest review;
  review.set_batch_id(batch.batch_id());
  review.set_step("town_review");
  review.set_comment("row 3 is wrong");
  ASSERT_EQ(Do(&Stub::ReviewBatch, review, &batch, "town", {Role::kTownReviewer}), "OK");
  EXPECT_EQ(Told(Repairs(batch.batch_id())),
            (std::vector<std::string>{"RETURNED_BATCH row 3 is wrong 2026-03-05"}));
  // Its claims hold until it is corrected: nobody else is paid meanwhile.
  v1::Batch another;
  create.set_declared_count(1);
  create.set_declared_fen(104'500);
  ASSERT_EQ(Do(&Stub::CreateBatch, create, &another, "operator", kOperator), "OK");
  EXPECT_EQ(upload(another.batch_id(), {2}), 0);

  correct.set_declared_count(0);
  EXPECT_EQ(Do(&Stub::CorrectBatch, correct, &taking_over, "operator", kOperator), "BATCH_EMPTY");
  correct.set_declared_count(2);
  correct.set_request_id(NewRequest());
  ASSERT_EQ(Do(&Stub::CorrectBatch, correct, &taking_over, "operator", kOperator), "OK");
  EXPECT_EQ(taking_over.corrects_batch_id(), batch.batch_id());
  EXPECT_EQ(taking_over.state(), v1::BATCH_STATE_COLLECTING);
  EXPECT_EQ(taking_over.policy_version(), batch.policy_version());
  EXPECT_EQ(Get(batch.batch_id()).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), 0);
  v1::Batch again;
  ASSERT_EQ(Do(&Stub::CorrectBatch, correct, &again, "operator", kOperator), "OK");
  EXPECT_EQ(again.batch_id(), taking_over.batch_id());
  correct.set_request_id("");
  EXPECT_EQ(Do(&Stub::CorrectBatch, correct, &again, "operator", kOperator), "BATCH_STATE")
      << "corrected already";
  EXPECT_EQ(upload(taking_over.batch_id(), {0, 1}), 2);
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), 2);
}

}  // namespace
}  // namespace yikatong::dispatch::testing
