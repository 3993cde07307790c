// Chunks on their way to the gateway: routing, fences, crashes, peers that are away.
#include "services/dispatch/workers/chunk_worker.h"

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "common/base/testing/failpoint_folder.h"
#include "common/crypto/merkle.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/store/due_chunks.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

using Mode = FakeGateway::Mode;

TEST(TimeOfSending, MayPassMidnightAndAnEmptyOneIsTheWholeDay) {
  const auto at = [](int hour) {
    return base::BeijingStartOf(absl::CivilDay(2026, 3, 2)) + absl::Hours(hour);
  };
  ChunkWorkerOptions day;
  day.window_from = absl::Hours(8);
  day.window_to = absl::Hours(17);
  EXPECT_FALSE(InSendWindow(day, at(7)));
  EXPECT_TRUE(InSendWindow(day, at(8)));
  EXPECT_FALSE(InSendWindow(day, at(17)));
  ChunkWorkerOptions night;
  night.window_from = absl::Hours(22);
  night.window_to = absl::Hours(2);
  EXPECT_TRUE(InSendWindow(night, at(23)));
  EXPECT_TRUE(InSendWindow(night, at(1)));
  EXPECT_FALSE(InSendWindow(night, at(2)));
  ChunkWorkerOptions always;
  always.window_from = always.window_to = absl::Hours(3);
  EXPECT_TRUE(InSendWindow(always, at(3)));
  EXPECT_TRUE(InSendWindow(always, at(20)));
}

TEST(TimeOfSending, TheNextOpeningIsTodayOrTomorrow) {
  const auto at = [](int hour) {
    return base::BeijingStartOf(absl::CivilDay(2026, 3, 2)) + absl::Hours(hour);
  };
  ChunkWorkerOptions day;
  day.window_from = absl::Hours(8);
  day.window_to = absl::Hours(17);
  EXPECT_EQ(UntilSendWindow(day, at(7)), absl::Hours(1));
  EXPECT_EQ(UntilSendWindow(day, at(8)), absl::ZeroDuration());
  EXPECT_EQ(UntilSendWindow(day, at(17)), absl::Hours(15));
  ChunkWorkerOptions night;
  night.window_from = absl::Hours(22);
  night.window_to = absl::Hours(2);
  EXPECT_EQ(UntilSendWindow(night, at(1)), absl::ZeroDuration());
  EXPECT_EQ(UntilSendWindow(night, at(2)), absl::Hours(20));
}

class Chunks : public MoneyTest {
 protected:
  std::string StageOf(std::int64_t batch, int chunk = 1) {
    return Sql(fmt::format(
        "SELECT stage || ' ' || taken || ' ' || why FROM chunk WHERE batch_id = {} AND chunk = {}",
        batch, chunk));
  }
  // A send window in which it is not.
  static ChunkWorkerOptions Closed() {
    ChunkWorkerOptions closed;
    closed.window_from = absl::Hours(20);
    closed.window_to = absl::Hours(21);
    return closed;
  }
  // Steps in which chunks are due: how many, and since when the oldest is.
  std::string Due() {
    const auto counted = CountDueChunks(rig_->context.database);
    if (!counted.ok()) return counted.status().ToString();
    std::string text;
    for (const DueChunks& one : *counted) {
      if (one.chunks == 0) continue;
      text += fmt::format("{}={}/{}min ", one.step, one.chunks,
                          static_cast<int>(one.oldest_seconds / 60));
    }
    return text;
  }
  std::string References() {
    return Sql(
        "SELECT coalesce(string_agg(reference::text, ',' ORDER BY reference), '') FROM attempt");
  }
  void ExpectProof(std::int64_t item, const std::string& step, const std::string& state) {
    v1::GetItemProofRequest request;
    request.set_item_id(item);
    request.set_step(step);
    const auto proof = rig_->service.GetItemProof(request, finance_);
    ASSERT_EQ(Outcome(proof), "OK") << item;
    EXPECT_NE(proof->leaf().find(fmt::format("item: {}\n", item)), std::string::npos);
    EXPECT_NE(proof->leaf().find(fmt::format("state: {}\n", state)), std::string::npos);
    std::vector<crypto::Digest> path;
    for (const std::string& hash : proof->path()) path.push_back(*crypto::DigestOf(hash));
    EXPECT_TRUE(crypto::VerifyInclusion(
        crypto::LeafHash(proof->leaf()), static_cast<std::uint64_t>(proof->leaf_index()),
        static_cast<std::uint64_t>(proof->leaves()), path, *crypto::DigestOf(proof->root())));
    // And that root is what an entry on its way to the audit log says.
    const std::string hex = [&] {
      std::string out;
      for (const char c : proof->root())
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
      return out;
    }();
    EXPECT_EQ(
        Number(fmt::format(
            "SELECT count(*) FROM outbox WHERE position('{}' IN convert_from(body, 'UTF8')) > 0",
            hex)),
        1);
  }
};

