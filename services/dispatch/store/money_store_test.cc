// Funding, releasing, repairing and closing, through the handlers of the money half over a real
// database.
#include <fmt/format.h>

#include <thread>

#include "common/status/status.h"
#include "services/dispatch/store/due_chunks.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

class Funding : public MoneyTest {};

TEST_F(Funding, TwoSourcesAreReservedToTheFenAndTheFirstGetsTheRest) {
  PutPolicy("P002", true);
  const std::int64_t batch = Approved(7, "P002");
  const std::int64_t city = Line("P002", "city", 10'000'000);
  const std::int64_t district = Line("P002", "district", 10'000'000);
  const auto funded = Fund(batch);
  ASSERT_EQ(Outcome(funded), "OK");
  EXPECT_EQ(funded->state(), v1::BATCH_STATE_FUNDED);
  // 104501 is 62701 and 41800.
  EXPECT_EQ(Books(city), fmt::format("{}/{}/0/0/0", 10'000'000 - 7 * 62'701, 7 * 62'701));
  EXPECT_EQ(Books(district), fmt::format("{}/{}/0/0/0", 10'000'000 - 7 * 41'800, 7 * 41'800));
  ExpectBooks();
}

TEST_F(Funding, OneLineThatDoesNotSufficeLeavesBothAlone) {
  PutPolicy("P002", true);
  const std::int64_t batch = Approved(7, "P002");
  const std::int64_t city = Line("P002", "city", 10'000'000);
  const std::int64_t district = Line("P002", "district", 7 * 41'800 - 1);
  const auto refused = Fund(batch);
  EXPECT_EQ(Outcome(refused), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(status::MetadataOf(refused.status()).at("source"), "district");
  EXPECT_EQ(status::MetadataOf(refused.status()).at("needed_fen"), "292600");
  EXPECT_EQ(Books(city), "10000000/0/0/0/0");
  EXPECT_EQ(Books(district), "292599/0/0/0/0");
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_APPROVED);
  EXPECT_EQ(Number("SELECT count(*) FROM reservation"), 0);
}

TEST_F(Funding, TheLastFenOfALineCanBeReserved) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 3 * 104'500L);
  EXPECT_EQ(Outcome(Fund(batch)), "OK");
  EXPECT_EQ(Books(line), "0/313500/0/0/0");
}

TEST_F(Funding, ASourceWithoutALineIsNamed) {
  PutPolicy("P002", true);
  const std::int64_t batch = Approved(2, "P002");
  Line("P002", "city", 10'000'000);
  const auto refused = Fund(batch);
  EXPECT_EQ(Outcome(refused), "BUDGET_LINE_MISSING");
  EXPECT_EQ(status::MetadataOf(refused.status()).at("source"), "district");
}

TEST_F(Funding, TheSameRequestTwiceReservesOnceAndASecondOneIsRefused) {
  const std::int64_t batch = Approved(3);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  const auto first = Fund(batch, "r1");
  const auto again = Fund(batch, "r1");
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_EQ(first->SerializeAsString(), again->SerializeAsString());
  EXPECT_EQ(Outcome(Fund(batch)), "BATCH_STATE");
  EXPECT_EQ(Books(line), "686500/313500/0/0/0");
}

