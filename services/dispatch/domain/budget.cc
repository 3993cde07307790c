#include "services/dispatch/domain/budget.h"

#include <fmt/core.h>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;
using K = OrderKind;
using S = OrderState;
using E = OrderEvent;

struct Transition {
  S from;
  E event;
  S to;
};
constexpr Transition kTransitions[] = {
    {S::kRequested, E::kApprove, S::kApproved},
    {S::kRequested, E::kRefuse, S::kRefused},
    {S::kRequested, E::kWithdraw, S::kWithdrawn},
};

absl::Status FieldInvalid(const char* field, std::string_view what) {
  return status::Refuse(Reason::kFieldInvalid, what, {{"field", field}});
}

absl::Status Differs(const char* field, std::string wanted, std::string found) {
  return status::Refuse(
      Reason::kBudgetLineDiffers, "",
      {{"field", field}, {"wanted", std::move(wanted)}, {"line", std::move(found)}});
}

absl::Status CheckPurpose(std::string_view policy_id, int year, std::string_view source,
                          const BudgetLine& line) {
  if (line.policy_id != policy_id) return Differs("policy", std::string(policy_id), line.policy_id);
  if (line.year != year) return Differs("year", std::to_string(year), std::to_string(line.year));
  if (line.source != source) return Differs("source", std::string(source), line.source);
  return absl::OkStatus();
}

absl::Status Insufficient(const BudgetLine& line, std::int64_t available, std::int64_t needed) {
  return status::Refuse(Reason::kFundsInsufficient, "",
                        {{"line", std::to_string(line.line_id)},
                         {"source", line.source},
                         {"available_fen", std::to_string(available)},
                         {"needed_fen", std::to_string(needed)}});
}

}  // namespace

void Balances::Add(Account debit, Account credit, std::int64_t fen) {
  // Both ends of a transfer are shown, so what comes in and what goes out are two balances.
  if (debit == Account::kTransfer) transfers_out_fen += fen;
  if (credit == Account::kTransfer) transfers_in_fen += fen;
  if (debit == Account::kCarryOver) carried_out_fen += fen;
  if (credit == Account::kCarryOver) carried_in_fen += fen;
  Change(debit, fen);
  Change(credit, -fen);
}

void Balances::Change(Account account, std::int64_t fen) {
  switch (account) {
    case Account::kAppropriation:
      appropriated_fen -= fen;  // what is credited there is what the line was given
      break;
    case Account::kAvailable:
      available_fen += fen;
      break;
    case Account::kReserved:
      reserved_fen += fen;
      break;
    case Account::kInTransit:
      in_transit_fen += fen;
      break;
    case Account::kPaid:
      paid_fen += fen;
      break;
    case Account::kOwedToTreasury:
      owed_to_treasury_fen += fen;
      break;
    case Account::kLapsed:
      lapsed_fen += fen;
      break;
    case Account::kSettledToTreasury:
      settled_to_treasury_fen += fen;
      break;
    case Account::kTransfer:
    case Account::kCarryOver:
      break;
  }
}

absl::Status CheckOpen(const BudgetLine& line) {
  if (!line.closed_on.has_value()) return absl::OkStatus();
  return status::Refuse(
      Reason::kBudgetLineClosed, "",
      {{"line", std::to_string(line.line_id)}, {"closed_on", base::FormatDate(*line.closed_on)}});
}

absl::Status CheckPassDown(const FundReceipt& receipt, const BudgetLine& line) {
  YKT_RETURN_IF_ERROR(CheckPurpose(receipt.policy_id, receipt.year, receipt.source, line));
  return CheckOpen(line);
}

const char* OrderKindName(OrderKind kind) {
  switch (kind) {
    case K::kTransfer:
      return "transfer";
    case K::kLapse:
      return "lapse";
    case K::kCarryOver:
      return "carry_over";
    case K::kSettle:
      return "settle";
  }
  return "invalid";
}

absl::StatusOr<OrderState> Next(OrderState state, OrderEvent event) {
  for (const Transition& transition : kTransitions) {
    if (transition.from == state && transition.event == event) return transition.to;
  }
  return status::Refuse(Reason::kBudgetOrderDecided);
}

