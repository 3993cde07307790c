// DispatchService over gRPC: joins the parts of the service. Nothing is decided here.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/redis/cache.h"
#include "common/rpc/call.h"
#include "common/rpc/watch.h"
#include "services/dispatch/rpc/intake_handlers.h"
#include "services/dispatch/rpc/money_handlers.h"
#include "services/dispatch/rpc/repair_handlers.h"
#include "yikatong/dispatch/v1/dispatch.grpc.pb.h"

namespace yikatong::dispatch {

// Thread safe. Guard and handlers outlive it; it outlives the server.
class DispatchRpc final
    : public v1::DispatchService::WithCallbackMethod_WatchBatch<v1::DispatchService::Service> {
 public:
  DispatchRpc(const rpc::Guard& guard, IntakeHandlers& intake, MoneyHandlers& money,
              RepairHandlers& repairs)
      : guard_(guard), intake_(intake), money_(money), repairs_(repairs) {}

#define YKT_UNARY(method, response_type)                                                \
  grpc::Status method(grpc::ServerContext* context, const v1::method##Request* request, \
                      v1::response_type* response) override;
  YKT_UNARY(CreateBatch, Batch)
  YKT_UNARY(SealBatch, Batch)
  YKT_UNARY(ListDepartures, ListDeparturesResponse)
  YKT_UNARY(ExplainDepartures, ExplainDeparturesResponse)
  YKT_UNARY(GetBatch, Batch)
  YKT_UNARY(ListBatches, ListBatchesResponse)
  YKT_UNARY(ListRejections, ListRejectionsResponse)
  YKT_UNARY(ListItems, ListItemsResponse)
  YKT_UNARY(CancelBatch, Batch)
  YKT_UNARY(AddAttachment, Batch)
  YKT_UNARY(PublishNotice, Notice)
  YKT_UNARY(ListNoticeLines, ListNoticeLinesResponse)
  YKT_UNARY(RaiseObjection, Objection)
  YKT_UNARY(DecideObjection, Objection)
  YKT_UNARY(CloseNotice, Batch)
  YKT_UNARY(ReviewBatch, Batch)
  YKT_UNARY(CreateBudgetLine, BudgetLine)
  YKT_UNARY(AppropriateBudget, BudgetLine)
  YKT_UNARY(ListBudgetLines, ListBudgetLinesResponse)
  YKT_UNARY(ListLedgerEntries, ListLedgerEntriesResponse)
  YKT_UNARY(FundBatch, Batch)
  YKT_UNARY(ReleaseBatch, Batch)
  YKT_UNARY(ReissueItems, ReissueItemsResponse)
  YKT_UNARY(AbandonItems, AbandonItemsResponse)
  YKT_UNARY(CloseBatch, Batch)
  YKT_UNARY(GetItemProof, GetItemProofResponse)
  YKT_UNARY(CorrectBatch, Batch)
  YKT_UNARY(ListRepairs, ListRepairsResponse)
  YKT_UNARY(OpenRecoveries, OpenRecoveriesResponse)
  YKT_UNARY(ApproveRecovery, Recovery)
  YKT_UNARY(NotifyRecovery, Recovery)
  YKT_UNARY(RecordReceipt, Recovery)
  YKT_UNARY(RequestWriteOff, Recovery)
  YKT_UNARY(DecideWriteOff, Recovery)
  YKT_UNARY(CancelRecovery, Recovery)
  YKT_UNARY(GetRecovery, Recovery)
  YKT_UNARY(ListRecoveries, ListRecoveriesResponse)
  YKT_UNARY(RecordArrival, Arrival)
  YKT_UNARY(ConfirmArrival, Arrival)
  YKT_UNARY(RefuseArrival, Arrival)
  YKT_UNARY(ListArrivals, ListArrivalsResponse)
  YKT_UNARY(CreateTopUp, Batch)
  YKT_UNARY(ListSetAsideChunks, ListSetAsideChunksResponse)
  YKT_UNARY(ResumeChunk, ResumeChunkResponse)
#undef YKT_UNARY

  grpc::Status UploadItems(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::UploadItemsResponse, v1::UploadItemsRequest>* stream) override;
  grpc::ServerWriteReactor<v1::WatchBatchResponse>* WatchBatch(
      grpc::CallbackServerContext* context, const v1::WatchBatchRequest* request) override;

  using Hub = rpc::WatchHub<v1::WatchBatchResponse>;
  Hub& hub() { return hub_; }

 private:
  const rpc::Guard& guard_;
  IntakeHandlers& intake_;
  MoneyHandlers& money_;
  RepairHandlers& repairs_;
  Hub hub_;
};

// The one poller behind WatchBatch: asks the record for each watched batch, every `every`, and soon
// after a replica told through Redis that a batch changed (at most ten times a second).
class ProgressPoller {
 public:
  // Everything outlives the poller.
  ProgressPoller(DispatchRpc::Hub& hub, IntakeHandlers& intake, redis::Cache& cache,
                 std::chrono::milliseconds every = std::chrono::milliseconds(500));
  ~ProgressPoller();  // stops
  void Stop();

  // What replicas publish to.
  static constexpr std::string_view kChannel = "batch-changed";

 private:
  void Loop();

  DispatchRpc::Hub& hub_;
  IntakeHandlers& intake_;
  const std::chrono::milliseconds every_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool told_ = false;  // a batch changed since the last look
  std::unique_ptr<redis::Subscription> subscription_;
  std::thread thread_;
};

}  // namespace yikatong::dispatch