TEST_F(Funding, AStoppedItemTakesNoMoneyAndAHeldOneDoes) {
  const std::int64_t batch = Approved(4, "P001", 0, 2'000, {1, 2});
  EXPECT_EQ(Outcome(Decide(batch, 1, true)), "OK");
  const std::int64_t line = Line("P001", "city", 1'000'000);
  EXPECT_EQ(Outcome(Fund(batch)), "OK");
  EXPECT_EQ(Books(line), "686500/313500/0/0/0");
  EXPECT_EQ(Outcome(Decide(batch, 2, true)), "OK");
  EXPECT_EQ(Books(line), "791000/209000/0/0/0");
  ExpectBooks();
}

TEST_F(Funding, ABatchWhoseItemsWereAllStoppedNeedsNoMoney) {
  PutPolicy("P002", true);
  const std::int64_t batch = Approved(1, "P002", 0, 2'000, {1});
  EXPECT_EQ(Outcome(Decide(batch, 1, true)), "OK");
  Line("P002", "city", 0);
  Line("P002", "district", 0);
  EXPECT_EQ(Outcome(Fund(batch)), "OK");
  EXPECT_EQ(Outcome(Release(batch)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Outcome(Close(batch)), "OK");
}

TEST_F(Funding, CancellingAFundedBatchGivesAllOfItBack) {
  PutPolicy("P002", true);
  const std::int64_t batch = Approved(5, "P002", 0, 2'000, {1});
  const std::int64_t city = Line("P002", "city", 10'000'000);
  EXPECT_EQ(Outcome(Decide(batch, 1, false)), "OK");
  const std::int64_t district = Line("P002", "district", 10'000'000);
  EXPECT_EQ(Outcome(Fund(batch)), "OK");
  v1::CancelBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_reason("entered by mistake");
  EXPECT_EQ(Outcome(rig_->handlers.CancelBatch(request, operator_)), "OK");
  EXPECT_EQ(Books(city), "10000000/0/0/0/0");
  EXPECT_EQ(Books(district), "10000000/0/0/0/0");
}

TEST_F(Funding, ManyBatchesTakeTheirMoneyFromOneLineAtOnceAndNeverTooMuch) {
  std::vector<std::int64_t> batches;
  batches.reserve(8);
  for (int i = 0; i < 8; ++i) batches.push_back(Approved(5, "P001", 5 * i));
  const std::int64_t line = Line("P001", "city", 5L * 5 * 104'500);
  std::atomic<int> funded{0}, refused{0};
  std::vector<std::thread> threads;
  threads.reserve(batches.size());
  for (const std::int64_t batch : batches) {
    threads.emplace_back([&, batch, request = NewRequest()] {
      const std::string outcome = Outcome(Fund(batch, request));
      if (outcome == "OK") ++funded;
      if (outcome == "FUNDS_INSUFFICIENT") ++refused;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(funded, 5);
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(Books(line), "0/2612500/0/0/0");
  ExpectBooks();
}

class Lines : public MoneyTest {};

TEST_F(Lines, ThereIsOneLineForAPolicyYearAndSource) {
  Line("P001", "city", 0);
  v1::CreateBudgetLineRequest create;
  create.set_request_id(NewRequest());
  create.set_district(kHebei);
  create.set_policy_id("P001");
  create.set_year(2026);
  create.set_source("city");
  EXPECT_EQ(Outcome(rig_->service.CreateBudgetLine(create, finance_)), "ALREADY_EXISTS");
  create.set_source("province");
  EXPECT_EQ(Outcome(rig_->service.CreateBudgetLine(create, finance_)), "FIELD_INVALID");
  create.set_source("central");
  create.set_district(kBaodi);
  EXPECT_EQ(Outcome(rig_->service.CreateBudgetLine(create, finance_)), "PERMISSION_DENIED");
}

TEST_F(Lines, MoneyComesOnlyWithAnApprovedTargetAndARepetitionGetsTheFirstAnswer) {
  const std::int64_t line = Line("P001", "city", 0);
  v1::AppropriateBudgetRequest request;
  request.set_request_id("a1");
  request.set_district(kHebei);
  request.set_line_id(line);
  request.set_amount_fen(500);
  request.set_basis("2026-17");
  rig_->policies.target_approved = false;
  EXPECT_EQ(Outcome(rig_->service.AppropriateBudget(request, finance_)),
            "PERFORMANCE_TARGET_MISSING");
  rig_->policies.target_approved = true;
  EXPECT_EQ(Outcome(rig_->service.AppropriateBudget(request, finance_)), "OK");
  rig_->policies.target_approved = false;
  const auto again = rig_->service.AppropriateBudget(request, finance_);
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_EQ(again->appropriated_fen(), 500);
  EXPECT_EQ(Books(line), "500/0/0/0/0");
  request.set_amount_fen(501);
  rig_->policies.target_approved = true;
  EXPECT_EQ(Outcome(rig_->service.AppropriateBudget(request, finance_)), "REQUEST_ID_REUSED");
  request.set_request_id("a2");
  request.set_amount_fen(0);
  EXPECT_EQ(Outcome(rig_->service.AppropriateBudget(request, finance_)), "AMOUNT_INVALID");
  request.set_amount_fen(5);
  request.set_line_id(line + 1);
  EXPECT_EQ(Outcome(rig_->service.AppropriateBudget(request, finance_)), "BUDGET_LINE_UNKNOWN");
}

TEST_F(Lines, AreListedByPagesWithinTheCallersDistricts) {
  for (const char* source : {"central", "city", "district"}) Line("P001", source, 100);
  v1::ListBudgetLinesRequest request;
  request.set_page_size(2);
  const auto first = rig_->service.ListBudgetLines(request, finance_);
  ASSERT_EQ(Outcome(first), "OK");
  ASSERT_EQ(first->lines_size(), 2);
  EXPECT_EQ(first->lines(0).available_fen(), 100);
  request.set_page_token(first->next_page_token());
  const auto second = rig_->service.ListBudgetLines(request, finance_);
  ASSERT_EQ(second->lines_size(), 1);
  EXPECT_EQ(second->next_page_token(), "");
  request.set_page_token("120105-1x");
  EXPECT_EQ(Outcome(rig_->service.ListBudgetLines(request, finance_)), "PAGE_TOKEN_INVALID");
  const auto foreign = CallerOf("other", {identity::Role::kCityFinance}, {kBaodi}, {"*"});
  request.clear_page_token();
  EXPECT_EQ(rig_->service.ListBudgetLines(request, foreign)->lines_size(), 0);
  const auto city = CallerOf("city", {identity::Role::kCityFinance}, {120'000}, {"*"});
  EXPECT_EQ(rig_->service.ListBudgetLines(request, city)->lines_size(), 2);
}

TEST_F(Lines, ShowTheirLedgerByPages) {
  const std::int64_t batch = Approved(2);
  const std::int64_t line = Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  v1::ListLedgerEntriesRequest request;
  request.set_district(kHebei);
  request.set_line_id(line);
  request.set_page_size(1);
  const auto first = rig_->service.ListLedgerEntries(request, finance_);
  ASSERT_EQ(Outcome(first), "OK");
  ASSERT_EQ(first->entries_size(), 1);
  EXPECT_EQ(first->entries(0).step(), "appropriate");
  EXPECT_EQ(first->entries(0).debit(), "available");
  EXPECT_EQ(first->entries(0).credit(), "appropriation");
  request.set_page_token(first->next_page_token());
  const auto second = rig_->service.ListLedgerEntries(request, finance_);
  ASSERT_EQ(second->entries_size(), 1);
  EXPECT_EQ(second->entries(0).step(), "reserve");
  EXPECT_EQ(second->entries(0).batch_id(), batch);
  EXPECT_EQ(second->entries(0).amount_fen(), 209'000);
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(Lines, AStepThatOnlyAppendsToTheLedgerDoesNotWaitForALineThatSomebodyHolds) {
  Paying(3);
  Replica replica(*rig_, "a");
  postgres::DatabaseOptions options;
  options.lock_timeout_ms = 60'000;
  const auto other = rig_->pg->Open(options);
  EXPECT_TRUE(other
                  ->Transact("hold_line",
                             [&](postgres::Transaction& tx) -> absl::Status {
                               EXPECT_TRUE(rig_->money.LockLine(tx, kHebei, 1).ok());
                               Work(replica);
                               return absl::OkStatus();
                             })
                  .ok());
  EXPECT_EQ(rig_->gateway.taken.size(), 1U);
}

class Releasing : public MoneyTest {};

TEST_F(Releasing, IsForSomebodyWhoNeitherEnteredNorReviewed) {
  const std::int64_t batch = Approved(2);
  Line("P001", "city", 1'000'000);
  EXPECT_EQ(Outcome(Release(batch)), "BATCH_STATE");
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  // The same person in another organisation is the same person.
  releaser_.person = "operator";
  EXPECT_EQ(Outcome(Release(batch)), "SAME_PERSON");
  releaser_.person = "town";
  EXPECT_EQ(Outcome(Release(batch)), "SAME_PERSON");
  releaser_.person = "releaser";
  const auto released = Release(batch);
  ASSERT_EQ(Outcome(released), "OK");
  EXPECT_EQ(released->state(), v1::BATCH_STATE_PAYING);
  EXPECT_EQ(Outcome(Release(batch)), "BATCH_STATE");
}

TEST_F(Releasing, WaitsForTheDayOfPayment) {
  const std::int64_t batch = Approved(2);
  Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  Sql("UPDATE batch SET pay_on = '2026-03-15'");
  EXPECT_EQ(Outcome(Release(batch)), "PAY_DATE_EARLY");
  rig_->business.MoveTo(absl::CivilDay(2026, 3, 15));
  EXPECT_EQ(Outcome(Release(batch)), "OK");
}

TEST_F(Releasing, MakesItsChunksDueUntilTheyAreWorkedOff) {
  // Chunks due and the age of the oldest, of the steps route, submit, send.
  const auto due = [&] {
    const auto counted = CountDueChunks(rig_->context.database);
    if (!counted.ok()) return counted.status().ToString();
    std::string text;
    for (const DueChunks& one : *counted) {
      text +=
          fmt::format("{}={}/{} ", one.step, one.chunks, one.oldest_seconds >= 60 ? "old" : "new");
    }
    return text;
  };
  const std::int64_t batch = Approved(2);
  Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  EXPECT_EQ(due(), "route=0/new submit=0/new send=0/new ");
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  EXPECT_EQ(due(), "route=1/new submit=0/new send=0/new ");
  Sql("UPDATE chunk SET due_since = now() - interval '2 minutes'");
  EXPECT_EQ(due(), "route=1/old submit=0/new send=0/new ");
  // What waits for the send window is not due.
  Sql("UPDATE chunk SET due_since = now() + interval '5 minutes'");
  EXPECT_EQ(due(), "route=0/new submit=0/new send=0/new ");
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(due(), "route=0/new submit=0/new send=0/new ");
}

TEST_F(Releasing, OfAForeignBatchIsOfNoBatch) {
  const std::int64_t batch = Approved(2);
  releaser_.districts = {kBaodi};
  EXPECT_EQ(Outcome(Release(batch)), "BATCH_UNKNOWN");
}

class Repairing : public MoneyTest {
 protected:
  // A batch of four: paid, failed, paid and returned, without an account.
  std::int64_t Mixed() {
    rig_->accounts.At(FakePeople::PersonId(3)).reason = "NO_ACCOUNT";
    const std::int64_t batch = Paying(4);
    replica_ = std::make_unique<Replica>(*rig_, "a");
    Work(*replica_);
    Report({Paid(Item(batch, 1) * 100 + 1), Failed(Item(batch, 2) * 100 + 1),
            Paid(Item(batch, 3) * 100 + 1), Returned(Item(batch, 3) * 100 + 1)});
    Follow(*replica_);
    EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
    ExpectBooks();
    return batch;
  }
  std::unique_ptr<Replica> replica_;
};

TEST_F(Repairing, FailedReturnedAndUnroutableItemsGoOutAgainAsTheNextAttempt) {
  const std::int64_t batch = Mixed();
  const auto before = Totals(batch);
  EXPECT_EQ(before.failed(), 1);
  EXPECT_EQ(before.returned_open(), 1);
  EXPECT_EQ(before.unroutable(), 1);
  EXPECT_EQ(Books(1), fmt::format("{}/209000/0/104500/0", 10'000'000'000 - 3 * 104'500L));
  rig_->accounts.At(FakePeople::PersonId(3)).reason = "";
  const auto reissued = Reissue(batch, {});
  ASSERT_EQ(Outcome(reissued), "OK");
  EXPECT_EQ(reissued->reissued(), 3);
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_PAYING);
  // The money that came back is reserved anew.
  EXPECT_EQ(Books(1), fmt::format("{}/313500/0/104500/0", 10'000'000'000 - 4 * 104'500L));
  ExpectBooks();
  Work(*replica_);
  EXPECT_EQ(Sql("SELECT string_agg((reference % 100)::text, ',' ORDER BY reference) FROM attempt"),
            "1,1,2,1,2,1");
  ExpectBooks();
  PayAll(*replica_);
  ExpectBooks();
  const auto after = Totals(batch);
  EXPECT_EQ(after.paid(), 4);
  EXPECT_EQ(after.reissued_paid(), 2);
  EXPECT_EQ(after.returned(), 1);
  EXPECT_EQ(after.returned_open(), 0);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Outcome(Close(batch)), "OK");
}

TEST_F(Repairing, WhatIsNotFailedOrIsReissuedAlreadyIsRefused) {
  const std::int64_t batch = Mixed();
  const auto refused = Reissue(batch, {Item(batch, 1)});
  EXPECT_EQ(Outcome(refused), "ITEM_NOT_REPAIRABLE");
  EXPECT_EQ(status::MetadataOf(refused.status()).at("item"), std::to_string(Item(batch, 1)));
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2), Item(batch, 1)})), "ITEM_NOT_REPAIRABLE");
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2) + 1'000})), "ITEM_UNKNOWN");
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2), Item(batch, 2)})), "FIELD_INVALID");
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "OK");
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "ITEM_NOT_REPAIRABLE");
  Work(*replica_);
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "ITEM_NOT_REPAIRABLE");
  Report({Unknown(Item(batch, 2) * 100 + 2)});
  Follow(*replica_);
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "ITEM_NOT_REPAIRABLE");
  EXPECT_EQ(Outcome(Abandon(batch, {Item(batch, 2)})), "ITEM_NOT_REPAIRABLE");
  Report({Failed(Item(batch, 2) * 100 + 2, 2)});
  Follow(*replica_);
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "OK");
  ExpectBooks();
}

