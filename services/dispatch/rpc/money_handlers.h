// The handlers of the money half, as the gRPC service sees them: each takes the request and its
// caller. Request ids are checked already where the request has one.
#pragma once

#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "yikatong/dispatch/v1/dispatch.pb.h"

namespace yikatong::dispatch {

// Thread safe.
class MoneyHandlers {
 public:
  virtual ~MoneyHandlers() = default;

  virtual absl::StatusOr<v1::BudgetLine> CreateBudgetLine(
      const v1::CreateBudgetLineRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::BudgetLine> AppropriateBudget(
      const v1::AppropriateBudgetRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ListBudgetLinesResponse> ListBudgetLines(
      const v1::ListBudgetLinesRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ListLedgerEntriesResponse> ListLedgerEntries(
      const v1::ListLedgerEntriesRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Batch> FundBatch(const v1::FundBatchRequest& request,
                                              const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Batch> ReleaseBatch(const v1::ReleaseBatchRequest& request,
                                                 const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ReissueItemsResponse> ReissueItems(
      const v1::ReissueItemsRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::AbandonItemsResponse> AbandonItems(
      const v1::AbandonItemsRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Batch> CloseBatch(const v1::CloseBatchRequest& request,
                                               const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::GetItemProofResponse> GetItemProof(
      const v1::GetItemProofRequest& request, const identity::Caller& caller) = 0;
};

}  // namespace yikatong::dispatch