TEST_F(Chunks, GoThroughAllStagesAtOnceAndTheGatewayHasThemUnderTheirReferences) {
  const std::int64_t batch = Paying(5, "P001", 0, 2);
  Replica replica(*rig_, "a");
  EXPECT_EQ(Work(replica), 3);
  EXPECT_EQ(rig_->gateway.taken.size(), 3U);
  EXPECT_EQ(Totals(batch).in_transit(), 5);
  EXPECT_EQ(Number("SELECT count(*) FROM submission WHERE acknowledged AND envelope IS NULL"), 3);
  EXPECT_EQ(rig_->accounts.seals.size(), 3U) << "one question for a chunk";
  EXPECT_EQ(rig_->accounts.last_terms.period_first_day, "2026-03-01");
  EXPECT_EQ(rig_->gateway.taken[0].bytes.find("P001 2026-03") != std::string::npos, true);
  ExpectBooks();
}

TEST_F(Chunks, AChunkOfSeveralAgreementsIsProvedItemByItem) {
  rig_->gateway.agreements.usable.push_back({"A2", kBankB, false, false});
  for (const int n : {0, 2, 5}) rig_->accounts.At(FakePeople::PersonId(n)).bank_code = kBankB;
  rig_->accounts.At(FakePeople::PersonId(3)).social_card = false;
  const std::int64_t batch = Paying(6);
  Replica replica(*rig_, "a");
  Work(replica);
  ASSERT_EQ(rig_->gateway.taken.size(), 2U);
  EXPECT_EQ(rig_->gateway.taken[0].rows.size(), 3U);
  for (int row = 1; row <= 6; ++row) ExpectProof(Item(batch, row), "submit", "sent");
  EXPECT_EQ(Totals(batch).not_converted(), 1);
  std::vector<ReportedOutcome> outcomes;
  for (const int row : {4, 1, 6}) outcomes.push_back(Paid(Item(batch, row) * 100 + 1));
  outcomes.push_back(Failed(Item(batch, 2) * 100 + 1));
  outcomes.push_back(Returned(Item(batch, 1) * 100 + 1));
  Report(outcomes);
  Follow(replica);
  ExpectProof(Item(batch, 4), "outcome", "paid");
  ExpectProof(Item(batch, 2), "outcome", "failed");
  ExpectProof(Item(batch, 1), "outcome", "returned");
  // A reissued item's newest attempt is under another root.
  ASSERT_EQ(Outcome(Reissue(batch, {Item(batch, 2)})), "OK");
  Work(replica);
  ExpectProof(Item(batch, 2), "submit", "sent");
  v1::GetItemProofRequest request;
  request.set_item_id(Item(batch, 3));
  request.set_step("outcome");
  EXPECT_EQ(Outcome(rig_->service.GetItemProof(request, finance_)), "NOT_FOUND");
  request.set_step("collect");
  EXPECT_EQ(Outcome(rig_->service.GetItemProof(request, finance_)), "FIELD_INVALID");
  request.set_step("submit");
  request.set_item_id(Item(batch, 3) + 5'000);
  EXPECT_EQ(Outcome(rig_->service.GetItemProof(request, finance_)), "ITEM_UNKNOWN");
  request.set_item_id(Item(batch, 3));
  finance_.districts = {kBaodi};
  EXPECT_EQ(Outcome(rig_->service.GetItemProof(request, finance_)), "ITEM_UNKNOWN");
}

TEST_F(Chunks, WhoHasNoWayIsUnroutableWhoDiedIsStoppedAndTheOthersGo) {
  rig_->accounts.At(FakePeople::PersonId(0)).reason = "NO_ACCOUNT";
  rig_->accounts.At(FakePeople::PersonId(1)).reason = "PAYEE_DECEASED";
  rig_->accounts.At(FakePeople::PersonId(2)).bank_code = kBankB;
  const std::int64_t batch = Paying(4);
  Replica replica(*rig_, "a");
  Work(replica);
  const auto totals = Totals(batch);
  EXPECT_EQ(totals.unroutable(), 2);
  EXPECT_EQ(totals.stopped(), 1);
  EXPECT_EQ(totals.in_transit(), 1);
  EXPECT_EQ(Sql("SELECT string_agg(reason, ',' ORDER BY item_id) FROM exception"),
            "NO_ACCOUNT,PAYEE_DECEASED,BANK_NOT_COVERED");
  ExpectBooks();
}

TEST_F(Chunks, WithoutAnyAgreementAllOfThemWaitWithItsReasonAndNothingIsSent) {
  rig_->gateway.agreements = {{}, "AGREEMENT_EXPIRED"};
  const std::int64_t batch = Paying(3);
  Replica replica(*rig_, "a");
  Work(replica);
  EXPECT_EQ(Totals(batch).unroutable(), 3);
  EXPECT_EQ(Sql("SELECT DISTINCT reason FROM exception"), "AGREEMENT_EXPIRED");
  EXPECT_TRUE(rig_->gateway.received.empty());
  ExpectBooks();
}

TEST_F(Chunks, WhatIsSealedIsThePresentAccountWhateverItWasWhenItWasRouted) {
  rig_->gateway.agreements.usable.push_back({"A2", kBankB, false, false});
  const std::int64_t batch = Paying(4);
  Replica routes(*rig_, "a", Closed());
  Work(routes);
  EXPECT_EQ(StageOf(batch), "2 0 SEND_WINDOW_CLOSED");
  rig_->accounts.At(FakePeople::PersonId(1)) = {kBankB, 2, true, ""};
  rig_->accounts.At(FakePeople::PersonId(2)) = {"313100000009", 2, true, ""};
  rig_->accounts.At(FakePeople::PersonId(3)).reason = "BENEFICIARY_DECEASED";
  Wait();
  Replica replica(*rig_, "b");
  Work(replica);
  ASSERT_EQ(rig_->gateway.taken.size(), 2U);
  EXPECT_EQ(rig_->gateway.taken[0].agreement_no, "A1");
  EXPECT_EQ(rig_->gateway.taken[1].agreement_no, "A2");
  ASSERT_EQ(rig_->gateway.taken[1].rows.size(), 1U);
  EXPECT_EQ(rig_->gateway.taken[1].rows[0].item_id, Item(batch, 2));
  EXPECT_EQ(Sql(fmt::format("SELECT account_version FROM attempt WHERE reference = {}01",
                            Item(batch, 2))),
            "2");
  EXPECT_EQ(Totals(batch).unroutable(), 1);
  EXPECT_EQ(Totals(batch).stopped(), 1);
  // No two seals had one name.
  std::set<std::string> names(rig_->accounts.seals.begin(), rig_->accounts.seals.end());
  EXPECT_EQ(names.size(), rig_->accounts.seals.size());
  ExpectBooks();
}

TEST_F(Chunks, WhatHasNowhereToGoIsKnownBeforeTheWindowOpens) {
  rig_->accounts.At(FakePeople::PersonId(0)).reason = "NO_ACCOUNT";
  const std::int64_t batch = Paying(3);
  Replica routes(*rig_, "a", Closed());
  Work(routes);
  EXPECT_EQ(StageOf(batch), "2 0 SEND_WINDOW_CLOSED");
  EXPECT_EQ(Totals(batch).unroutable(), 1);
  EXPECT_TRUE(rig_->accounts.seals.empty());
  EXPECT_TRUE(rig_->gateway.received.empty());
  ExpectBooks();
}

TEST_F(Chunks, AnAgreementThatEndedBetweenRoutingAndSubmittingSendsItsItemsAnotherWay) {
  const std::int64_t batch = Paying(3);
  Replica routes(*rig_, "a", Closed());
  Work(routes);
  EXPECT_EQ(StageOf(batch), "2 0 SEND_WINDOW_CLOSED");
  EXPECT_TRUE(rig_->gateway.received.empty());
  rig_->gateway.agreements.usable = {{"A9", kBankB, true, false}};
  Wait();
  Replica submits(*rig_, "b");
  Work(submits);
  ASSERT_EQ(rig_->gateway.taken.size(), 1U);
  EXPECT_EQ(rig_->gateway.taken[0].agreement_no, "A9");
  EXPECT_EQ(Totals(batch).in_transit(), 3);
  ExpectBooks();
}

TEST_F(Chunks, AWorkerThatLosesItsFenceBetweenReadingAndCommittingWritesNothing) {
  const std::int64_t batch = Paying(3);
  Replica slow(*rig_, "a");
  Replica fast(*rig_, "b");
  bool once = true;
  rig_->accounts.before_seal = [&] {
    if (!std::exchange(once, false)) return;
    Bury(fast);
    EXPECT_EQ(Work(fast), 1);
    EXPECT_EQ(rig_->gateway.taken.size(), 1U);
  };
  const std::string before = "SELECT count(*) FROM ledger WHERE step = 'submit'";
  EXPECT_TRUE(slow.worker.WorkOnce().ok());
  EXPECT_EQ(Number(before), 1);
  EXPECT_EQ(rig_->gateway.received.size(), 1U);
  EXPECT_EQ(References(),
            fmt::format("{}01,{}01,{}01", Item(batch, 1), Item(batch, 2), Item(batch, 3)));
  EXPECT_EQ(Number("SELECT count(*) FROM submission"), 1);
  EXPECT_EQ(StageOf(batch), "4 1 ");
  ExpectBooks();
}

TEST_F(Chunks, AWorkerStoppedBetweenItsReadingAndItsCommitDoesNoHarmWhenItWakes) {
  // In each step: attempts, what the gateway took, and the end.
  for (const char* step : {"save_attempts", "acknowledge_submission", "finish_chunk"}) {
    SCOPED_TRACE(step);
    Renew(100);
    const std::int64_t batch = Paying(3);
    Replica slow(*rig_, "a");
    Replica fast(*rig_, "b");
    const base::testing::FailpointFolder points;
    const std::string point = std::string(step) + ".before_begin";
    points.Put(point, "wait");
    std::thread stopped([&] { EXPECT_TRUE(slow.worker.WorkOnce().ok()); });
    points.AwaitTaken(point);
    Bury(fast);
    EXPECT_EQ(Work(fast), 1);
    EXPECT_EQ(StageOf(batch).substr(0, 1), "4");
    const std::string all =
        "SELECT (SELECT count(*) FROM ledger) || ' ' || (SELECT count(*) FROM movement) || ' ' || "
        "(SELECT count(*) FROM attempt) || ' ' || (SELECT count(*) FROM outbox) || ' ' || "
        "(SELECT string_agg(fence || worker || stage || taken || why, ',') FROM chunk)";
    const std::string before = Sql(all);
    points.LetGo(point);
    stopped.join();
    EXPECT_EQ(Sql(all), before);
    EXPECT_EQ(rig_->gateway.taken.size(), 1U);
    ExpectBooks();
  }
}

TEST_F(Chunks, EveryWritingStepIsRefusedUnderAnOldFence) {
  Paying(3);
  Replica a(*rig_, "a");
  Replica b(*rig_, "b");
  const auto old = rig_->chunks.Take("a", 7, {});
  ASSERT_TRUE(old.ok() && old->has_value());
  const auto content = rig_->chunks.Load(**old);
  ASSERT_TRUE(content.ok());
  const std::vector<std::string> dead = {"a"};
  const auto taken = rig_->chunks.Take("b", 7, dead);
  ASSERT_TRUE(taken.ok() && taken->has_value());
  EXPECT_GT((*taken)->fence, (*old)->fence);
  const std::string all =
      "SELECT (SELECT count(*) FROM ledger) || ' ' || (SELECT count(*) FROM movement) || ' ' || "
      "(SELECT count(*) FROM exception) || ' ' || "
      "(SELECT count(*) FROM outbox) || ' ' || (SELECT string_agg(fence || worker || stage || "
      "taken || why, ',') FROM chunk)";
  const std::string before = Sql(all);
  EXPECT_EQ(Outcome(rig_->chunks.SaveRouting(**old, *content,
                                             {{content->items[0].item_id, "NO_ACCOUNT", false}})),
            "LEASE_LOST");
  EXPECT_EQ(Outcome(rig_->chunks.SaveAttempts(**old, *content, {}, {},
                                              {{content->items[0].item_id, "NO_ACCOUNT", false}})),
            "LEASE_LOST");
  EXPECT_EQ(Outcome(rig_->chunks.Acknowledge(**old, 1)), "LEASE_LOST");
  EXPECT_EQ(Outcome(rig_->chunks.Refuse(**old, *content, 1, "BANK_SUSPENDED")), "LEASE_LOST");
  EXPECT_EQ(Outcome(rig_->chunks.Finish(**old)), "LEASE_LOST");
  EXPECT_EQ(Outcome(rig_->chunks.SetAside(**old, "why")), "LEASE_LOST");
  EXPECT_EQ(Outcome(rig_->chunks.PutBack(**old, absl::Seconds(1), true, "why")), "OK");
  EXPECT_EQ(Sql(all), before);
}

TEST_F(Chunks, AfterACrashBetweenCommitAndSendingAnotherWorkerSendsTheVerySameBytes) {
  const std::int64_t batch = Paying(3);
  Replica a(*rig_, "a");
  Replica b(*rig_, "b");
  // As if the worker had died on its way to the gateway: it neither sends nor gives back.
  rig_->gateway.modes = {Mode::kLeaseLost};
  EXPECT_TRUE(*a.worker.WorkOnce());
  EXPECT_EQ(StageOf(batch), "3 1 ");
  const std::string stored = Sql("SELECT encode(envelope, 'hex') FROM submission");
  EXPECT_EQ(Work(b), 0);
  Bury(b);
  EXPECT_EQ(Work(b), 1);
  ASSERT_EQ(rig_->gateway.taken.size(), 1U);
  EXPECT_EQ(rig_->gateway.received[0], rig_->gateway.received[1]);
  std::string hex;
  for (const char c : rig_->gateway.taken[0].bytes)
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(hex, stored);
  EXPECT_EQ(rig_->accounts.seals.size(), 1U);
  EXPECT_EQ(StageOf(batch), "4 1 ");
  ExpectBooks();
}

TEST_F(Chunks, AnAnswerThatWasLostIsAskedForAgainWithTheSameBytesAndCountsAsNoFailure) {
  const std::int64_t batch = Paying(3);
  Replica a(*rig_, "a");
  rig_->gateway.modes = {Mode::kTakeAndLoseAnswer, Mode::kAway, Mode::kTakeAndLoseAnswer,
                         Mode::kAway, Mode::kAway};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Work(a), 1);
    EXPECT_EQ(StageOf(batch), "3 0 UNAVAILABLE");
    Wait();
  }
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(rig_->gateway.taken.size(), 1U);
  EXPECT_EQ(
      std::set<std::string>(rig_->gateway.received.begin(), rig_->gateway.received.end()).size(),
      1U);
  EXPECT_EQ(StageOf(batch), "4 1 ");
  EXPECT_EQ(Totals(batch).in_transit(), 3);
}

