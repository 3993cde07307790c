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
#include "services/bankgateway/clients/agent_bank_client.h"
#include "services/bankgateway/domain/intake.h"
#include "services/bankgateway/domain/look_up.h"
#include "services/bankgateway/rpc/gateway_rpc.h"
#include "services/bankgateway/store/context.h"
#include "services/bankgateway/store/pg_cases.h"
#include "services/bankgateway/store/pg_directory.h"
#include "services/bankgateway/store/pg_files.h"
#include "services/bankgateway/store/pg_instructions.h"
#include "services/bankgateway/store/pg_outcomes.h"
#include "services/bankgateway/store/pg_restores.h"
#include "services/bankgateway/store/pg_traces.h"
#include "services/bankgateway/workers/workers.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"

namespace yikatong::bankgateway {

std::span<const postgres::Migration> Migrations();

// The gateway and what it stands on.
class Parts {
 public:
  // Fails for keys and certificates that cannot be used. Opens no connection. `metrics` must
  // outlive the parts.
  static absl::StatusOr<std::unique_ptr<Parts>> Make(const config::Config& config,
                                                     telemetry::Metrics& metrics);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts();

  postgres::Database& database() { return database_; }
  Intake& intake() { return intake_; }
  GatewayRpc::Books books() {
    return {directory_, instructions_, files_, outcomes_, cases_, traces_};
  }
  // Limits rates, and records refusals of known callers as audit entries.
  rpc::GuardOptions GuardOptionsOf(const config::Config& config);

  // Life signs, workers and the relay of audit entries; Stop ends them.
  absl::Status Start();
  void Stop();

 private:
  struct Keys {
    crypto::ColumnCipher cipher;
    crypto::Ed25519PrivateKey file_signer;
    SealKeys seal;
  };
  Parts(const config::Config& config, telemetry::Metrics& metrics, Keys keys,
        std::unique_ptr<rpc::Channel> auditlog, std::unique_ptr<rpc::Channel> catalogue);

  telemetry::Metrics& metrics_;
  base::SystemClock clock_;
  base::RandomIdSource ids_;
  const crypto::ColumnCipher cipher_;
  const crypto::Ed25519PrivateKey file_signer_;
  const std::unique_ptr<redis::Cache> cache_;
  const std::unique_ptr<rpc::Channel> auditlog_;
  const std::unique_ptr<rpc::Channel> catalogue_;
  rpc::ServiceBusinessClock business_clock_;
  postgres::Database database_;
  postgres::WorkerRegistry life_signs_;
  const StoreContext context_;
  PgDirectory directory_;
  PgInstructionBook instructions_;
  PgFileBook files_;
  PgOutcomeBook outcomes_;
  PgCaseBook cases_;
  PgRestoreBook restores_;
  PgTraceBook traces_;
  Intake intake_;
  GrpcAgentBanks banks_;
  Sender sender_;
  Collector collector_;
  LookUp look_up_;
  Workers workers_;
  outbox::GrpcSink<auditlog::v1::AuditLogService::Stub> sink_;
  std::unique_ptr<outbox::Relay> relay_;
};

// Does what the process was started for, `serve` where it is to serve; see common/rpc/command.h.
// Returns the exit code.
int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve);

}  // namespace yikatong::bankgateway
