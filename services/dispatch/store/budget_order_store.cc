#include "services/dispatch/store/budget_order_store.h"

#include <fmt/core.h>

#include <map>
#include <string>

#include "common/base/failpoint.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/budget_audit.h"
#include "services/dispatch/store/chunk_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

BudgetOrder OrderOf(const postgres::Row& row) {
  BudgetOrder order;
  order.district = row.Int(0);
  order.order_id = row.Int64(1);
  order.kind = static_cast<OrderKind>(row.Int(2));
  order.line_id = row.Int64(3);
  order.to_line_id = row.Int64(4);
  order.amount_fen = row.Int64(5);
  order.document = row.Text(6);
  order.reason = row.Text(7);
  order.state = static_cast<OrderState>(row.Int(8));
  order.requested_by = row.Text(9);
  order.requested_on = row.Date(10);
  order.decided_by = row.Text(11);
  order.decided_on = row.MaybeDate(12);
  order.decision = row.Text(13);
  return order;
}

const char* OrderEventName(OrderEvent event) {
  switch (event) {
    case OrderEvent::kApprove:
      return "approve";
    case OrderEvent::kRefuse:
      return "refuse";
    case OrderEvent::kWithdraw:
      return "withdraw";
  }
  return "invalid";
}

const char* AuditKindOf(OrderEvent event) {
  switch (event) {
    case OrderEvent::kApprove:
      return "budget.order_approved";
    case OrderEvent::kRefuse:
      return "budget.order_refused";
    case OrderEvent::kWithdraw:
      return "budget.order_withdrawn";
  }
  return "budget.order_invalid";
}

absl::Status AuditOrder(postgres::Transaction& tx, const StoreContext& context,
                        const identity::Caller& caller, const BudgetOrder& order,
                        std::string_view kind, std::string_view request_id) {
  std::map<std::string, std::string> details = {
      {"kind", OrderKindName(order.kind)},
      {"line", std::to_string(order.line_id)},
      {"amount_fen", std::to_string(order.amount_fen)},
      {"document", order.document},
      {"reason", order.decided_on.has_value() ? order.decision : order.reason}};
  if (order.HasTarget()) details["to_line"] = std::to_string(order.to_line_id);
  return AuditBudget(tx, context, caller, order.district,
                     fmt::format("budget-orders/{}/{}", order.district, order.order_id), kind,
                     request_id, std::move(details));
}

}  // namespace

absl::Status BudgetOrderStore::Request(postgres::Transaction& tx, const identity::Caller& caller,
                                       BudgetOrder& order, std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const BudgetLine line, money_.FindLine(tx, order.district, order.line_id));
  BudgetLine to;
  if (order.HasTarget()) {
    YKT_ASSIGN_OR_RETURN(to, money_.FindLine(tx, order.district, order.to_line_id));
  }
  const absl::CivilDay today = context_.business.Today();
  YKT_RETURN_IF_ERROR(CheckOrderLines(order, line, order.HasTarget() ? &to : nullptr, today));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows ids,
                       tx.Run(sql::kDistrictTakeDocument, order.district));
  order.order_id = ids[0].Int64(0);
  order.requested_by = caller.person;
  order.requested_on = today;
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows inserted,
      tx.Run(sql::kBudgetOrderInsert, order.district, order.order_id, static_cast<int>(order.kind),
             order.line_id, order.to_line_id, order.amount_fen, order.document, order.reason,
             order.requested_by, today));
  if (inserted.empty()) {
    return status::Refuse(Reason::kAlreadyExists, "the line has an order for its year's end");
  }
  return AuditOrder(tx, context_, caller, order, "budget.order_requested", request_id);
}

absl::StatusOr<BudgetOrder> BudgetOrderStore::Find(postgres::Transaction& tx, std::int32_t district,
                                                   std::int64_t order_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kBudgetOrderRead, district, order_id));
  if (rows.empty()) return status::Refuse(Reason::kBudgetOrderUnknown);
  return OrderOf(rows[0]);
}