TEST_F(Chunks, NoSendingOutlivesTheLeaseAndNoneBeginsAfterIt) {
  Paying(3);
  Replica a(*rig_, "a");
  rig_->accounts.before_seal = [&] { rig_->clock.Advance(absl::Seconds(9)); };
  Work(a);
  ASSERT_EQ(rig_->gateway.timeouts.size(), 1U);
  // Fifteen seconds, less a margin of two, less those that passed.
  EXPECT_EQ(rig_->gateway.timeouts[0], absl::Seconds(4));
}

TEST_F(Chunks, AWorkerThatWasPausedSendsNothingAndGoesOnWhenItIsAliveAgain) {
  const std::int64_t batch = Paying(3);
  Replica a(*rig_, "a");
  rig_->accounts.before_seal = [&] { rig_->clock.Advance(absl::Seconds(14)); };
  EXPECT_TRUE(*a.worker.WorkOnce());
  EXPECT_TRUE(rig_->gateway.received.empty());
  EXPECT_FALSE(*a.worker.WorkOnce());
  // Nobody took it over: whoever holds it and has no memory of it is the same worker.
  ASSERT_TRUE(a.registry.BeatOnce().ok());
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(Totals(batch).in_transit(), 3);
  EXPECT_EQ(rig_->gateway.taken.size(), 1U);
}

