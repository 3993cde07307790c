// What may be done with a line's money, and how amounts are split: pure rules.
#include "services/dispatch/domain/budget.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "common/policy/amount.h"
#include "common/status/status.h"

namespace yikatong::dispatch {
namespace {

constexpr absl::CivilDay kSpring(2026, 3, 2);
constexpr std::int64_t kMost = 1'000'000;

std::string Reason(const absl::Status& status) {
  return status.ok() ? "OK" : status::ReasonNameOf(status);
}

BudgetLine LineOf(std::int64_t id, const std::string& policy = "P001", int year = 2026,
                  const std::string& source = "city") {
  BudgetLine line;
  line.district = 120'105;
  line.line_id = id;
  line.policy_id = policy;
  line.year = year;
  line.source = source;
  return line;
}

BudgetOrder OrderOf(OrderKind kind, std::int64_t amount, std::int64_t to = 0) {
  BudgetOrder order;
  order.district = 120'105;
  order.order_id = 7;
  order.kind = kind;
  order.line_id = 1;
  order.to_line_id = to;
  order.amount_fen = amount;
  order.requested_by = "first";
  return order;
}

std::int64_t Given(const Balances& b) {
  return b.appropriated_fen + b.transfers_in_fen - b.transfers_out_fen + b.carried_in_fen -
         b.carried_out_fen;
}
std::int64_t Held(const Balances& b) {
  return b.available_fen + b.reserved_fen + b.in_transit_fen + b.paid_fen + b.owed_to_treasury_fen +
         b.settled_to_treasury_fen + b.lapsed_fen;
}

TEST(Orders, EndOnceInTheStatesOfTheTable) {
  EXPECT_EQ(*Next(OrderState::kRequested, OrderEvent::kApprove), OrderState::kApproved);
  EXPECT_EQ(*Next(OrderState::kRequested, OrderEvent::kRefuse), OrderState::kRefused);
  EXPECT_EQ(*Next(OrderState::kRequested, OrderEvent::kWithdraw), OrderState::kWithdrawn);
  for (const OrderState state :
       {OrderState::kApproved, OrderState::kRefused, OrderState::kWithdrawn}) {
    for (const OrderEvent event :
         {OrderEvent::kApprove, OrderEvent::kRefuse, OrderEvent::kWithdraw}) {
      EXPECT_EQ(Reason(Next(state, event).status()), "BUDGET_ORDER_DECIDED");
    }
  }
}

TEST(Orders, AreDecidedByAnotherPersonAndWithdrawnByTheSame) {
  const BudgetOrder order = OrderOf(OrderKind::kTransfer, 5, 2);
  EXPECT_EQ(Reason(DecideOrder(order, OrderEvent::kApprove, "first").status()), "SAME_PERSON");
  EXPECT_EQ(Reason(DecideOrder(order, OrderEvent::kRefuse, "first").status()), "SAME_PERSON");
  EXPECT_EQ(Reason(DecideOrder(order, OrderEvent::kWithdraw, "second").status()),
            "PERMISSION_DENIED");
  EXPECT_EQ(*DecideOrder(order, OrderEvent::kApprove, "second"), OrderState::kApproved);
  EXPECT_EQ(*DecideOrder(order, OrderEvent::kWithdraw, "first"), OrderState::kWithdrawn);
}

TEST(Orders, HaveTheFieldsOfTheirKind) {
  const auto form = [](const BudgetOrder& order) { return Reason(CheckOrderForm(order, kMost)); };
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, 5, 2)), "OK");
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, kMost, 2)), "OK");
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, kMost + 1, 2)), "AMOUNT_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, 0, 2)), "AMOUNT_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, -5, 2)), "AMOUNT_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, 5)), "FIELD_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kTransfer, 5, 1)), "FIELD_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kLapse, 0)), "OK");
  EXPECT_EQ(form(OrderOf(OrderKind::kLapse, 5)), "FIELD_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kLapse, 0, 2)), "FIELD_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kCarryOver, 0, 2)), "OK");
  EXPECT_EQ(form(OrderOf(OrderKind::kCarryOver, 0)), "FIELD_INVALID");
  EXPECT_EQ(form(OrderOf(OrderKind::kSettle, 5)), "OK");
  EXPECT_EQ(form(OrderOf(OrderKind::kSettle, 0)), "AMOUNT_INVALID");
  EXPECT_EQ(form(OrderOf(static_cast<OrderKind>(0), 5)), "FIELD_INVALID");
  EXPECT_EQ(form(OrderOf(static_cast<OrderKind>(5), 5)), "FIELD_INVALID");
}