absl::Status BudgetOrderStore::Carry(postgres::Transaction& tx, BudgetOrder& order) {
  std::map<std::int64_t, BudgetLine> lines = {{order.line_id, {}}};
  if (order.HasTarget()) lines[order.to_line_id];
  for (auto& [line_id, line] : lines) {
    YKT_ASSIGN_OR_RETURN(line, money_.LockLine(tx, order.district, line_id));
  }
  const BudgetLine& line = lines.at(order.line_id);
  YKT_RETURN_IF_ERROR(CheckOrderLines(order, line,
                                      order.HasTarget() ? &lines.at(order.to_line_id) : nullptr,
                                      context_.business.Today()));
  MovingMoney moving;
  if (order.kind != OrderKind::kTransfer) {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows sums,
                         tx.Run(sql::kBudgetLineMoving, order.district, order.line_id));
    moving = {sums[0].Int64(0), sums[0].Int64(1), sums[0].Int64(2)};
  }
  YKT_ASSIGN_OR_RETURN(const Posting posting, CarryOut(order, line, moving));
  YKT_RETURN_IF_ERROR(WritePosting(tx, context_, order.district, posting));
  if (!order.ClosesYear()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows closed,
      tx.Run(sql::kBudgetLineClose, order.district, order.line_id, context_.business.Today()));
  YKT_INVARIANT(closed.affected() == 1, "a line was closed under our lock");
  return absl::OkStatus();
}

absl::StatusOr<BudgetOrder> BudgetOrderStore::Decide(postgres::Transaction& tx,
                                                     const identity::Caller& caller,
                                                     std::int32_t district, std::int64_t order_id,
                                                     OrderEvent event, std::string_view why,
                                                     std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kBudgetOrderLock, district, order_id));
  if (rows.empty()) return status::Refuse(Reason::kBudgetOrderUnknown);
  BudgetOrder order = OrderOf(rows[0]);
  YKT_ASSIGN_OR_RETURN(const OrderState to, DecideOrder(order, event, caller.person));
  if (event == OrderEvent::kApprove) YKT_RETURN_IF_ERROR(Carry(tx, order));
  order.state = to;
  order.decided_by = caller.person;
  order.decided_on = context_.business.Today();
  order.decision = why;
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows decided,
      tx.Run(sql::kBudgetOrderDecide, district, order_id, static_cast<int>(to), order.amount_fen,
             order.decided_by, order.decided_on, order.decision));
  YKT_INVARIANT(decided.affected() == 1, "an order was decided under our lock");
  base::failpoint::Note("order", "requested", OrderEventName(event));
  YKT_RETURN_IF_ERROR(AuditOrder(tx, context_, caller, order, AuditKindOf(event), request_id));
  return order;
}

absl::StatusOr<std::vector<BudgetOrder>> BudgetOrderStore::List(
    postgres::Transaction& tx, std::string_view districts, std::int64_t line_id, int state,
    std::int32_t after_district, std::int64_t after_order, int limit) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kBudgetOrdersList, districts, line_id, state, after_district,
                              after_order, limit));
  std::vector<BudgetOrder> orders;
  for (const postgres::Row row : rows) orders.push_back(OrderOf(row));
  return orders;
}

absl::StatusOr<std::vector<YearEndBlocker>> BudgetOrderStore::Blockers(postgres::Transaction& tx,
                                                                       std::int32_t district,
                                                                       std::int64_t line_id,
                                                                       std::int64_t after_batch,
                                                                       int limit) {
  YKT_RETURN_IF_ERROR(money_.FindLine(tx, district, line_id).status());
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kYearEndBlockers, district, line_id, after_batch, limit));
  std::vector<YearEndBlocker> blockers;
  for (const postgres::Row row : rows)
    blockers.push_back({row.Int64(0), row.Int64(1), row.Int64(2)});
  return blockers;
}

absl::StatusOr<Statement> BudgetOrderStore::StatementFor(postgres::Transaction& tx,
                                                         std::int32_t district,
                                                         std::int64_t line_id, absl::CivilDay day) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kBudgetStatement, district, line_id, day));
  if (rows.empty()) return status::Refuse(Reason::kBudgetLineUnknown);
  std::vector<LedgerSum> sums;
  for (const postgres::Row row : rows) {
    if (row.IsNull(2)) continue;
    sums.push_back({row.Bool(0), row.MaybeText(1).value_or(""), static_cast<Account>(row.Int(2)),
                    static_cast<Account>(row.Int(3)), row.Int64(4), row.Int64(5)});
  }
  return StatementOf(sums);
}

}  // namespace yikatong::dispatch
