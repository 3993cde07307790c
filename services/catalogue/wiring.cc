#include "services/catalogue/wiring.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "common/outbox/restore.h"
#include "common/postgres/migrate.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/command.h"
#include "common/rpc/settings.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/catalogue/config.h"
#include "services/catalogue/domain/publication.h"
#include "services/catalogue/domain/version_state.h"
#include "services/catalogue/sql/queries.h"

namespace yikatong::catalogue {
namespace {

constexpr auto kWatchEvery = std::chrono::seconds(15);

}  // namespace

std::span<const postgres::Migration> Migrations() { return kMigrations; }

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config,
                                                   telemetry::Metrics& metrics) {
  YKT_ASSIGN_OR_RETURN(auto auditlog, rpc::OpenPeer(config, "auditlog", &metrics));
  return std::unique_ptr<Parts>(new Parts(config, metrics, std::move(auditlog)));
}

Parts::Parts(const config::Config& config, telemetry::Metrics& metrics,
             std::unique_ptr<rpc::Channel> auditlog)
    : metrics_(metrics),
      auditlog_(std::move(auditlog)),
      cache_(redis::OpenCache(config, "catalogue", clock_, &metrics)),
      clock_adjustable_(config.Text("business_clock") == "adjustable"),
      database_(postgres::DatabaseOptionsOf(config, "catalogue", &metrics)),
      storage_(database_, *cache_, clock_, ids_, {.clock_adjustable = clock_adjustable_}),
      sink_(*auditlog_),
      workers_(database_, clock_, ids_.NewId(), postgres::WorkerOptionsOf(config)) {}

Parts::~Parts() { Stop(); }

rpc::GuardOptions Parts::GuardOptionsOf(const config::Config& config) {
  rpc::GuardOptions options = rpc::GuardOptionsOf(config);
  options.allow = redis::RateLimitOf(config, *cache_);
  options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                 const absl::Status& refusal) {
    storage_.RecordRefusal(caller, method, refusal);
  };
  return options;
}

absl::Status Parts::Start(const config::Config& config) {
  YKT_RETURN_IF_ERROR(
      postgres::CheckSchema(database_, Migrations(), postgres::StartWaitMs(config)));
  YKT_RETURN_IF_ERROR(
      storage_.StartClock(FirstBusinessDateOf(config).value_or(base::BeijingDate(clock_.Now()))));
  YKT_ASSIGN_OR_RETURN(const std::int64_t epoch,
                       outbox::ReadRestoreEpoch(database_, kReadRestoreEpoch));
  YKT_RETURN_IF_ERROR(workers_.Start());
  outbox::RelayOptions options;
  options.producer = "catalogue/" + std::to_string(epoch);
  options.metrics = &metrics_;
  relay_ = std::make_unique<outbox::Relay>(database_, workers_, sink_, options);
  relay_->Start();
  watcher_ = std::thread([this] { Watch(); });
  return absl::OkStatus();
}

void Parts::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  if (relay_ == nullptr) return;
  relay_->Stop();
  relay_.reset();
  workers_.Stop();
}

absl::Status Parts::WatchOnce() {
  const Call call{.caller = {}, .method = "watch", .request_id = {}, .sha256 = {}};
  absl::CivilDay today;
  YKT_RETURN_IF_ERROR(storage_.Read(call, [&](Repository& repository) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(today, repository.Today());
    return absl::OkStatus();
  }));
  std::int64_t counts[6] = {};
  std::int64_t overdue = 0;
  YKT_RETURN_IF_ERROR(database_.Read("count", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(kCountStates, today, kPublicationDays));
    for (const postgres::Row row : rows) {
      counts[row.Int(0)] = row.Int64(1);
      overdue += row.Int64(2);
    }
    return absl::OkStatus();
  }));
  const auto versions =
      metrics_.Gauges("yikatong_catalogue_versions", "Versions of policies by state.", {"state"});
  for (int state = 1; state <= 5; ++state) {
    versions.With({StateName(static_cast<VersionState>(state))})
        .Set(static_cast<double>(counts[state]));
  }
  metrics_
      .Gauges("yikatong_catalogue_overdue_publications",
              "Approved versions that are not public 10 calendar days after taking effect.")
      .With()
      .Set(static_cast<double>(overdue));
  return absl::OkStatus();
}

void Parts::Watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const rpc::CallScope scope(rpc::Trace::New());
    const absl::Status watched = WatchOnce();
    if (!watched.ok()) telemetry::Log::Warning("gauges_not_read", {{"status", watched}});
    lock.lock();
    wake_.wait_for(lock, kWatchEvery, [this] { return stopping_; });
  }
}

int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve) {
  return rpc::RunCommand(
      Settings(), argc, argv,
      outbox::WithRestores({"catalogue", Migrations(), kReadRestoreEpoch, kRaiseRestoreEpoch},
                           {
                               .serve = serve,
                               .check_config =
                                   [](const config::Config& config) {
                                     telemetry::Metrics metrics;
                                     return Parts::Make(config, metrics).status();
                                   },
                           }));
}

}  // namespace yikatong::catalogue
