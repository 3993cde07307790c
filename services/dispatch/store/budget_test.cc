// Money from above, orders between lines, the year's end and statements, through the handlers over
// a real database.
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "common/status/status.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

constexpr std::int32_t kCity = identity::kWholeCity;

class BudgetTest : public MoneyTest {
 protected:
  absl::StatusOr<v1::FundReceipt> Receive(std::int64_t fen, const std::string& document,
                                          const std::string& day = "2026-03-01",
                                          std::int32_t district = kCity) {
    v1::RecordFundReceiptRequest request;
    request.set_request_id(NewRequest());
    request.set_district(district);
    request.set_from_level("central");
    request.set_document(document);
    request.set_policy_id("P001");
    request.set_year(2026);
    request.set_source("central");
    request.set_amount_fen(fen);
    request.set_received_on(day);
    return rig_->budget.RecordFundReceipt(request, city_);
  }
  v1::PassDownFundsRequest PassRequest(std::int64_t receipt, std::int64_t line, std::int64_t fen) {
    v1::PassDownFundsRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kCity);
    request.set_receipt_id(receipt);
    request.set_to_district(kHebei);
    request.set_line_id(line);
    request.set_amount_fen(fen);
    request.set_document("2026-7");
    return request;
  }
  absl::StatusOr<v1::PassDown> Pass(std::int64_t receipt, std::int64_t line, std::int64_t fen) {
    return rig_->budget.PassDownFunds(PassRequest(receipt, line, fen), city_);
  }
  std::int64_t Overdue() {
    v1::ListFundReceiptsRequest request;
    request.set_overdue_only(true);
    const auto listed = rig_->budget.ListFundReceipts(request, city_);
    EXPECT_EQ(Outcome(listed), "OK");
    const auto figures = rig_->pass_downs.Figures();
    EXPECT_EQ(figures->overdue, listed->receipts_size());
    return listed->receipts_size();
  }
  absl::StatusOr<v1::BudgetOrder> Request(v1::BudgetOrderKind kind, std::int64_t line,
                                          std::int64_t to, std::int64_t fen) {
    v1::RequestBudgetOrderRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kHebei);
    request.set_kind(kind);
    request.set_line_id(line);
    request.set_to_line_id(to);
    request.set_amount_fen(fen);
    request.set_document("2026-31");
    request.set_reason("fewer people than planned");
    return rig_->budget.RequestBudgetOrder(request, finance_);
  }
  absl::StatusOr<v1::BudgetOrder> Decide(std::int64_t order, bool approve,
                                         const identity::Caller& who) {
    v1::DecideBudgetOrderRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kHebei);
    request.set_order_id(order);
    request.set_approve(approve);
    if (!approve) request.set_reason("not now");
    return rig_->budget.DecideBudgetOrder(request, who);
  }
  std::string Approve(std::int64_t order) { return Outcome(Decide(order, true, second_)); }
  // Requested and approved.
  std::string Carried(v1::BudgetOrderKind kind, std::int64_t line, std::int64_t to,
                      std::int64_t fen) {
    const auto order = Request(kind, line, to, fen);
    return order.ok() ? Approve(order->order_id()) : Outcome(order);
  }
  absl::StatusOr<v1::BudgetOrder> Withdraw(std::int64_t order, const identity::Caller& who) {
    v1::WithdrawBudgetOrderRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kHebei);
    request.set_order_id(order);
    request.set_reason("a mistake");
    return rig_->budget.WithdrawBudgetOrder(request, who);
  }
  v1::BudgetStatement Statement(std::int64_t line, const std::string& day = "") {
    v1::GetBudgetStatementRequest request;
    request.set_district(kHebei);
    request.set_line_id(line);
    request.set_day(day);
    const auto statement = rig_->budget.GetBudgetStatement(request, finance_);
    EXPECT_EQ(Outcome(statement), "OK");
    return statement.ok() ? *statement : v1::BudgetStatement();
  }
  v1::BudgetLine Live(std::int64_t line) {
    v1::ListBudgetLinesRequest request;
    request.set_district(kHebei);
    const auto listed = rig_->service.ListBudgetLines(request, finance_);
    for (const v1::BudgetLine& found : listed->lines()) {
      if (found.line_id() == line) return found;
    }
    ADD_FAILURE() << "no line " << line;
    return {};
  }
  // Today's statement says what the line says, and the equation of the contract holds.
  void ExpectAgreement(std::int64_t line) {
    const v1::BudgetLine live = Live(line);
    const v1::BudgetBalances closing = Statement(line).closing();
    EXPECT_EQ(closing.appropriated_fen(), live.appropriated_fen());
    EXPECT_EQ(closing.transfers_in_fen(), live.transfers_in_fen());
    EXPECT_EQ(closing.transfers_out_fen(), live.transfers_out_fen());
    EXPECT_EQ(closing.carried_in_fen(), live.carried_in_fen());
    EXPECT_EQ(closing.carried_out_fen(), live.carried_out_fen());
    EXPECT_EQ(closing.available_fen(), live.available_fen());
    EXPECT_EQ(closing.reserved_fen(), live.reserved_fen());
    EXPECT_EQ(closing.in_transit_fen(), live.in_transit_fen());
    EXPECT_EQ(closing.paid_fen(), live.paid_fen());
    EXPECT_EQ(closing.owed_to_treasury_fen(), live.owed_to_treasury_fen());
    EXPECT_EQ(closing.settled_to_treasury_fen(), live.settled_to_treasury_fen());
    EXPECT_EQ(closing.lapsed_fen(), live.lapsed_fen());
    EXPECT_EQ(live.appropriated_fen() + live.transfers_in_fen() - live.transfers_out_fen() +
                  live.carried_in_fen() - live.carried_out_fen(),
              live.available_fen() + live.reserved_fen() + live.in_transit_fen() + live.paid_fen() +
                  live.owed_to_treasury_fen() + live.settled_to_treasury_fen() + live.lapsed_fen());
  }
  std::int64_t LineOfYear(const std::string& policy, int year, std::int64_t fen = 0,
                          const std::string& source = "city") {
    v1::CreateBudgetLineRequest create;
    create.set_request_id(NewRequest());
    create.set_district(kHebei);
    create.set_policy_id(policy);
    create.set_year(year);
    create.set_source(source);
    const auto line = rig_->service.CreateBudgetLine(create, finance_);
    EXPECT_EQ(Outcome(line), "OK");
    if (fen > 0) {
      EXPECT_EQ(Outcome(Appropriate(line->line_id(), fen)), "OK");
    }
    return line->line_id();
  }
  absl::StatusOr<v1::BudgetLine> Appropriate(std::int64_t line, std::int64_t fen) {
    v1::AppropriateBudgetRequest money;
    money.set_request_id(NewRequest());
    money.set_district(kHebei);
    money.set_line_id(line);
    money.set_amount_fen(fen);
    money.set_basis("2026-17");
    return rig_->service.AppropriateBudget(money, finance_);
  }
  std::int64_t Entries(const std::string& kind) {
    return Number(
        "SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE '%kind: " + kind + "%'");
  }

  identity::Caller city_ =
      CallerOf("city", {identity::Role::kCityFinance}, {kCity}, {"*"}, "finance.120000");
  identity::Caller second_ =
      CallerOf("second", {identity::Role::kCityFinance}, {kHebei}, {"*"}, "finance.120000");
};

