#include "services/dispatch/rpc/budget_handlers.h"

#include <fmt/core.h>

#include <optional>
#include <vector>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/domain/review.h"
#include "services/dispatch/rpc/budget_fields.h"
#include "services/dispatch/rpc/budget_wire.h"
#include "services/dispatch/rpc/wire.h"
#include "services/dispatch/store/once.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

// Fills one page of a list out of one row more than it may have. `position` says where the next
// page begins: behind the last row of this one.
template <typename Row, typename Put, typename Position>
std::string FillPage(const std::vector<Row>& rows, int page_size, const Put& put,
                     const Position& position) {
  const auto size = static_cast<std::size_t>(page_size);
  for (std::size_t i = 0; i < rows.size() && i < size; ++i) put(rows[i]);
  return rows.size() > size ? position(rows[size - 1]) : "";
}

absl::Status CheckToken(std::string_view token, std::int32_t& district, std::int64_t& id) {
  if (token.empty() || ReadToken(token, district, id)) return absl::OkStatus();
  return status::Refuse(Reason::kPageTokenInvalid);
}

}  // namespace

absl::Status BudgetHandlers::CheckTarget(std::int32_t district, std::int64_t line_id) {
  BudgetLine line;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_budget_line", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(line, money_.FindLine(tx, district, line_id));
        return absl::OkStatus();
      }));
  YKT_ASSIGN_OR_RETURN(const bool approved,
                       policies_.TargetApproved(line.policy_id, line.district, line.year));
  return approved ? absl::OkStatus() : status::Refuse(Reason::kPerformanceTargetMissing);
}

absl::StatusOr<v1::FundReceipt> BudgetHandlers::RecordFundReceipt(
    const v1::RecordFundReceiptRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kPermissionDenied);
  const bool city = request.district() == identity::kWholeCity;
  if (request.from_level() != "central" && (city || request.from_level() != "city")) {
    return FieldInvalid("from_level", city ? "central" : "central or city");
  }
  YKT_RETURN_IF_ERROR(CheckDocument(request.document()));
  YKT_RETURN_IF_ERROR(CheckSource(request.source()));
  YKT_RETURN_IF_ERROR(CheckYear(request.year()));
  YKT_RETURN_IF_ERROR(CheckAmount(request.amount_fen()));
  const std::optional<absl::CivilDay> received_on = base::ParseDate(request.received_on());
  if (!received_on.has_value()) return FieldInvalid("received_on", "YYYY-MM-DD");
  const Request once = RequestOf("RecordFundReceipt", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before,
                       FindAnswer(context_.database, caller, once));
  if (before.has_value()) return Parse<v1::FundReceipt>(*before);
  YKT_RETURN_IF_ERROR(policies_.CheckPolicy(request.policy_id()));
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "record_fund_receipt", caller, once,
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               const absl::CivilDay today = context_.business.Today();
               if (*received_on > today) return FieldInvalid("received_on", "today or earlier");
               FundReceipt receipt;
               receipt.district = request.district();
               receipt.from_level = request.from_level();
               receipt.document = request.document();
               receipt.policy_id = request.policy_id();
               receipt.year = request.year();
               receipt.source = request.source();
               receipt.amount_fen = request.amount_fen();
               receipt.received_on = *received_on;
               YKT_RETURN_IF_ERROR(pass_downs_.Record(tx, caller, receipt, request.request_id()));
               return ToWire(receipt, today).SerializeAsString();
             }));
  return Parse<v1::FundReceipt>(answer);
}

absl::StatusOr<v1::FundReceipt> BudgetHandlers::CancelFundReceipt(
    const v1::CancelFundReceiptRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kFundReceiptUnknown);
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "cancel_fund_receipt", caller,
             RequestOf("CancelFundReceipt", request.request_id(), request),
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(
                   const FundReceipt receipt,
                   pass_downs_.Cancel(tx, caller, request.district(), request.receipt_id(),
                                      request.reason(), request.request_id()));
               return ToWire(receipt, context_.business.Today()).SerializeAsString();
             }));
  return Parse<v1::FundReceipt>(answer);
}