TEST(Orders, StayWithinYearAndSourceAndNeverTouchAClosedLine) {
  const auto lines = [](OrderKind kind, const BudgetLine& line, BudgetLine to,
                        absl::CivilDay today) {
    const BudgetOrder order = OrderOf(kind, 0, 2);
    return Reason(CheckOrderLines(order, line, order.HasTarget() ? &to : nullptr, today));
  };
  const absl::CivilDay end(2026, 12, 31);
  using K = OrderKind;
  EXPECT_EQ(lines(K::kTransfer, LineOf(1), LineOf(2, "P002"), kSpring), "OK");
  EXPECT_EQ(lines(K::kTransfer, LineOf(1), LineOf(2, "P002", 2027), kSpring),
            "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(lines(K::kTransfer, LineOf(1), LineOf(2, "P002", 2026, "central"), kSpring),
            "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(lines(K::kCarryOver, LineOf(1), LineOf(2, "P001", 2027), end), "OK");
  EXPECT_EQ(lines(K::kCarryOver, LineOf(1), LineOf(2, "P001", 2028), end), "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(lines(K::kCarryOver, LineOf(1), LineOf(2, "P002", 2027), end), "BUDGET_LINE_DIFFERS");
  EXPECT_EQ(lines(K::kCarryOver, LineOf(1), LineOf(2, "P001", 2027), end - 1), "BUDGET_YEAR_OPEN");
  EXPECT_EQ(lines(K::kLapse, LineOf(1), {}, end - 1), "BUDGET_YEAR_OPEN");
  EXPECT_EQ(lines(K::kLapse, LineOf(1), {}, end), "OK");
  EXPECT_EQ(lines(K::kLapse, LineOf(1), {}, absl::CivilDay(2027, 2, 1)), "OK");
  BudgetLine closed = LineOf(1);
  closed.closed_on = end;
  EXPECT_EQ(lines(K::kTransfer, closed, LineOf(2, "P002"), end), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(lines(K::kTransfer, LineOf(2), closed, end), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(lines(K::kLapse, closed, {}, end), "BUDGET_LINE_CLOSED");
  EXPECT_EQ(lines(K::kSettle, closed, {}, end), "OK");
}

TEST(Orders, MoveWhatIsAvailableOrOwedAndNoFenMore) {
  BudgetLine line = LineOf(1);
  line.available_fen = 100;
  const auto moved = [&](OrderKind kind, std::int64_t fen, MovingMoney moving) {
    BudgetOrder order = OrderOf(kind, fen, kind == OrderKind::kTransfer ? 2 : 0);
    const auto posting = CarryOut(order, line, moving);
    if (!posting.ok()) return Reason(posting.status());
    std::int64_t sum = 0;
    for (const LedgerRow& row : posting->Rows()) {
      EXPECT_EQ(row.reason, "budget-orders/120105/7");
      sum += row.amount_fen;
    }
    return std::to_string(sum) + " of " + std::to_string(order.amount_fen);
  };
  EXPECT_EQ(moved(OrderKind::kTransfer, 100, {}), "200 of 100");  // out of one, into the other
  EXPECT_EQ(moved(OrderKind::kTransfer, 101, {}), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(moved(OrderKind::kLapse, 0, {}), "100 of 100");
  EXPECT_EQ(moved(OrderKind::kLapse, 0, {1, 0, 0}), "YEAR_END_BLOCKED");
  EXPECT_EQ(moved(OrderKind::kLapse, 0, {0, 1, 0}), "YEAR_END_BLOCKED");
  EXPECT_EQ(moved(OrderKind::kSettle, 30, {0, 0, 30}), "30 of 30");
  EXPECT_EQ(moved(OrderKind::kSettle, 31, {0, 0, 30}), "FUNDS_INSUFFICIENT");
}

TEST(Receipts, AreOverdueOnTheThirtyFirstDayWhileSomethingIsLeft) {
  FundReceipt receipt;
  receipt.amount_fen = 100;
  receipt.received_on = absl::CivilDay(2026, 2, 10);
  receipt.due_on = receipt.received_on + kPassDownDays;
  EXPECT_EQ(receipt.due_on, absl::CivilDay(2026, 3, 12));
  EXPECT_FALSE(receipt.OverdueOn(receipt.due_on));
  EXPECT_TRUE(receipt.OverdueOn(receipt.due_on + 1));
  receipt.passed_fen = 99;
  EXPECT_TRUE(receipt.OverdueOn(receipt.due_on + 1));
  receipt.passed_fen = 100;
  EXPECT_FALSE(receipt.OverdueOn(receipt.due_on + 1));
  receipt.passed_fen = 0;
  receipt.cancelled_on = receipt.due_on;
  EXPECT_FALSE(receipt.OverdueOn(receipt.due_on + 1));
}

TEST(Returns, GoBackToTheLineInItsYearAndToTheTreasuryAfterwardsOrAfterItsClosing) {
  EXPECT_EQ(AccountForReturn(2026, false, absl::CivilDay(2026, 12, 31)), Account::kAvailable);
  EXPECT_EQ(AccountForReturn(2026, false, absl::CivilDay(2027, 1, 1)), Account::kOwedToTreasury);
  EXPECT_EQ(AccountForReturn(2026, true, absl::CivilDay(2026, 12, 31)), Account::kOwedToTreasury);
  // Of two lines each has its own part, and goes its own way.
  Posting posting;
  const BatchFunding funding{{{"city", 6'000}, {"district", 4'000}}, {1, 2}, 2026, {false, true}};
  ASSERT_TRUE(posting.MoveBack(funding, 9, 3, "returned", "BANK_RETURNED", kSpring, 104'501).ok());
  const std::vector<LedgerRow> rows = posting.Rows();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].line_id, 1);
  EXPECT_EQ(rows[0].debit, Account::kAvailable);
  EXPECT_EQ(rows[0].amount_fen, 62'701);
  EXPECT_EQ(rows[1].line_id, 2);
  EXPECT_EQ(rows[1].debit, Account::kOwedToTreasury);
  EXPECT_EQ(rows[1].amount_fen, 41'800);
  EXPECT_EQ(posting.AvailableChanges().at(1), 62'701);
  EXPECT_FALSE(posting.AvailableChanges().contains(2));
}

TEST(Splitting, OfAnyItemsByAnySharesIsThatOfEachItemAloneAndLosesNoFen) {
  static constexpr const char* kSources[] = {"city", "district", "central", "fund"};
  std::mt19937_64 random(20260302);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    const std::size_t sources = 1 + random() % 4;
    BatchFunding funding;
    int left = 10'000;
    for (std::size_t i = 0; i < sources; ++i) {
      const int most = left - static_cast<int>(sources - i - 1);
      const int share = i + 1 == sources ? left : 1 + static_cast<int>(random() % most);
      funding.shares.push_back({kSources[i], share});
      funding.line_ids.push_back(static_cast<std::int64_t>(i) + 1);
      funding.closed.push_back(false);
      left -= share;
    }
    funding.year = 2026;
    Posting there, back;
    std::map<std::int64_t, std::int64_t> expected;
    std::int64_t total = 0;
    for (int item = 0; item < 50; ++item) {
      const std::int64_t fen = 1 + static_cast<std::int64_t>(random() % 3'000'000);
      total += fen;
      ASSERT_TRUE(
          there.Move(funding, 1, 0, "reserve", "", Account::kReserved, Account::kAvailable, fen)
              .ok());
      ASSERT_TRUE(back.MoveBack(funding, 1, 0, "returned", "", kSpring, fen).ok());
      const auto parts = policy::SplitSources(fen, funding.shares);
      ASSERT_TRUE(parts.ok());
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < sources; ++i) {
        expected[funding.line_ids[i]] += (*parts)[i].amount_fen;
        sum += (*parts)[i].amount_fen;
      }
      ASSERT_EQ(sum, fen);
    }
    for (const Posting* posting : {&there, &back}) {
      std::int64_t moved = 0;
      for (const LedgerRow& row : posting->Rows()) {
        EXPECT_EQ(row.amount_fen, expected.at(row.line_id));
        moved += row.amount_fen;
      }
      EXPECT_EQ(moved, total);
    }
  }
}

TEST(Statements, OpenWithTheDaysBeforeAndCloseWithTheDayItself) {
  const Statement statement = StatementOf({
      {false, "", Account::kAvailable, Account::kAppropriation, 2, 1'000},
      {false, "", Account::kReserved, Account::kAvailable, 3, 600},
      {true, "submit", Account::kInTransit, Account::kReserved, 1, 500},
      {true, "transfer", Account::kTransfer, Account::kAvailable, 1, 100},
  });
  EXPECT_EQ(statement.opening.available_fen, 400);
  EXPECT_EQ(statement.opening.reserved_fen, 600);
  EXPECT_EQ(statement.movements.size(), 2U);
  EXPECT_EQ(statement.closing.available_fen, 300);
  EXPECT_EQ(statement.closing.reserved_fen, 100);
  EXPECT_EQ(statement.closing.in_transit_fen, 500);
  EXPECT_EQ(statement.closing.transfers_out_fen, 100);
  EXPECT_EQ(Given(statement.opening), Held(statement.opening));
  EXPECT_EQ(Given(statement.closing), Held(statement.closing));
}

TEST(Statements, KeepTheEquationWhateverRowsThereAre) {
  std::mt19937_64 random(7);
  Balances balances;
  for (int i = 0; i < 2'000; ++i) {
    const auto debit = static_cast<Account>(1 + random() % 10);
    const auto credit = static_cast<Account>(1 + random() % 10);
    if (debit == credit) continue;
    balances.Add(debit, credit, 1 + static_cast<std::int64_t>(random() % 1'000));
    ASSERT_EQ(Given(balances), Held(balances));
  }
}

}  // namespace
}  // namespace yikatong::dispatch
