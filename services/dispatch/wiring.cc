#include "services/dispatch/wiring.h"

#include <string>
#include <string_view>
#include <utility>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/calendar/calendar.h"
#include "common/crypto/random.h"
#include "common/outbox/grpc_sink.h"
#include "common/outbox/relay.h"
#include "common/outbox/restore.h"
#include "common/postgres/lease.h"
#include "common/postgres/migrate.h"
#include "common/postgres/settings.h"
#include "common/redis/cache.h"
#include "common/redis/settings.h"
#include "common/rpc/business_clock.h"
#include "common/rpc/client.h"
#include "common/rpc/command.h"
#include "common/rpc/settings.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/clients/catalogue_client.h"
#include "services/dispatch/clients/payment_clients.h"
#include "services/dispatch/clients/registry_client.h"
#include "services/dispatch/clients/registry_feed.h"
#include "services/dispatch/clients/rule_codec.h"
#include "services/dispatch/config.h"
#include "services/dispatch/rpc/archive_handlers.h"
#include "services/dispatch/rpc/archive_rpc.h"
#include "services/dispatch/rpc/budget_handlers.h"
#include "services/dispatch/rpc/budget_rpc.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/intake_handlers.h"
#include "services/dispatch/rpc/money_service.h"
#include "services/dispatch/rpc/repair_service.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/archive_seal_store.h"
#include "services/dispatch/store/archive_store.h"
#include "services/dispatch/store/budget_order_store.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/death_store.h"
#include "services/dispatch/store/due_chunks.h"
#include "services/dispatch/store/intake_store.h"
#include "services/dispatch/store/money_store.h"
#include "services/dispatch/store/outcome_store.h"
#include "services/dispatch/store/pass_down_store.h"
#include "services/dispatch/store/proof_store.h"
#include "services/dispatch/store/recovery_store.h"
#include "services/dispatch/store/refusal_store.h"
#include "services/dispatch/store/repair_list_store.h"
#include "services/dispatch/store/top_up_store.h"
#include "services/dispatch/workers/archive_worker.h"
#include "services/dispatch/workers/change_follower.h"
#include "services/dispatch/workers/chunk_worker.h"
#include "services/dispatch/workers/money_watch.h"
#include "services/dispatch/workers/outcome_follower.h"
#include "services/dispatch/workers/repair_watch.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::dispatch {
namespace {

constexpr std::chrono::seconds kGaugesEvery(5);
constexpr std::chrono::seconds kMoneyEvery(60);
constexpr int kPassDownsAtOnce = 100;
constexpr char kGatewayName[] = "bankgateway";
constexpr char kRegistryName[] = "registry";

struct Peers {
  std::unique_ptr<rpc::Channel> catalogue;
  std::unique_ptr<rpc::Channel> registry;
  std::unique_ptr<rpc::Channel> gateway;
  std::unique_ptr<rpc::Channel> auditlog;
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
        cache_(redis::OpenCache(config, "dispatch", clock_, &metrics)),
        business_clock_(config, clock_, metrics,
                        rpc::AskAtOwner<catalogue::v1::ClockService::Stub>(peers_.catalogue.get())),
        database_(DatabaseOptionsOf(config, &metrics)),
        context_{database_, clock_, business_clock_, ids_},
        money_store_(context_, rules_),
        chunk_store_(context_, rules_),
        outcome_store_(context_, rules_),
        proof_store_(context_),
        recovery_store_(context_, rules_),
        repair_list_store_(context_, calendar_),
        top_up_store_(context_, random_),
        death_store_(context_, rules_),
        archive_seal_store_(context_, kGatewayName),
        archive_store_(context_),
        pass_down_store_(context_, money_store_),
        order_store_(context_, money_store_),
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
        collection_(intake_store_, catalogue_, people_, rules_, business_clock_),
        intake_(collection_, intake_store_, rules_, calendar_),
        money_(context_, rules_, money_store_, chunk_store_, proof_store_, policies_, gateway_,
               config.Duration("audit_backlog_limit")),
        repairs_(context_, rules_, calendar_, recovery_store_, repair_list_store_, top_up_store_,
                 catalogue_),
        budget_(context_, money_store_, pass_down_store_, order_store_, policies_),
        archives_(context_, archive_store_),
        sink_(*peers_.auditlog),
        registry_(database_, clock_, ids_.NewId(), postgres::WorkerOptionsOf(config)),
        worker_options_(WorkerOptionsOf(config)),
        worker_count_(static_cast<int>(config.Int("chunk_workers"))) {}

