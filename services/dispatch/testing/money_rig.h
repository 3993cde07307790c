// The money half over a real database, with stand-ins for its peers. Batches come the way that they
// come in life: through the handlers of the intake half.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/postgres/lease.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/clients/testing/money_fakes.h"
#include "services/dispatch/rpc/archive_handlers.h"
#include "services/dispatch/rpc/budget_handlers.h"
#include "services/dispatch/rpc/money_service.h"
#include "services/dispatch/rpc/repair_service.h"
#include "services/dispatch/store/archive_seal_store.h"
#include "services/dispatch/store/archive_store.h"
#include "services/dispatch/store/death_store.h"
#include "services/dispatch/store/outcome_store.h"
#include "services/dispatch/testing/rig.h"
#include "services/dispatch/workers/archive_worker.h"
#include "services/dispatch/workers/change_follower.h"
#include "services/dispatch/workers/chunk_worker.h"
#include "services/dispatch/workers/outcome_follower.h"

namespace yikatong::dispatch::testing {

struct MoneyRig {
  MoneyRig(postgres::PgFixture& server, int people);

  base::ManualClock clock{absl::FromUnixSeconds(1'772'409'600)};  // 2026-03-02 08:00 in Beijing
  base::ManualBusinessClock business{absl::CivilDay(2026, 3, 2)};
  base::RandomIdSource ids;
  crypto::SystemRandom random;
  calendar::Calendar calendar = calendar::Calendar::BuiltIn();
  CatalogueRuleCodec rules;
  FakeCatalogue catalogue;
  FakePeople people;
  FakeAccounts accounts;
  FakeGateway gateway;
  FakePolicies policies;
  std::unique_ptr<postgres::TestDatabase> pg;
  StoreContext context;
  MoneyStore money;
  ChunkStore chunks;
  OutcomeStore outcomes;
  ProofStore proofs;
  PgIntakeStore intake;
  Collection collection;
  IntakeHandlers handlers;
  MoneyService service;
  RecoveryStore recoveries;
  RepairListStore repair_list;
  TopUpStore top_ups;
  DeathStore deaths;
  FakeFeed feed;
  RepairService repairs;
  PassDownStore pass_downs;
  BudgetOrderStore orders;
  BudgetHandlers budget;
  ArchiveSealStore archive_seals;
  ArchiveStore archive_store;
  ArchiveHandlers archives;
};

// One replica: its life signs, a worker, a follower.
struct Replica {
  Replica(MoneyRig& rig, const std::string& name, ChunkWorkerOptions options = {});

  telemetry::Metrics metrics;  // what the followers tell
  postgres::WorkerRegistry registry;
  ChunkWorker worker;
  OutcomeFollower follower;
  ChangeFollower changes;
  ArchiveWorker archiver;
};

class MoneyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override { Renew(100); }
  void Renew(int people);

  static std::string Outcome(const absl::Status& status);
  template <typename T>
  static std::string Outcome(const absl::StatusOr<T>& result) {
    return Outcome(result.status());
  }
  std::string NewRequest() { return rig_->ids.NewId(); }
  std::string Sql(const std::string& statement) { return rig_->pg->Sql(statement); }
  std::int64_t Number(const std::string& statement) { return std::stoll(Sql(statement)); }

  // A policy paid from one source, or from two by 60 and 40 of 100, with odd amounts.
  void PutPolicy(const std::string& policy, bool two_sources);
  // A batch of `rows` people from `first`, after its last review, uploaded in chunks of
  // `chunk_rows`.
  std::int64_t Approved(int rows, const std::string& policy = "P001", int first = 0,
                        int chunk_rows = 2'000, const std::vector<int>& objected = {});
  // A line with money; its id.
  std::int64_t Line(const std::string& policy, const std::string& source, std::int64_t fen);
  absl::StatusOr<v1::Batch> Fund(std::int64_t batch, const std::string& request_id = "");
  absl::StatusOr<v1::Batch> Release(std::int64_t batch);
  // The same from one line that suffices; released.
  std::int64_t Paying(int rows, const std::string& policy = "P001", int first = 0,
                      int chunk_rows = 2'000, const std::vector<int>& objected = {});
  absl::StatusOr<v1::ReissueItemsResponse> Reissue(std::int64_t batch,
                                                   const std::vector<std::int64_t>& items);
  absl::StatusOr<v1::AbandonItemsResponse> Abandon(std::int64_t batch,
                                                   const std::vector<std::int64_t>& items);
  absl::StatusOr<v1::Batch> Close(std::int64_t batch);
  absl::StatusOr<v1::Objection> Decide(std::int64_t batch, std::int64_t objection, bool upheld);
  v1::Batch Get(std::int64_t batch);
  v1::BatchTotals Totals(std::int64_t batch) { return Get(batch).totals(); }
  std::int64_t Item(std::int64_t batch, int row) {
    return Number("SELECT first_item FROM batch WHERE batch_id = " + std::to_string(batch)) + row -
           1;
  }

  // Works until nothing is to do now; how many steps.
  int Work(Replica& replica, int most = 1'000);
  // The delays of all chunks that were put back are over.
  void Wait() { Sql("UPDATE chunk SET not_before = now() - interval '1 second'"); }
  // Nobody has seen a life sign of `dead` for long enough; `living` knows.
  void Bury(Replica& living);
  void Report(std::vector<ReportedOutcome> outcomes) {
    rig_->gateway.Report(kHebei, std::move(outcomes));
  }
  static ReportedOutcome Paid(std::int64_t reference, int no = 1, std::int64_t fen = 104'500);
  static ReportedOutcome Failed(std::int64_t reference, int no = 1, std::int64_t fen = 104'500);
  static ReportedOutcome Unknown(std::int64_t reference, int no = 1, std::int64_t fen = 104'500);
  static ReportedOutcome Returned(std::int64_t reference, int no = 2, std::int64_t fen = 104'500);
  // Applies whatever the gateway has.
  void Follow(Replica& replica);
  // Every attempt that was taken by the gateway and has no outcome is paid.
  void PayAll(Replica& replica);

  // For each line: what it was given, less what it gave away = available + reserved + in transit +
  // paid + owed, each equal to the items behind it; for each batch: the movements' sums equal its
  // items. Items of a batch are looked at one by one.
  void ExpectBooks(std::int64_t owed_fen = 0);
  // What each line of a batch has to do with one item of `fen`.
  std::vector<std::pair<std::string, std::int64_t>> LineParts(std::int64_t batch, std::int64_t fen);
  // "available/reserved/in transit/paid/owed" of a line.
  std::string Books(std::int64_t line);

  std::string period_ = "2026-03";  // of the batches that are made
  std::set<int> bad_rows_;  // their rows that are refused, since they ask for a fen too much
  static inline std::unique_ptr<postgres::PgFixture> server_;
  std::unique_ptr<MoneyRig> rig_;
  identity::Caller operator_ = CallerOf("operator", {identity::Role::kDepartmentOperator});
  identity::Caller hearer_ = CallerOf("hearer", {identity::Role::kDepartmentReviewer});
  identity::Caller town_ = CallerOf("town", {identity::Role::kTownReviewer});
  identity::Caller department_ = CallerOf("department", {identity::Role::kDepartmentReviewer});
  identity::Caller finance_ =
      CallerOf("finance", {identity::Role::kCityFinance}, {kHebei}, {"*"}, "finance.120000");
  identity::Caller releaser_ =
      CallerOf("releaser", {identity::Role::kPaymentReleaser}, {kHebei}, {"*"}, "finance.120000");
};

}  // namespace yikatong::dispatch::testing
