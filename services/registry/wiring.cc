#include "services/registry/wiring.h"

#include <string>
#include <string_view>
#include <utility>

#include "common/crypto/keys.h"
#include "common/outbox/restore.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/command.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/registry/config.h"
#include "services/registry/sql/queries.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::registry {

std::span<const postgres::Migration> Migrations() { return sql::kMigrations; }

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config,
                                                   telemetry::Metrics& metrics) {
  static crypto::SystemRandom random;  // outlives every vault; it holds no state of its own
  YKT_ASSIGN_OR_RETURN(Vault vault,
                       Vault::Load(config.Path("column_keys"), config.Path("index_key"), random));
  YKT_ASSIGN_OR_RETURN(crypto::Ed25519PrivateKey signer,
                       crypto::ReadEd25519PrivateKey(config.Path("signing_key")));
  YKT_ASSIGN_OR_RETURN(crypto::X25519PublicKey gateway,
                       crypto::ReadX25519PublicKey(config.Path("gateway_key")));
  YKT_ASSIGN_OR_RETURN(auto auditlog, rpc::OpenPeer(config, "auditlog", &metrics));
  std::unique_ptr<rpc::Channel> catalogue;
  if (rpc::HasAdjustableClock(config)) {
    YKT_ASSIGN_OR_RETURN(catalogue, rpc::OpenPeer(config, "catalogue", &metrics));
  }
  return std::unique_ptr<Parts>(
      new Parts(config, metrics, std::move(vault),
                {.signer = std::move(signer), .gateway = std::move(gateway)}, std::move(auditlog),
                std::move(catalogue)));
}

Parts::Parts(const config::Config& config, telemetry::Metrics& metrics, Vault vault,
             SealingKeys keys, std::unique_ptr<rpc::Channel> auditlog,
             std::unique_ptr<rpc::Channel> catalogue)
    : metrics_(metrics),
      vault_(std::move(vault)),
      cache_(redis::OpenCache(config, "registry", clock_, &metrics)),
      auditlog_(std::move(auditlog)),
      catalogue_(std::move(catalogue)),
      business_clock_(config, clock_, metrics,
                      rpc::AskAtOwner<catalogue::v1::ClockService::Stub>(catalogue_.get())),
      database_(DatabaseOptionsOf(config, &metrics)),
      store_(database_, vault_, clock_, business_clock_, ids_),
      registry_(store_, std::move(keys), random_, business_clock_),
      sink_(*auditlog_),
      workers_(database_, clock_, ids_.NewId(), postgres::WorkerOptionsOf(config)) {}

Parts::~Parts() { StopRelay(); }

rpc::GuardOptions Parts::GuardOptionsOf(const config::Config& config) {
  rpc::GuardOptions options = rpc::GuardOptionsOf(config);
  options.allow = redis::RateLimitOf(config, *cache_);
  options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                 const absl::Status& refusal) {
    const absl::Status recorded =
        store_.RecordRefusal(caller, method, status::ReasonNameOf(refusal));
    if (!recorded.ok()) telemetry::Log::Error("refusal_not_recorded", {{"status", recorded}});
  };
  return options;
}

absl::Status Parts::StartRelay() {
  YKT_RETURN_IF_ERROR(business_clock_.Start());
  YKT_ASSIGN_OR_RETURN(const std::int64_t epoch,
                       outbox::ReadRestoreEpoch(database_, sql::kReadRestoreEpoch));
  YKT_RETURN_IF_ERROR(workers_.Start());
  outbox::RelayOptions options;
  options.producer = "registry/" + std::to_string(epoch);
  options.metrics = &metrics_;
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
  return rpc::RunCommand(
      Settings(), argc, argv,
      outbox::WithRestores(
          {"registry", Migrations(), sql::kReadRestoreEpoch, sql::kRaiseRestoreEpoch},
          {
              .serve = serve,
              .check_config =
                  [](const config::Config& config) {
                    telemetry::Metrics metrics;
                    return Parts::Make(config, metrics).status();
                  },
          }));
}

}  // namespace yikatong::registry
