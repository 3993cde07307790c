// The handlers of the intake half: collection, notice, review, and what can be read of them. Each
// takes the request and its caller. What is malformed is refused here with FIELD_INVALID;
// everything else is decided behind the ports.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/calendar/calendar.h"
#include "common/identity/caller.h"
#include "services/dispatch/domain/intake.h"
#include "services/dispatch/rpc/wire.h"
#include "yikatong/dispatch/v1/dispatch.pb.h"

namespace yikatong::dispatch {

// One stream of uploads: remembers the batch that its chunks are of. Belongs to the stream's
// thread.
struct UploadStream {
  std::shared_ptr<const Roster> roster;
  std::int32_t last_chunk = 0;
};

// Thread safe. What it is given outlives it.
class IntakeHandlers {
 public:
  IntakeHandlers(Collection& collection, IntakeStore& store, const RuleCodec& rules,
                 const calendar::Calendar& calendar)
      : collection_(collection),
        store_(store),
        rules_(rules),
        calendar_(calendar),
        encode_batch_(rules, calendar) {}

  absl::StatusOr<v1::Batch> CreateBatch(const v1::CreateBatchRequest& request,
                                        const identity::Caller& caller);
  // CHUNK_INVALID also for a chunk of another batch than the stream's first, or one that is not
  // above the chunk before it.
  absl::StatusOr<v1::UploadItemsResponse> UploadChunk(const v1::UploadItemsRequest& request,
                                                      const identity::Caller& caller,
                                                      UploadStream& stream);
  absl::StatusOr<v1::Batch> SealBatch(const v1::SealBatchRequest& request,
                                      const identity::Caller& caller);
  absl::StatusOr<v1::ListDeparturesResponse> ListDepartures(
      const v1::ListDeparturesRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::ExplainDeparturesResponse> ExplainDepartures(
      const v1::ExplainDeparturesRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::Batch> GetBatch(const v1::GetBatchRequest& request,
                                     const identity::Caller& caller);
  absl::StatusOr<v1::ListBatchesResponse> ListBatches(const v1::ListBatchesRequest& request,
                                                      const identity::Caller& caller);
  absl::StatusOr<v1::ListRejectionsResponse> ListRejections(
      const v1::ListRejectionsRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::ListItemsResponse> ListItems(const v1::ListItemsRequest& request,
                                                  const identity::Caller& caller);
  absl::StatusOr<v1::Batch> CancelBatch(const v1::CancelBatchRequest& request,
                                        const identity::Caller& caller);
  absl::StatusOr<v1::Batch> CorrectBatch(const v1::CorrectBatchRequest& request,
                                         const identity::Caller& caller);
  absl::StatusOr<v1::Batch> AddAttachment(const v1::AddAttachmentRequest& request,
                                          const identity::Caller& caller);
  absl::StatusOr<v1::Notice> PublishNotice(const v1::PublishNoticeRequest& request,
                                           const identity::Caller& caller);
  absl::StatusOr<v1::ListNoticeLinesResponse> ListNoticeLines(
      const v1::ListNoticeLinesRequest& request, const identity::Caller& caller);
  absl::StatusOr<v1::Objection> RaiseObjection(const v1::RaiseObjectionRequest& request,
                                               const identity::Caller& caller);
  absl::StatusOr<v1::Objection> DecideObjection(const v1::DecideObjectionRequest& request,
                                                const identity::Caller& caller);
  absl::StatusOr<v1::Batch> CloseNotice(const v1::CloseNoticeRequest& request,
                                        const identity::Caller& caller);
  absl::StatusOr<v1::Batch> ReviewBatch(const v1::ReviewBatchRequest& request,
                                        const identity::Caller& caller);

  // For WatchBatch: whether the caller may see the batch, and how far it is.
  absl::Status MaySee(std::int64_t batch_id, const identity::Caller& caller);
  absl::StatusOr<v1::WatchBatchResponse> Progress(std::int64_t batch_id);

 private:
  Collection& collection_;
  IntakeStore& store_;
  const RuleCodec& rules_;
  const calendar::Calendar& calendar_;
  const BatchEncoder encode_batch_;
};

}  // namespace yikatong::dispatch
