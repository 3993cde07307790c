// What main needs to turn settings into parts.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/rpc/client.h"
#include "services/banksim/domain/bank.h"

namespace yikatong::telemetry {
class Metrics;
}

namespace yikatong::banksim {

// Reads the signer's key.
absl::StatusOr<BankOptions> BankOptionsOf(const config::Config& config);

// Null where no catalogue is configured.
absl::StatusOr<std::unique_ptr<rpc::Channel>> OpenCatalogue(const config::Config& config,
                                                            telemetry::Metrics& metrics);

}  // namespace yikatong::banksim
