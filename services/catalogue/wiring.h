// The parts of the service, put together from its settings.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/config/config.h"
#include "common/outbox/grpc_sink.h"
#include "common/outbox/relay.h"
#include "common/postgres/database.h"
#include "common/postgres/lease.h"
#include "common/postgres/migration.h"
#include "common/redis/cache.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/telemetry/metrics.h"
#include "services/catalogue/store/pg_storage.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"

namespace yikatong::catalogue {

std::span<const postgres::Migration> Migrations();

// The storage and what it stands on.
class Parts {
 public:
  // Fails for certificates that cannot be used. Opens no connection. `metrics` must outlive it.
  static absl::StatusOr<std::unique_ptr<Parts>> Make(const config::Config& config,
                                                     telemetry::Metrics& metrics);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts();

  postgres::Database& database() { return database_; }
  PgStorage& storage() { return storage_; }
  const base::Clock& clock() const { return clock_; }
  base::IdSource& ids() { return ids_; }
  // Limits rates, and records refusals of known callers as audit entries.
  rpc::GuardOptions GuardOptionsOf(const config::Config& config);

  // Checks the schema, sets the business date where there is none, starts the relay of audit
  // entries and the gauges.
  absl::Status Start(const config::Config& config);
  void Stop();

 private:
  Parts(const config::Config& config, telemetry::Metrics& metrics,
        std::unique_ptr<rpc::Channel> auditlog);
  void Watch();
  absl::Status WatchOnce();

  base::SystemClock clock_;
  base::RandomIdSource ids_;
  telemetry::Metrics& metrics_;
  const std::unique_ptr<rpc::Channel> auditlog_;
  const std::unique_ptr<redis::Cache> cache_;
  const bool clock_adjustable_;
  postgres::Database database_;
  PgStorage storage_;
  outbox::GrpcSink<::yikatong::auditlog::v1::AuditLogService::Stub> sink_;
  postgres::WorkerRegistry workers_;
  std::unique_ptr<outbox::Relay> relay_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread watcher_;
};

// Does what the process was started for, `serve` where it is to serve; see common/rpc/command.h.
// Returns the exit code.
int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve);

}  // namespace yikatong::catalogue