class FromAbove : public BudgetTest {};

TEST_F(FromAbove, AReceiptIsOverdueOnceItsThirtyCalendarDaysHavePassedAndSomethingIsLeft) {
  const std::int64_t line = Line("P001", "central", 0);
  const auto receipt = Receive(1'000, "D1");
  ASSERT_EQ(Outcome(receipt), "OK");
  EXPECT_EQ(receipt->due_on(), "2026-03-31");
  EXPECT_EQ(receipt->age_days(), 1);
  rig_->business.MoveTo(absl::CivilDay(2026, 3, 31));
  EXPECT_EQ(Overdue(), 0);
  rig_->business.AdvanceDays(1);
  EXPECT_EQ(Overdue(), 1);
  ASSERT_EQ(Outcome(Pass(receipt->receipt_id(), line, 999)), "OK");
  v1::ListFundReceiptsRequest request;
  request.set_overdue_only(true);
  const auto listed = rig_->budget.ListFundReceipts(request, city_);
  ASSERT_EQ(listed->receipts_size(), 1);
  EXPECT_EQ(listed->receipts(0).age_days(), 31);
  EXPECT_EQ(listed->receipts(0).passed_fen(), 999);
  EXPECT_TRUE(listed->receipts(0).overdue());
  EXPECT_EQ(rig_->pass_downs.Figures()->overdue_fen, 1);
  EXPECT_EQ(rig_->pass_downs.Figures()->oldest_days, 31);
  ASSERT_EQ(Outcome(Pass(receipt->receipt_id(), line, 1)), "OK");
  EXPECT_EQ(Overdue(), 0);
  EXPECT_EQ(Books(line), "1000/0/0/0/0");
  EXPECT_EQ(Live(line).appropriated_fen(), 1'000);
  EXPECT_EQ(Entries("budget.passed_down"), 2);
  EXPECT_EQ(Entries("budget.pass_down_booked"), 2);
  ExpectAgreement(line);
}

TEST_F(FromAbove, ADocumentIsRecordedOnceUnlessItWasCancelled) {
  const auto first = Receive(1'000, "D1");
  EXPECT_EQ(Outcome(Receive(1'000, "D1")), "ALREADY_EXISTS");
  v1::CancelFundReceiptRequest cancel;
  cancel.set_request_id(NewRequest());
  cancel.set_district(kCity);
  cancel.set_receipt_id(first->receipt_id());
  EXPECT_EQ(Outcome(rig_->budget.CancelFundReceipt(cancel, city_)), "REASON_MISSING");
  cancel.set_reason("another policy");
  EXPECT_EQ(Outcome(rig_->budget.CancelFundReceipt(cancel, finance_)), "FUND_RECEIPT_UNKNOWN");
  const auto cancelled = rig_->budget.CancelFundReceipt(cancel, city_);
  ASSERT_EQ(Outcome(cancelled), "OK");
  EXPECT_EQ(cancelled->cancelled_on(), "2026-03-02");
  cancel.set_request_id(NewRequest());
  EXPECT_EQ(Outcome(rig_->budget.CancelFundReceipt(cancel, city_)), "FUND_RECEIPT_IN_USE");
  const std::int64_t line = Line("P001", "central", 0);
  EXPECT_EQ(Outcome(Pass(first->receipt_id(), line, 1)), "FUND_RECEIPT_EXHAUSTED");
  const auto second = Receive(900, "D1");
  ASSERT_EQ(Outcome(second), "OK");
  ASSERT_EQ(Outcome(Pass(second->receipt_id(), line, 1)), "OK");
  cancel.set_request_id(NewRequest());
  cancel.set_receipt_id(second->receipt_id());
  EXPECT_EQ(Outcome(rig_->budget.CancelFundReceipt(cancel, city_)), "FUND_RECEIPT_IN_USE");
  rig_->business.MoveTo(absl::CivilDay(2026, 5, 1));
  EXPECT_EQ(Overdue(), 1);  // what was cancelled is not
}

TEST_F(FromAbove, BadFieldsAreNamedAndRecordNothing) {
  EXPECT_EQ(Outcome(Receive(0, "D1")), "AMOUNT_INVALID");
  EXPECT_EQ(Outcome(Receive(5, "")), "FIELD_INVALID");
  EXPECT_EQ(Outcome(Receive(5, "D1", "2026-03-03")), "FIELD_INVALID");  // tomorrow
  EXPECT_EQ(Outcome(Receive(5, "D1", "2026-02-30")), "FIELD_INVALID");
  v1::RecordFundReceiptRequest request;
  request.set_district(kCity);
  request.set_from_level("city");
  EXPECT_EQ(Outcome(rig_->budget.RecordFundReceipt(request, city_)), "FIELD_INVALID");
  EXPECT_EQ(Outcome(rig_->budget.RecordFundReceipt(request, finance_)), "PERMISSION_DENIED");
  EXPECT_EQ(Number("SELECT count(*) FROM fund_receipt"), 0);
}

TEST_F(FromAbove, ManyAtOnceNeverPassDownMoreThanWasReceived) {
  const std::int64_t line = Line("P001", "central", 0);
  const std::int64_t receipt = Receive(1'000, "D1")->receipt_id();
  std::atomic<int> passed{0}, refused{0};
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, request = PassRequest(receipt, line, 300)] {
      const std::string outcome = Outcome(rig_->budget.PassDownFunds(request, city_));
      if (outcome == "OK") ++passed;
      if (outcome == "FUND_RECEIPT_EXHAUSTED") ++refused;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 3);
  EXPECT_EQ(refused, 5);
  EXPECT_EQ(Number("SELECT passed_fen FROM fund_receipt"), 900);
  EXPECT_EQ(Number("SELECT sum(amount_fen) FROM pass_down"), 900);
  EXPECT_EQ(Books(line), "900/0/0/0/0");
  // The database itself refuses what no statement of ours would write.
  EXPECT_EQ(Outcome(Pass(receipt, line, 101)), "FUND_RECEIPT_EXHAUSTED");
}

TEST_F(FromAbove, MoneyGoesOnlyToALineForTheSameWithAnApprovedTarget) {
  const std::int64_t receipt = Receive(1'000, "D1")->receipt_id();
  const auto wrong = Pass(receipt, Line("P002", "central", 0), 5);
  EXPECT_EQ(Outcome(wrong), "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(status::MetadataOf(wrong.status()).at("field"), "policy");
  EXPECT_EQ(Outcome(Pass(receipt, Line("P001", "city", 0), 5)), "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(Outcome(Pass(receipt, LineOfYear("P001", 2027, 0, "central"), 5)),
            "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(Outcome(Pass(receipt, 99, 5)), "BUDGET_LINE_UNKNOWN");
  const std::int64_t line = Line("P001", "central", 0);
  EXPECT_EQ(Outcome(Pass(receipt + 50, line, 5)), "FUND_RECEIPT_UNKNOWN");
  rig_->policies.target_approved = false;
  EXPECT_EQ(Outcome(Pass(receipt, line, 5)), "PERFORMANCE_TARGET_MISSING");
  EXPECT_EQ(Number("SELECT passed_fen FROM fund_receipt"), 0);
  rig_->policies.target_approved = true;
  EXPECT_EQ(Outcome(Pass(receipt, line, 5)), "OK");
}

TEST_F(FromAbove, OneRequestPassesDownOnceHoweverOftenItIsSent) {
  const std::int64_t line = Line("P001", "central", 0);
  const std::int64_t receipt = Receive(1'000, "D1")->receipt_id();
  auto request = PassRequest(receipt, line, 600);
  const auto first = rig_->budget.PassDownFunds(request, city_);
  rig_->policies.target_approved = false;
  const auto again = rig_->budget.PassDownFunds(request, city_);
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_EQ(first->SerializeAsString(), again->SerializeAsString());
  request.set_amount_fen(300);
  rig_->policies.target_approved = true;
  EXPECT_EQ(Outcome(rig_->budget.PassDownFunds(request, city_)), "REQUEST_ID_REUSED");
  EXPECT_EQ(Books(line), "600/0/0/0/0");
}

TEST_F(FromAbove, WhatAProcessLeftBehindIsBookedOnceByWhoeverComes) {
  const std::int64_t line = Line("P001", "central", 0);
  PassDown down;
  down.district = kCity;
  down.receipt_id = Receive(1'000, "D1")->receipt_id();
  down.to_district = kHebei;
  down.line_id = line;
  down.amount_fen = 700;
  down.document = "2026-7";
  // The line is held by somebody: the first half touches the receipt's district alone, and does not
  // wait.
  postgres::DatabaseOptions options;
  options.lock_timeout_ms = 200;
  const auto impatient = rig_->pg->Open(options);
  EXPECT_TRUE(rig_->pg->database()
                  .Transact("hold_line",
                            [&](postgres::Transaction& tx) -> absl::Status {
                              EXPECT_TRUE(rig_->money.LockLine(tx, kHebei, line).ok());
                              EXPECT_EQ(
                                  Outcome(impatient->Transact("pass_down",
                                                              [&](postgres::Transaction& other) {
                                                                return rig_->pass_downs.PassDownTo(
                                                                    other, city_, down, "r1");
                                                              })),
                                  "OK");
                              return absl::OkStatus();
                            })
                  .ok());
  EXPECT_EQ(Books(line), "0/0/0/0/0");
  EXPECT_EQ(rig_->pass_downs.Figures()->unbooked, 1);
  v1::ListPassDownsRequest list;
  list.set_district(kCity);
  list.set_receipt_id(down.receipt_id);
  EXPECT_FALSE(rig_->budget.ListPassDowns(list, city_)->pass_downs(0).booked());
  std::vector<std::thread> replicas;
  replicas.reserve(4);
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([&] { EXPECT_TRUE(rig_->pass_downs.BookLeftBehind(10).ok()); });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(Books(line), "700/0/0/0/0");
  EXPECT_EQ(*rig_->pass_downs.BookLeftBehind(10), 0);
  EXPECT_TRUE(rig_->budget.ListPassDowns(list, city_)->pass_downs(0).booked());
  // A line that was closed in between gets it all the same, for the treasury.
  down.amount_fen = 300;
  ASSERT_EQ(Outcome(rig_->pg->database().Transact("pass_down",
                                                  [&](postgres::Transaction& tx) {
                                                    return rig_->pass_downs.PassDownTo(tx, city_,
                                                                                       down, "r2");
                                                  })),
            "OK");
  rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
  ASSERT_EQ(Carried(v1::BUDGET_ORDER_KIND_LAPSE, line, 0, 0), "OK");
  EXPECT_EQ(*rig_->pass_downs.BookLeftBehind(10), 1);
  EXPECT_EQ(Books(line), "0/0/0/0/300");
  EXPECT_EQ(Entries("budget.pass_down_booked%detail.trace_id: "), 2) << "each is of some trace";
  ExpectAgreement(line);
}

class Transfers : public BudgetTest {
 protected:
  static constexpr auto kTransfer = v1::BUDGET_ORDER_KIND_TRANSFER;
};

TEST_F(Transfers, MoveMoneyOnlyOnceASecondPersonHasApproved) {
  const std::int64_t from = Line("P001", "city", 1'000);
  const std::int64_t to = Line("P002", "city", 50);
  const auto order = Request(kTransfer, from, to, 400);
  ASSERT_EQ(Outcome(order), "OK");
  EXPECT_EQ(order->state(), v1::BUDGET_ORDER_STATE_REQUESTED);
  EXPECT_EQ(order->requested_by(), "finance");
  EXPECT_EQ(Books(from), "1000/0/0/0/0");
  EXPECT_EQ(Outcome(Decide(order->order_id(), true, finance_)), "SAME_PERSON");
  const auto approved = Decide(order->order_id(), true, second_);
  ASSERT_EQ(Outcome(approved), "OK");
  EXPECT_EQ(approved->state(), v1::BUDGET_ORDER_STATE_APPROVED);
  EXPECT_EQ(Books(from), "600/0/0/0/0");
  EXPECT_EQ(Books(to), "450/0/0/0/0");
  EXPECT_EQ(Live(from).transfers_out_fen(), 400);
  EXPECT_EQ(Live(to).transfers_in_fen(), 400);
  EXPECT_EQ(Outcome(Decide(order->order_id(), true, second_)), "BUDGET_ORDER_DECIDED");
  EXPECT_EQ(Outcome(Withdraw(order->order_id(), finance_)), "BUDGET_ORDER_DECIDED");
  ExpectAgreement(from);
  ExpectAgreement(to);
  EXPECT_EQ(Entries("budget.order_requested"), 1);
  EXPECT_EQ(Entries("budget.order_approved"), 1);
  v1::ListLedgerEntriesRequest ledger;
  ledger.set_district(kHebei);
  ledger.set_line_id(to);
  const auto rows = rig_->service.ListLedgerEntries(ledger, finance_);
  ASSERT_EQ(rows->entries_size(), 2);
  EXPECT_EQ(rows->entries(1).step(), "transfer");
  EXPECT_EQ(rows->entries(1).reason(), fmt::format("budget-orders/120105/{}", order->order_id()));
}

TEST_F(Transfers, ThatDoNotSufficeChangeNothingAndCanBeApprovedLater) {
  const std::int64_t from = Line("P001", "city", 1'000);
  const std::int64_t to = Line("P002", "city", 0);
  const auto order = Request(kTransfer, from, to, 1'001);
  const auto refused = Decide(order->order_id(), true, second_);
  EXPECT_EQ(Outcome(refused), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(status::MetadataOf(refused.status()).at("available_fen"), "1000");
  EXPECT_EQ(Books(from), "1000/0/0/0/0");
  EXPECT_EQ(Books(to), "0/0/0/0/0");
  EXPECT_EQ(Number("SELECT state FROM budget_order"), 1);
  ASSERT_EQ(Outcome(Appropriate(from, 1)), "OK");
  rig_->policies.target_approved = false;
  EXPECT_EQ(Approve(order->order_id()), "PERFORMANCE_TARGET_MISSING");
  rig_->policies.target_approved = true;
  EXPECT_EQ(Approve(order->order_id()), "OK");
  EXPECT_EQ(Books(to), "1001/0/0/0/0");
}

TEST_F(Transfers, AreRefusedWithAReasonOrWithdrawnByWhoAsked) {
  const std::int64_t from = Line("P001", "city", 1'000);
  const std::int64_t to = Line("P002", "city", 0);
  const std::int64_t first = Request(kTransfer, from, to, 1)->order_id();
  const std::int64_t other = Request(kTransfer, from, to, 2)->order_id();
  v1::DecideBudgetOrderRequest silent;
  silent.set_request_id(NewRequest());
  silent.set_district(kHebei);
  silent.set_order_id(first);
  EXPECT_EQ(Outcome(rig_->budget.DecideBudgetOrder(silent, second_)), "REASON_MISSING");
  const auto refused = Decide(first, false, second_);
  ASSERT_EQ(Outcome(refused), "OK");
  EXPECT_EQ(refused->state(), v1::BUDGET_ORDER_STATE_REFUSED);
  EXPECT_EQ(refused->decision(), "not now");
  EXPECT_EQ(Approve(first), "BUDGET_ORDER_DECIDED");
  EXPECT_EQ(Outcome(Withdraw(other, second_)), "PERMISSION_DENIED");
  EXPECT_EQ(Outcome(Withdraw(other, finance_)), "OK");
  EXPECT_EQ(Approve(other), "BUDGET_ORDER_DECIDED");
  EXPECT_EQ(Approve(other + 1), "BUDGET_ORDER_UNKNOWN");
  EXPECT_EQ(Books(from), "1000/0/0/0/0");
  EXPECT_EQ(Entries("budget.order_refused"), 1);
  EXPECT_EQ(Entries("budget.order_withdrawn"), 1);
  v1::ListBudgetOrdersRequest list;
  list.set_district(kHebei);
  list.set_line_id(to);
  list.set_page_size(1);
  const auto page = rig_->budget.ListBudgetOrders(list, finance_);
  ASSERT_EQ(page->orders_size(), 1);
  list.set_page_token(page->next_page_token());
  const auto next = rig_->budget.ListBudgetOrders(list, finance_);
  ASSERT_EQ(next->orders_size(), 1);
  EXPECT_EQ(next->orders(0).state(), v1::BUDGET_ORDER_STATE_WITHDRAWN);
  EXPECT_EQ(next->next_page_token(), "");
  const auto foreign = CallerOf("other", {identity::Role::kCityFinance}, {kBaodi}, {"*"});
  list.clear_page_token();
  EXPECT_EQ(rig_->budget.ListBudgetOrders(list, foreign)->orders_size(), 0);
}

TEST_F(Transfers, StayInTheDistrictTheYearAndTheSource) {
  const std::int64_t from = Line("P001", "city", 1'000);
  EXPECT_EQ(Outcome(Request(kTransfer, from, 99, 5)), "BUDGET_LINE_UNKNOWN");
  EXPECT_EQ(Outcome(Request(kTransfer, from, Line("P002", "central", 0), 5)),
            "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(Outcome(Request(kTransfer, from, LineOfYear("P002", 2027), 5)), "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(Outcome(Request(kTransfer, from, from, 5)), "FIELD_INVALID");
  EXPECT_EQ(Number("SELECT count(*) FROM budget_order"), 0);
}

TEST_F(Transfers, CrosswiseAtOnceNeitherDeadlockNorLoseAFen) {
  const std::int64_t a = Line("P001", "city", 10'000);
  const std::int64_t b = Line("P002", "city", 10'000);
  std::vector<std::int64_t> orders;
  orders.reserve(40);
  for (int i = 0; i < 40; ++i) {
    orders.push_back(Request(kTransfer, i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, 7 + i)->order_id());
  }
  const auto retries = rig_->pg->database().Counters().retries;
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  std::atomic<int> approved{0};
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < orders.size(); at = next++) {
        if (Approve(orders[at]) == "OK") ++approved;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(approved, 40);
  EXPECT_EQ(rig_->pg->database().Counters().retries, retries);
  EXPECT_EQ(Live(a).available_fen() + Live(b).available_fen(), 20'000);
  EXPECT_EQ(Live(a).transfers_out_fen(), Live(b).transfers_in_fen());
  ExpectAgreement(a);
  ExpectAgreement(b);
}

class YearEnd : public BudgetTest {
 protected:
  static constexpr auto kLapse = v1::BUDGET_ORDER_KIND_LAPSE;
  static constexpr auto kCarryOver = v1::BUDGET_ORDER_KIND_CARRY_OVER;
  static constexpr auto kSettle = v1::BUDGET_ORDER_KIND_SETTLE;
};

TEST_F(YearEnd, IsBlockedByWhatIsReservedOrInTransitAndSaysByWhichBatches) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  EXPECT_EQ(Outcome(Request(kLapse, line, 0, 0)), "BUDGET_YEAR_OPEN");
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
  const auto order = Request(kLapse, line, 0, 0);
  ASSERT_EQ(Outcome(order), "OK");
  EXPECT_EQ(Outcome(Request(kLapse, line, 0, 0)), "ALREADY_EXISTS");
  const auto blocked = Decide(order->order_id(), true, second_);
  EXPECT_EQ(Outcome(blocked), "YEAR_END_BLOCKED");
  EXPECT_EQ(status::MetadataOf(blocked.status()).at("reserved_fen"), "313500");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(Approve(order->order_id()), "YEAR_END_BLOCKED");
  v1::ListYearEndBlockersRequest list;
  list.set_district(kHebei);
  list.set_line_id(line);
  const auto blockers = rig_->budget.ListYearEndBlockers(list, finance_);
  ASSERT_EQ(blockers->blockers_size(), 1);
  EXPECT_EQ(blockers->blockers(0).batch_id(), batch);
  EXPECT_EQ(blockers->blockers(0).in_transit_fen(), 313'500);
  EXPECT_EQ(blockers->blockers(0).reserved_fen(), 0);
  PayAll(replica);
  EXPECT_EQ(rig_->budget.ListYearEndBlockers(list, finance_)->blockers_size(), 0);
  const auto closed = Decide(order->order_id(), true, second_);
  ASSERT_EQ(Outcome(closed), "OK");
  EXPECT_EQ(closed->amount_fen(), 686'500);
  EXPECT_EQ(Live(line).lapsed_fen(), 686'500);
  EXPECT_EQ(Live(line).closed_on(), "2026-12-31");
  EXPECT_EQ(Books(line), "0/0/0/313500/0");
  ExpectAgreement(line);
}

TEST_F(YearEnd, AClosedLineTakesNothingNew) {
  const std::int64_t waiting = Approved(2);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  const std::int64_t other = Line("P002", "city", 1'000'000);
  rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
  const std::int64_t late = Request(v1::BUDGET_ORDER_KIND_TRANSFER, other, line, 5)->order_id();
  ASSERT_EQ(Carried(kLapse, line, 0, 0), "OK");
  EXPECT_EQ(Outcome(Appropriate(line, 5)), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(Outcome(Fund(waiting)), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(Approve(late), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(Outcome(Request(v1::BUDGET_ORDER_KIND_TRANSFER, line, other, 5)), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(Outcome(Request(kLapse, line, 0, 0)), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(Books(line), "0/0/0/0/0");
  EXPECT_EQ(Books(other), "1000000/0/0/0/0");
  // Whatever a step believed before: the database keeps it so.
  BatchFunding stale{{{"city", 10'000}}, {line}, 2026, {false}};
  Posting posting;
  ASSERT_TRUE(posting.MoveBack(stale, 1, 1, "returned", "", absl::CivilDay(2026, 12, 31), 5).ok());
  EXPECT_EQ(Outcome(rig_->pg->database().Transact("stale",
                                                  [&](postgres::Transaction& tx) {
                                                    return WritePosting(tx, rig_->context, kHebei,
                                                                        posting);
                                                  })),
            "CONSTRAINT_VIOLATED");
  EXPECT_EQ(Books(line), "0/0/0/0/0");
}

TEST_F(YearEnd, WhatComesBackAfterTheClosingIsOwedAndSettledWithADocument) {
  const std::int64_t batch = Paying(3);
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
  ASSERT_EQ(Carried(kLapse, 1, 0, 0), "OK");
  // The year still runs, but the line is closed.
  Report({Returned(Item(batch, 1) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(Live(1).owed_to_treasury_fen(), 104'500);
  ExpectBooks(104'500);
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 1)})), "FUNDS_INSUFFICIENT");
  rig_->business.MoveTo(absl::CivilDay(2027, 2, 1));
  Report({Returned(Item(batch, 2) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(Live(1).owed_to_treasury_fen(), 209'000);
  EXPECT_EQ(Carried(kSettle, 1, 0, 209'001), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(Carried(kSettle, 1, 0, 104'500), "OK");
  EXPECT_EQ(Live(1).owed_to_treasury_fen(), 104'500);
  EXPECT_EQ(Live(1).settled_to_treasury_fen(), 104'500);
  EXPECT_EQ(Carried(kSettle, 1, 0, 104'501), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(Carried(kSettle, 1, 0, 104'500), "OK");
  EXPECT_EQ(Live(1).owed_to_treasury_fen(), 0);
  ExpectAgreement(1);
  ExpectBooks(0);
}

TEST_F(YearEnd, WhatIsAvailableCanGoToTheNextYearsLineInstead) {
  const std::int64_t line = Line("P001", "city", 1'000);
  const std::int64_t next = LineOfYear("P001", 2027, 10);
  const std::int64_t other = LineOfYear("P002", 2027);
  rig_->business.MoveTo(absl::CivilDay(2027, 1, 4));
  EXPECT_EQ(Outcome(Request(kCarryOver, line, other, 0)), "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(Outcome(Request(kCarryOver, line, 0, 0)), "FIELD_INVALID");
  EXPECT_EQ(Outcome(Request(kCarryOver, line, next, 5)), "FIELD_INVALID");
  const auto order = Request(kCarryOver, line, next, 0);
  EXPECT_EQ(Outcome(Decide(order->order_id(), true, finance_)), "SAME_PERSON");
  EXPECT_EQ(Approve(order->order_id()), "OK");
  EXPECT_EQ(Live(line).carried_out_fen(), 1'000);
  EXPECT_EQ(Live(line).closed_on(), "2027-01-04");
  EXPECT_EQ(Live(next).carried_in_fen(), 1'000);
  EXPECT_EQ(Live(next).available_fen(), 1'010);
  EXPECT_EQ(Live(next).closed_on(), "");
  ExpectAgreement(line);
  ExpectAgreement(next);
}

TEST_F(YearEnd, AnOrderThatWasWithdrawnLeavesRoomForAnother) {
  const std::int64_t line = Line("P001", "city", 1'000);
  rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
  const std::int64_t first = Request(kLapse, line, 0, 0)->order_id();
  EXPECT_EQ(Outcome(Withdraw(first, finance_)), "OK");
  EXPECT_EQ(Carried(kLapse, line, 0, 0), "OK");
}

class DayStatements : public BudgetTest {};

TEST_F(DayStatements, AreRightForEveryPastDayAndForToday) {
  const std::int64_t batch = Approved(3);  // until 2026-03-09
  const std::int64_t line = Line("P001", "city", 1'000'000);
  rig_->business.MoveTo(absl::CivilDay(2026, 3, 10));
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  rig_->business.MoveTo(absl::CivilDay(2026, 3, 12));
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  Report({Paid(Item(batch, 1) * 100 + 1), Failed(Item(batch, 2) * 100 + 1)});
  Follow(replica);
  rig_->business.MoveTo(absl::CivilDay(2026, 3, 20));
  Report({Returned(Item(batch, 1) * 100 + 1), Paid(Item(batch, 3) * 100 + 1)});
  Follow(replica);

  const auto before = Statement(line, "2026-03-08");
  EXPECT_EQ(before.movements_size(), 0);
  EXPECT_EQ(before.closing().SerializeAsString(), v1::BudgetBalances().SerializeAsString());
  const auto funded = Statement(line, "2026-03-10");
  EXPECT_EQ(funded.opening().available_fen(), 1'000'000);
  EXPECT_EQ(funded.closing().available_fen(), 686'500);
  EXPECT_EQ(funded.closing().reserved_fen(), 313'500);
  const auto sent = Statement(line, "2026-03-12");
  ASSERT_EQ(sent.movements_size(), 3);
  EXPECT_EQ(sent.movements(0).step(), "failed");
  EXPECT_EQ(sent.movements(0).debit(), "reserved");
  EXPECT_EQ(sent.movements(0).amount_fen(), 104'500);
  EXPECT_EQ(sent.movements(1).step(), "paid");
  EXPECT_EQ(sent.movements(2).step(), "submit");
  EXPECT_EQ(sent.movements(2).rows(), 1);
  EXPECT_EQ(sent.movements(2).amount_fen(), 313'500);
  EXPECT_EQ(sent.closing().paid_fen(), 104'500);
  EXPECT_EQ(sent.closing().in_transit_fen(), 104'500);
  // A day without movements closes as it opened.
  const auto quiet = Statement(line, "2026-03-15");
  EXPECT_EQ(quiet.opening().SerializeAsString(), sent.closing().SerializeAsString());
  EXPECT_EQ(quiet.closing().SerializeAsString(), sent.closing().SerializeAsString());
  const auto today = Statement(line);
  EXPECT_EQ(today.day(), "2026-03-20");
  EXPECT_EQ(today.opening().SerializeAsString(), sent.closing().SerializeAsString());
  EXPECT_EQ(today.closing().available_fen(), 791'000);
  ExpectAgreement(line);

  v1::GetBudgetStatementRequest request;
  request.set_district(kHebei);
  request.set_line_id(line);
  request.set_day("2026-03-21");
  EXPECT_EQ(Outcome(rig_->budget.GetBudgetStatement(request, finance_)), "FIELD_INVALID");
  request.set_day("today");
  EXPECT_EQ(Outcome(rig_->budget.GetBudgetStatement(request, finance_)), "FIELD_INVALID");
  request.clear_day();
  request.set_line_id(line + 1);
  EXPECT_EQ(Outcome(rig_->budget.GetBudgetStatement(request, finance_)), "BUDGET_LINE_UNKNOWN");
  request.set_line_id(line);
  const auto foreign = CallerOf("other", {identity::Role::kAuditor}, {kBaodi}, {"*"});
  EXPECT_EQ(Outcome(rig_->budget.GetBudgetStatement(request, foreign)), "BUDGET_LINE_UNKNOWN");
}

}  // namespace
}  // namespace yikatong::dispatch::testing
