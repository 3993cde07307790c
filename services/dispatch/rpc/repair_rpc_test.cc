// Repairs of items, chunks and deaths over real gRPC: what went wrong, who may mend it, and what
// becomes of the money.
#include "services/dispatch/testing/repair_rpc.h"

#include <fmt/format.h>

#include "common/status/status.h"

namespace yikatong::dispatch::testing {
namespace {

using identity::Role;

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

TEST_F(RepairRpcTest, WhoFollowsTheRegistryTellsHowManyOldEnoughChangesWait) {
  Line("P001", "city", 10'000'000'000);
  Replica replica(*rig_, "a");
  PaidFor("2026-03", 1, replica);
  const auto told = [&](const char* name) {
    return static_cast<std::int64_t>(replica.metrics.Gauges(name, "What is told.").With().Value());
  };
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 5), rig_->clock.Now());
  EXPECT_EQ(*replica.changes.FollowOnce(), 0);
  EXPECT_EQ(told("yikatong_changes_behind"), 0) << "it is not old enough to be applied";
  EXPECT_EQ(told("yikatong_changes_followed_timestamp_seconds"),
            absl::ToUnixSeconds(rig_->clock.Now()));
  rig_->clock.Advance(absl::Minutes(1));
  ASSERT_TRUE(replica.registry.BeatOnce().ok());
  Sql("ALTER TABLE outcome_cursor RENAME TO gone");
  EXPECT_FALSE(replica.changes.FollowOnce().ok());
  EXPECT_TRUE(replica.changes.Holds()) << "nobody else has it";
  EXPECT_EQ(told("yikatong_changes_behind"), 1);
  EXPECT_EQ(told("yikatong_changes_followed_timestamp_seconds"),
            absl::ToUnixSeconds(rig_->clock.Now()) - 60);
  Sql("ALTER TABLE gone RENAME TO outcome_cursor");
  EXPECT_EQ(*replica.changes.FollowOnce(), 1);
  EXPECT_EQ(told("yikatong_changes_behind"), 0);
  EXPECT_EQ(told("yikatong_changes_followed_timestamp_seconds"),
            absl::ToUnixSeconds(rig_->clock.Now()));
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
  EXPECT_TRUE(first.changes.Holds());
  EXPECT_FALSE(second.changes.Holds());
  Bury(second);
  EXPECT_FALSE(first.changes.Holds()) << "it may be taken for dead";
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 4),
                  rig_->clock.Now() - absl::Minutes(1));
  EXPECT_EQ(*second.changes.FollowOnce(), 1);
  // The first one wakes: its fence has passed on, so it changes nothing.
  rig_->feed.Died(FakePeople::PersonId(0), absl::CivilDay(2026, 1, 3),
                  rig_->clock.Now() - absl::Minutes(1));
  EXPECT_EQ(Outcome(first.changes.FollowOnce()), "LEASE_LOST");
  ASSERT_TRUE(first.registry.BeatOnce().ok());
  EXPECT_FALSE(first.changes.Holds());
  EXPECT_TRUE(second.changes.Holds());
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
  const std::int64_t line = Line("P001", "city", 1'000'000);
  Replica replica(*rig_, "a");
  const std::int64_t batch = PaidBatch(3, replica);
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
  const std::int64_t line = Line("P001", "city", 1'000'000);
  Replica replica(*rig_, "a");
  const std::int64_t batch = PaidBatch(2, replica);
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