TEST_F(Repairing, AFailedItemWaitsForTheStatementOfItsDayAndAReturnedOneDoesNot) {
  const std::int64_t batch = Mixed();
  rig_->gateway.reconciled = false;
  const auto refused = Reissue(batch, {Item(batch, 2)});
  EXPECT_EQ(Outcome(refused), "STATEMENT_OUTSTANDING");
  EXPECT_EQ(status::MetadataOf(refused.status()).at("date"), "2026-03-09");
  EXPECT_EQ(Outcome(Abandon(batch, {Item(batch, 2)})), "STATEMENT_OUTSTANDING");
  // Unnamed, those go that can: what came back, and what was never sent.
  const auto some = Reissue(batch, {});
  ASSERT_EQ(Outcome(some), "OK");
  EXPECT_EQ(some->reissued(), 2);
  EXPECT_EQ(Outcome(Reissue(batch, {})), "STATEMENT_OUTSTANDING");
  rig_->gateway.reconciled = true;
  EXPECT_EQ(Reissue(batch, {})->reissued(), 1);
  ExpectBooks();
}

TEST_F(Repairing, OneRequestReissuesOnceHoweverOftenItIsSent) {
  const std::int64_t batch = Mixed();
  v1::ReissueItemsRequest request;
  request.set_request_id("again");
  request.set_batch_id(batch);
  request.add_item_ids(Item(batch, 2));
  request.set_reason("corrected");
  ASSERT_EQ(Outcome(rig_->service.ReissueItems(request, operator_)), "OK");
  rig_->gateway.reconciled = false;
  const auto again = rig_->service.ReissueItems(request, operator_);
  ASSERT_EQ(Outcome(again), "OK");
  EXPECT_EQ(again->reissued(), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM chunk WHERE repair"), 1);
}

TEST_F(Repairing, AnUnroutableItemThatStillHasNoAccountIsUnroutableAgain) {
  const std::int64_t batch = Mixed();
  ASSERT_EQ(Outcome(Reissue(batch, {Item(batch, 4)})), "OK");
  EXPECT_EQ(Totals(batch).waiting(), 1);
  Work(*replica_);
  EXPECT_EQ(Totals(batch).unroutable(), 1);
  ExpectBooks();
  ASSERT_EQ(Outcome(Reissue(batch, {Item(batch, 4)})), "OK");
}

TEST_F(Repairing, MoneyThatCameBackAndWasSpentOtherwiseRefusesTheReissue) {
  const std::int64_t batch = Mixed();
  // Everything that is left goes to others.
  Sql("WITH gone AS (UPDATE budget_line SET available_fen = 0 RETURNING line_id) "
      "INSERT INTO ledger (district, line_id, entry_id, step, debit, credit, amount_fen, "
      "business_date) "
      "SELECT 120105, 1, gen_random_uuid(), 'transfer', 1, 2, " +
      std::to_string(10'000'000'000 - 3 * 104'500L) + ", '2026-03-09'");
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 3)})), "FUNDS_INSUFFICIENT");
  // A failed one's money never left the batch.
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "OK");
}

