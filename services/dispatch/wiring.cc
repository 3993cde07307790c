#include "services/dispatch/wiring.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/calendar/calendar.h"
#include "common/crypto/random.h"
#include "common/outbox/relay.h"
#include "common/postgres/lease.h"
#include "common/postgres/migrate.h"
#include "common/redis/cache.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/clients/audit_sink.h"
#include "services/dispatch/clients/business_date.h"
#include "services/dispatch/clients/catalogue_client.h"
#include "services/dispatch/clients/payment_clients.h"
#include "services/dispatch/clients/registry_client.h"
#include "services/dispatch/clients/registry_feed.h"
#include "services/dispatch/clients/rule_codec.h"
#include "services/dispatch/config.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/intake_handlers.h"
#include "services/dispatch/rpc/money_service.h"
#include "services/dispatch/rpc/repair_service.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/death_store.h"
#include "services/dispatch/store/intake_store.h"
#include "services/dispatch/store/money_store.h"
#include "services/dispatch/store/outcome_store.h"
#include "services/dispatch/store/proof_store.h"
#include "services/dispatch/store/recovery_store.h"
#include "services/dispatch/store/refusal_store.h"
#include "services/dispatch/store/repair_list_store.h"
#include "services/dispatch/store/top_up_store.h"
#include "services/dispatch/workers/change_follower.h"
#include "services/dispatch/workers/chunk_worker.h"
#include "services/dispatch/workers/outcome_follower.h"

namespace yikatong::dispatch {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);  // for the first business date
constexpr std::chrono::seconds kGaugesEvery(5);
constexpr char kGatewayName[] = "bankgateway";
constexpr char kRegistryName[] = "registry";
constexpr absl::Duration kCountRepairsEvery = absl::Minutes(5);

struct Peers {
  std::unique_ptr<rpc::Channel> catalogue;
  std::unique_ptr<rpc::Channel> registry;
  std::unique_ptr<rpc::Channel> gateway;
  std::unique_ptr<rpc::Channel> auditlog;
};

std::unique_ptr<redis::Cache> MakeCache(const config::Config& config, const base::Clock& clock) {
  if (const auto options = RedisOptionsOf(config)) return redis::MakeRedisCache(*options, clock);
  return redis::MakeNoCache(clock);
}

// Only one of the two is made: which, the settings say.
struct Clocks {
  Clocks(const config::Config& config, const base::Clock& real, const rpc::Channel& catalogue) {
    if (config.Text("business_clock") == "adjustable") {
      adjustable = std::make_unique<CatalogueBusinessClock>(catalogue,
                                                            config.Duration("business_clock_poll"));
    } else {
      beijing = std::make_unique<base::BeijingBusinessClock>(real);
    }
  }
  const base::BusinessClock& business() const {
    if (adjustable != nullptr) return *adjustable;
    return *beijing;
  }
  std::unique_ptr<CatalogueBusinessClock> adjustable;
  std::unique_ptr<base::BeijingBusinessClock> beijing;
};

ChunkWorkerOptions WorkerOptionsOf(const config::Config& config) {
  ChunkWorkerOptions options;
  const SendWindow window = *ParseSendWindow(config.Text("send_window"));  // a rule of the schema
  options.window_from = window.from;
  options.window_to = window.to;
  options.audit_backlog_limit = config.Duration("audit_backlog_limit");
  return options;
}

class AllParts final : public Parts {
 public:
  AllParts(const config::Config& config, telemetry::Metrics& metrics, Peers peers)
      : metrics_(metrics),
        peers_(std::move(peers)),
        cache_(MakeCache(config, clock_)),
        clocks_(config, clock_, *peers_.catalogue),
        database_(DatabaseOptionsOf(config)),
        context_{database_, clock_, clocks_.business(), ids_},
        money_store_(context_, rules_),
        chunk_store_(context_, rules_),
        outcome_store_(context_, rules_),
        proof_store_(context_),
        recovery_store_(context_, rules_),
        repair_list_store_(context_, calendar_),
        top_up_store_(context_, random_),
        death_store_(context_, rules_),
        intake_store_(context_, rules_, calendar_, random_, money_store_, {},
                      [this](std::int64_t batch_id) {
                        cache_->Publish(ProgressPoller::kChannel, std::to_string(batch_id));
                      }),
        catalogue_(*peers_.catalogue),
        people_(*peers_.registry),
        feed_(*peers_.registry),
        accounts_(*peers_.registry),
        gateway_(*peers_.gateway),
        policies_(*peers_.catalogue),
        collection_(intake_store_, catalogue_, people_, rules_, clocks_.business()),
        intake_(collection_, intake_store_, rules_, calendar_),
        money_(context_, rules_, money_store_, chunk_store_, proof_store_, policies_, gateway_,
               config.Duration("audit_backlog_limit")),
        repairs_(context_, rules_, calendar_, recovery_store_, repair_list_store_, top_up_store_,
                 catalogue_),
        sink_(*peers_.auditlog),
        registry_(database_, clock_, ids_.NewId()),
        worker_options_(WorkerOptionsOf(config)),
        worker_count_(static_cast<int>(config.Int("chunk_workers"))) {}

