// The catalogue. `catalogue --config FILE [--migrate | --check-config | --raise-restore-epoch]`;
// see README.md.
#include "common/identity/token.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "grpcpp/impl/service_type.h"
#include "services/catalogue/rpc/access_rules.h"
#include "services/catalogue/rpc/catalogue_rpc.h"
#include "services/catalogue/wiring.h"

namespace yikatong {
namespace {

absl::Status Serve(const config::Config& config, rpc::Signals& signals) {
  telemetry::Log::Start("catalogue", telemetry::Level::kInfo);
  const base::SystemClock clock;
  telemetry::Metrics metrics;
  YKT_ASSIGN_OR_RETURN(const auto parts, catalogue::Parts::Make(config, metrics));
  YKT_ASSIGN_OR_RETURN(
      const auto tokens,
      identity::TokenVerifier::Load({.issuer_folder = config.Path("token_issuers")}, clock));
  const identity::Authorizer authorizer(catalogue::AccessRules());
  const rpc::Guard guard(parts->GuardOptionsOf(config), authorizer, *tokens, metrics);
  const catalogue::RpcParts with{guard, parts->storage(), parts->clock(), parts->ids()};
  const auto policies = catalogue::MakeCatalogueService(with);
  const auto business_clock = catalogue::MakeClockService(with);
  rpc::Server server(
      rpc::ServerOptionsOf(config),
      {{policies.get(), catalogue::CatalogueServiceName()},
       {business_clock.get(), catalogue::ClockServiceName()}},
      authorizer, [&parts] { return parts->database().Ping().ok(); }, metrics.Registry());
  YKT_RETURN_IF_ERROR(parts->Start(config));
  YKT_RETURN_IF_ERROR(server.Start());
  signals.Wait();
  server.Drain();
  parts->Stop();
  return absl::OkStatus();
}

}  // namespace
}  // namespace yikatong

int main(int argc, char** argv) {
  yikatong::rpc::Signals signals;
  return yikatong::catalogue::RunCommand(argc, argv,
                                         [&signals](const yikatong::config::Config& config) {
                                           return yikatong::Serve(config, signals);
                                         });
}
