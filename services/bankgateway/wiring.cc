#include "services/bankgateway/wiring.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/failpoint.h"
#include "common/crypto/keys.h"
#include "common/postgres/lease_length.h"
#include "common/postgres/migrate.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/bankgateway/clients/business_date.h"
#include "services/bankgateway/config.h"
#include "services/bankgateway/sql/queries.h"

namespace yikatong::bankgateway {
namespace {

int Milliseconds(const config::Config& config, std::string_view key) {
  return static_cast<int>(absl::ToInt64Milliseconds(config.Duration(key)));
}

// Only with an adjustable clock, which no production has: it cannot be guessed, so its owner must
// have answered before anything is sent under a date.
absl::Status AwaitBusinessDate(const base::BusinessClock& clock) {
  for (int tries = 0; clock.Today() == absl::CivilDay(1970, 1, 1); ++tries) {
    if (tries == 600)
      return status::Refuse(status::Reason::kPeerUnavailable,
                            "the catalogue gives no business date");
    absl::SleepFor(absl::Milliseconds(50));
  }
  return absl::OkStatus();
}

std::unique_ptr<base::BusinessClock> MakeBusinessClock(const config::Config& config,
                                                       const base::Clock& clock,
                                                       const rpc::Channel* catalogue) {
  if (catalogue == nullptr) return std::make_unique<base::BeijingBusinessClock>(clock);
  return std::make_unique<CatalogueBusinessClock>(*catalogue,
                                                  Milliseconds(config, "business_clock_poll"));
}

WorkersOptions WorkersOptionsOf(const config::Config& config) {
  WorkersOptions options;
  options.senders = static_cast<int>(config.Int("senders"));
  options.poll_ms = Milliseconds(config, "result_poll");
  options.day_ms = Milliseconds(config, "day_poll");
  return options;
}

CollectorOptions CollectorOptionsOf(const config::Config& config) {
  CollectorOptions options;
  options.unknown_after_days = static_cast<int>(config.Int("unknown_after_days"));
  return options;
}

absl::Status Migrate(const config::Config& config) {
  const std::string conninfo = OwnerConninfoOf(config);
  if (conninfo.empty()) {
    return status::Refuse(status::Reason::kConfigInvalid, "owner_conninfo is needed to migrate");
  }
  YKT_ASSIGN_OR_RETURN(const postgres::MigrateResult result,
                       postgres::Migrate(conninfo, "bankgateway", Migrations()));
  std::cout << "migrations applied: " << result.applied << ", schema version: " << result.version
            << "\n";
  return absl::OkStatus();
}

absl::Status RaiseRestoreEpoch(const config::Config& config) {
  postgres::Database database(DatabaseOptionsOf(config));
  int epoch = 0;
  YKT_RETURN_IF_ERROR(
      database.Transact("raise_epoch", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kEpochRaise));
        epoch = rows[0].Int(0);
        return absl::OkStatus();
      }));
  std::cout << "restore epoch: " << epoch << "\n";
  return absl::OkStatus();
}

}  // namespace

std::span<const postgres::Migration> Migrations() { return sql::kMigrations; }

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config,
                                                   telemetry::Metrics& metrics) {
  static crypto::SystemRandom random;  // outlives every cipher; it holds no state of its own
  YKT_ASSIGN_OR_RETURN(const crypto::KeyRing ring, crypto::ReadKeyRing(config.Path("column_keys")));
  YKT_ASSIGN_OR_RETURN(crypto::ColumnCipher cipher, crypto::ColumnCipher::Make(ring, random));
  YKT_ASSIGN_OR_RETURN(crypto::Ed25519PrivateKey signer,
                       crypto::ReadEd25519PrivateKey(config.Path("file_key")));
  YKT_ASSIGN_OR_RETURN(crypto::X25519PrivateKey wrapping,
                       crypto::ReadX25519PrivateKey(config.Path("wrapping_key")));
  YKT_ASSIGN_OR_RETURN(crypto::Ed25519PublicKey registry,
                       crypto::ReadEd25519PublicKey(config.Path("registry_key")));
  YKT_ASSIGN_OR_RETURN(auto auditlog, rpc::OpenPeer(config, "auditlog"));
  std::unique_ptr<rpc::Channel> catalogue;
  if (config.Text("business_clock") == "adjustable") {
    YKT_ASSIGN_OR_RETURN(catalogue, rpc::OpenPeer(config, "catalogue"));
  }
  return std::unique_ptr<Parts>(new Parts(
      config, metrics,
      {std::move(cipher), std::move(signer), {std::move(wrapping), {std::move(registry)}}},
      std::move(auditlog), std::move(catalogue)));
}

