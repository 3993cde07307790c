#include "services/registry/wiring.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/failpoint.h"
#include "common/crypto/keys.h"
#include "common/postgres/lease_length.h"
#include "common/postgres/migrate.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/registry/config.h"
#include "services/registry/sql/queries.h"

namespace yikatong::registry {
namespace {

std::unique_ptr<base::BusinessClock> MakeBusinessClock(const config::Config& config,
                                                       const base::Clock& clock,
                                                       const rpc::Channel* catalogue) {
  if (catalogue == nullptr) return std::make_unique<base::BeijingBusinessClock>(clock);
  const auto poll_ms =
      static_cast<int>(absl::ToInt64Milliseconds(config.Duration("business_clock_poll")));
  return std::make_unique<CatalogueBusinessClock>(clock, *catalogue, poll_ms);
}

absl::Status Migrate(const config::Config& config) {
  const std::string conninfo = OwnerConninfoOf(config);
  if (conninfo.empty()) {
    return status::Refuse(status::Reason::kConfigInvalid, "owner_conninfo is needed to migrate");
  }
  YKT_ASSIGN_OR_RETURN(const postgres::MigrateResult result,
                       postgres::Migrate(conninfo, "registry", Migrations()));
  std::cout << "migrations applied: " << result.applied << ", schema version: " << result.version
            << "\n";
  return absl::OkStatus();
}

absl::Status RaiseRestoreEpoch(const config::Config& config) {
  postgres::Database database(DatabaseOptionsOf(config));
  std::int64_t epoch = 0;
  YKT_RETURN_IF_ERROR(
      database.Transact("raise_epoch", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kRaiseRestoreEpoch));
        epoch = rows[0].Int64(0);
        return absl::OkStatus();
      }));
  std::cout << "restore epoch: " << epoch << "\n";
  return absl::OkStatus();
}

}  // namespace

std::span<const postgres::Migration> Migrations() { return sql::kMigrations; }

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config) {
  static crypto::SystemRandom random;  // outlives every vault; it holds no state of its own
  YKT_ASSIGN_OR_RETURN(Vault vault,
                       Vault::Load(config.Path("column_keys"), config.Path("index_key"), random));
  YKT_ASSIGN_OR_RETURN(crypto::Ed25519PrivateKey signer,
                       crypto::ReadEd25519PrivateKey(config.Path("signing_key")));
  YKT_ASSIGN_OR_RETURN(crypto::X25519PublicKey gateway,
                       crypto::ReadX25519PublicKey(config.Path("gateway_key")));
  YKT_ASSIGN_OR_RETURN(auto auditlog, rpc::OpenPeer(config, "auditlog"));
  std::unique_ptr<rpc::Channel> catalogue;
  if (config.Text("business_clock") == "adjustable") {
    YKT_ASSIGN_OR_RETURN(catalogue, rpc::OpenPeer(config, "catalogue"));
  }
  return std::unique_ptr<Parts>(new Parts(
      config, std::move(vault), {.signer = std::move(signer), .gateway = std::move(gateway)},
      std::move(auditlog), std::move(catalogue)));
}

Parts::Parts(const config::Config& config, Vault vault, SealingKeys keys,
             std::unique_ptr<rpc::Channel> auditlog, std::unique_ptr<rpc::Channel> catalogue)
    : vault_(std::move(vault)),
      auditlog_(std::move(auditlog)),
      catalogue_(std::move(catalogue)),
      business_clock_(MakeBusinessClock(config, clock_, catalogue_.get())),
      database_(DatabaseOptionsOf(config)),
      store_(database_, vault_, clock_, *business_clock_, ids_),
      registry_(store_, std::move(keys), random_, *business_clock_),
      sink_(*auditlog_),
      workers_(database_, clock_, ids_.NewId(),
               postgres::WorkerOptionsFor(absl::ToInt64Milliseconds(config.Duration("lease")))) {}

Parts::~Parts() { StopRelay(); }

rpc::GuardOptions Parts::GuardOptionsOf(const config::Config& config) {
  rpc::GuardOptions options = rpc::GuardOptionsOf(config);
  options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                 const absl::Status& refusal) {
    const absl::Status recorded =
        store_.RecordRefusal(caller, method, status::ReasonNameOf(refusal));
    if (!recorded.ok()) telemetry::Log::Error("refusal_not_recorded", {{"status", recorded}});
  };
  return options;
}

absl::Status Parts::StartRelay() {
  std::int64_t epoch = 0;
  YKT_RETURN_IF_ERROR(database_.Read("read_epoch", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kReadRestoreEpoch));
    epoch = rows[0].Int64(0);
    return absl::OkStatus();
  }));
  YKT_RETURN_IF_ERROR(workers_.Start());
  outbox::RelayOptions options;
  options.producer = "registry/" + std::to_string(epoch);
  relay_ = std::make_unique<outbox::Relay>(database_, workers_, sink_, options);
  relay_->Start();
  return absl::OkStatus();
}

void Parts::StopRelay() {
  if (relay_ == nullptr) return;
  relay_->Stop();
  relay_.reset();
  workers_.Stop();
}

int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve) {
  std::vector<const char*> arguments;
  std::string command;
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--migrate" || argument == "--check-config" ||
        argument == "--raise-restore-epoch") {
      command = argument;
    } else {
      arguments.push_back(argv[i]);
    }
  }
  const config::Start start =
      config::FromCommandLine(Settings(), static_cast<int>(arguments.size()), arguments.data(),
                              environ, std::cout, std::cerr);
  if (!start.config) return start.exit_code;
  absl::Status status;
  if (command == "--migrate") {
    status = Migrate(*start.config);
  } else if (command == "--check-config") {
    status = Parts::Make(*start.config).status();
  } else if (command == "--raise-restore-epoch") {
    status = RaiseRestoreEpoch(*start.config);
  } else {
    status = base::failpoint::ArmIfSet(start.config->Path("failpoints"));
    if (status.ok()) status = serve(*start.config);
  }
  return status.ok() ? 0 : rpc::ExitFailure(status);
}

}  // namespace yikatong::registry
