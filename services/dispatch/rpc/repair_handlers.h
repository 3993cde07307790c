// The handlers of repairs, as the gRPC service sees them: each takes the request and its caller.
// Request ids are checked already where the request has one.
#pragma once

#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "yikatong/dispatch/v1/dispatch.pb.h"

namespace yikatong::dispatch {

// Thread safe.
class RepairHandlers {
 public:
  virtual ~RepairHandlers() = default;

  virtual absl::StatusOr<v1::ListRepairsResponse> ListRepairs(const v1::ListRepairsRequest& request,
                                                              const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::OpenRecoveriesResponse> OpenRecoveries(
      const v1::OpenRecoveriesRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> ApproveRecovery(const v1::ApproveRecoveryRequest& request,
                                                       const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> NotifyRecovery(const v1::NotifyRecoveryRequest& request,
                                                      const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> RecordReceipt(const v1::RecordReceiptRequest& request,
                                                     const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> RequestWriteOff(const v1::RequestWriteOffRequest& request,
                                                       const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> DecideWriteOff(const v1::DecideWriteOffRequest& request,
                                                      const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> CancelRecovery(const v1::CancelRecoveryRequest& request,
                                                      const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Recovery> GetRecovery(const v1::GetRecoveryRequest& request,
                                                   const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ListRecoveriesResponse> ListRecoveries(
      const v1::ListRecoveriesRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Arrival> RecordArrival(const v1::RecordArrivalRequest& request,
                                                    const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Arrival> ConfirmArrival(const v1::ConfirmArrivalRequest& request,
                                                     const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Arrival> RefuseArrival(const v1::RefuseArrivalRequest& request,
                                                    const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ListArrivalsResponse> ListArrivals(
      const v1::ListArrivalsRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::Batch> CreateTopUp(const v1::CreateTopUpRequest& request,
                                                const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ListSetAsideChunksResponse> ListSetAsideChunks(
      const v1::ListSetAsideChunksRequest& request, const identity::Caller& caller) = 0;
  virtual absl::StatusOr<v1::ResumeChunkResponse> ResumeChunk(const v1::ResumeChunkRequest& request,
                                                              const identity::Caller& caller) = 0;
};

}  // namespace yikatong::dispatch
