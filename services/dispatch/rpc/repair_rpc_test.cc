// Every repair over real gRPC: what went wrong, who may mend it, and what becomes of the money.
#include <fmt/format.h>

#include "common/status/status.h"
#include "services/dispatch/testing/money_rpc.h"

namespace yikatong::dispatch::testing {
namespace {

using identity::Role;
using identity::RoleSet;

constexpr RoleSet kOperator = {Role::kDepartmentOperator};
constexpr RoleSet kReviewer = {Role::kDepartmentReviewer};
constexpr RoleSet kCity = {Role::kCityFinance};

class RepairRpcTest : public MoneyRpcTest {
 protected:
  // A call that has a request id; its reason, or OK.
  template <typename Request, typename Response>
  std::string Do(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 Request request, Response* response, const std::string& person, RoleSet roles,
                 const std::string& organisation = kCivil) {
    if (request.request_id().empty()) request.set_request_id(NewRequest());
    return Outcome(Call(method, request, response, person, roles, organisation));
  }

  std::string Open(std::int64_t batch, const std::vector<std::int64_t>& items,
                   v1::RecoveryCause cause, v1::OpenRecoveriesResponse* opened,
                   std::int64_t due_fen = 0, const std::string& person = "o") {
    v1::OpenRecoveriesRequest request;
    request.set_batch_id(batch);
    for (const std::int64_t item : items) request.add_item_ids(item);
    request.set_cause(cause);
    request.set_due_fen(due_fen);
    request.set_reason("paid by mistake");
    return Do(&Stub::OpenRecoveries, request, opened, person, kOperator);
  }
  std::string Approve(std::int64_t recovery, v1::Recovery* answer,
                      const std::string& person = "rev") {
    v1::ApproveRecoveryRequest request;
    request.set_recovery_id(recovery);
    return Do(&Stub::ApproveRecovery, request, answer, person, kReviewer);
  }
  std::string Notify(std::int64_t recovery, v1::Recovery* answer) {
    v1::NotifyRecoveryRequest request;
    request.set_recovery_id(recovery);
    request.set_notice("letter 2026-9");
    return Do(&Stub::NotifyRecovery, request, answer, "o", kOperator);
  }
  std::string Receive(std::int64_t recovery, const std::string& receipt, std::int64_t fen,
                      v1::Recovery* answer, const std::string& request_id = "") {
    v1::RecordReceiptRequest request;
    request.set_request_id(request_id);
    request.set_recovery_id(recovery);
    request.set_receipt(receipt);
    request.set_amount_fen(fen);
    request.set_received_on("2026-03-09");
    return Do(&Stub::RecordReceipt, request, answer, "f", kCity, kFinance);
  }
  std::string ReissueOf(std::int64_t batch, const std::vector<std::int64_t>& items) {
    v1::ReissueItemsRequest request;
    request.set_batch_id(batch);
    for (const std::int64_t item : items) request.add_item_ids(item);
    request.set_reason("corrected");
    v1::ReissueItemsResponse answer;
    return Do(&Stub::ReissueItems, request, &answer, "o", kOperator);
  }
  std::string AbandonOf(std::int64_t batch, std::int64_t item) {
    v1::AbandonItemsRequest request;
    request.set_batch_id(batch);
    request.add_item_ids(item);
    request.set_reason("cannot be paid");
    v1::AbandonItemsResponse answer;
    return Do(&Stub::AbandonItems, request, &answer, "o", kOperator);
  }
  std::string CloseOf(std::int64_t batch) {
    v1::CloseBatchRequest request;
    request.set_batch_id(batch);
    v1::Batch answer;
    return Do(&Stub::CloseBatch, request, &answer, "o", kOperator);
  }
  std::vector<v1::Repair> Repairs(std::int64_t batch, bool overdue_only = false,
                                  int page_size = 2) {
    v1::ListRepairsRequest request;
    request.set_batch_id(batch);
    request.set_overdue_only(overdue_only);
    request.set_page_size(page_size);
    std::vector<v1::Repair> repairs;
    do {
      v1::ListRepairsResponse page;
      EXPECT_EQ(Outcome(Call(&Stub::ListRepairs, request, &page, "a", {Role::kAuditor})), "OK");
      repairs.insert(repairs.end(), page.repairs().begin(), page.repairs().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return repairs;
  }
  // "KIND reason due" of each.
  std::vector<std::string> Told(const std::vector<v1::Repair>& repairs) {
    std::vector<std::string> told;
    for (const v1::Repair& repair : repairs) {
      EXPECT_FALSE(repair.what_to_do().empty());
      EXPECT_FALSE(repair.what_to_do_zh().empty());
      told.push_back(fmt::format("{} {} {}", v1::RepairKind_Name(repair.kind()).substr(12),
                                 repair.reason(), repair.due_on()));
    }
    return told;
  }
  std::vector<v1::Item> Items(std::int64_t batch, const std::string& state) {
    v1::ListItemsRequest request;
    request.set_batch_id(batch);
    request.set_state(state);
    v1::ListItemsResponse page;
    EXPECT_EQ(Outcome(Call(&Stub::ListItems, request, &page, "a", {Role::kAuditor})), "OK");
    return {page.items().begin(), page.items().end()};
  }
  // A batch of the month whose items are all paid; the line is there already.
  std::int64_t PaidFor(const std::string& month, int rows, Replica& replica) {
    period_ = month;
    const std::int64_t batch = Approved(rows);
    EXPECT_EQ(Outcome(Fund(batch)), "OK");
    EXPECT_EQ(Outcome(Release(batch)), "OK");
    Work(replica);
    PayAll(replica);
    EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
    return batch;
  }
  void Settle() { EXPECT_EQ(*rig_->chunks.SettleBatches(), 1); }
  void FollowChanges(Replica& replica) {
    rig_->clock.Advance(absl::Minutes(1));
    ASSERT_TRUE(replica.registry.BeatOnce().ok());
    const auto followed = replica.changes.FollowOnce();
    ASSERT_TRUE(followed.ok()) << followed.status();
  }
};

// --- Scenario 10 ---

TEST_F(RepairRpcTest, WhoDiedBetweenCollectionAndPaymentIsNotPaidAndTheReasonIsThere) {
  const std::int64_t batch = Paying(3);
  rig_->accounts.At(FakePeople::PersonId(1)).reason = "BENEFICIARY_DECEASED";
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  Settle();
  const auto stopped = Items(batch, "stopped");
  ASSERT_EQ(stopped.size(), 1u);
  EXPECT_EQ(stopped[0].item_id(), Item(batch, 2));
  EXPECT_EQ(stopped[0].reason(), "BENEFICIARY_DECEASED");
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 2);
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 2)}), "ITEM_NOT_REPAIRABLE");
  EXPECT_EQ(CloseOf(batch), "OK");
  ExpectBooks();
}