TEST_F(Chunks, TwoThreadsOfOneProcessDoNotTakeEachOthersChunk) {
  Paying(3);
  Replica a(*rig_, "a");
  ChunkWorker second(rig_->chunks, rig_->accounts, rig_->gateway, rig_->policies, a.registry,
                     rig_->clock, {});
  rig_->accounts.before_seal = [&] { EXPECT_FALSE(*second.WorkOnce()); };
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(rig_->gateway.taken.size(), 1U);
}

TEST_F(Chunks, ARefusalForGoodFailsItsItemsOnlyOnceNothingCanBeUnderWayAnyMore) {
  rig_->gateway.agreements.usable.push_back({"A2", kBankB, false, false});
  rig_->accounts.At(FakePeople::PersonId(1)).bank_code = kBankB;
  const std::int64_t batch = Paying(3);
  rig_->gateway.refusal = status::Refuse(status::Reason::kAgreementSuspended);
  rig_->gateway.modes = {Mode::kAway, Mode::kRefuse, Mode::kRefuse};
  Replica a(*rig_, "a");
  EXPECT_EQ(Work(a), 1);
  Wait();
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(StageOf(batch), "3 0 REFUSED_IN_DOUBT");
  EXPECT_EQ(Number("SELECT count(*) FROM chunk WHERE not_before > now() + interval '1 minute'"), 1);
  EXPECT_EQ(Totals(batch).in_transit(), 3);
  EXPECT_EQ(Work(a), 0);
  Wait();
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(Totals(batch).failed(), 2);
  EXPECT_EQ(Totals(batch).in_transit(), 1);
  EXPECT_EQ(rig_->gateway.taken.size(), 1U);
  EXPECT_EQ(Sql("SELECT DISTINCT refused FROM submission WHERE refused <> ''"),
            "AGREEMENT_SUSPENDED");
  ExpectBooks();
  // It was never sent, so there is no statement to wait for.
  rig_->gateway.reconciled = false;
  EXPECT_EQ(Outcome(Reissue(batch, {Item(batch, 1), Item(batch, 3)})), "OK");
  Work(a);
  ExpectBooks();
  // Should the gateway have it after all, that is no repetition.
  const auto cursor = rig_->outcomes.TakeCursor("other", "a", {});
  const auto applied =
      rig_->outcomes.Apply("other", **cursor, {1, kHebei, {Paid(Item(batch, 1) * 100 + 1)}});
  ASSERT_EQ(Outcome(applied), "OK");
  EXPECT_EQ(applied->contradicting, 1);
  ExpectBooks();
}

