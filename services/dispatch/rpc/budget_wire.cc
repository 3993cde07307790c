#include "services/dispatch/rpc/budget_wire.h"

#include "common/base/dates.h"

namespace yikatong::dispatch {

v1::FundReceipt ToWire(const FundReceipt& receipt, absl::CivilDay today) {
  v1::FundReceipt wire;
  wire.set_receipt_id(receipt.receipt_id);
  wire.set_district(receipt.district);
  wire.set_from_level(receipt.from_level);
  wire.set_document(receipt.document);
  wire.set_policy_id(receipt.policy_id);
  wire.set_year(receipt.year);
  wire.set_source(receipt.source);
  wire.set_amount_fen(receipt.amount_fen);
  wire.set_passed_fen(receipt.passed_fen);
  wire.set_received_on(base::FormatDate(receipt.received_on));
  wire.set_due_on(base::FormatDate(receipt.due_on));
  wire.set_age_days(static_cast<std::int32_t>(today - receipt.received_on));
  wire.set_overdue(receipt.OverdueOn(today));
  if (receipt.cancelled_on.has_value())
    wire.set_cancelled_on(base::FormatDate(*receipt.cancelled_on));
  return wire;
}

v1::PassDown ToWire(const PassDown& down) {
  v1::PassDown wire;
  wire.set_pass_down_id(down.pass_down_id);
  wire.set_district(down.district);
  wire.set_receipt_id(down.receipt_id);
  wire.set_to_district(down.to_district);
  wire.set_line_id(down.line_id);
  wire.set_amount_fen(down.amount_fen);
  wire.set_document(down.document);
  wire.set_passed_on(base::FormatDate(down.passed_on));
  wire.set_booked(down.booked);
  return wire;
}

v1::BudgetOrder ToWire(const BudgetOrder& order) {
  v1::BudgetOrder wire;
  wire.set_order_id(order.order_id);
  wire.set_district(order.district);
  wire.set_kind(static_cast<v1::BudgetOrderKind>(order.kind));
  wire.set_line_id(order.line_id);
  wire.set_to_line_id(order.to_line_id);
  wire.set_amount_fen(order.amount_fen);
  wire.set_document(order.document);
  wire.set_reason(order.reason);
  wire.set_state(static_cast<v1::BudgetOrderState>(order.state));
  wire.set_requested_by(order.requested_by);
  wire.set_requested_on(base::FormatDate(order.requested_on));
  wire.set_decided_by(order.decided_by);
  if (order.decided_on.has_value()) wire.set_decided_on(base::FormatDate(*order.decided_on));
  wire.set_decision(order.decision);
  return wire;
}

v1::BudgetBalances ToWire(const Balances& balances) {
  v1::BudgetBalances wire;
  wire.set_appropriated_fen(balances.appropriated_fen);
  wire.set_transfers_in_fen(balances.transfers_in_fen);
  wire.set_transfers_out_fen(balances.transfers_out_fen);
  wire.set_carried_in_fen(balances.carried_in_fen);
  wire.set_carried_out_fen(balances.carried_out_fen);
  wire.set_available_fen(balances.available_fen);
  wire.set_reserved_fen(balances.reserved_fen);
  wire.set_in_transit_fen(balances.in_transit_fen);
  wire.set_paid_fen(balances.paid_fen);
  wire.set_owed_to_treasury_fen(balances.owed_to_treasury_fen);
  wire.set_settled_to_treasury_fen(balances.settled_to_treasury_fen);
  wire.set_lapsed_fen(balances.lapsed_fen);
  return wire;
}

}  // namespace yikatong::dispatch