// --- Scenario 11 ---

TEST_F(RepairRpcTest, ADeathToldLateOpensOneCaseWithARecoveryForEachWrongMonth) {
  Line("P001", "city", 10'000'000'000);
  Replica replica(*rig_, "a");
  std::vector<std::int64_t> batches;
  for (const char* month : {"2026-02", "2026-03", "2026-04", "2026-05"})
    batches.push_back(PaidFor(month, 3, replica));
  // Dead in February: that month is paid, the three after it are not due.
  const std::int64_t person = FakePeople::PersonId(2);
  rig_->feed.Died(person, absl::CivilDay(2026, 2, 11), rig_->clock.Now());
  EXPECT_EQ(*replica.changes.FollowOnce(), 0) << "a change is left to settle first";
  FollowChanges(replica);
  FollowChanges(replica);

  v1::ListRecoveriesRequest list;
  list.set_page_size(2);
  std::vector<v1::Recovery> recoveries;
  do {
    v1::ListRecoveriesResponse page;
    ASSERT_EQ(Outcome(Call(&Stub::ListRecoveries, list, &page, "a", {Role::kAuditor})), "OK");
    recoveries.insert(recoveries.end(), page.recoveries().begin(), page.recoveries().end());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  ASSERT_EQ(recoveries.size(), 3u);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery_case"), 1);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(recoveries[i].case_id(), recoveries[0].case_id());
    EXPECT_EQ(recoveries[i].batch_id(), batches[i + 1]);
    EXPECT_EQ(recoveries[i].item_id(), Item(batches[i + 1], 3));
    EXPECT_EQ(recoveries[i].cause(), v1::RECOVERY_CAUSE_DECEASED);
    EXPECT_EQ(recoveries[i].state(), v1::RECOVERY_STATE_PROPOSED);
    EXPECT_EQ(recoveries[i].due_fen(), 104'500);
  }
  // Nothing is taken before a person approved it.
  ExpectBooks();
  v1::Recovery answer;
  EXPECT_EQ(Receive(recoveries[0].recovery_id(), "R1", 104'500, &answer), "RECOVERY_STATE");
  // The same word again, with another day: the same case, and no recovery twice.
  rig_->feed.Died(person, absl::CivilDay(2026, 1, 30), rig_->clock.Now());
  FollowChanges(replica);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery_case"), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery"), 4) << "February is wrong too now";

  for (const v1::Recovery& recovery : recoveries) {
    EXPECT_EQ(Approve(recovery.recovery_id(), &answer), "OK");
    EXPECT_EQ(Notify(recovery.recovery_id(), &answer), "OK");
    EXPECT_EQ(Receive(recovery.recovery_id(), fmt::format("R-{}", recovery.recovery_id()), 104'500,
                      &answer),
              "OK");
    EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_RECOVERED);
  }
  ExpectBooks();
}

TEST_F(RepairRpcTest, ADeathWithinTheGraceOrOfSomebodyUnpaidOpensNothing) {
  auto rule = RuleOf("P001");
  rule.mutable_version()->mutable_eligibility()->set_death_grace_months(2);
  rig_->catalogue.Put(rule);
  Line("P001", "city", 10'000'000'000);
  Replica replica(*rig_, "a");
  PaidFor("2026-03", 3, replica);
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 31), rig_->clock.Now());
  rig_->feed.Died(FakePeople::PersonId(50), absl::CivilDay(2025, 1, 31), rig_->clock.Now());
  FollowChanges(replica);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery"), 0);
  rig_->feed.Died(FakePeople::PersonId(1), absl::CivilDay(2025, 12, 31), rig_->clock.Now());
  FollowChanges(replica);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery"), 1);
}

TEST_F(RepairRpcTest, AMergedPersonsDeathFindsThePaymentsToBothRecords) {
  Line("P001", "city", 10'000'000'000);
  Replica replica(*rig_, "a");
  const std::int64_t batch = PaidFor("2026-03", 3, replica);
  rig_->feed.Merged(FakePeople::PersonId(60), FakePeople::PersonId(2), rig_->clock.Now());
  rig_->feed.Died(FakePeople::PersonId(60), absl::CivilDay(2026, 1, 5), rig_->clock.Now());
  // A merge is applied before what comes behind it.
  FollowChanges(replica);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery"), 0);
  FollowChanges(replica);
  EXPECT_EQ(Number("SELECT item_id FROM recovery"), Item(batch, 3));
}

TEST_F(RepairRpcTest, OneReplicaFollowsTheRegistryAndAnotherTakesOverFromADeadOne) {
  Line("P001", "city", 10'000'000'000);
  Replica first(*rig_, "a");
  Replica second(*rig_, "b");
  PaidFor("2026-03", 1, first);
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 5), rig_->clock.Now());
  rig_->clock.Advance(absl::Minutes(1));
  ASSERT_TRUE(first.registry.BeatOnce().ok());
  ASSERT_TRUE(second.registry.BeatOnce().ok());
  EXPECT_EQ(*first.changes.FollowOnce(), 1);
  EXPECT_EQ(*second.changes.FollowOnce(), 0) << "the cursor is another's";
  Bury(second);
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 4),
                  rig_->clock.Now() - absl::Minutes(1));
  EXPECT_EQ(*second.changes.FollowOnce(), 1);
  // The first one wakes: its fence has passed on, so it changes nothing.
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 3),
                  rig_->clock.Now() - absl::Minutes(1));
  EXPECT_EQ(Outcome(first.changes.FollowOnce()), "LEASE_LOST");
  EXPECT_EQ(Number("SELECT count(*) FROM recovery"), 1);
  EXPECT_EQ(Number("SELECT applied FROM outcome_cursor WHERE gateway = 'registry'"), 2);
}

