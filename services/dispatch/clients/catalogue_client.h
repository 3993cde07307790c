// The catalogue over gRPC: the version that a new batch is pinned to.
#pragma once

#include <memory>

#include "common/rpc/client.h"
#include "services/dispatch/domain/ports.h"

namespace yikatong::dispatch {

// Thread safe. The channel outlives it.
class CatalogueClient final : public Catalogue {
 public:
  explicit CatalogueClient(const rpc::Channel& channel);
  ~CatalogueClient() override;

  absl::StatusOr<PinnedRule> PayableVersion(std::string_view policy_id, std::string_view period,
                                            std::int32_t district,
                                            std::string_view department_id) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yikatong::dispatch
