// The parts of the service, put together from its settings.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/postgres/database.h"
#include "common/postgres/migration.h"
#include "common/rpc/call.h"
#include "common/rpc/server.h"
#include "common/telemetry/metrics.h"

namespace yikatong::dispatch {

std::span<const postgres::Migration> Migrations();

// The whole service but its server.
class Parts {
 public:
  // Fails for certificates that cannot be used. Opens no connection. `metrics` must outlive it.
  static absl::StatusOr<std::unique_ptr<Parts>> Make(const config::Config& config,
                                                     telemetry::Metrics& metrics);
  virtual ~Parts() = default;

  virtual postgres::Database& database() = 0;
  // Limits rates, and records refusals of known callers as audit entries.
  virtual rpc::GuardOptions GuardOptionsOf(const config::Config& config) = 0;
  // The gRPC services behind `guard`, which must outlive them. Called once.
  virtual std::vector<rpc::Served> ServicesBehind(const rpc::Guard& guard) = 0;

  // Checks the schema, learns the business date; then starts the relay of audit entries, the
  // workers, the follower of outcomes, the watch over what is passed down and the poller of
  // progress.
  virtual absl::Status Start(const config::Config& config) = 0;
  // Takes no new work, and ends watchers. Before the server drains.
  virtual void StopWork() = 0;
  // Ends the rest. After the server has drained.
  virtual void Stop() = 0;
};

// Does what the process was started for, `serve` where it is to serve; see common/rpc/command.h.
// Returns the exit code.
int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve);

}  // namespace yikatong::dispatch
