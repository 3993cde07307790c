// Budget lines and what may be done with their money beside paying it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "services/dispatch/domain/posting.h"

namespace yikatong::dispatch {

// What is received from above is passed down within so many calendar days (预算法 art. 52).
inline constexpr int kPassDownDays = 30;

// A line's balances: sums over its ledger rows.
struct Balances {
  std::int64_t appropriated_fen = 0;
  std::int64_t transfers_in_fen = 0;
  std::int64_t transfers_out_fen = 0;
  std::int64_t carried_in_fen = 0;
  std::int64_t carried_out_fen = 0;
  std::int64_t available_fen = 0;
  std::int64_t reserved_fen = 0;
  std::int64_t in_transit_fen = 0;
  std::int64_t paid_fen = 0;
  std::int64_t owed_to_treasury_fen = 0;
  std::int64_t settled_to_treasury_fen = 0;
  std::int64_t lapsed_fen = 0;

  // Takes in rows that moved `fen` from `credit` to `debit`.
  void Add(Account debit, Account credit, std::int64_t fen);
  friend bool operator==(const Balances&, const Balances&) = default;

 private:
  void Change(Account account, std::int64_t fen);
};

// Money for one policy, district, year and source.
struct BudgetLine {
  std::int32_t district = 0;
  std::int64_t line_id = 0;
  std::string policy_id;
  int year = 0;
  std::string source;
  std::int64_t available_fen = 0;  // as its row says, which is what the ledger says
  std::optional<absl::CivilDay> closed_on;
  Balances balances;  // only where a list read them
};

// BUDGET_LINE_CLOSED for one whose year was closed.
absl::Status CheckOpen(const BudgetLine& line);

// Money that a district, or the city, received from above.
struct FundReceipt {
  std::int32_t district = 0;
  std::int64_t receipt_id = 0;
  std::string from_level;  // central or city
  std::string document;
  std::string policy_id;
  int year = 0;
  std::string source;
  std::int64_t amount_fen = 0;
  std::int64_t passed_fen = 0;
  absl::CivilDay received_on;
  absl::CivilDay due_on;
  std::optional<absl::CivilDay> cancelled_on;

  std::int64_t left_fen() const { return amount_fen - passed_fen; }
  // Its last day has passed, and something of it is left.
  bool OverdueOn(absl::CivilDay today) const {
    return !cancelled_on.has_value() && left_fen() > 0 && due_on < today;
  }
};

// BUDGET_LINE_DIFFERS where the line is for anything else than the receipt's money,
// BUDGET_LINE_CLOSED.
absl::Status CheckPassDown(const FundReceipt& receipt, const BudgetLine& line);

// One passing down of a receipt's money to a line.
struct PassDown {
  std::int32_t district = 0;  // the receipt's
  std::int64_t pass_down_id = 0;
  std::int64_t receipt_id = 0;
  std::int32_t to_district = 0;
  std::int64_t line_id = 0;
  std::int64_t amount_fen = 0;
  std::string document;
  absl::CivilDay passed_on;
  bool booked = false;  // the line has it
};

// The numbers are those of the wire and the database.
enum class OrderKind : std::int16_t { kTransfer = 1, kLapse = 2, kCarryOver = 3, kSettle = 4 };
enum class OrderState : std::int16_t {
  kRequested = 1,
  kApproved = 2,
  kRefused = 3,
  kWithdrawn = 4
};
enum class OrderEvent { kApprove, kRefuse, kWithdraw };

const char* OrderKindName(OrderKind kind);  // "transfer"

// The state table of an order. BUDGET_ORDER_DECIDED where it has no such transition.
absl::StatusOr<OrderState> Next(OrderState state, OrderEvent event);

// An order to move money of a line, by two people.
struct BudgetOrder {
  std::int32_t district = 0;
  std::int64_t order_id = 0;
  OrderKind kind = OrderKind::kTransfer;
  std::int64_t line_id = 0;
  std::int64_t to_line_id = 0;  // 0 where nobody gets it
  std::int64_t amount_fen = 0;  // of one that closes a year: 0 until it is approved
  std::string document;
  std::string reason;
  OrderState state = OrderState::kRequested;
  std::string requested_by;
  absl::CivilDay requested_on;
  std::string decided_by;
  std::optional<absl::CivilDay> decided_on;
  std::string decision;

  bool ClosesYear() const { return kind == OrderKind::kLapse || kind == OrderKind::kCarryOver; }
  bool HasTarget() const { return kind == OrderKind::kTransfer || kind == OrderKind::kCarryOver; }
};

// Whether the fields of an order fit its kind: AMOUNT_INVALID, FIELD_INVALID.
absl::Status CheckOrderForm(const BudgetOrder& order, std::int64_t most_fen);
// Whether it may be carried out on these lines today, the money apart; `to` is null where it has no
// target. BUDGET_LINE_CLOSED, BUDGET_LINE_DIFFERS, BUDGET_YEAR_OPEN.
absl::Status CheckOrderLines(const BudgetOrder& order, const BudgetLine& line, const BudgetLine* to,
                             absl::CivilDay today);
// Whether `person` may take `event`: BUDGET_ORDER_DECIDED, SAME_PERSON for a decision by who
// requested it, PERMISSION_DENIED for a withdrawal by anybody else.
absl::StatusOr<OrderState> DecideOrder(const BudgetOrder& order, OrderEvent event,
                                       std::string_view person);

// What of a line is still reserved or in transit, and what it owes the treasury.
struct MovingMoney {
  std::int64_t reserved_fen = 0;
  std::int64_t in_transit_fen = 0;
  std::int64_t owed_fen = 0;
};
// Carries an approved order out: what it moves, out of what is available or owed. Sets the amount
// of one that closes a year. YEAR_END_BLOCKED, FUNDS_INSUFFICIENT.
absl::StatusOr<Posting> CarryOut(BudgetOrder& order, const BudgetLine& line,
                                 const MovingMoney& moving);

// One sum of ledger rows of a line.
struct LedgerSum {
  bool on_the_day = false;  // else before it
  std::string step;         // of the day's alone
  Account debit = Account::kAvailable;
  Account credit = Account::kAppropriation;
  std::int64_t rows = 0;
  std::int64_t amount_fen = 0;
};

// One day of a line.
struct Statement {
  Balances opening;
  std::vector<LedgerSum> movements;
  Balances closing;
};
Statement StatementOf(const std::vector<LedgerSum>& sums);

}  // namespace yikatong::dispatch
