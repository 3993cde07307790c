// Dispatch. `dispatch --config FILE [--migrate | --check-config | --raise-restore-epoch]`; see
// README.md.
#include <grpcpp/impl/service_type.h>

#include "common/identity/token.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/rpc/rules.h"
#include "services/dispatch/wiring.h"

namespace yikatong {
namespace {

absl::Status Serve(const config::Config& config, rpc::Signals& signals) {
  telemetry::Log::Start("dispatch", telemetry::Level::kInfo);
  const base::SystemClock clock;
  telemetry::Metrics metrics;
  YKT_ASSIGN_OR_RETURN(const auto parts, dispatch::Parts::Make(config, metrics));
  YKT_ASSIGN_OR_RETURN(
      const auto tokens,
      identity::TokenVerifier::Load({.issuer_folder = config.Path("token_issuers")}, clock));
  const identity::Authorizer authorizer(dispatch::AccessRules());
  const rpc::Guard guard(parts->GuardOptionsOf(config), authorizer, *tokens, metrics);
  rpc::Server server(
      rpc::ServerOptionsOf(config), parts->ServicesBehind(guard), authorizer,
      [&parts] { return parts->database().Ping().ok(); }, metrics.Registry());
  YKT_RETURN_IF_ERROR(parts->Start(config));
  YKT_RETURN_IF_ERROR(server.Start());
  signals.Wait();
  parts->StopWork();
  server.Drain();
  parts->Stop();
  return absl::OkStatus();
}

}  // namespace
}  // namespace yikatong

int main(int argc, char** argv) {
  yikatong::rpc::Signals signals;
  return yikatong::dispatch::RunCommand(argc, argv,
                                        [&signals](const yikatong::config::Config& config) {
                                          return yikatong::Serve(config, signals);
                                        });
}
