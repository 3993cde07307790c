// Banks that speak gRPC (proto/yikatong/bank/v1). One connection for each address; nothing is
// retried behind the caller's back: whether a file may be sent again is not the transport's to
// decide.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "common/rpc/client.h"
#include "common/rpc/tls.h"
#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

// Thread safe.
class GrpcAgentBanks final : public AgentBanks {
 public:
  explicit GrpcAgentBanks(rpc::TlsFiles tls) : tls_(std::move(tls)) {}

  absl::StatusOr<std::shared_ptr<AgentBank>> Of(const Bank& bank) override;

 private:
  const rpc::TlsFiles tls_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<rpc::Channel>>
      channels_;  // address, name
};

}  // namespace yikatong::bankgateway
