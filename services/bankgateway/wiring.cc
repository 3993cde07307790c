#include "services/bankgateway/wiring.h"

#include <iostream>
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
#include "services/bankgateway/config.h"
#include "services/bankgateway/sql/queries.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::bankgateway {
namespace {

int Milliseconds(const config::Config& config, std::string_view key) {
  return static_cast<int>(absl::ToInt64Milliseconds(config.Duration(key)));
}

WorkersOptions WorkersOptionsOf(const config::Config& config) {
  WorkersOptions options;
  options.senders = static_cast<int>(config.Int("senders"));
  options.poll_ms = Milliseconds(config, "result_poll");
  options.day_ms = Milliseconds(config, "day_poll");
  options.unknown_after_days = static_cast<int>(config.Int("unknown_after_days"));
  return options;
}

CollectorOptions CollectorOptionsOf(const config::Config& config) {
  CollectorOptions options;
  options.unknown_after_days = static_cast<int>(config.Int("unknown_after_days"));
  return options;
}

CaseTerms CaseTermsOf(const config::Config& config) {
  CaseTerms terms;
  terms.horizon_days = static_cast<int>(config.Int("not_paid_after_days"));
  terms.statement_working_days = static_cast<int>(config.Int("statement_missing_after_days"));
  return terms;
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
  YKT_ASSIGN_OR_RETURN(auto auditlog, rpc::OpenPeer(config, "auditlog", &metrics));
  std::unique_ptr<rpc::Channel> catalogue;
  if (rpc::HasAdjustableClock(config)) {
    YKT_ASSIGN_OR_RETURN(catalogue, rpc::OpenPeer(config, "catalogue", &metrics));
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
      cache_(redis::OpenCache(config, "bankgateway", clock_, &metrics)),
      auditlog_(std::move(auditlog)),
      catalogue_(std::move(catalogue)),
      business_clock_(config, clock_, metrics,
                      rpc::AskAtOwner<catalogue::v1::ClockService::Stub>(catalogue_.get())),
      database_(DatabaseOptionsOf(config, &metrics)),
      life_signs_(database_, clock_, ids_.NewId(), postgres::WorkerOptionsOf(config)),
      context_{database_, life_signs_, clock_,       business_clock_,
               ids_,      cipher_,     file_signer_, CaseTermsOf(config)},
      directory_(context_),
      instructions_(context_),
      files_(context_,
             {static_cast<int>(config.Int("file_rows")), Milliseconds(config, "pack_wait")}),
      outcomes_(context_),
      cases_(context_),
      restores_(context_),
      traces_(context_),
      intake_(instructions_, directory_, business_clock_, std::move(keys.seal)),
      banks_(rpc::TlsFilesOf(config)),
      sender_(files_, directory_, banks_, clock_, business_clock_),
      collector_(outcomes_, cases_, banks_, business_clock_, CollectorOptionsOf(config)),
      look_up_(restores_, outcomes_, directory_, banks_, business_clock_),
      workers_({files_, directory_, outcomes_, cases_, restores_, sender_, collector_, look_up_},
               metrics, WorkersOptionsOf(config)),
      sink_(*auditlog_) {}

Parts::~Parts() { Stop(); }

rpc::GuardOptions Parts::GuardOptionsOf(const config::Config& config) {
  rpc::GuardOptions options = rpc::GuardOptionsOf(config);
  options.allow = redis::RateLimitOf(config, *cache_);
  options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                 const absl::Status& refusal) {
    const absl::Status recorded =
        RecordRefusal(context_, caller, method, status::ReasonNameOf(refusal));
    if (!recorded.ok()) telemetry::Log::Error("refusal_not_recorded", {{"status", recorded}});
  };
  return options;
}

absl::Status Parts::Start() {
  YKT_RETURN_IF_ERROR(business_clock_.Start());
  YKT_ASSIGN_OR_RETURN(const std::int64_t epoch,
                       outbox::ReadRestoreEpoch(database_, sql::kEpochRead));
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
  return rpc::RunCommand(
      Settings(), argc, argv,
      outbox::WithRestores({"bankgateway", Migrations(), sql::kEpochRead, sql::kEpochRaise},
                           {
                               .serve = serve,
                               .check_config =
                                   [](const config::Config& config) {
                                     telemetry::Metrics metrics;
                                     return Parts::Make(config, metrics).status();
                                   },
                               .finish_restore =
                                   [](const config::Config& config) {
                                     return FinishRestore(DatabaseOptionsOf(config),
                                                          config.Bool("leave_unclaimed"),
                                                          std::cout);
                                   },
                           }));
}

}  // namespace yikatong::bankgateway