// --- Scenario 16 ---

TEST_F(RepairRpcTest, OfTenPeopleTwoWithoutACardAreReportedCorrectedAndPaid) {
  const std::int64_t batch = Paying(10);
  rig_->accounts.At(FakePeople::PersonId(3)).reason = "NO_ACCOUNT";
  rig_->accounts.At(FakePeople::PersonId(7)).reason = "CARD_REQUIRED";
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Totals(batch).paid(), 8);
  // Business date 2026-03-09, a Monday: three working days.
  EXPECT_EQ(Told(Repairs(batch)),
            (std::vector<std::string>{"UNROUTABLE NO_ACCOUNT 2026-03-12",
                                      "UNROUTABLE CARD_REQUIRED 2026-03-12"}));
  EXPECT_TRUE(Repairs(batch, true).empty());
  rig_->business.AdvanceDays(4);
  EXPECT_EQ(Repairs(batch, true).size(), 2u);
  EXPECT_FALSE(Repairs(batch)[0].escalated());
  rig_->business.AdvanceDays(11);
  EXPECT_TRUE(Repairs(batch)[0].escalated());
  EXPECT_EQ(CloseOf(batch), "ITEMS_OPEN");
  rig_->accounts.At(FakePeople::PersonId(3)).reason = "";
  rig_->accounts.At(FakePeople::PersonId(7)).reason = "";
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 4), Item(batch, 8)}), "OK");
  EXPECT_TRUE(Repairs(batch).empty()) << "what goes out again waits for nobody";
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Totals(batch).paid(), 10);
  EXPECT_EQ(CloseOf(batch), "OK");
  ExpectBooks();
}

// --- Scenario 17 ---

TEST_F(RepairRpcTest, AnAccountThatChangesBeforeSubmissionIsRoutedAnewAndAfterwardsStays) {
  const std::int64_t batch = Paying(2);
  FakeAccounts::Account& account = rig_->accounts.At(FakePeople::PersonId(0));
  rig_->accounts.before_seal = [&] {
    if (account.version == 1) account.version = 2;
  };
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(Number(fmt::format("SELECT account_version FROM attempt WHERE reference = {}",
                               Item(batch, 1) * 100 + 1)),
            2);
  account.version = 3;
  Work(replica);
  ASSERT_EQ(rig_->gateway.taken.size(), 1u) << "the snapshot is what was sent";
  EXPECT_EQ(Number(fmt::format("SELECT account_version FROM attempt WHERE reference = {}",
                               Item(batch, 1) * 100 + 1)),
            2);
  PayAll(replica);
  // An account that is gone by the time of sending leaves the normal path with its reason.
  rig_->accounts.before_seal = nullptr;
  period_ = "2026-07";
  const std::int64_t next = Approved(1, "P001", 1);
  ASSERT_EQ(Outcome(Fund(next)), "OK");
  ASSERT_EQ(Outcome(Release(next)), "OK");
  rig_->accounts.before_seal = [&] {
    rig_->accounts.At(FakePeople::PersonId(1)).reason = "CARD_LOST";
  };
  Work(replica);
  EXPECT_EQ(Items(next, "unroutable")[0].reason(), "CARD_LOST");
  ExpectBooks();
}

// --- Scenario 18 ---

TEST_F(RepairRpcTest, NothingGoesToABankWhoseAgreementHasEndedAndItsItemsWaitWithTheReason) {
  const Agreements usable = rig_->gateway.agreements;
  for (const char* reason : {"AGREEMENT_EXPIRED", "AGREEMENT_SUSPENDED", "BANK_SUSPENDED"}) {
    TearDown();
    SetUp();
    const std::int64_t batch = Paying(2);
    rig_->gateway.agreements = {{}, reason};
    Replica replica(*rig_, "a");
    Work(replica);
    EXPECT_TRUE(rig_->gateway.taken.empty());
    const auto waiting = Items(batch, "unroutable");
    ASSERT_EQ(waiting.size(), 2u);
    EXPECT_EQ(waiting[0].reason(), reason);
    rig_->gateway.agreements = usable;
    EXPECT_EQ(ReissueOf(batch, {}), "OK");
    Work(replica);
    PayAll(replica);
    EXPECT_EQ(Totals(batch).paid(), 2);
    ExpectBooks();
  }
}

// --- Scenario 22 ---

TEST_F(RepairRpcTest, AFileThatTheBankRefusesWholeComesBackItemByItemAndItsMoneyOnce) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(Books(line), "686500/0/313500/0/0");
  std::vector<ReportedOutcome> refused;
  for (int row = 1; row <= 3; ++row) {
    ReportedOutcome outcome = Failed(Item(batch, row) * 100 + 1);
    outcome.reason = "BANK_FILE_REFUSED";
    refused.push_back(outcome);
  }
  Report(refused);
  Report(refused);  // the bank says it twice
  Follow(replica);
  Settle();
  EXPECT_EQ(Books(line), "686500/313500/0/0/0");
  for (const v1::Item& item : Items(batch, "failed")) EXPECT_EQ(item.reason(), "BANK_FILE_REFUSED");
  EXPECT_EQ(Repairs(batch).size(), 3u);
  EXPECT_EQ(ReissueOf(batch, {}), "OK");
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Books(line), "686500/0/0/313500/0");
  EXPECT_EQ(CloseOf(batch), "OK");
  ExpectBooks();
}

// --- Scenario 24 ---

