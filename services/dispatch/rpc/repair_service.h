// The adapter of repairs: wire to domain and back. Scope and rules are those of the stores.
#pragma once

#include <functional>
#include <string>

#include "common/calendar/calendar.h"
#include "services/dispatch/domain/ports.h"
#include "services/dispatch/domain/request.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/rpc/repair_handlers.h"
#include "services/dispatch/rpc/wire.h"
#include "services/dispatch/store/recovery_store.h"
#include "services/dispatch/store/repair_list_store.h"
#include "services/dispatch/store/top_up_store.h"

namespace yikatong::dispatch {

class RepairService final : public RepairHandlers {
 public:
  // Everything outlives the service.
  RepairService(const StoreContext& context, const RuleCodec& codec,
                const calendar::Calendar& calendar, RecoveryStore& recoveries,
                RepairListStore& repairs, TopUpStore& top_ups, Catalogue& catalogue)
      : context_(context),
        calendar_(calendar),
        encode_batch_(codec, calendar),
        recoveries_(recoveries),
        repairs_(repairs),
        top_ups_(top_ups),
        catalogue_(catalogue) {}

  absl::StatusOr<v1::ListRepairsResponse> ListRepairs(const v1::ListRepairsRequest& request,
                                                      const identity::Caller& caller) override;
  absl::StatusOr<v1::OpenRecoveriesResponse> OpenRecoveries(
      const v1::OpenRecoveriesRequest& request, const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> ApproveRecovery(const v1::ApproveRecoveryRequest& request,
                                               const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> NotifyRecovery(const v1::NotifyRecoveryRequest& request,
                                              const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> RecordReceipt(const v1::RecordReceiptRequest& request,
                                             const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> RequestWriteOff(const v1::RequestWriteOffRequest& request,
                                               const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> DecideWriteOff(const v1::DecideWriteOffRequest& request,
                                              const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> CancelRecovery(const v1::CancelRecoveryRequest& request,
                                              const identity::Caller& caller) override;
  absl::StatusOr<v1::Recovery> GetRecovery(const v1::GetRecoveryRequest& request,
                                           const identity::Caller& caller) override;
  absl::StatusOr<v1::ListRecoveriesResponse> ListRecoveries(
      const v1::ListRecoveriesRequest& request, const identity::Caller& caller) override;
  absl::StatusOr<v1::Arrival> RecordArrival(const v1::RecordArrivalRequest& request,
                                            const identity::Caller& caller) override;
  absl::StatusOr<v1::Arrival> ConfirmArrival(const v1::ConfirmArrivalRequest& request,
                                             const identity::Caller& caller) override;
  absl::StatusOr<v1::Arrival> RefuseArrival(const v1::RefuseArrivalRequest& request,
                                            const identity::Caller& caller) override;
  absl::StatusOr<v1::ListArrivalsResponse> ListArrivals(const v1::ListArrivalsRequest& request,
                                                        const identity::Caller& caller) override;
  absl::StatusOr<v1::Batch> CreateTopUp(const v1::CreateTopUpRequest& request,
                                        const identity::Caller& caller) override;
  absl::StatusOr<v1::ListSetAsideChunksResponse> ListSetAsideChunks(
      const v1::ListSetAsideChunksRequest& request, const identity::Caller& caller) override;
  absl::StatusOr<v1::ResumeChunkResponse> ResumeChunk(const v1::ResumeChunkRequest& request,
                                                      const identity::Caller& caller) override;

 private:
  using RecoveryStep = std::function<absl::StatusOr<Recovery>(postgres::Transaction&)>;
  using ArrivalStep = std::function<absl::StatusOr<Arrival>(postgres::Transaction&)>;
  absl::StatusOr<v1::Recovery> OnRecovery(std::string_view name, const identity::Caller& caller,
                                          const Request& request, const RecoveryStep& step);
  absl::StatusOr<v1::Arrival> OnArrival(std::string_view name, const identity::Caller& caller,
                                        const Request& request, const ArrivalStep& step);
  // A receipt as a request gives it: known form, above 0, not of a day to come.
  absl::StatusOr<NewReceipt> ReceiptOf(const std::string& receipt, std::int64_t amount_fen,
                                       const std::string& day, std::string_view day_field) const;

  const StoreContext context_;
  const calendar::Calendar& calendar_;
  const BatchEncoder encode_batch_;
  RecoveryStore& recoveries_;
  RepairListStore& repairs_;
  TopUpStore& top_ups_;
  Catalogue& catalogue_;
};

}  // namespace yikatong::dispatch