Parts::Parts(const config::Config& config, telemetry::Metrics& metrics, Keys keys,
             std::unique_ptr<rpc::Channel> auditlog, std::unique_ptr<rpc::Channel> catalogue)
    : metrics_(metrics),
      cipher_(std::move(keys.cipher)),
      file_signer_(std::move(keys.file_signer)),
      auditlog_(std::move(auditlog)),
      catalogue_(std::move(catalogue)),
      business_clock_(MakeBusinessClock(config, clock_, catalogue_.get())),
      database_(DatabaseOptionsOf(config)),
      life_signs_(database_, clock_, ids_.NewId(),
                  postgres::WorkerOptionsFor(absl::ToInt64Milliseconds(config.Duration("lease")))),
      context_{database_, life_signs_, clock_, *business_clock_, ids_, cipher_, file_signer_},
      directory_(context_),
      instructions_(context_),
      files_(context_,
             {static_cast<int>(config.Int("file_rows")), Milliseconds(config, "pack_wait")}),
      outcomes_(context_),
      intake_(instructions_, directory_, *business_clock_, std::move(keys.seal)),
      banks_(rpc::TlsFilesOf(config)),
      sender_(files_, directory_, banks_, clock_, *business_clock_),
      collector_(outcomes_, banks_, *business_clock_, CollectorOptionsOf(config)),
      workers_({files_, directory_, outcomes_, sender_, collector_}, metrics,
               WorkersOptionsOf(config)),
      sink_(*auditlog_) {}

Parts::~Parts() { Stop(); }

rpc::GuardOptions Parts::GuardOptionsOf(const config::Config& config) {
  rpc::GuardOptions options = rpc::GuardOptionsOf(config);
  options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                 const absl::Status& refusal) {
    const absl::Status recorded =
        RecordRefusal(context_, caller, method, status::ReasonNameOf(refusal));
    if (!recorded.ok()) telemetry::Log::Error("refusal_not_recorded", {{"status", recorded}});
  };
  return options;
}

absl::Status Parts::Start() {
  YKT_RETURN_IF_ERROR(AwaitBusinessDate(*business_clock_));
  int epoch = 0;
  YKT_RETURN_IF_ERROR(database_.Read("read_epoch", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kEpochRead));
    epoch = rows[0].Int(0);
    return absl::OkStatus();
  }));
  YKT_RETURN_IF_ERROR(life_signs_.Start());
  outbox::RelayOptions options;
  options.producer = "bankgateway/" + std::to_string(epoch);
  options.metrics = &metrics_;
  relay_ = std::make_unique<outbox::Relay>(database_, life_signs_, sink_, options);
  relay_->Start();
  workers_.Start();
  return absl::OkStatus();
}

void Parts::Stop() {
  if (relay_ == nullptr) return;
  workers_.Stop();
  relay_->Stop();
  relay_.reset();
  life_signs_.Stop();
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
    telemetry::Metrics metrics;
    status = Parts::Make(*start.config, metrics).status();
  } else if (command == "--raise-restore-epoch") {
    status = RaiseRestoreEpoch(*start.config);
  } else {
    status = base::failpoint::ArmIfSet(start.config->Path("failpoints"));
    if (status.ok()) status = serve(*start.config);
  }
  return status.ok() ? 0 : rpc::ExitFailure(status);
}

}  // namespace yikatong::bankgateway