TEST_F(RepairRpcTest, APaymentThatComesBackAfterTheBatchWasClosedOpensItAgain) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  Settle();
  ASSERT_EQ(CloseOf(batch), "OK");
  Report({Returned(Item(batch, 1) * 100 + 1), Returned(Item(batch, 2) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_SETTLED);
  EXPECT_EQ(Totals(batch).returned_open(), 2);
  EXPECT_EQ(Totals(batch).returned(), 2);
  EXPECT_EQ(Books(line), "895500/0/0/104500/0");
  const auto repairs = Repairs(batch);
  ASSERT_EQ(repairs.size(), 2u);
  EXPECT_EQ(repairs[0].kind(), v1::REPAIR_KIND_RETURNED);
  EXPECT_EQ(repairs[0].reason(), "BANK_RETURNED");
  EXPECT_EQ(repairs[0].item_id(), Item(batch, 1));
  EXPECT_EQ(CloseOf(batch), "ITEMS_OPEN");
  // One goes out again, the other one ends.
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 1)}), "OK");
  EXPECT_EQ(AbandonOf(batch, Item(batch, 2)), "OK");
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Totals(batch).paid(), 2);
  EXPECT_EQ(Totals(batch).reissued_paid(), 1);
  EXPECT_EQ(CloseOf(batch), "OK");
  EXPECT_EQ(Books(line), "791000/0/0/209000/0");
  ExpectBooks();
}

TEST_F(RepairRpcTest, MoneyBackInALaterYearIsTheTreasurysAndThePersonIsPaidByATopUp) {
  const std::int64_t batch = Approved(2);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  Settle();
  rig_->business.MoveTo(absl::CivilDay(2027, 1, 4));
  Report({Returned(Item(batch, 1) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(Books(line), "791000/0/0/104500/104500");
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 1)}), "FUNDS_INSUFFICIENT");
  v1::CreateTopUpRequest request;
  request.set_batch_id(batch);
  request.set_reason("came back after the year's end");
  v1::TopUpRow& row = *request.add_rows();
  row.set_item_id(Item(batch, 1));
  row.set_amount_fen(104'500);
  v1::Batch top_up;
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "o", kOperator), "TOP_UP_NOT_POSSIBLE");
  EXPECT_EQ(AbandonOf(batch, Item(batch, 1)), "OK");
  EXPECT_EQ(CloseOf(batch), "OK");
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "o", kOperator), "OK");
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "o", kOperator), "TOP_UP_NOTHING_MISSED");
  ExpectBooks(104'500);
}

// --- Scenario 25 ---

TEST_F(RepairRpcTest, OnlyWhatFailedOrCameBackIsReissuedAndOnlyOnce) {
  const std::int64_t batch = Paying(4);
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 1)}), "ITEM_NOT_REPAIRABLE") << "on its way";
  Report({Paid(Item(batch, 1) * 100 + 1), Unknown(Item(batch, 2) * 100 + 1),
          Failed(Item(batch, 3) * 100 + 1), Failed(Item(batch, 4) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 1)}), "ITEM_NOT_REPAIRABLE") << "paid";
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 2)}), "ITEM_NOT_REPAIRABLE") << "unknown";
  EXPECT_EQ(AbandonOf(batch, Item(batch, 2)), "ITEM_NOT_REPAIRABLE") << "unknown";
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 3)}), "OK");
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 3)}), "ITEM_NOT_REPAIRABLE") << "reissued already";
  EXPECT_EQ(AbandonOf(batch, Item(batch, 3)), "ITEM_NOT_REPAIRABLE") << "reissued already";
  rig_->gateway.reconciled = false;
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 4)}), "STATEMENT_OUTSTANDING");
  ExpectBooks();
}

// --- An unknown outcome that stays unknown ---

TEST_F(RepairRpcTest, AnOutcomeThatStaysUnknownForDaysIsShownAndEndsOnlyByTheBanksAnswer) {
  const std::int64_t batch = Approved(2);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  Report({Unknown(Item(batch, 1) * 100 + 1), Unknown(Item(batch, 2) * 100 + 1)});
  Follow(replica);
  Settle();
  rig_->business.AdvanceDays(30);
  const auto repairs = Repairs(batch, true);
  ASSERT_EQ(repairs.size(), 2u);
  EXPECT_EQ(repairs[0].kind(), v1::REPAIR_KIND_UNKNOWN);
  EXPECT_EQ(repairs[0].since_on(), "2026-03-09");
  EXPECT_TRUE(repairs[0].escalated());
  EXPECT_EQ(Books(line), "791000/0/209000/0/0") << "it stays on its way";
  EXPECT_EQ(CloseOf(batch), "ITEMS_OPEN");
  const auto counts = rig_->repair_list.Count();
  ASSERT_TRUE(counts.ok());
  EXPECT_EQ(counts->open[static_cast<std::size_t>(RepairKind::kUnknown)], 2);
  EXPECT_EQ(counts->overdue[static_cast<std::size_t>(RepairKind::kUnknown)], 2);
  Report({Paid(Item(batch, 1) * 100 + 1, 2), Failed(Item(batch, 2) * 100 + 1, 2)});
  Follow(replica);
  EXPECT_EQ(Told(Repairs(batch)),
            (std::vector<std::string>{"FAILED BANK_ACCOUNT_CLOSED 2026-04-13"}));
  EXPECT_EQ(AbandonOf(batch, Item(batch, 2)), "OK");
  EXPECT_EQ(CloseOf(batch), "OK");
  EXPECT_EQ(Books(line), "895500/0/0/104500/0");
  ExpectBooks();
}

// --- Recovery by order ---

