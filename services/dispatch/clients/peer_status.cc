#include "services/dispatch/clients/peer_status.h"

#include <grpcpp/support/status.h>

#include <optional>

#include "common/rpc/wire_status.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::dispatch {

using status::Reason;

absl::Status FromPeer(std::string_view peer, const grpc::Status& status) {
  absl::Status ours = rpc::FromGrpc(status);
  if (ours.ok()) return ours;
  const std::optional<Reason> reason = status::ReasonOf(ours);
  const bool refused = !status::ReasonNameOf(ours).empty() && !absl::IsUnavailable(ours) &&
                       !absl::IsInternal(ours) && !absl::IsUnauthenticated(ours) &&
                       !absl::IsPermissionDenied(ours) && !absl::IsDeadlineExceeded(ours) &&
                       reason != Reason::kRateLimited && reason != Reason::kOverloaded;
  if (refused) return ours;
  telemetry::Log::Warning("peer_failed", {{"peer", peer}, {"status", ours}});
  return status::Refuse(Reason::kPeerUnavailable, "", {{"peer", std::string(peer)}});
}

}  // namespace yikatong::dispatch
