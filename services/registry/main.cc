// The registry. `registry --config FILE [--migrate | --check-config | --raise-restore-epoch]`; see
// README.md.
#include "common/identity/token.h"
#include "common/postgres/migrate.h"
#include "common/postgres/settings.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "services/registry/rpc/registry_rpc.h"
#include "services/registry/wiring.h"

namespace yikatong {
namespace {

absl::Status Serve(const config::Config& config, rpc::Signals& signals) {
  telemetry::Log::Start("registry", telemetry::Level::kInfo);
  const base::SystemClock clock;
  telemetry::Metrics metrics;
  YKT_ASSIGN_OR_RETURN(const auto parts, registry::Parts::Make(config, metrics));
  YKT_RETURN_IF_ERROR(postgres::CheckSchema(parts->database(), registry::Migrations(),
                                            postgres::StartWaitMs(config)));
  YKT_ASSIGN_OR_RETURN(
      const auto tokens,
      identity::TokenVerifier::Load({.issuer_folder = config.Path("token_issuers")}, clock));
  const identity::Authorizer authorizer(registry::MethodRules());
  const rpc::Guard guard(parts->GuardOptionsOf(config), authorizer, *tokens, metrics);
  registry::RegistryRpc service(parts->registry(), guard);
  rpc::Server server(
      rpc::ServerOptionsOf(config),
      {{&service, registry::v1::RegistryService::service_full_name()}}, authorizer,
      [&parts] { return parts->database().Ping().ok(); }, metrics.Registry());
  YKT_RETURN_IF_ERROR(parts->StartRelay());
  YKT_RETURN_IF_ERROR(server.Start());
  signals.Wait();
  server.Drain();
  parts->StopRelay();
  return absl::OkStatus();
}

}  // namespace
}  // namespace yikatong

int main(int argc, char** argv) {
  yikatong::rpc::Signals signals;
  return yikatong::registry::RunCommand(argc, argv,
                                        [&signals](const yikatong::config::Config& config) {
                                          return yikatong::Serve(config, signals);
                                        });
}