TEST_F(Repairing, AbandoningEndsItemsReleasesTheirMoneyAndLetsTheBatchClose) {
  const std::int64_t batch = Mixed();
  const auto open = Close(batch);
  EXPECT_EQ(Outcome(open), "ITEMS_OPEN");
  EXPECT_EQ(status::MetadataOf(open.status()).at("to_repair"), "3");
  const auto ended = Abandon(batch, {Item(batch, 2), Item(batch, 3), Item(batch, 4)});
  ASSERT_EQ(Outcome(ended), "OK");
  EXPECT_EQ(ended->abandoned(), 3);
  // Each is listed as it is counted: what was sent stays what became of it.
  v1::ListItemsRequest list;
  list.set_batch_id(batch);
  const auto listed = rig_->handlers.ListItems(list, operator_);
  ASSERT_EQ(Outcome(listed), "OK");
  std::string states;
  for (const v1::Item& item : listed->items()) states += item.state() + "/" + item.reason() + " ";
  EXPECT_EQ(states, "paid/ failed/ABANDONED returned/ABANDONED stopped/ABANDONED ");
  EXPECT_EQ(Totals(batch).failed(), 1);
  EXPECT_EQ(Totals(batch).returned_open(), 1);
  EXPECT_EQ(Totals(batch).stopped(), 1);
  EXPECT_EQ(Books(1), fmt::format("{}/0/0/104500/0", 10'000'000'000 - 104'500));
  ExpectBooks();
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "ITEM_NOT_REPAIRABLE");
  EXPECT_EQ(Outcome(Abandon(batch, {Item(batch, 4)})), "ITEM_NOT_REPAIRABLE");
  EXPECT_EQ(Reissue(batch, {})->reissued(), 0);
  EXPECT_EQ(Outcome(Close(batch)), "OK");
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_CLOSED);
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "BATCH_STATE");
}