  ~AllParts() override {
    StopWork();
    Stop();
  }

  postgres::Database& database() override { return database_; }

  rpc::GuardOptions GuardOptionsOf(const config::Config& config) override {
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

  std::vector<rpc::Served> ServicesBehind(const rpc::Guard& guard) override {
    service_ = std::make_unique<DispatchRpc>(guard, intake_, money_, repairs_);
    budget_service_ = std::make_unique<BudgetRpc>(guard, budget_);
    archive_service_ = std::make_unique<ArchiveRpc>(guard, archives_);
    return {{service_.get(), v1::DispatchService::service_full_name()},
            {budget_service_.get(), v1::BudgetService::service_full_name()},
            {archive_service_.get(), v1::ArchiveService::service_full_name()}};
  }

  absl::Status Start(const config::Config& config) override {
    YKT_RETURN_IF_ERROR(
        postgres::CheckSchema(database_, Migrations(), postgres::StartWaitMs(config)));
    YKT_RETURN_IF_ERROR(business_clock_.Start());
    YKT_ASSIGN_OR_RETURN(const std::int64_t epoch,
                         outbox::ReadRestoreEpoch(database_, sql::kRestoreEpochRead));
    YKT_RETURN_IF_ERROR(registry_.Start());
    outbox::RelayOptions options;
    options.producer = "dispatch/" + std::to_string(epoch);
    options.metrics = &metrics_;
    relay_ = std::make_unique<outbox::Relay>(database_, registry_, sink_, options);
    relay_->Start();
    for (int i = 0; i < worker_count_; ++i) {
      workers_.push_back(std::make_unique<ChunkWorker>(chunk_store_, accounts_, gateway_, policies_,
                                                       registry_, clock_, worker_options_));
      threads_.emplace_back([worker = workers_.back().get(), this] { worker->Run(stopping_); });
    }
    if (worker_count_ > 0) {
      follower_ =
          std::make_unique<OutcomeFollower>(outcome_store_, chunk_store_, gateway_, registry_,
                                            kGatewayName, FeedGauges::OfOutcomes(clock_, metrics_));
      threads_.emplace_back([this] { follower_->Run(stopping_); });
      changes_ =
          std::make_unique<ChangeFollower>(death_store_, feed_, registry_, clock_, kRegistryName,
                                           FeedGauges::OfChanges(clock_, metrics_));
      repair_watch_ = std::make_unique<RepairWatch>(repair_list_store_, clock_, metrics_);
      threads_.emplace_back(
          [this] { changes_->Run(stopping_, [this](bool holds) { repair_watch_->Look(holds); }); });
      archiver_ = std::make_unique<ArchiveWorker>(archive_seal_store_, gateway_, registry_, clock_,
                                                  &metrics_);
      threads_.emplace_back([this] { archiver_->Run(stopping_); });
    }
    poller_ = std::make_unique<ProgressPoller>(service_->hub(), intake_, *cache_);
    threads_.emplace_back([this] { WatchGauges(); });
    threads_.emplace_back([this] { WatchPassDowns(); });
    threads_.emplace_back([this] { WatchMoney(); });
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
  void WatchGauges() {
    const auto due = metrics_.Gauges("yikatong_chunks_due",
                                     "Chunks that wait to be worked on, by step.", {"step"});
    const auto oldest = metrics_.Gauges("yikatong_chunks_oldest_due_seconds",
                                        "How long the one that waits longest has.", {"step"});
    for (std::unique_lock lock(mutex_); !stopping_;) {
      lock.unlock();
      const rpc::CallScope scope(rpc::Trace::New());
      if (const auto chunks = CountDueChunks(database_); chunks.ok()) {
        for (const DueChunks& step : *chunks) {
          due.With({step.step}).Set(static_cast<double>(step.chunks));
          oldest.With({step.step}).Set(step.oldest_seconds);
        }
      }
      lock.lock();
      wake_.wait_for(lock, kGaugesEvery, [this] { return stopping_.load(); });
    }
  }

  void WatchMoney() {
    MoneyWatch watch(context_, money_store_, metrics_);
    for (std::unique_lock lock(mutex_); !stopping_;) {
      lock.unlock();
      watch.LookOnce();
      lock.lock();
      wake_.wait_for(lock, kMoneyEvery, [this] { return stopping_.load(); });
    }
  }

  // Books what a process that ended left behind, and says what should have been passed down by now.
  void WatchPassDowns() {
    auto overdue = metrics_
                       .Gauges("yikatong_budget_overdue_receipts",
                               "Receipts of which something is left past their thirty days.")
                       .With();
    auto overdue_fen =
        metrics_.Gauges("yikatong_budget_overdue_fen", "What is left of those.").With();
    auto oldest = metrics_
                      .Gauges("yikatong_budget_oldest_overdue_seconds",
                              "Time since the day on which the oldest of them was received.")
                      .With();
    auto unbooked = metrics_
                        .Gauges("yikatong_budget_unbooked_pass_downs",
                                "Passings down that their line does not have yet.")
                        .With();
    for (std::unique_lock lock(mutex_); !stopping_;) {
      lock.unlock();
      const rpc::CallScope scope(rpc::Trace::New());
      if (const auto booked = pass_down_store_.BookLeftBehind(kPassDownsAtOnce); !booked.ok()) {
        telemetry::Log::Warning("pass_downs_wait", {{"status", booked.status()}});
      }
      if (const auto figures = pass_down_store_.Figures(); figures.ok()) {
        overdue.Set(static_cast<double>(figures->overdue));
        overdue_fen.Set(static_cast<double>(figures->overdue_fen));
        oldest.Set(static_cast<double>(figures->oldest_days) * 86'400);
        unbooked.Set(static_cast<double>(figures->unbooked));
      }
      lock.lock();
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
  rpc::ServiceBusinessClock business_clock_;
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
  ArchiveSealStore archive_seal_store_;
  ArchiveStore archive_store_;
  PassDownStore pass_down_store_;
  BudgetOrderStore order_store_;
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
  BudgetHandlers budget_;
  ArchiveHandlers archives_;
  outbox::GrpcSink<auditlog::v1::AuditLogService::Stub> sink_;
  postgres::WorkerRegistry registry_;
  const ChunkWorkerOptions worker_options_;
  const int worker_count_;

  std::unique_ptr<DispatchRpc> service_;
  std::unique_ptr<BudgetRpc> budget_service_;
  std::unique_ptr<ArchiveRpc> archive_service_;
  std::unique_ptr<outbox::Relay> relay_;
  std::vector<std::unique_ptr<ChunkWorker>> workers_;
  std::unique_ptr<OutcomeFollower> follower_;
  std::unique_ptr<ChangeFollower> changes_;
  std::unique_ptr<RepairWatch> repair_watch_;
  std::unique_ptr<ArchiveWorker> archiver_;
  std::unique_ptr<ProgressPoller> poller_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

std::span<const postgres::Migration> Migrations() { return sql::kMigrations; }

absl::StatusOr<std::unique_ptr<Parts>> Parts::Make(const config::Config& config,
                                                   telemetry::Metrics& metrics) {
  Peers peers;
  YKT_ASSIGN_OR_RETURN(peers.catalogue, rpc::OpenPeer(config, "catalogue", &metrics));
  YKT_ASSIGN_OR_RETURN(peers.registry, rpc::OpenPeer(config, "registry", &metrics));
  YKT_ASSIGN_OR_RETURN(peers.gateway, rpc::OpenPeer(config, "bankgateway", &metrics));
  YKT_ASSIGN_OR_RETURN(peers.auditlog, rpc::OpenPeer(config, "auditlog", &metrics));
  return std::unique_ptr<Parts>(std::make_unique<AllParts>(config, metrics, std::move(peers)));
}

int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve) {
  return rpc::RunCommand(
      Settings(), argc, argv,
      outbox::WithRestores(
          {"dispatch", Migrations(), sql::kRestoreEpochRead, sql::kRestoreEpochRaise},
          {
              .serve = serve,
              .check_config =
                  [](const config::Config& config) {
                    telemetry::Metrics metrics;
                    return Parts::Make(config, metrics).status();
                  },
          }));
}

}  // namespace yikatong::dispatch
