// The adapter of BudgetService: wire to domain and back. Scope is checked here by district, the
// rules are those of domain and stores. Request ids are checked already where the request has one.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/domain/request.h"
#include "services/dispatch/store/budget_order_store.h"
#include "services/dispatch/store/money_store.h"
#include "services/dispatch/store/pass_down_store.h"
#include "yikatong/dispatch/v1/budget.pb.h"

namespace yikatong::dispatch {

// Thread safe.
class BudgetHandlers {
 public:
  // Everything outlives the handlers.
  BudgetHandlers(const StoreContext& context, MoneyStore& money, PassDownStore& pass_downs,
                 BudgetOrderStore& orders, PolicyPort& policies)
      : context_(context),
        money_(money),
        pass_downs_(pass_downs),
        orders_(orders),
        policies_(policies) {}

  absl::StatusOr<v1::FundReceipt> RecordFundReceipt(const v1::RecordFundReceiptRequest& request,
                                                    const identity::Caller& caller);
  absl::StatusOr<v1::FundReceipt> CancelFundReceipt(const v1::CancelFundReceiptRequest& request,
                                                    const identity::Caller& caller);
  absl::StatusOr<v1::ListFundReceiptsResponse> ListFundReceipts(
      const v1::ListFundReceiptsRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::PassDown> PassDownFunds(const v1::PassDownFundsRequest& request,
                                             const identity::Caller& caller);
  absl::StatusOr<v1::ListPassDownsResponse> ListPassDowns(const v1::ListPassDownsRequest& request,
                                                          const identity::Caller& caller);
  absl::StatusOr<v1::BudgetOrder> RequestBudgetOrder(const v1::RequestBudgetOrderRequest& request,
                                                     const identity::Caller& caller);
  absl::StatusOr<v1::BudgetOrder> DecideBudgetOrder(const v1::DecideBudgetOrderRequest& request,
                                                    const identity::Caller& caller);
  absl::StatusOr<v1::BudgetOrder> WithdrawBudgetOrder(const v1::WithdrawBudgetOrderRequest& request,
                                                      const identity::Caller& caller);
  absl::StatusOr<v1::ListBudgetOrdersResponse> ListBudgetOrders(
      const v1::ListBudgetOrdersRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::ListYearEndBlockersResponse> ListYearEndBlockers(
      const v1::ListYearEndBlockersRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::BudgetStatement> GetBudgetStatement(
      const v1::GetBudgetStatementRequest& request, const identity::Caller& caller);

 private:
  // 同步审核、同步下达: no money for a line without an approved target. PERFORMANCE_TARGET_MISSING,
  // BUDGET_LINE_UNKNOWN.
  absl::Status CheckTarget(std::int32_t district, std::int64_t line_id);
  absl::StatusOr<v1::BudgetOrder> Decide(const identity::Caller& caller, std::int32_t district,
                                         std::int64_t order_id, OrderEvent event,
                                         std::string_view why, const Request& once);

  const StoreContext context_;
  MoneyStore& money_;
  PassDownStore& pass_downs_;
  BudgetOrderStore& orders_;
  PolicyPort& policies_;
};

}  // namespace yikatong::dispatch