TEST_F(Repairing, WhatComesBackInALaterYearIsTheTreasurysAndIsNotReissuedFromTheOldLine) {
  const std::int64_t batch = Mixed();
  rig_->business.MoveTo(absl::CivilDay(2027, 1, 5));
  Report({Returned(Item(batch, 1) * 100 + 1)});
  Follow(*replica_);
  EXPECT_EQ(Books(1), fmt::format("{}/209000/0/0/104500", 10'000'000'000 - 3 * 104'500L));
  ExpectBooks(104'500);
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 1)})), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(Outcome(Abandon(batch, {Item(batch, 1)})), "OK");
  ExpectBooks(104'500);
}

TEST_F(Repairing, ABatchIsNotSettledWhileAnythingMoves) {
  const std::int64_t batch = Paying(3);
  Replica replica(*rig_, "a");
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 0);
  Work(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 0);
  Report({Paid(Item(batch, 1) * 100 + 1), Unknown(Item(batch, 2) * 100 + 1)});
  Follow(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 0);
  Report({Paid(Item(batch, 3) * 100 + 1)});
  Follow(replica);
  // What is unknown does not keep a batch from being settled, but from being closed.
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Outcome(Close(batch)), "ITEMS_OPEN");
  Report({Paid(Item(batch, 2) * 100 + 1, 2)});
  Follow(replica);
  EXPECT_EQ(Outcome(Close(batch)), "OK");
  ExpectBooks();
}

