// A stand-in agent bank. `banksim --config FILE`; the README says what is in file and journal.
#include <iostream>

#include "common/base/failpoint.h"
#include "common/crypto/keys.h"
#include "common/identity/token.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "services/banksim/clients/day_source.h"
#include "services/banksim/config.h"
#include "services/banksim/rpc/bank_rpc.h"
#include "services/banksim/wiring.h"

namespace yikatong {
namespace {

absl::Status Run(const config::Config& config, rpc::Signals& signals) {
  telemetry::Log::Start("banksim", telemetry::Level::kInfo);
  YKT_RETURN_IF_ERROR(base::failpoint::ArmIfSet(config.Path("failpoints")));
  const base::SystemClock clock;
  telemetry::Metrics metrics;
  YKT_ASSIGN_OR_RETURN(auto options, banksim::BankOptionsOf(config));
  YKT_ASSIGN_OR_RETURN(const auto bank, banksim::Bank::Open(std::move(options)));
  YKT_ASSIGN_OR_RETURN(
      const auto tokens,
      identity::TokenVerifier::Load({.issuer_folder = config.Path("token_issuers")}, clock));
  const identity::Authorizer authorizer(banksim::Rules());
  const rpc::Guard guard(rpc::GuardOptionsOf(config), authorizer, *tokens, metrics);
  banksim::AgentBankRpc agent_bank(*bank, guard);
  banksim::SimulatorRpc simulator(*bank, guard);
  YKT_ASSIGN_OR_RETURN(const auto catalogue, banksim::OpenCatalogue(config, metrics));
  const banksim::DayKeeper days(
      *bank, catalogue ? banksim::CatalogueDay(*catalogue) : banksim::CalendarDay(clock),
      static_cast<int>(absl::ToInt64Milliseconds(config.Duration("day_poll"))));
  rpc::Server server(
      rpc::ServerOptionsOf(config),
      {{&agent_bank, bank::v1::AgentBankService::service_full_name()},
       {&simulator, bank::v1::BankSimulatorService::service_full_name()}},
      authorizer, [&bank] { return bank->HasDay(); }, metrics.Registry());
  YKT_RETURN_IF_ERROR(server.Start());
  signals.Wait();
  server.Drain();
  return absl::OkStatus();
}

}  // namespace
}  // namespace yikatong

int main(int argc, char** argv) {
  yikatong::rpc::Signals signals;
  const yikatong::config::Start start = yikatong::config::FromCommandLine(
      yikatong::banksim::Settings(), argc, argv, environ, std::cout, std::cerr);
  if (!start.config) return start.exit_code;
  const absl::Status status = yikatong::Run(*start.config, signals);
  return status.ok() ? 0 : yikatong::rpc::ExitFailure(status);
}