TEST_F(RepairRpcTest, AWrongPaymentIsRecoveredInPartsByDifferentPeopleAndItsClaimStays) {
  PutPolicy("P001", true);
  const std::int64_t batch = Approved(2);
  Line("P001", "city", 1'000'000);
  Line("P001", "district", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  v1::OpenRecoveriesResponse opened;
  EXPECT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_PAID_TWICE, &opened), "ITEM_NOT_PAID");
  PayAll(replica);
  Settle();
  const std::int64_t claims = Number("SELECT count(*) FROM claim");
  EXPECT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_GIVEN_BACK, &opened), "FIELD_INVALID");
  EXPECT_EQ(Open(batch, {Item(batch, 1), Item(batch, 2)}, v1::RECOVERY_CAUSE_PAID_TWICE, &opened),
            "FIELD_INVALID")
      << "two people";
  EXPECT_EQ(Open(batch, {Item(batch, 1) + 10}, v1::RECOVERY_CAUSE_PAID_TWICE, &opened),
            "ITEM_UNKNOWN");
  EXPECT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_WRONG_AMOUNT, &opened, 104'502),
            "RECOVERY_AMOUNT");
  ASSERT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_PAID_TWICE, &opened), "OK");
  const std::int64_t id = opened.recoveries(0).recovery_id();
  EXPECT_EQ(opened.recoveries(0).due_fen(), 104'501);
  EXPECT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_PAID_TWICE, &opened), "RECOVERY_OPEN");

  v1::Recovery answer;
  EXPECT_EQ(Approve(id, &answer, "o"), "SAME_PERSON");
  v1::ApproveRecoveryRequest approve;
  approve.set_recovery_id(id);
  EXPECT_EQ(Do(&Stub::ApproveRecovery, approve, &answer, "o2", kOperator), "PERMISSION_DENIED");
  v1::GetRecoveryRequest get;
  get.set_recovery_id(id);
  EXPECT_EQ(Outcome(Call(&Stub::GetRecovery, get, &answer, "x", kReviewer, kCivil, {kBaodi})),
            "RECOVERY_UNKNOWN");
  EXPECT_EQ(Notify(id, &answer), "RECOVERY_STATE");
  ASSERT_EQ(Approve(id, &answer), "OK");
  EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_ORDERED);
  ASSERT_EQ(Notify(id, &answer), "OK");
  EXPECT_EQ(answer.due_on(), "2026-06-07");
  EXPECT_EQ(Told(Repairs(batch)), (std::vector<std::string>{"RECOVERY NOTIFIED 2026-06-07"}));

  // In three parts of odd fen: each split so that together they are the payment's split.
  const std::string once = NewRequest();
  ASSERT_EQ(Receive(id, "R1", 33'333, &answer, once), "OK");
  ASSERT_EQ(Receive(id, "R1", 33'333, &answer, once), "OK") << "the same request, the first answer";
  EXPECT_EQ(answer.received_fen(), 33'333);
  ExpectBooks();
  EXPECT_EQ(Receive(id, "R1", 1'000, &answer), "RECEIPT_KNOWN");
  EXPECT_EQ(Receive(id, "R2", 71'169, &answer), "RECOVERY_AMOUNT");
  ASSERT_EQ(Receive(id, "R2", 1, &answer), "OK");
  ExpectBooks();
  v1::CancelRecoveryRequest cancel;
  cancel.set_recovery_id(id);
  cancel.set_reason("was right after all");
  EXPECT_EQ(Do(&Stub::CancelRecovery, cancel, &answer, "rev", kReviewer), "RECOVERY_STATE")
      << "money came back for it";
  ASSERT_EQ(Receive(id, "R3", 71'167, &answer), "OK");
  EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_RECOVERED);
  ExpectBooks();
  EXPECT_EQ(Receive(id, "R4", 1, &answer), "RECOVERY_STATE");
  EXPECT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_PAID_TWICE, &opened),
            "RECOVERY_AMOUNT")
      << "never more than was paid";
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), claims);
  EXPECT_EQ(Totals(batch).paid(), 2) << "the bank did pay it";
  EXPECT_EQ(CloseOf(batch), "OK");
}

TEST_F(RepairRpcTest, TheRestOfARecoveryIsGivenUpByADocumentAndASecondPerson) {
  const std::int64_t batch = Approved(1);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  Settle();
  v1::OpenRecoveriesResponse opened;
  ASSERT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_WRONG_AMOUNT, &opened, 4'500), "OK");
  const std::int64_t id = opened.recoveries(0).recovery_id();
  v1::Recovery answer;
  ASSERT_EQ(Approve(id, &answer), "OK");
  ASSERT_EQ(Notify(id, &answer), "OK");
  ASSERT_EQ(Receive(id, "R1", 500, &answer), "OK");
  v1::RequestWriteOffRequest ask;
  ask.set_recovery_id(id);
  ask.set_reason("left the country");
  EXPECT_EQ(Do(&Stub::RequestWriteOff, ask, &answer, "o", kOperator), "DOCUMENT_MISSING");
  ask.set_document("decision 2026-44");
  ASSERT_EQ(Do(&Stub::RequestWriteOff, ask, &answer, "rev", kReviewer), "OK");
  v1::DecideWriteOffRequest decide;
  decide.set_recovery_id(id);
  decide.set_approve(true);
  EXPECT_EQ(Do(&Stub::DecideWriteOff, decide, &answer, "rev", kReviewer), "REASON_MISSING");
  decide.set_reason("nothing to be had");
  EXPECT_EQ(Do(&Stub::DecideWriteOff, decide, &answer, "rev", kReviewer), "SAME_PERSON");
  decide.set_approve(false);
  ASSERT_EQ(Do(&Stub::DecideWriteOff, decide, &answer, "rev2", kReviewer), "OK");
  EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_NOTIFIED);
  ASSERT_EQ(Do(&Stub::RequestWriteOff, ask, &answer, "rev", kReviewer), "OK");
  decide.set_approve(true);
  ASSERT_EQ(Do(&Stub::DecideWriteOff, decide, &answer, "rev2", kReviewer), "OK");
  EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_WRITTEN_OFF);
  EXPECT_EQ(Receive(id, "R2", 1, &answer), "RECOVERY_STATE");
  EXPECT_EQ(Books(line), "896000/0/0/104000/0");
  EXPECT_TRUE(Repairs(batch).empty());
  ExpectBooks();
}

TEST_F(RepairRpcTest, APaymentThatComesBackIsNeitherRecoveredTwiceNorSentAgainMeanwhile) {
  const std::int64_t batch = Paying(1);
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  v1::OpenRecoveriesResponse opened;
  ASSERT_EQ(Open(batch, {Item(batch, 1)}, v1::RECOVERY_CAUSE_NOT_ENTITLED, &opened), "OK");
  const std::int64_t id = opened.recoveries(0).recovery_id();
  v1::Recovery answer;
  ASSERT_EQ(Approve(id, &answer), "OK");
  Report({Returned(Item(batch, 1) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(Receive(id, "R1", 104'500, &answer), "ITEM_NOT_PAID");
  EXPECT_EQ(ReissueOf(batch, {Item(batch, 1)}), "ITEM_NOT_REPAIRABLE");
  v1::CancelRecoveryRequest cancel;
  cancel.set_recovery_id(id);
  cancel.set_reason("the bank sent it back");
  ASSERT_EQ(Do(&Stub::CancelRecovery, cancel, &answer, "rev", kReviewer), "OK");
  EXPECT_EQ(AbandonOf(batch, Item(batch, 1)), "OK");
  ExpectBooks();
}

// --- Money given back ---

TEST_F(RepairRpcTest, MoneyGivenBackIsTiedToItsItemByAnotherPersonAndCountsOnce) {
  const std::int64_t batch = Approved(2);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  Settle();
  const auto record = [&](const std::string& receipt, std::int64_t fen, v1::Arrival* arrival) {
    v1::RecordArrivalRequest request;
    request.set_district(kHebei);
    request.set_receipt(receipt);
    request.set_amount_fen(fen);
    request.set_arrived_on("2026-03-09");
    return Do(&Stub::RecordArrival, request, arrival, "f", kCity, kFinance);
  };
  const auto confirm = [&](std::int64_t id, std::int64_t item, v1::Arrival* arrival) {
    v1::ConfirmArrivalRequest request;
    request.set_arrival_id(id);
    request.set_batch_id(batch);
    request.set_item_id(item);
    request.set_reason("moved away");
    return Do(&Stub::ConfirmArrival, request, arrival, "rev", kReviewer);
  };
  v1::Arrival arrival;
  EXPECT_EQ(record("", 104'500, &arrival), "FIELD_INVALID");
  EXPECT_EQ(record("A1", 0, &arrival), "AMOUNT_INVALID");
  ASSERT_EQ(record("A1", 104'500, &arrival), "OK");
  EXPECT_EQ(Books(line), "791000/0/0/209000/0") << "nothing is posted before it is confirmed";
  v1::Arrival second;
  EXPECT_EQ(record("A1", 104'500, &second), "RECEIPT_KNOWN");
  const auto counts = rig_->repair_list.Count();
  EXPECT_EQ(counts->open[static_cast<std::size_t>(RepairKind::kArrival)], 1);
  EXPECT_EQ(confirm(arrival.arrival_id(), Item(batch, 1) + 10, &second), "ITEM_UNKNOWN");
  ASSERT_EQ(confirm(arrival.arrival_id(), Item(batch, 1), &arrival), "OK");
  EXPECT_EQ(arrival.state(), v1::ARRIVAL_STATE_CONFIRMED);
  EXPECT_EQ(confirm(arrival.arrival_id(), Item(batch, 1), &second), "ARRIVAL_DECIDED");
  EXPECT_EQ(Books(line), "895500/0/0/104500/0");
  v1::GetRecoveryRequest get;
  get.set_recovery_id(arrival.recovery_id());
  v1::Recovery recovery;
  ASSERT_EQ(Outcome(Call(&Stub::GetRecovery, get, &recovery, "a", {Role::kAuditor})), "OK");
  EXPECT_EQ(recovery.state(), v1::RECOVERY_STATE_RECOVERED);
  EXPECT_EQ(recovery.cause(), v1::RECOVERY_CAUSE_GIVEN_BACK);

  // For an open recovery it counts there; its receipt cannot be recorded by finance beside it.
  v1::OpenRecoveriesResponse opened;
  ASSERT_EQ(Open(batch, {Item(batch, 2)}, v1::RECOVERY_CAUSE_NOT_ENTITLED, &opened), "OK");
  ASSERT_EQ(record("A2", 4'500, &arrival), "OK");
  ASSERT_EQ(confirm(arrival.arrival_id(), Item(batch, 2), &arrival), "OK");
  EXPECT_EQ(arrival.recovery_id(), opened.recoveries(0).recovery_id());
  ASSERT_EQ(record("A3", 100'000, &arrival), "OK");
  EXPECT_EQ(Receive(opened.recoveries(0).recovery_id(), "A3", 100'000, &recovery), "RECEIPT_KNOWN");
  v1::RefuseArrivalRequest refuse;
  refuse.set_arrival_id(arrival.arrival_id());
  refuse.set_reason("meant for another office");
  ASSERT_EQ(Do(&Stub::RefuseArrival, refuse, &arrival, "rev", kReviewer), "OK");
  v1::ListArrivalsRequest list;
  list.set_state(v1::ARRIVAL_STATE_REFUSED);
  v1::ListArrivalsResponse listed;
  ASSERT_EQ(Outcome(Call(&Stub::ListArrivals, list, &listed, "a", {Role::kAuditor})), "OK");
  EXPECT_EQ(listed.arrivals_size(), 1);
  ExpectBooks();
}

// --- Missed amounts ---

TEST_F(RepairRpcTest, AMissedAmountIsToppedUpInABatchOfItsOwnThatOthersReview) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  Report({Paid(Item(batch, 1) * 100 + 1), Paid(Item(batch, 2) * 100 + 1),
          Failed(Item(batch, 3) * 100 + 1)});
  Follow(replica);
  Settle();
  v1::CreateTopUpRequest request;
  request.set_batch_id(batch);
  request.set_reason("the standard was raised from January on");
  v1::TopUpRow& row = *request.add_rows();
  row.set_item_id(Item(batch, 1));
  row.set_amount_fen(5'500);
  v1::Batch top_up;
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator),
            "TOP_UP_NOTHING_MISSED");
  auto raised = RuleOf("P001");
  raised.mutable_version()->mutable_calculation()->set_rate_fen(110'000);
  rig_->catalogue.Put(raised);
  row.set_amount_fen(5'501);
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "AMOUNT_NOT_STANDARD");
  row.set_amount_fen(5'500);
  row.set_item_id(Item(batch, 3));
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "TOP_UP_NOT_POSSIBLE")
      << "it failed, and may go out again";
  row.set_item_id(Item(batch, 1));
  v1::TopUpRow& other = *request.add_rows();
  other.set_item_id(Item(batch, 2));
  other.set_amount_fen(5'500);
  const std::int64_t claims = Number("SELECT count(*) FROM claim");
  request.set_request_id(NewRequest());
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "OK");
  const std::int64_t id = top_up.batch_id();
  EXPECT_EQ(top_up.tops_up_batch_id(), batch);
  EXPECT_EQ(top_up.state(), v1::BATCH_STATE_IN_REVIEW);
  EXPECT_EQ(top_up.next_step(), "town_review");
  EXPECT_EQ(top_up.totals().accepted_fen(), 11'000);
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), claims + 2) << "slots of their own";
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "OK");
  EXPECT_EQ(top_up.batch_id(), id) << "the same request, the first answer";

  // Cancelled, its slots are free again, and the same amounts can be asked for anew.
  v1::CancelBatchRequest cancel;
  cancel.set_batch_id(id);
  cancel.set_reason("wrong file");
  ASSERT_EQ(Do(&Stub::CancelBatch, cancel, &top_up, "operator", kOperator), "OK");
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), claims);
  request.set_request_id("");
  ASSERT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator), "OK");

  v1::ReviewBatchRequest review;
  review.set_batch_id(top_up.batch_id());
  review.set_step("town_review");
  review.set_approve(true);
  const RoleSet both = {Role::kTownReviewer, Role::kDepartmentReviewer};
  EXPECT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "operator", both), "SAME_PERSON");
  ASSERT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "town", both), "OK");
  review.set_step("department_review");
  EXPECT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "town", both), "SAME_PERSON");
  ASSERT_EQ(Do(&Stub::ReviewBatch, review, &top_up, "department", both), "OK");
  ASSERT_EQ(Outcome(Fund(top_up.batch_id())), "OK");
  ASSERT_EQ(Outcome(Release(top_up.batch_id())), "OK");
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Totals(top_up.batch_id()).paid_fen(), 11'000);
  EXPECT_EQ(Number(fmt::format("SELECT count(*) FROM item WHERE batch_id = {} AND person_id = {}",
                               top_up.batch_id(), FakePeople::PersonId(0))),
            1);
  EXPECT_EQ(Do(&Stub::CreateTopUp, request, &top_up, "operator", kOperator),
            "TOP_UP_NOTHING_MISSED");
  EXPECT_EQ(Books(line), "675500/104500/0/220000/0");
  ExpectBooks();
}

// --- A returned batch ---

TEST_F(RepairRpcTest, AReturnedBatchIsCorrectedByAnotherThatTakesItsPlaceAndItsClaims) {
  v1::CreateBatchRequest create;
  create.set_district(kHebei);
  create.set_department_id(kCivil);
  create.set_policy_id("P001");
  create.set_period("2026-03");
  create.set_declared_count(3);
  create.set_declared_fen(3 * 104'500L);
  v1::Batch batch;
  ASSERT_EQ(Do(&Stub::CreateBatch, create, &batch, "operator", kOperator), "OK");
  const auto upload = [&](std::int64_t id, const std::vector<int>& people) {
    v1::UploadItemsRequest chunk;
    chunk.set_batch_id(id);
    chunk.set_chunk(1);
    for (std::size_t i = 0; i < people.size(); ++i)
      *chunk.add_rows() = RowOf(static_cast<std::int64_t>(i) + 1, people[i]);
    UploadStream stream;
    const auto answer = rig_->handlers.UploadChunk(chunk, operator_, stream);
    EXPECT_EQ(Outcome(answer), "OK");
    return answer->accepted();
  };
  ASSERT_EQ(upload(batch.batch_id(), {0, 1, 2}), 3);
  v1::SealBatchRequest seal;
  seal.set_batch_id(batch.batch_id());
  ASSERT_EQ(Do(&Stub::SealBatch, seal, &batch, "operator", kOperator), "OK");
  v1::CorrectBatchRequest correct;
  correct.set_batch_id(batch.batch_id());
  correct.set_declared_count(2);
  correct.set_declared_fen(2 * 104'500L);
  correct.set_reason("person 3 moved away");
  v1::Batch taking_over;
  EXPECT_EQ(Do(&Stub::CorrectBatch, correct, &taking_over, "operator", kOperator), "BATCH_STATE");
  v1::ReviewBatchRequest review;
  review.set_batch_id(batch.batch_id());
  review.set_step("town_review");
  review.set_comment("row 3 is wrong");
  ASSERT_EQ(Do(&Stub::ReviewBatch, review, &batch, "town", {Role::kTownReviewer}), "OK");
  EXPECT_EQ(Told(Repairs(batch.batch_id())),
            (std::vector<std::string>{"RETURNED_BATCH row 3 is wrong 2026-03-05"}));
  // Its claims hold until it is corrected: nobody else is paid meanwhile.
  v1::Batch another;
  create.set_declared_count(1);
  create.set_declared_fen(104'500);
  ASSERT_EQ(Do(&Stub::CreateBatch, create, &another, "operator", kOperator), "OK");
  EXPECT_EQ(upload(another.batch_id(), {2}), 0);

  correct.set_declared_count(0);
  EXPECT_EQ(Do(&Stub::CorrectBatch, correct, &taking_over, "operator", kOperator), "BATCH_EMPTY");
  correct.set_declared_count(2);
  correct.set_request_id(NewRequest());
  ASSERT_EQ(Do(&Stub::CorrectBatch, correct, &taking_over, "operator", kOperator), "OK");
  EXPECT_EQ(taking_over.corrects_batch_id(), batch.batch_id());
  EXPECT_EQ(taking_over.state(), v1::BATCH_STATE_COLLECTING);
  EXPECT_EQ(taking_over.policy_version(), batch.policy_version());
  EXPECT_EQ(Get(batch.batch_id()).state(), v1::BATCH_STATE_CANCELLED);
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), 0);
  v1::Batch again;
  ASSERT_EQ(Do(&Stub::CorrectBatch, correct, &again, "operator", kOperator), "OK");
  EXPECT_EQ(again.batch_id(), taking_over.batch_id());
  correct.set_request_id("");
  EXPECT_EQ(Do(&Stub::CorrectBatch, correct, &again, "operator", kOperator), "BATCH_STATE")
      << "corrected already";
  EXPECT_EQ(upload(taking_over.batch_id(), {0, 1}), 2);
  EXPECT_EQ(Number("SELECT count(*) FROM claim"), 2);
}

// --- Chunks that were set aside ---

TEST_F(RepairRpcTest, AChunkThatWasSetAsideIsListedAndTakenBackIntoWork) {
  const std::int64_t batch = Paying(4, "P001", 0, 2);
  rig_->accounts.poisoned = Item(batch, 3);
  Replica replica(*rig_, "a");
  for (int i = 0; i < 4; ++i) {
    Work(replica);
    Wait();
  }
  PayAll(replica);
  EXPECT_EQ(Totals(batch).paid(), 2) << "it stops nobody else";
  v1::ListSetAsideChunksRequest list;
  list.set_page_size(1);
  v1::ListSetAsideChunksResponse aside;
  ASSERT_EQ(Outcome(Call(&Stub::ListSetAsideChunks, list, &aside, "a", {Role::kAuditor})), "OK");
  ASSERT_EQ(aside.chunks_size(), 1);
  EXPECT_EQ(aside.chunks(0).chunk(), 2);
  EXPECT_EQ(aside.chunks(0).reason(), "INTERNAL");
  EXPECT_FALSE(aside.chunks(0).committed());
  EXPECT_EQ(Told(Repairs(batch)), (std::vector<std::string>{"SET_ASIDE INTERNAL 2026-03-10"}));
  v1::ResumeChunkRequest resume;
  resume.set_batch_id(batch);
  resume.set_chunk(1);
  resume.set_reason("the registry's row was mended");
  v1::ResumeChunkResponse answer;
  EXPECT_EQ(Do(&Stub::ResumeChunk, resume, &answer, "f", kCity, kFinance), "CHUNK_NOT_ASIDE");
  resume.set_chunk(2);
  EXPECT_EQ(Do(&Stub::ResumeChunk, resume, &answer, "o", kOperator), "PERMISSION_DENIED");
  resume.set_reason("");
  EXPECT_EQ(Do(&Stub::ResumeChunk, resume, &answer, "f", kCity, kFinance), "REASON_MISSING");
  resume.set_reason("the registry's row was mended");
  rig_->accounts.poisoned = 0;
  ASSERT_EQ(Do(&Stub::ResumeChunk, resume, &answer, "f", kCity, kFinance), "OK");
  EXPECT_FALSE(answer.sending());
  Work(replica);
  PayAll(replica);
  Settle();
  EXPECT_EQ(Totals(batch).paid(), 4);
  EXPECT_TRUE(Repairs(batch).empty());
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE '%kind: "
                   "chunk.resumed%'"),
            1);
  ExpectBooks();
}

TEST_F(RepairRpcTest, AChunkSetAsideWithItsPaymentsCommittedGoesOnWithSendingTheSameBytes) {
  const std::int64_t batch = Paying(2);
  Replica replica(*rig_, "a");
  rig_->gateway.modes = {FakeGateway::Mode::kAway};
  Work(replica);
  // As if it had failed three times since.
  Sql("UPDATE chunk SET stage = 9, worker = '', why = 'INTERNAL'");
  v1::ResumeChunkRequest resume;
  resume.set_batch_id(batch);
  resume.set_chunk(1);
  resume.set_reason("the gateway is back");
  v1::ResumeChunkResponse answer;
  ASSERT_EQ(Do(&Stub::ResumeChunk, resume, &answer, "f", kCity, kFinance), "OK");
  EXPECT_TRUE(answer.sending());
  Work(replica);
  ASSERT_EQ(rig_->gateway.taken.size(), 1u);
  EXPECT_EQ(rig_->gateway.received.front(), rig_->gateway.received.back());
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 2);
  PayAll(replica);
  Settle();
  ExpectBooks();
}

TEST_F(RepairRpcTest, AListOfRepairsShowsNothingOfForeignDistrictsAndTakesNoMadeUpToken) {
  const std::int64_t batch = Paying(1);
  rig_->accounts.At(FakePeople::PersonId(0)).reason = "NO_ACCOUNT";
  Replica replica(*rig_, "a");
  Work(replica);
  v1::ListRepairsRequest request;
  v1::ListRepairsResponse page;
  ASSERT_EQ(Outcome(Call(&Stub::ListRepairs, request, &page, "a", {Role::kAuditor})), "OK");
  EXPECT_EQ(page.repairs_size(), 1);
  EXPECT_EQ(page.repairs(0).batch_id(), batch);
  ASSERT_EQ(
      Outcome(Call(&Stub::ListRepairs, request, &page, "a", {Role::kAuditor}, kFinance, {kBaodi})),
      "OK");
  EXPECT_EQ(page.repairs_size(), 0);
  for (const char* token : {"x", "1-2", "1-9-1", "1-2-3-4", "-1-0-0"}) {
    request.set_page_token(token);
    EXPECT_EQ(Outcome(Call(&Stub::ListRepairs, request, &page, "a", {Role::kAuditor})),
              "PAGE_TOKEN_INVALID")
        << token;
  }
}

}  // namespace
}  // namespace yikatong::dispatch::testing
