// The registry over gRPC: the people of one chunk, in one call.
#pragma once

#include <memory>

#include "common/rpc/client.h"
#include "services/dispatch/domain/ports.h"

namespace yikatong::dispatch {

// Thread safe. The channel outlives it.
class RegistryClient final : public People {
 public:
  explicit RegistryClient(const rpc::Channel& channel);
  ~RegistryClient() override;

  absl::StatusOr<std::vector<ResolvedPerson>> Resolve(std::span<const PersonLookup> lookups,
                                                      bool with_head) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yikatong::dispatch