TEST_F(Chunks, ARefusalIsInDoubtAgainWhenAWorkerDiedSinceTheLastOne) {
  const std::int64_t batch = Paying(3);
  rig_->gateway.refusal = status::Refuse(status::Reason::kBankSuspended);
  rig_->gateway.modes = {Mode::kRefuse, Mode::kLeaseLost, Mode::kRefuse, Mode::kRefuse};
  Replica a(*rig_, "a");
  Work(a);
  EXPECT_EQ(StageOf(batch), "3 0 REFUSED_IN_DOUBT");
  Wait();
  EXPECT_TRUE(*a.worker.WorkOnce());  // dies while it sends
  Wait();
  EXPECT_TRUE(*a.worker.WorkOnce());
  EXPECT_EQ(Totals(batch).in_transit(), 3);
  Wait();
  Work(a);
  EXPECT_EQ(Totals(batch).failed(), 3);
}

TEST_F(Chunks, AChunkThatFailsThreeTimesIsSetAsideAndTheOthersGoOn) {
  const std::int64_t batch = Paying(6, "P001", 0, 2);
  rig_->accounts.poisoned = Item(batch, 3);
  Replica a(*rig_, "a");
  for (int i = 0; i < 5; ++i) {
    Work(a);
    Wait();
  }
  EXPECT_EQ(StageOf(batch, 2), "9 3 INTERNAL");
  EXPECT_EQ(Totals(batch).in_transit(), 4);
  EXPECT_EQ(Totals(batch).waiting(), 2);
  EXPECT_EQ(Work(a), 0);
  PayAll(a);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 0);
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE position('chunk.set_aside' IN "
                   "convert_from(body, 'UTF8')) > 0"),
            1);
  ExpectBooks();
}