TEST_F(Repairing, AHeldItemIsPaidInARepairChunkAndNeverTwice) {
  const std::int64_t batch = Paying(3, "P001", 0, 2'000, {2});
  // Decided before any worker has looked at the chunk that it came with.
  ASSERT_EQ(Outcome(Decide(batch, 1, false)), "OK");
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(Sql("SELECT string_agg(reference::text, ',' ORDER BY reference) FROM attempt"),
            fmt::format("{}01,{}01,{}01", Item(batch, 1), Item(batch, 2), Item(batch, 3)));
  PayAll(replica);
  EXPECT_EQ(Totals(batch).paid(), 3);
  ExpectBooks();
}

TEST_F(Repairing, AHeldItemOfASettledBatchGoesOnWhenItsObjectionIsRejected) {
  const std::int64_t batch = Paying(3, "P001", 0, 2'000, {1, 2});
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Outcome(Close(batch)), "ITEMS_OPEN");
  ASSERT_EQ(Outcome(Decide(batch, 1, false)), "OK");
  EXPECT_EQ(Get(batch).state(), v1::BATCH_STATE_PAYING);
  ASSERT_EQ(Outcome(Decide(batch, 2, true)), "OK");
  Work(replica);
  PayAll(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Totals(batch).paid(), 2);
  EXPECT_EQ(Totals(batch).stopped(), 1);
  ExpectBooks();
  EXPECT_EQ(Outcome(Close(batch)), "OK");
}

}  // namespace
}  // namespace yikatong::dispatch::testing