  ~AllParts() override {
    StopWork();
    Stop();
  }

  postgres::Database& database() override { return database_; }

  rpc::GuardOptions GuardOptionsOf(const config::Config& config) override {
    rpc::GuardOptions options = rpc::GuardOptionsOf(config);
    options.allow = [this, limit = config.Int("rate_limit")](std::string_view who) {
      return cache_->AllowRate(std::string("rate:").append(who), limit, std::chrono::seconds(1));
    };
    options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                   const absl::Status& refusal) {
      const absl::Status recorded =
          RecordRefusal(context_, caller, method, status::ReasonNameOf(refusal));
      if (!recorded.ok()) telemetry::Log::Error("refusal_not_recorded", {{"status", recorded}});
    };
    return options;
  }

  grpc::Service* ServiceBehind(const rpc::Guard& guard) override {
    service_ = std::make_unique<DispatchRpc>(guard, intake_, money_, repairs_);
    return service_.get();
  }

  absl::Status Start() override {
    YKT_RETURN_IF_ERROR(postgres::CheckSchema(database_, Migrations()));
    if (clocks_.adjustable != nullptr) YKT_RETURN_IF_ERROR(clocks_.adjustable->Start(kPatience));
    std::int64_t epoch = 0;
    YKT_RETURN_IF_ERROR(
        database_.Read("read_epoch", [&](postgres::Transaction& tx) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kRestoreEpochRead));
          epoch = rows[0].Int64(0);
          return absl::OkStatus();
        }));
    YKT_RETURN_IF_ERROR(registry_.Start());
    outbox::RelayOptions options;
    options.producer = "dispatch/" + std::to_string(epoch);
    relay_ = std::make_unique<outbox::Relay>(database_, registry_, sink_, options);
    relay_->Start();
    for (int i = 0; i < worker_count_; ++i) {
      workers_.push_back(std::make_unique<ChunkWorker>(chunk_store_, accounts_, gateway_, policies_,
                                                       registry_, clock_, worker_options_));
      threads_.emplace_back([worker = workers_.back().get(), this] { worker->Run(stopping_); });
    }
    if (worker_count_ > 0) {
      follower_ = std::make_unique<OutcomeFollower>(outcome_store_, chunk_store_, gateway_,
                                                    registry_, kGatewayName);
      threads_.emplace_back([this] { follower_->Run(stopping_); });
      changes_ =
          std::make_unique<ChangeFollower>(death_store_, feed_, registry_, clock_, kRegistryName);
      threads_.emplace_back([this] { changes_->Run(stopping_, [this] { CountRepairs(); }); });
    }
    poller_ = std::make_unique<ProgressPoller>(service_->hub(), intake_, *cache_);
    threads_.emplace_back([this] { WatchGauges(); });
    return absl::OkStatus();
  }

  void StopWork() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    poller_.reset();
    if (service_ != nullptr) service_->hub().Close();
  }

  void Stop() override {
    if (relay_ == nullptr) return;
    relay_->Stop();
    relay_.reset();
    registry_.Stop();
  }

 private:
  // What waits for somebody, counted now and again by the one replica that follows the registry.
  void CountRepairs() {
    if (clock_.MonotonicMillis() < count_repairs_at_ms_) return;
    count_repairs_at_ms_ = clock_.MonotonicMillis() + absl::ToInt64Milliseconds(kCountRepairsEvery);
    const absl::StatusOr<RepairCounts> counts = repair_list_store_.Count();
    if (!counts.ok()) {
      telemetry::Log::Warning("repairs_not_counted",
                              {{"status", status::ReasonNameOf(counts.status())}});
      return;
    }
    const auto open =
        metrics_.Gauges("yikatong_repairs_open", "What waits for somebody, by kind.", {"kind"});
    const auto overdue =
        metrics_.Gauges("yikatong_repairs_overdue", "Of it, what is past its due day.", {"kind"});
    for (int kind = 1; kind < kRepairKinds; ++kind) {
      const std::string name = RepairKindName(static_cast<RepairKind>(kind));
      open.With({name}).Set(static_cast<double>(counts->open[static_cast<std::size_t>(kind)]));
      overdue.With({name}).Set(
          static_cast<double>(counts->overdue[static_cast<std::size_t>(kind)]));
    }
  }

  void WatchGauges() {
    auto entries =
        metrics_.Gauges("yikatong_outbox_entries", "Entries that the audit log has not taken yet.")
            .With();
    auto oldest =
        metrics_.Gauges("yikatong_outbox_oldest_seconds", "Age of the oldest of them.").With();
    auto statements =
        metrics_.Gauges("yikatong_database_statements", "Statements since the start.").With();
    const auto calls = metrics_.Gauges("yikatong_peer_calls",
                                       "Calls to another service since the start.", {"peer"});
    for (std::unique_lock lock(mutex_); !stopping_;) {
      const outbox::Lag lag = relay_->last_lag();
      entries.Set(static_cast<double>(lag.entries));
      oldest.Set(static_cast<double>(lag.oldest_age_seconds));
      statements.Set(static_cast<double>(database_.Counters().statements));
      calls.With({"catalogue"}).Set(static_cast<double>(peers_.catalogue->CallCount()));
      calls.With({"registry"}).Set(static_cast<double>(peers_.registry->CallCount()));
      calls.With({"bankgateway"}).Set(static_cast<double>(peers_.gateway->CallCount()));
      calls.With({"auditlog"}).Set(static_cast<double>(peers_.auditlog->CallCount()));
      wake_.wait_for(lock, kGaugesEvery, [this] { return stopping_.load(); });
    }
  }

  telemetry::Metrics& metrics_;
  base::SystemClock clock_;
  base::RandomIdSource ids_;
  crypto::SystemRandom random_;
  const calendar::Calendar calendar_ = calendar::Calendar::BuiltIn();
  const CatalogueRuleCodec rules_;
  const Peers peers_;
  const std::unique_ptr<redis::Cache> cache_;
  const Clocks clocks_;
  postgres::Database database_;
  const StoreContext context_;
  MoneyStore money_store_;
  ChunkStore chunk_store_;
  OutcomeStore outcome_store_;
  ProofStore proof_store_;
  RecoveryStore recovery_store_;
  RepairListStore repair_list_store_;
  TopUpStore top_up_store_;
  DeathStore death_store_;
  PgIntakeStore intake_store_;
  CatalogueClient catalogue_;
  RegistryClient people_;
  RegistryFeed feed_;
  RegistryAccounts accounts_;
  BankGateway gateway_;
  CataloguePolicies policies_;
  Collection collection_;
  IntakeHandlers intake_;
  MoneyService money_;
  RepairService repairs_;
  AuditLogSink sink_;
  postgres::WorkerRegistry registry_;
  const ChunkWorkerOptions worker_options_;
  const int worker_count_;

  std::unique_ptr<DispatchRpc> service_;
  std::unique_ptr<outbox::Relay> relay_;
  std::vector<std::unique_ptr<ChunkWorker>> workers_;
  std::unique_ptr<OutcomeFollower> follower_;
  std::unique_ptr<ChangeFollower> changes_;
  std::int64_t count_repairs_at_ms_ = 0;  // of the follower's thread
  std::unique_ptr<ProgressPoller> poller_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