TEST_F(Chunks, AChunkThatKillsWhoeverTakesItIsSetAsideToo) {
  const std::int64_t batch = Paying(2);
  Replica a(*rig_, "a");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(rig_->chunks.Take("a", 0, {})->has_value());
  Work(a);
  EXPECT_EQ(StageOf(batch), "9 4 taken too often without an end");
}

TEST_F(Chunks, PeersThatAreAwayOrDoNotKnowUsSetNothingAside) {
  const std::int64_t batch = Paying(2);
  Replica a(*rig_, "a");
  for (const absl::Status& failure :
       {absl::UnavailableError("x"), absl::DeadlineExceededError("x"),
        absl::UnauthenticatedError("x"), absl::PermissionDeniedError("x"),
        absl::UnimplementedError("x")}) {
    rig_->accounts.failure = failure;
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(Work(a), 1);
      Wait();
    }
  }
  rig_->accounts.failure = absl::OkStatus();
  Work(a);
  EXPECT_EQ(Totals(batch).in_transit(), 2);
}

TEST_F(Chunks, WhatComesBackAgainAndAgainIsEverLater) {
  Paying(2);
  Replica a(*rig_, "a");
  rig_->accounts.failure = absl::UnavailableError("away");
  Sql("UPDATE chunk SET due_since = now() - interval '10 minutes'");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Work(a), 1);
    EXPECT_EQ(Due(), "route=1/10min ") << "also in the second in which it is not tried";
    Wait();
  }
  Sql("UPDATE chunk SET due_since = due_since - interval '2 hours'");
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(Due(), "route=1/130min ");
  // One that a release before this one gave out has no time of its own yet.
  Sql("UPDATE chunk SET due_since = NULL, not_before = now() - interval '7 minutes'");
  EXPECT_EQ(Due(), "route=1/7min ");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Work(a), 1);
    Wait();
    EXPECT_EQ(Due(), "route=1/7min ");
  }
  // The next step is late from its own beginning.
  rig_->accounts.failure = absl::OkStatus();
  rig_->gateway.modes = {Mode::kAway};
  Work(a);
  EXPECT_EQ(Due(), "send=1/0min ");
  Wait();
  Work(a);
  EXPECT_EQ(Due(), "");
}

