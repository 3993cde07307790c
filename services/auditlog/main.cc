// The audit log. `auditlog --config FILE [COMMAND]`; see README.md.
#include <iostream>

#include "common/identity/token.h"
#include "common/postgres/migrate.h"
#include "common/postgres/settings.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/auditlog/config.h"
#include "services/auditlog/rpc/audit_log_rpc.h"
#include "services/auditlog/rpc/refusals.h"
#include "services/auditlog/watchman.h"
#include "services/auditlog/wiring.h"

namespace yikatong {
namespace {

absl::Status Serve(const config::Config& config, rpc::Signals& signals) {
  telemetry::Log::Start("auditlog", telemetry::Level::kInfo);
  const base::SystemClock clock;
  telemetry::Metrics metrics;
  YKT_ASSIGN_OR_RETURN(const auto parts, auditlog::Parts::Make(config, clock, metrics));
  YKT_RETURN_IF_ERROR(postgres::CheckSchema(parts->database(), auditlog::LogMigrations(),
                                            postgres::StartWaitMs(config)));
  YKT_ASSIGN_OR_RETURN(
      const auto tokens,
      identity::TokenVerifier::Load({.issuer_folder = config.Path("token_issuers")}, clock));
  const identity::Authorizer authorizer(auditlog::Rules());
  auditlog::RefusalRecorder refusals(parts->log(), clock,
                                     static_cast<int>(config.Int("restore_epoch")));
  const rpc::Guard guard(parts->GuardOptionsOf(config, refusals), authorizer, *tokens, metrics);
  auditlog::AuditLogRpc service(parts->log(), guard, metrics);
  auditlog::Watchman watchman(parts->log(), parts->store(), parts->integrity(), parts->memory(),
                              clock, metrics, auditlog::WatchmanOptionsOf(config));
  watchman.CheckEnds();
  rpc::Server server(
      rpc::ServerOptionsOf(config),
      {{&service, auditlog::pb::AuditLogService::service_full_name()}}, authorizer,
      [&parts] { return parts->database().Ping().ok(); }, metrics.Registry());
  YKT_RETURN_IF_ERROR(server.Start());
  watchman.Start();
  signals.Wait();
  watchman.Stop();
  server.Drain();
  return absl::OkStatus();
}

}  // namespace
}  // namespace yikatong

int main(int argc, char** argv) {
  yikatong::rpc::Signals signals;
  return yikatong::auditlog::RunCommand(argc, argv,
                                        [&signals](const yikatong::config::Config& config) {
                                          return yikatong::Serve(config, signals);
                                        });
}