absl::Status CheckOrderForm(const BudgetOrder& order, std::int64_t most_fen) {
  if (order.kind < K::kTransfer || order.kind > K::kSettle) {
    return FieldInvalid("kind", "transfer, lapse, carry_over or settle");
  }
  if (order.ClosesYear()) {
    if (order.amount_fen != 0) return FieldInvalid("amount_fen", "all that is available then: 0");
  } else if (order.amount_fen <= 0 || order.amount_fen > most_fen) {
    return status::Refuse(Reason::kAmountInvalid);
  }
  if (order.HasTarget() != (order.to_line_id != 0)) {
    return FieldInvalid("to_line_id", "the line that gets it, where one does");
  }
  if (order.to_line_id == order.line_id) return FieldInvalid("to_line_id", "another line");
  return absl::OkStatus();
}

absl::Status CheckOrderLines(const BudgetOrder& order, const BudgetLine& line, const BudgetLine* to,
                             absl::CivilDay today) {
  YKT_INVARIANT(order.HasTarget() == (to != nullptr), "an order's lines do not fit its kind");
  // What is owed is handed over after the closing as well as before it.
  if (order.kind != K::kSettle) YKT_RETURN_IF_ERROR(CheckOpen(line));
  if (to != nullptr) {
    YKT_RETURN_IF_ERROR(CheckOpen(*to));
    YKT_RETURN_IF_ERROR(order.kind == K::kTransfer
                            ? CheckPurpose(to->policy_id, line.year, line.source, *to)
                            : CheckPurpose(line.policy_id, line.year + 1, line.source, *to));
  }
  if (order.ClosesYear() && today < absl::CivilDay(line.year, 12, 31)) {
    return status::Refuse(Reason::kBudgetYearOpen, "", {{"year", std::to_string(line.year)}});
  }
  return absl::OkStatus();
}

absl::StatusOr<OrderState> DecideOrder(const BudgetOrder& order, OrderEvent event,
                                       std::string_view person) {
  YKT_ASSIGN_OR_RETURN(const OrderState to, Next(order.state, event));
  const bool same = person == order.requested_by;
  if (event == E::kWithdraw && !same) return status::Refuse(Reason::kPermissionDenied);
  if (event != E::kWithdraw && same) {
    return status::Refuse(Reason::kSamePerson, "", {{"other_step", "requested"}});
  }
  return to;
}

absl::StatusOr<Posting> CarryOut(BudgetOrder& order, const BudgetLine& line,
                                 const MovingMoney& moving) {
  if (order.ClosesYear()) {
    if (moving.reserved_fen != 0 || moving.in_transit_fen != 0) {
      return status::Refuse(Reason::kYearEndBlocked, "",
                            {{"reserved_fen", std::to_string(moving.reserved_fen)},
                             {"in_transit_fen", std::to_string(moving.in_transit_fen)}});
    }
    order.amount_fen = line.available_fen;
  }
  const std::int64_t fen = order.amount_fen;
  const std::int64_t there = order.kind == K::kSettle ? moving.owed_fen : line.available_fen;
  if (fen > there) return Insufficient(line, there, fen);
  const std::string reason = fmt::format("budget-orders/{}/{}", order.district, order.order_id);
  const std::string step = OrderKindName(order.kind);
  Posting posting;
  const auto move = [&](std::int64_t line_id, Account debit, Account credit) {
    posting.MoveOnLine(line_id, step, reason, debit, credit, fen);
  };
  switch (order.kind) {
    case K::kTransfer:
      move(order.line_id, Account::kTransfer, Account::kAvailable);
      move(order.to_line_id, Account::kAvailable, Account::kTransfer);
      break;
    case K::kCarryOver:
      move(order.line_id, Account::kCarryOver, Account::kAvailable);
      move(order.to_line_id, Account::kAvailable, Account::kCarryOver);
      break;
    case K::kLapse:
      move(order.line_id, Account::kLapsed, Account::kAvailable);
      break;
    case K::kSettle:
      move(order.line_id, Account::kSettledToTreasury, Account::kOwedToTreasury);
      break;
  }
  return posting;
}

Statement StatementOf(const std::vector<LedgerSum>& sums) {
  Statement statement;
  for (const LedgerSum& sum : sums) {
    statement.closing.Add(sum.debit, sum.credit, sum.amount_fen);
    if (sum.on_the_day) {
      statement.movements.push_back(sum);
    } else {
      statement.opening.Add(sum.debit, sum.credit, sum.amount_fen);
    }
  }
  return statement;
}

}  // namespace yikatong::dispatch