TEST_F(Chunks, WhatWaitsForTheSendWindowIsDueFromItsOpening) {
  Paying(2);
  Replica night(*rig_, "a", Closed());
  Sql("UPDATE chunk SET due_since = now() - interval '3 hours'");
  for (int i = 0; i < 3; ++i) {
    Work(night);
    EXPECT_EQ(Due(), "");
    Wait();
  }
  // It is 08:00, and it opens at 20:00.
  EXPECT_EQ(Number("SELECT round(extract(epoch FROM due_since - now()) / 3600) FROM chunk"), 12);
  // An hour after the opening it still waits, whoever is away then.
  Sql("UPDATE chunk SET due_since = now() - interval '1 hour'");
  Replica day(*rig_, "b");
  rig_->accounts.failure = absl::UnavailableError("away");
  Work(day);
  EXPECT_EQ(Due(), "submit=1/60min ");
  // The clock was set back: what was due later than now is due now.
  Sql("UPDATE chunk SET due_since = now() + interval '9 hours'");
  Wait();
  Work(day);
  EXPECT_EQ(Due(), "submit=1/0min ");
}

TEST_F(Chunks, ADelayWrittenBeforeTheClockWasSetBackKeepsNobodyWaitingForAnHour) {
  const std::int64_t batch = Paying(2);
  Sql("UPDATE chunk SET not_before = now() + interval '59 minutes'");
  Replica a(*rig_, "a");
  EXPECT_EQ(Work(a), 1);
  EXPECT_EQ(Totals(batch).in_transit(), 2);
}

TEST_F(Chunks, SubmittingWaitsWhileTheAuditLogIsFarBehind) {
  const std::int64_t batch = Paying(2);
  Sql("UPDATE outbox SET created_at = now() - interval '25 hours'");
  Replica a(*rig_, "a");
  Work(a);
  EXPECT_EQ(StageOf(batch), "2 0 AUDIT_BACKLOG");
  EXPECT_TRUE(rig_->gateway.received.empty());
  const std::int64_t other = Approved(2, "P001", 10);
  EXPECT_EQ(Outcome(Fund(other)), "AUDIT_BACKLOG");
  Sql("UPDATE outbox SET created_at = now()");
  Wait();
  Work(a);
  EXPECT_EQ(Totals(batch).in_transit(), 2);
}

