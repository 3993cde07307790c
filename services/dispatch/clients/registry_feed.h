// The registry's feed of changes over gRPC.
#pragma once

#include <memory>

#include "common/rpc/client.h"
#include "services/dispatch/domain/change_feed.h"

namespace yikatong::dispatch {

// Thread safe. The channel outlives it.
class RegistryFeed final : public ChangeFeed {
 public:
  explicit RegistryFeed(const rpc::Channel& channel);
  ~RegistryFeed() override;
  absl::StatusOr<ChangePage> ListChanges(std::int64_t after, int max_changes) override;

 private:
  struct Stub;
  const rpc::Channel& channel_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace yikatong::dispatch
