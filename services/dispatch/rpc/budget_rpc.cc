#include "services/dispatch/rpc/budget_rpc.h"

#include <functional>
#include <utility>

#include "common/status/status.h"

namespace yikatong::dispatch {

template <typename Request, typename Response>
grpc::Status BudgetRpc::Handle(
    grpc::ServerContext* context, std::string_view method, const Request& request,
    absl::StatusOr<Response> (BudgetHandlers::*handler)(const Request&, const identity::Caller&),
    Response* response) {
  return rpc::Unary(
      guard_, context, method, request, [&](const identity::Caller& caller) -> absl::Status {
        if constexpr (requires { request.request_id(); })
          YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request.request_id()));
        YKT_ASSIGN_OR_RETURN(*response, std::invoke(handler, handlers_, request, caller));
        return absl::OkStatus();
      });
}

#define YKT_UNARY(method, response_type)                                                           \
  grpc::Status BudgetRpc::method(grpc::ServerContext* context, const v1::method##Request* request, \
                                 v1::response_type* response) {                                    \
    return Handle(context, "/yikatong.dispatch.v1.BudgetService/" #method, *request,               \
                  &BudgetHandlers::method, response);                                              \
  }

YKT_UNARY(RecordFundReceipt, FundReceipt)
YKT_UNARY(CancelFundReceipt, FundReceipt)
YKT_UNARY(ListFundReceipts, ListFundReceiptsResponse)
YKT_UNARY(PassDownFunds, PassDown)
YKT_UNARY(ListPassDowns, ListPassDownsResponse)
YKT_UNARY(RequestBudgetOrder, BudgetOrder)
YKT_UNARY(DecideBudgetOrder, BudgetOrder)
YKT_UNARY(WithdrawBudgetOrder, BudgetOrder)
YKT_UNARY(ListBudgetOrders, ListBudgetOrdersResponse)
YKT_UNARY(ListYearEndBlockers, ListYearEndBlockersResponse)
YKT_UNARY(GetBudgetStatement, BudgetStatement)

}  // namespace yikatong::dispatch
