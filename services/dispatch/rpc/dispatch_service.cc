#include "services/dispatch/rpc/dispatch_service.h"

#include <algorithm>
#include <charconv>

#include "common/rpc/trace.h"
#include "common/status/status.h"

namespace yikatong::dispatch {
namespace {

// Changes come by the thousand while a batch is collected; watchers need not see each.
constexpr std::chrono::milliseconds kLeastPause(100);

std::int64_t BatchOfKey(const std::string& key) {
  std::int64_t batch_id = 0;
  std::from_chars(key.data(), key.data() + key.size(), batch_id);
  return batch_id;
}

bool IsLast(v1::BatchState state) {
  return state == v1::BATCH_STATE_SETTLED || state == v1::BATCH_STATE_CLOSED ||
         state == v1::BATCH_STATE_CANCELLED;
}

template <typename Response>
absl::Status Put(absl::StatusOr<Response> answer, Response* response) {
  if (!answer.ok()) return std::move(answer).status();
  *response = *std::move(answer);
  return absl::OkStatus();
}

}  // namespace

// A read: the guard, then the handler.
#define YKT_READ(method, response_type, half)                                                      \
  grpc::Status DispatchRpc::method(grpc::ServerContext* context,                                   \
                                   const v1::method##Request* request,                             \
                                   v1::response_type* response) {                                  \
    return rpc::Unary(guard_, context, "/yikatong.dispatch.v1.DispatchService/" #method, *request, \
                      [&](const identity::Caller& caller) {                                        \
                        return Put((half).method(*request, caller), response);                     \
                      });                                                                          \
  }

// A mutation: the same, behind its request id.
#define YKT_MUTATION(method, response_type, half)                                                  \
  grpc::Status DispatchRpc::method(grpc::ServerContext* context,                                   \
                                   const v1::method##Request* request,                             \
                                   v1::response_type* response) {                                  \
    return rpc::Unary(guard_, context, "/yikatong.dispatch.v1.DispatchService/" #method, *request, \
                      [&](const identity::Caller& caller) -> absl::Status {                        \
                        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));         \
                        return Put((half).method(*request, caller), response);                     \
                      });                                                                          \
  }

YKT_MUTATION(CreateBatch, Batch, intake_)
YKT_MUTATION(SealBatch, Batch, intake_)
YKT_READ(ListDepartures, ListDeparturesResponse, intake_)
YKT_MUTATION(ExplainDepartures, ExplainDeparturesResponse, intake_)
YKT_READ(GetBatch, Batch, intake_)
YKT_READ(ListBatches, ListBatchesResponse, intake_)
YKT_READ(ListRejections, ListRejectionsResponse, intake_)
YKT_READ(ListItems, ListItemsResponse, intake_)
YKT_MUTATION(CancelBatch, Batch, intake_)
YKT_MUTATION(AddAttachment, Batch, intake_)
YKT_MUTATION(PublishNotice, Notice, intake_)
YKT_READ(ListNoticeLines, ListNoticeLinesResponse, intake_)
YKT_MUTATION(RaiseObjection, Objection, intake_)
YKT_MUTATION(DecideObjection, Objection, intake_)
YKT_MUTATION(CloseNotice, Batch, intake_)
YKT_MUTATION(ReviewBatch, Batch, intake_)

YKT_MUTATION(CreateBudgetLine, BudgetLine, money_)
YKT_MUTATION(AppropriateBudget, BudgetLine, money_)
YKT_READ(ListBudgetLines, ListBudgetLinesResponse, money_)
YKT_READ(ListLedgerEntries, ListLedgerEntriesResponse, money_)
YKT_MUTATION(FundBatch, Batch, money_)
YKT_MUTATION(ReleaseBatch, Batch, money_)
YKT_MUTATION(ReissueItems, ReissueItemsResponse, money_)
YKT_MUTATION(AbandonItems, AbandonItemsResponse, money_)
YKT_MUTATION(CloseBatch, Batch, money_)
YKT_READ(GetItemProof, GetItemProofResponse, money_)