absl::Status Migrate(const config::Config& config) {
  const std::string conninfo = OwnerConninfoOf(config);
  if (conninfo.empty())
    return status::Refuse(status::Reason::kConfigInvalid, "owner_conninfo is needed to migrate");
  YKT_ASSIGN_OR_RETURN(const postgres::MigrateResult result,
                       postgres::Migrate(conninfo, "dispatch", Migrations()));
  std::cout << "migrations applied: " << result.applied << ", schema version: " << result.version
            << "\n";
  return absl::OkStatus();
}

absl::Status RaiseRestoreEpoch(const config::Config& config) {
  postgres::Database database(DatabaseOptionsOf(config));
  std::int64_t epoch = 0;
  YKT_RETURN_IF_ERROR(
      database.Transact("raise_epoch", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kRestoreEpochRaise));
        epoch = rows[0].Int64(0);
        return absl::OkStatus();
      }));
  std::cout << "restore epoch: " << epoch << "\n";
  return absl::OkStatus();
}

}  // namespace

std::span<const postgres::Migration> Migrations() { return sql::kMigrations; }

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config,
                                                   telemetry::Metrics& metrics) {
  Peers peers;
  YKT_ASSIGN_OR_RETURN(peers.catalogue, rpc::OpenPeer(config, "catalogue"));
  YKT_ASSIGN_OR_RETURN(peers.registry, rpc::OpenPeer(config, "registry"));
  YKT_ASSIGN_OR_RETURN(peers.gateway, rpc::OpenPeer(config, "bankgateway"));
  YKT_ASSIGN_OR_RETURN(peers.auditlog, rpc::OpenPeer(config, "auditlog"));
  return std::unique_ptr<Parts>(std::make_unique<AllParts>(config, metrics, std::move(peers)));
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
  absl::Status done;
  if (command == "--migrate") {
    done = Migrate(*start.config);
  } else if (command == "--check-config") {
    telemetry::Metrics metrics;
    done = Parts::Make(*start.config, metrics).status();
  } else if (command == "--raise-restore-epoch") {
    done = RaiseRestoreEpoch(*start.config);
  } else {
    done = serve(*start.config);
  }
  return done.ok() ? 0 : rpc::ExitFailure(done);
}

}  // namespace yikatong::dispatch
