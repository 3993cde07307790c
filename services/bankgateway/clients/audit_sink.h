// The audit log as the relay of our outbox sees it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/outbox/relay.h"
#include "common/rpc/client.h"

namespace yikatong::bankgateway {

// Producers are named `bankgateway/<restore epoch>`. Thread safe. `channel` must outlive it.
class AuditLogSink final : public outbox::AuditSink {
 public:
  explicit AuditLogSink(const rpc::Channel& channel) : channel_(channel) {}

  absl::StatusOr<int64_t> NextNumber(std::string_view producer) override;
  absl::Status Append(std::string_view producer, int64_t first_number,
                      const std::vector<std::string>& bodies) override;

 private:
  const rpc::Channel& channel_;
};

}  // namespace yikatong::bankgateway