TEST_F(Chunks, AnItemThatMayStillBePaidIsNeverSentAgainWhoeverAsks) {
  const std::int64_t batch = Paying(2);
  Replica a(*rig_, "a");
  Work(a);
  // Nothing but a fault in this service can make such a chunk.
  Sql(
      fmt::format("INSERT INTO chunk (district, batch_id, chunk, repair, first_item, last_item, "
                  "item_ids, stage) "
                  "VALUES (120105, {0}, 9, true, {1}, {1}, '{{{1}}}', 1)",
                  batch, Item(batch, 1)));
  for (int i = 0; i < 5; ++i) {
    Work(a);
    Wait();
  }
  EXPECT_EQ(StageOf(batch, 9), "9 3 INVARIANT_BROKEN");
  EXPECT_EQ(rig_->gateway.taken.size(), 1U);
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 2);
}

TEST_F(Chunks, SurviveTheDeathOfTheDatabaseAtEveryStep) {
  const std::int64_t batch = Paying(6, "P001", 0, 2);
  Replica a(*rig_, "a");
  int seals = 0, sendings = 0;
  const auto kill = [] {
    server_->Kill();
    server_->Restart();
  };
  rig_->accounts.before_seal = [&] {
    if (++seals == 1) kill();
  };
  rig_->gateway.before_submit = [&] {
    if (++sendings == 2) kill();
  };
  for (int i = 0; i < 50; ++i) {
    const absl::StatusOr<bool> worked = a.worker.WorkOnce();
    if (!worked.ok()) continue;
    if (!*worked && Number("SELECT count(*) FROM chunk WHERE stage <> 4") == 0) break;
    Wait();
  }
  EXPECT_EQ(Totals(batch).in_transit(), 6);
  EXPECT_EQ(rig_->gateway.taken.size(), 3U);
  EXPECT_EQ(Number("SELECT count(*) FROM attempt"), 6);
  ExpectBooks();
}

TEST_F(Chunks, ManyWorkersLosingAnswersSendEachPaymentOnce) {
  const std::int64_t batch = Paying(90, "P001", 0, 3);
  std::vector<std::unique_ptr<Replica>> replicas;
  for (const char* name : {"a", "b", "c", "d"})
    replicas.push_back(std::make_unique<Replica>(*rig_, name));
  for (int i = 0; i < 20; ++i) {
    for (const Mode mode : {Mode::kTake, Mode::kTakeAndLoseAnswer, Mode::kAway})
      rig_->gateway.modes.push_back(mode);
    // A third time on one chunk would set it aside, as it should.
    if (i < 2) rig_->gateway.modes.push_back(Mode::kLeaseLost);
  }
  std::atomic<int> left{1'000};
  std::vector<std::thread> threads;
  threads.reserve(replicas.size());
  for (const auto& replica : replicas) {
    threads.emplace_back([&, worker = &replica->worker] {
      while (--left > 0) (void)worker->WorkOnce();
    });
  }
  // Until all is done the delays are cut short, as time would.
  while (left > 0 && Number("SELECT count(*) FROM chunk WHERE stage <> 4") > 0) Wait();
  left = 0;
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 100 && Number("SELECT count(*) FROM chunk WHERE stage <> 4") > 0; ++i) {
    Wait();
    for (const auto& replica : replicas) (void)replica->worker.WorkOnce();
  }
  EXPECT_EQ(Totals(batch).in_transit(), 90);
  EXPECT_EQ(rig_->gateway.taken.size(), 30U);
  // Each submission had one form, however often it was sent.
  std::map<std::string, std::set<std::string>> forms;
  for (const std::string& bytes : rig_->gateway.received)
    forms[bytes.substr(0, bytes.find('|'))].insert(bytes);
  EXPECT_EQ(forms.size(), 30U);
  for (const auto& [id, bytes] : forms) EXPECT_EQ(bytes.size(), 1U) << id;
  ExpectBooks();
}

}  // namespace
}  // namespace yikatong::dispatch::testing