absl::StatusOr<v1::ListFundReceiptsResponse> BudgetHandlers::ListFundReceipts(
    const v1::ListFundReceiptsRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  std::int32_t after_district = 0;
  std::int64_t after_receipt = 0;
  YKT_RETURN_IF_ERROR(CheckToken(request.page_token(), after_district, after_receipt));
  const absl::CivilDay today = context_.business.Today();
  v1::ListFundReceiptsResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_fund_receipts", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(
            const std::vector<FundReceipt> receipts,
            pass_downs_.List(tx, DistrictsWanted(caller, request.district()), request.policy_id(),
                             request.overdue_only() ? std::optional(today) : std::nullopt,
                             after_district, after_receipt, page_size + 1));
        response.set_next_page_token(FillPage(
            receipts, page_size,
            [&](const FundReceipt& receipt) { *response.add_receipts() = ToWire(receipt, today); },
            [](const FundReceipt& last) {
              return fmt::format("{}-{}", last.district, last.receipt_id);
            }));
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::PassDown> BudgetHandlers::PassDownFunds(const v1::PassDownFundsRequest& request,
                                                           const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kFundReceiptUnknown);
  if (!caller.InDistrict(request.to_district())) return status::Refuse(Reason::kBudgetLineUnknown);
  YKT_RETURN_IF_ERROR(CheckAmount(request.amount_fen()));
  YKT_RETURN_IF_ERROR(CheckDocument(request.document()));
  const Request once = RequestOf("PassDownFunds", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(std::optional<std::string> answer,
                       FindAnswer(context_.database, caller, once));
  if (!answer.has_value()) {
    YKT_RETURN_IF_ERROR(CheckTarget(request.to_district(), request.line_id()));
    YKT_ASSIGN_OR_RETURN(
        answer, Mutate(context_.database, "pass_down_funds", caller, once,
                       [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                         PassDown down;
                         down.district = request.district();
                         down.receipt_id = request.receipt_id();
                         down.to_district = request.to_district();
                         down.line_id = request.line_id();
                         down.amount_fen = request.amount_fen();
                         down.document = request.document();
                         YKT_RETURN_IF_ERROR(
                             pass_downs_.PassDownTo(tx, caller, down, request.request_id()));
                         return ToWire(down).SerializeAsString();
                       }));
  }
  YKT_ASSIGN_OR_RETURN(v1::PassDown wire, Parse<v1::PassDown>(*answer));
  // It is passed down whatever happens now: what cannot be booked at this moment is soon after.
  PassDown down;
  down.district = wire.district();
  down.pass_down_id = wire.pass_down_id();
  down.to_district = wire.to_district();
  down.line_id = wire.line_id();
  down.amount_fen = wire.amount_fen();
  const absl::Status booked = pass_downs_.Book(down);
  if (!booked.ok()) telemetry::Log::Warning("pass_down_waits", {{"status", booked}});
  wire.set_booked(booked.ok());
  return wire;
}

absl::StatusOr<v1::ListPassDownsResponse> BudgetHandlers::ListPassDowns(
    const v1::ListPassDownsRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kFundReceiptUnknown);
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  std::int32_t after_district = 0;
  std::int64_t after = 0;
  YKT_RETURN_IF_ERROR(CheckToken(request.page_token(), after_district, after));
  v1::ListPassDownsResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_pass_downs", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_RETURN_IF_ERROR(
            pass_downs_.Find(tx, request.district(), request.receipt_id()).status());
        YKT_ASSIGN_OR_RETURN(const std::vector<PassDown> downs,
                             pass_downs_.ListPassDowns(tx, request.district(), request.receipt_id(),
                                                       after, page_size + 1));
        response.set_next_page_token(FillPage(
            downs, page_size,
            [&](const PassDown& down) { *response.add_pass_downs() = ToWire(down); },
            [](const PassDown& last) {
              return fmt::format("{}-{}", last.district, last.pass_down_id);
            }));
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::BudgetOrder> BudgetHandlers::RequestBudgetOrder(
    const v1::RequestBudgetOrderRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetLineUnknown);
  BudgetOrder order;
  order.district = request.district();
  order.kind = static_cast<OrderKind>(request.kind());
  order.line_id = request.line_id();
  order.to_line_id = request.to_line_id();
  order.amount_fen = request.amount_fen();
  order.document = request.document();
  order.reason = request.reason();
  YKT_RETURN_IF_ERROR(CheckOrderForm(order, kMostFen));
  YKT_RETURN_IF_ERROR(CheckDocument(order.document));
  YKT_RETURN_IF_ERROR(CheckReason(order.reason));
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "request_budget_order", caller,
             RequestOf("RequestBudgetOrder", request.request_id(), request),
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               BudgetOrder made = order;
               YKT_RETURN_IF_ERROR(orders_.Request(tx, caller, made, request.request_id()));
               return ToWire(made).SerializeAsString();
             }));
  return Parse<v1::BudgetOrder>(answer);
}

absl::StatusOr<v1::BudgetOrder> BudgetHandlers::Decide(const identity::Caller& caller,
                                                       std::int32_t district, std::int64_t order_id,
                                                       OrderEvent event, std::string_view why,
                                                       const Request& once) {
  YKT_ASSIGN_OR_RETURN(const std::string answer,
                       Mutate(context_.database, "decide_budget_order", caller, once,
                              [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                                YKT_ASSIGN_OR_RETURN(const BudgetOrder order,
                                                     orders_.Decide(tx, caller, district, order_id,
                                                                    event, why, once.request_id));
                                return ToWire(order).SerializeAsString();
                              }));
  return Parse<v1::BudgetOrder>(answer);
}

