// BudgetService over gRPC. Nothing is decided here.
#pragma once

#include <grpcpp/server_context.h>

#include "common/rpc/call.h"
#include "services/dispatch/rpc/budget_handlers.h"
#include "yikatong/dispatch/v1/budget.grpc.pb.h"

namespace yikatong::dispatch {

// Thread safe. Guard and handlers outlive it; it outlives the server.
class BudgetRpc final : public v1::BudgetService::Service {
 public:
  BudgetRpc(const rpc::Guard& guard, BudgetHandlers& handlers)
      : guard_(guard), handlers_(handlers) {}

#define YKT_UNARY(method, response_type)                                                \
  grpc::Status method(grpc::ServerContext* context, const v1::method##Request* request, \
                      v1::response_type* response) override;
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
#undef YKT_UNARY

 private:
  // The guard, the request id of a mutation, then the handler.
  template <typename Request, typename Response>
  grpc::Status Handle(grpc::ServerContext* context, std::string_view method, const Request& request,
                      absl::StatusOr<Response> (BudgetHandlers::*handler)(const Request&,
                                                                          const identity::Caller&),
                      Response* response);

  const rpc::Guard& guard_;
  BudgetHandlers& handlers_;
};

}  // namespace yikatong::dispatch
