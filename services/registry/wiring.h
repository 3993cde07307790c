// The parts of the service, put together from its settings.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/config/config.h"
#include "common/crypto/random.h"
#include "common/outbox/grpc_sink.h"
#include "common/outbox/relay.h"
#include "common/postgres/database.h"
#include "common/postgres/lease.h"
#include "common/postgres/migration.h"
#include "common/redis/cache.h"
#include "common/rpc/business_clock.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/telemetry/metrics.h"
#include "services/registry/domain/registry.h"
#include "services/registry/store/pg_people_store.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"

namespace yikatong::registry {

std::span<const postgres::Migration> Migrations();

// The registry and what it stands on.
class Parts {
 public:
  // Fails for keys and certificates that cannot be used. Opens no connection.
  // `metrics` outlives the parts.
  static absl::StatusOr<std::unique_ptr<Parts>> Make(const config::Config& config,
                                                     telemetry::Metrics& metrics);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts();

  postgres::Database& database() { return database_; }
  Registry& registry() { return registry_; }
  // Limits rates, and records refusals of known callers as audit entries.
  rpc::GuardOptions GuardOptionsOf(const config::Config& config);

  // Learns the business date, and starts the relay of audit entries; StopRelay ends it.
  absl::Status StartRelay();
  void StopRelay();

 private:
  Parts(const config::Config& config, telemetry::Metrics& metrics, Vault vault, SealingKeys keys,
        std::unique_ptr<rpc::Channel> auditlog, std::unique_ptr<rpc::Channel> catalogue);

  telemetry::Metrics& metrics_;
  base::SystemClock clock_;
  base::RandomIdSource ids_;
  crypto::SystemRandom random_;
  const Vault vault_;
  const std::unique_ptr<redis::Cache> cache_;
  const std::unique_ptr<rpc::Channel> auditlog_;
  const std::unique_ptr<rpc::Channel> catalogue_;
  rpc::ServiceBusinessClock business_clock_;
  postgres::Database database_;
  PgPeopleStore store_;
  Registry registry_;
  outbox::GrpcSink<auditlog::v1::AuditLogService::Stub> sink_;
  postgres::WorkerRegistry workers_;
  std::unique_ptr<outbox::Relay> relay_;
};

// Does what the process was started for, `serve` where it is to serve; see common/rpc/command.h.
// Returns the exit code.
int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve);

}  // namespace yikatong::registry