YKT_MUTATION(CorrectBatch, Batch, intake_)
YKT_READ(ListRepairs, ListRepairsResponse, repairs_)
YKT_MUTATION(OpenRecoveries, OpenRecoveriesResponse, repairs_)
YKT_MUTATION(ApproveRecovery, Recovery, repairs_)
YKT_MUTATION(NotifyRecovery, Recovery, repairs_)
YKT_MUTATION(RecordReceipt, Recovery, repairs_)
YKT_MUTATION(RequestWriteOff, Recovery, repairs_)
YKT_MUTATION(DecideWriteOff, Recovery, repairs_)
YKT_MUTATION(CancelRecovery, Recovery, repairs_)
YKT_READ(GetRecovery, Recovery, repairs_)
YKT_READ(ListRecoveries, ListRecoveriesResponse, repairs_)
YKT_MUTATION(RecordArrival, Arrival, repairs_)
YKT_MUTATION(ConfirmArrival, Arrival, repairs_)
YKT_MUTATION(RefuseArrival, Arrival, repairs_)
YKT_READ(ListArrivals, ListArrivalsResponse, repairs_)
YKT_MUTATION(CreateTopUp, Batch, repairs_)
YKT_READ(ListSetAsideChunks, ListSetAsideChunksResponse, repairs_)
YKT_MUTATION(ResumeChunk, ResumeChunkResponse, repairs_)

grpc::Status DispatchRpc::UploadItems(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::UploadItemsResponse, v1::UploadItemsRequest>* stream) {
  return rpc::Streamed(guard_, context, "/yikatong.dispatch.v1.DispatchService/UploadItems",
                       [&](const identity::Caller& caller) -> absl::Status {
                         UploadStream upload;
                         v1::UploadItemsRequest chunk;
                         while (stream->Read(&chunk)) {
                           YKT_RETURN_IF_ERROR(rpc::CheckSize(chunk));
                           YKT_ASSIGN_OR_RETURN(const v1::UploadItemsResponse answer,
                                                intake_.UploadChunk(chunk, caller, upload));
                           if (!stream->Write(answer)) break;
                         }
                         return rpc::StreamEnd(*context);
                       });
}

grpc::ServerWriteReactor<v1::WatchBatchResponse>* DispatchRpc::WatchBatch(
    grpc::CallbackServerContext* context, const v1::WatchBatchRequest* request) {
  return hub_.Watch(guard_, *context, "/yikatong.dispatch.v1.DispatchService/WatchBatch",
                    std::to_string(request->batch_id()));
}

ProgressPoller::ProgressPoller(DispatchRpc::Hub& hub, IntakeHandlers& intake, redis::Cache& cache,
                               std::chrono::milliseconds every)
    : hub_(hub), intake_(intake), every_(every) {
  subscription_ = cache.Subscribe(kChannel, [this](std::string_view) {
    std::lock_guard lock(mutex_);
    told_ = true;
    wake_.notify_all();
  });
  thread_ = std::thread([this] { Loop(); });
}

ProgressPoller::~ProgressPoller() { Stop(); }

void ProgressPoller::Stop() {
  subscription_.reset();
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void ProgressPoller::Loop() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::min(every_, kLeastPause), [this] { return stopping_; });
      wake_.wait_for(lock, every_, [this] { return stopping_ || told_; });
      if (stopping_) return;
      told_ = false;
    }
    if (hub_.size() == 0) continue;
    const rpc::CallScope scope(rpc::Trace::New());
    hub_.PollOnce([&](const std::string& key,
                      const identity::Caller& who) { return intake_.MaySee(BatchOfKey(key), who); },
                  [&](const std::string& key) -> absl::StatusOr<DispatchRpc::Hub::State> {
                    YKT_ASSIGN_OR_RETURN(v1::WatchBatchResponse progress,
                                         intake_.Progress(BatchOfKey(key)));
                    const bool last = IsLast(progress.state());
                    return DispatchRpc::Hub::State{std::move(progress), last};
                  });
  }
}

}  // namespace yikatong::dispatch