absl::StatusOr<v1::BudgetOrder> BudgetHandlers::DecideBudgetOrder(
    const v1::DecideBudgetOrderRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetOrderUnknown);
  if (!request.approve() || !request.reason().empty())
    YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  const Request once = RequestOf("DecideBudgetOrder", request.request_id(), request);
  if (request.approve()) {
    YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before,
                         FindAnswer(context_.database, caller, once));
    if (before.has_value()) return Parse<v1::BudgetOrder>(*before);
    // The catalogue is asked before anything is locked; which lines an order is about never
    // changes.
    BudgetOrder order;
    YKT_RETURN_IF_ERROR(
        context_.database.Read("find_budget_order", [&](postgres::Transaction& tx) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(order, orders_.Find(tx, request.district(), request.order_id()));
          return absl::OkStatus();
        }));
    if (order.HasTarget()) YKT_RETURN_IF_ERROR(CheckTarget(order.district, order.to_line_id));
  }
  return Decide(caller, request.district(), request.order_id(),
                request.approve() ? OrderEvent::kApprove : OrderEvent::kRefuse, request.reason(),
                once);
}

absl::StatusOr<v1::BudgetOrder> BudgetHandlers::WithdrawBudgetOrder(
    const v1::WithdrawBudgetOrderRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetOrderUnknown);
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return Decide(caller, request.district(), request.order_id(), OrderEvent::kWithdraw,
                request.reason(), RequestOf("WithdrawBudgetOrder", request.request_id(), request));
}

absl::StatusOr<v1::ListBudgetOrdersResponse> BudgetHandlers::ListBudgetOrders(
    const v1::ListBudgetOrdersRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  if (request.line_id() != 0 && request.district() == 0)
    return FieldInvalid("line_id", "only with a district");
  std::int32_t after_district = 0;
  std::int64_t after_order = 0;
  YKT_RETURN_IF_ERROR(CheckToken(request.page_token(), after_district, after_order));
  v1::ListBudgetOrdersResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_budget_orders", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(const std::vector<BudgetOrder> orders,
                             orders_.List(tx, DistrictsWanted(caller, request.district()),
                                          request.line_id(), static_cast<int>(request.state()),
                                          after_district, after_order, page_size + 1));
        response.set_next_page_token(FillPage(
            orders, page_size,
            [&](const BudgetOrder& order) { *response.add_orders() = ToWire(order); },
            [](const BudgetOrder& last) {
              return fmt::format("{}-{}", last.district, last.order_id);
            }));
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::ListYearEndBlockersResponse> BudgetHandlers::ListYearEndBlockers(
    const v1::ListYearEndBlockersRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetLineUnknown);
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  std::int32_t after_district = 0;
  std::int64_t after_batch = 0;
  YKT_RETURN_IF_ERROR(CheckToken(request.page_token(), after_district, after_batch));
  v1::ListYearEndBlockersResponse response;
  YKT_RETURN_IF_ERROR(context_.database.Read(
      "list_year_end_blockers", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(const std::vector<YearEndBlocker> blockers,
                             orders_.Blockers(tx, request.district(), request.line_id(),
                                              after_batch, page_size + 1));
        response.set_next_page_token(FillPage(
            blockers, page_size,
            [&](const YearEndBlocker& blocker) {
              v1::YearEndBlocker& wire = *response.add_blockers();
              wire.set_batch_id(blocker.batch_id);
              wire.set_reserved_fen(blocker.reserved_fen);
              wire.set_in_transit_fen(blocker.in_transit_fen);
            },
            [&](const YearEndBlocker& last) {
              return fmt::format("{}-{}", request.district(), last.batch_id);
            }));
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::BudgetStatement> BudgetHandlers::GetBudgetStatement(
    const v1::GetBudgetStatementRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetLineUnknown);
  const absl::CivilDay today = context_.business.Today();
  const std::optional<absl::CivilDay> day =
      request.day().empty() ? today : base::ParseDate(request.day());
  if (!day.has_value() || *day > today) return FieldInvalid("day", "YYYY-MM-DD, today or earlier");
  v1::BudgetStatement response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("budget_statement", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(const Statement statement,
                             orders_.StatementFor(tx, request.district(), request.line_id(), *day));
        response.set_district(request.district());
        response.set_line_id(request.line_id());
        response.set_day(base::FormatDate(*day));
        *response.mutable_opening() = ToWire(statement.opening);
        *response.mutable_closing() = ToWire(statement.closing);
        for (const LedgerSum& sum : statement.movements) {
          v1::BudgetMovement& movement = *response.add_movements();
          movement.set_step(sum.step);
          movement.set_debit(AccountName(sum.debit));
          movement.set_credit(AccountName(sum.credit));
          movement.set_rows(sum.rows);
          movement.set_amount_fen(sum.amount_fen);
        }
        return absl::OkStatus();
      }));
  return response;
}

}  // namespace yikatong::dispatch
