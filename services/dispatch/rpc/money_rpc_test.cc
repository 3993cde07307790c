// The money half and the budget over real gRPC: roles, scope, and what a refusal carries to the
// caller.
#include "services/dispatch/testing/money_rpc.h"

#include "common/status/status.h"

namespace yikatong::dispatch::testing {
namespace {

using identity::Role;

TEST_F(MoneyRpcTest, ABatchIsFundedReleasedRepairedAndClosedByThosePeopleWhoMay) {
  const std::int64_t batch = Approved(3);
  v1::CreateBudgetLineRequest create;
  create.set_request_id(NewRequest());
  create.set_district(kHebei);
  create.set_policy_id("P001");
  create.set_year(2026);
  create.set_source("city");
  v1::BudgetLine line;
  ASSERT_EQ(Outcome(Call(&Stub::CreateBudgetLine, create, &line, "f", {Role::kCityFinance})), "OK");
  v1::FundBatchRequest fund;
  fund.set_request_id(NewRequest());
  fund.set_batch_id(batch);
  v1::Batch answer;
  const absl::Status poor = Call(&Stub::FundBatch, fund, &answer, "f", {Role::kCityFinance});
  EXPECT_EQ(Outcome(poor), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(status::MetadataOf(poor).at("needed_fen"), "313500");
  v1::AppropriateBudgetRequest money;
  money.set_request_id(NewRequest());
  money.set_district(kHebei);
  money.set_line_id(line.line_id());
  money.set_amount_fen(400'000);
  money.set_basis("2026-17");
  ASSERT_EQ(Outcome(Call(&Stub::AppropriateBudget, money, &line, "f", {Role::kCityFinance})), "OK");
  EXPECT_EQ(line.available_fen(), 400'000);
  // A refusal keeps nothing: the same request succeeds now.
  ASSERT_EQ(Outcome(Call(&Stub::FundBatch, fund, &answer, "f", {Role::kCityFinance})), "OK");
  EXPECT_EQ(answer.state(), v1::BATCH_STATE_FUNDED);

  v1::ReleaseBatchRequest release;
  release.set_request_id(NewRequest());
  release.set_batch_id(batch);
  EXPECT_EQ(Outcome(Call(&Stub::ReleaseBatch, release, &answer, "f", {Role::kCityFinance})),
            "PERMISSION_DENIED");
  EXPECT_EQ(Outcome(Call(&Stub::ReleaseBatch, release, &answer, "town", {Role::kPaymentReleaser})),
            "SAME_PERSON");
  EXPECT_EQ(Outcome(Call(&Stub::ReleaseBatch, release, &answer, "r", {Role::kPaymentReleaser},
                         kFinance, {kBaodi})),
            "BATCH_UNKNOWN");
  ASSERT_EQ(Outcome(Call(&Stub::ReleaseBatch, release, &answer, "r", {Role::kPaymentReleaser})),
            "OK");

  Replica replica(*rig_, "a");
  Work(replica);
  Report({Paid(Item(batch, 1) * 100 + 1), Failed(Item(batch, 2) * 100 + 1),
          Failed(Item(batch, 3) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);

  const identity::RoleSet operators = {Role::kDepartmentOperator};
  const std::string civil = "civil.120105";
  v1::ReissueItemsRequest reissue;
  reissue.set_request_id(NewRequest());
  reissue.set_batch_id(batch);
  reissue.add_item_ids(Item(batch, 2));
  v1::ReissueItemsResponse reissued;
  EXPECT_EQ(Outcome(Call(&Stub::ReissueItems, reissue, &reissued, "o", operators, civil)),
            "REASON_MISSING");
  reissue.set_reason("corrected");
  ASSERT_EQ(Outcome(Call(&Stub::ReissueItems, reissue, &reissued, "o", operators, civil)), "OK");
  EXPECT_EQ(reissued.reissued(), 1);
  v1::AbandonItemsRequest abandon;
  abandon.set_request_id(NewRequest());
  abandon.set_batch_id(batch);
  abandon.add_item_ids(Item(batch, 3));
  abandon.set_reason("moved abroad");
  v1::AbandonItemsResponse abandoned;
  ASSERT_EQ(Outcome(Call(&Stub::AbandonItems, abandon, &abandoned, "o", operators, civil)), "OK");
  Work(replica);
  PayAll(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);

  v1::ListBudgetLinesRequest lines;
  v1::ListBudgetLinesResponse listed;
  ASSERT_EQ(Outcome(Call(&Stub::ListBudgetLines, lines, &listed, "a", {Role::kAuditor})), "OK");
  ASSERT_EQ(listed.lines_size(), 1);
  EXPECT_EQ(listed.lines(0).appropriated_fen(), 400'000);
  EXPECT_EQ(listed.lines(0).available_fen(), 191'000);
  EXPECT_EQ(listed.lines(0).paid_fen(), 209'000);
  EXPECT_EQ(listed.lines(0).reserved_fen(), 0);
  EXPECT_EQ(listed.lines(0).in_transit_fen(), 0);

  v1::CloseBatchRequest close;
  close.set_request_id(NewRequest());
  close.set_batch_id(batch);
  ASSERT_EQ(Outcome(Call(&Stub::CloseBatch, close, &answer, "o", operators, civil)), "OK");
  EXPECT_EQ(answer.state(), v1::BATCH_STATE_CLOSED);
  EXPECT_EQ(answer.totals().paid(), 2);
  EXPECT_EQ(answer.totals().reissued_paid(), 1);
  // The first answer of long ago, byte by byte.
  v1::Batch first;
  ASSERT_EQ(Outcome(Call(&Stub::FundBatch, fund, &first, "f", {Role::kCityFinance})), "OK");
  EXPECT_EQ(first.state(), v1::BATCH_STATE_FUNDED);
  fund.set_batch_id(batch + 1);
  EXPECT_EQ(Outcome(Call(&Stub::FundBatch, fund, &first, "f", {Role::kCityFinance})),
            "REQUEST_ID_REUSED");
}

TEST_F(MoneyRpcTest, MoneyFromAboveReachesALineAndAnOrderIsDecidedByAnotherPerson) {
  using Budget = v1::BudgetService;
  const std::int64_t line = Line("P001", "central", 0);
  const std::int64_t other = Line("P002", "central", 0);
  v1::RecordFundReceiptRequest record;
  record.set_request_id(NewRequest());
  record.set_district(120'000);
  record.set_from_level("central");
  record.set_document("财社〔2026〕1号");
  record.set_policy_id("P001");
  record.set_year(2026);
  record.set_source("central");
  record.set_amount_fen(1'000);
  record.set_received_on("2026-03-01");
  v1::FundReceipt receipt;
  const std::vector<std::int32_t> city = {120'000};
  const identity::RoleSet finance = {Role::kCityFinance};
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::RecordFundReceipt, record, &receipt, "f", finance)),
            "PERMISSION_DENIED");
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::RecordFundReceipt, record, &receipt, "o",
                                 {Role::kDepartmentOperator}, kFinance, city)),
            "PERMISSION_DENIED");
  ASSERT_EQ(Outcome(Call<Budget>(&Budget::Stub::RecordFundReceipt, record, &receipt, "f", finance,
                                 kFinance, city)),
            "OK");
  EXPECT_EQ(receipt.due_on(), "2026-03-31");

  v1::PassDownFundsRequest pass;
  pass.set_request_id(NewRequest());
  pass.set_district(120'000);
  pass.set_receipt_id(receipt.receipt_id());
  pass.set_to_district(kHebei);
  pass.set_line_id(line);
  pass.set_amount_fen(900);
  pass.set_document("津财社〔2026〕7号");
  v1::PassDown down;
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::PassDownFunds, pass, &down, "f", finance)),
            "FUND_RECEIPT_UNKNOWN");
  ASSERT_EQ(Outcome(Call<Budget>(&Budget::Stub::PassDownFunds, pass, &down, "f", finance, kFinance,
                                 city)),
            "OK");
  EXPECT_TRUE(down.booked());
  EXPECT_EQ(Books(line), "900/0/0/0/0");

  v1::RequestBudgetOrderRequest ask;
  ask.set_request_id(NewRequest());
  ask.set_district(kHebei);
  ask.set_kind(v1::BUDGET_ORDER_KIND_TRANSFER);
  ask.set_line_id(line);
  ask.set_to_line_id(other);
  ask.set_amount_fen(300);
  ask.set_document("2026-31");
  ask.set_reason("fewer people");
  v1::BudgetOrder order;
  const identity::RoleSet clerk = {Role::kDistrictFinanceOperator};
  ASSERT_EQ(Outcome(Call<Budget>(&Budget::Stub::RequestBudgetOrder, ask, &order, "a", clerk)),
            "OK");
  v1::DecideBudgetOrderRequest decide;
  decide.set_request_id(NewRequest());
  decide.set_district(kHebei);
  decide.set_order_id(order.order_id());
  decide.set_approve(true);
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::DecideBudgetOrder, decide, &order, "b", clerk)),
            "PERMISSION_DENIED");
  const identity::RoleSet reviewer = {Role::kDistrictFinanceReviewer};
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::DecideBudgetOrder, decide, &order, "a", reviewer)),
            "SAME_PERSON");
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::DecideBudgetOrder, decide, &order, "b", reviewer,
                                 kFinance, {kBaodi})),
            "BUDGET_ORDER_UNKNOWN");
  ASSERT_EQ(Outcome(Call<Budget>(&Budget::Stub::DecideBudgetOrder, decide, &order, "b", reviewer)),
            "OK");
  EXPECT_EQ(order.state(), v1::BUDGET_ORDER_STATE_APPROVED);
  v1::GetBudgetStatementRequest which;
  which.set_district(kHebei);
  which.set_line_id(other);
  v1::BudgetStatement statement;
  ASSERT_EQ(Outcome(Call<Budget>(&Budget::Stub::GetBudgetStatement, which, &statement, "auditor",
                                 {Role::kAuditor})),
            "OK");
  EXPECT_EQ(statement.closing().transfers_in_fen(), 300);
  EXPECT_EQ(statement.closing().available_fen(), 300);
  decide.clear_request_id();
  EXPECT_EQ(Outcome(Call<Budget>(&Budget::Stub::DecideBudgetOrder, decide, &order, "b", reviewer)),
            "REQUEST_ID_MISSING");
}

TEST_F(MoneyRpcTest, MutationsWithoutARequestIdAreRefused) {
  v1::FundBatchRequest fund;
  fund.set_batch_id(1);
  v1::Batch answer;
  EXPECT_EQ(Outcome(Call(&Stub::FundBatch, fund, &answer, "f", {Role::kCityFinance})),
            "REQUEST_ID_MISSING");
}

}  // namespace
}  // namespace yikatong::dispatch::testing
