// What the bank said, applied once, in whatever order and how often it is told.
#include "services/dispatch/store/outcome_store.h"

#include <fmt/format.h>

#include "common/status/status.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

class Outcomes : public MoneyTest {
 protected:
  void SetUp() override {
    MoneyTest::SetUp();
    batch_ = Paying(6);
    replica_ = std::make_unique<Replica>(*rig_, "a");
    Work(*replica_);
    cursor_ = **rig_->outcomes.TakeCursor("direct", "a", {});
  }
  std::int64_t Ref(int row, int attempt = 1) { return Item(batch_, row) * 100 + attempt; }
  // Applies one chunk at once.
  AppliedOutcomes Apply(std::vector<ReportedOutcome> outcomes) {
    OutcomeChunk chunk{cursor_.applied + 1, kHebei, std::move(outcomes)};
    const auto applied = rig_->outcomes.Apply("direct", cursor_, chunk);
    EXPECT_EQ(Outcome(applied), "OK");
    cursor_.applied = chunk.number;
    ExpectBooks();
    return applied.ok() ? *applied : AppliedOutcomes();
  }
  static ReportedOutcome Decided(ReportedOutcome outcome) {
    outcome.reason =
        outcome.state == AttemptState::kPaid ? "PAID_BY_DECISION" : "NOT_PAID_BY_DECISION";
    return outcome;
  }
  std::int64_t batch_ = 0;
  std::unique_ptr<Replica> replica_;
  OutcomeCursor cursor_;
};

TEST_F(Outcomes, PaidFailedAndUnknownMoveItemsAndMoney) {
  const auto applied = Apply({Paid(Ref(1)), Paid(Ref(2)), Failed(Ref(3)), Unknown(Ref(4))});
  EXPECT_EQ(applied.applied, 4);
  const auto totals = Totals(batch_);
  EXPECT_EQ(totals.paid(), 2);
  EXPECT_EQ(totals.failed(), 1);
  EXPECT_EQ(totals.unknown(), 1);
  EXPECT_EQ(totals.in_transit(), 2);
  EXPECT_EQ(Books(1), fmt::format("{}/104500/313500/209000/0", 10'000'000'000 - 6 * 104'500L));
  EXPECT_EQ(Sql(fmt::format("SELECT reason || ' ' || coalesce(booked_on::text, '-') FROM outcome "
                            "WHERE reference = {}",
                            Ref(3))),
            "BANK_ACCOUNT_CLOSED -");
  // One row for each step and reason, not for each item.
  EXPECT_EQ(Number("SELECT count(*) FROM ledger WHERE step = 'paid'"), 1);
}

TEST_F(Outcomes, UnknownBecomesPaidOrFailedWhenTheBankSaysSo) {
  Apply({Unknown(Ref(1)), Unknown(Ref(2))});
  Apply({Paid(Ref(1), 2), Failed(Ref(2), 2)});
  EXPECT_EQ(Totals(batch_).paid(), 1);
  EXPECT_EQ(Totals(batch_).failed(), 1);
  EXPECT_EQ(Totals(batch_).unknown(), 0);
}

TEST_F(Outcomes, WhatIsToldAgainChangesNothing) {
  Apply({Paid(Ref(1)), Failed(Ref(2))});
  const std::string ledger = Sql("SELECT count(*) FROM ledger");
  const auto again = Apply({Paid(Ref(1)), Failed(Ref(2))});
  EXPECT_EQ(again.applied, 0);
  EXPECT_EQ(again.repeated, 2);
  EXPECT_EQ(Sql("SELECT count(*) FROM ledger"), ledger);
  EXPECT_EQ(Sql("SELECT audit_id IS NULL FROM applied_chunk WHERE number = 2"), "t");
}

TEST_F(Outcomes, WhatContradictsIsCountedToldToTheAuditLogAndChangesNothing) {
  Apply({Paid(Ref(1)), Failed(Ref(2))});
  const auto applied =
      Apply({Failed(Ref(1), 2), Paid(Ref(2), 2), Returned(Ref(2), 3), Returned(Ref(3)),
             Failed(Ref(1), 1), Paid(Ref(4), 0), Paid(Ref(5), 40'000)});
  EXPECT_EQ(applied.applied, 0);
  EXPECT_EQ(applied.contradicting, 7);
  EXPECT_EQ(Totals(batch_).paid(), 1);
  EXPECT_EQ(Totals(batch_).failed(), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE position('contradicting' IN "
                   "convert_from(body, 'UTF8')) > 0 "
                   "AND position('7' IN convert_from(body, 'UTF8')) > 0 AND "
                   "position('outcomes/120105/2' IN convert_from(body, 'UTF8')) > 0"),
            1);
}

TEST_F(Outcomes, AnotherAmountThanOursIsNoPaymentOfOurs) {
  const auto applied = Apply({Paid(Ref(1), 1, 104'501)});
  EXPECT_EQ(applied.contradicting, 1);
  EXPECT_EQ(Totals(batch_).in_transit(), 6);
}

TEST_F(Outcomes, NumbersOutOfOrderAreAppliedOnceAndTheLateOneIsARepetition) {
  Apply({Paid(Ref(1), 2)});
  const auto late = Apply({Unknown(Ref(1), 1)});
  EXPECT_EQ(late.repeated, 1);
  EXPECT_EQ(Totals(batch_).paid(), 1);
  EXPECT_EQ(Totals(batch_).unknown(), 0);
}

TEST_F(Outcomes, ReferencesThatWereNeverMadeAreLeftOut) {
  const auto applied = Apply({Paid(Ref(1)), Paid(Ref(1) + 5'000'000), Paid(Ref(1, 2))});
  EXPECT_EQ(applied.applied, 1);
  EXPECT_EQ(applied.unknown, 2);
}

TEST_F(Outcomes, PaidAndReturnedInOneChunkAreBothApplied) {
  const auto applied = Apply({Paid(Ref(1)), Returned(Ref(1)), Paid(Ref(2))});
  EXPECT_EQ(applied.applied, 3);
  const auto totals = Totals(batch_);
  EXPECT_EQ(totals.paid(), 1);
  EXPECT_EQ(totals.returned(), 1);
  EXPECT_EQ(totals.returned_open(), 1);
  // What came back in its year is available again.
  EXPECT_EQ(Books(1), fmt::format("{}/0/418000/104500/0", 10'000'000'000 - 5 * 104'500L));
}

TEST_F(Outcomes, AReissuedPaymentThatComesBackIsNoLongerCountedAsReissuedAndPaid) {
  Apply({Failed(Ref(1))});
  ASSERT_EQ(Outcome(Reissue(batch_, {Item(batch_, 1)})), "OK");
  Work(*replica_);
  Apply({Paid(Ref(1, 2))});
  EXPECT_EQ(Totals(batch_).reissued_paid(), 1);
  Apply({Returned(Ref(1, 2))});
  EXPECT_EQ(Totals(batch_).reissued_paid(), 0);
  EXPECT_EQ(Totals(batch_).returned(), 1);
  // And a word about the first attempt comes too late.
  EXPECT_EQ(Apply({Paid(Ref(1), 2)}).contradicting, 1);
}

TEST_F(Outcomes, WhatTwoPersonsDecideGoesBackBetweenFailedAndPaidWithItsMoney) {
  Apply({Failed(Ref(1)), Paid(Ref(2))});
  const std::string before = Books(1);
  EXPECT_EQ(Apply({Decided(Paid(Ref(1), 2)), Decided(Failed(Ref(2), 2))}).applied, 2);
  EXPECT_EQ(Totals(batch_).paid(), 1);
  EXPECT_EQ(Totals(batch_).failed(), 1);
  EXPECT_EQ(Books(1), before);
  EXPECT_EQ(Sql(fmt::format("SELECT reason FROM outcome WHERE reference = {} AND outcome_no = 2",
                            Ref(1))),
            "PAID_BY_DECISION");
  // What was decided not to be paid can be paid again; what was reissued and paid is counted so.
  ASSERT_EQ(Outcome(Reissue(batch_, {Item(batch_, 2)})), "OK");
  Work(*replica_);
  Apply({Paid(Ref(2, 2))});
  EXPECT_EQ(Totals(batch_).reissued_paid(), 1);
  Apply({Decided(Failed(Ref(2, 2), 2))});
  EXPECT_EQ(Totals(batch_).reissued_paid(), 0);
}

TEST_F(Outcomes, WhatIsDecidedAfterItsItemWentOnIsNotBookedTwiceAndIsToldToTheAuditLog) {
  Apply({Failed(Ref(1)), Failed(Ref(2)), Failed(Ref(3))});
  ASSERT_EQ(Outcome(Reissue(batch_, {Item(batch_, 1)})), "OK");
  // It waits in a repair chunk; then it is on its way.
  EXPECT_EQ(Apply({Decided(Paid(Ref(1), 2))}).paid_besides, 1);
  Work(*replica_);
  EXPECT_EQ(Apply({Decided(Paid(Ref(1), 3))}).paid_besides, 1);
  ASSERT_EQ(Outcome(Abandon(batch_, {Item(batch_, 2)})), "OK");
  const auto besides = Apply({Decided(Paid(Ref(2), 2)), Decided(Paid(Ref(3), 2))});
  EXPECT_EQ(besides.paid_besides, 1);
  EXPECT_EQ(besides.paid_besides_fen, 104'500);
  EXPECT_EQ(besides.applied, 1);
  EXPECT_EQ(Totals(batch_).paid(), 1);
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE position('paid_besides_fen' IN "
                   "convert_from(body, 'UTF8')) > 0"),
            3);
}

TEST_F(Outcomes, OneChunkMayHoldSeveralBatches) {
  PutPolicy("P002", true);
  const std::int64_t other = Approved(3, "P002", 50);
  Line("P002", "city", 1'000'000);
  Line("P002", "district", 1'000'000);
  ASSERT_EQ(Outcome(Fund(other)), "OK");
  ASSERT_EQ(Outcome(Release(other)), "OK");
  Work(*replica_);
  Apply({Paid(Ref(1)), Paid(Item(other, 1) * 100 + 1, 1, 104'501),
         Failed(Item(other, 2) * 100 + 1, 1, 104'501), Failed(Ref(2))});
  EXPECT_EQ(Totals(other).paid(), 1);
  EXPECT_EQ(Totals(batch_).paid(), 1);
}

TEST_F(Outcomes, OnlyTheNextChunkIsAppliedAndOnlyUnderTheNewestFence) {
  EXPECT_EQ(Outcome(rig_->outcomes.Apply("direct", cursor_, {2, kHebei, {Paid(Ref(1))}})),
            "INVARIANT_BROKEN");
  Apply({Paid(Ref(1))});
  EXPECT_EQ(Outcome(rig_->outcomes.Apply("direct", cursor_, {1, kHebei, {Paid(Ref(1))}})),
            "INVARIANT_BROKEN");
  Replica living(*rig_, "b");
  EXPECT_FALSE(rig_->outcomes.TakeCursor("direct", "b", {})->has_value());
  const std::vector<std::string> dead = {"a"};
  const auto taken = rig_->outcomes.TakeCursor("direct", "b", dead);
  ASSERT_TRUE(taken->has_value());
  EXPECT_EQ((*taken)->applied, 1);
  const std::string before = Sql("SELECT count(*) FROM movement");
  EXPECT_EQ(Outcome(rig_->outcomes.Apply("direct", cursor_, {2, kHebei, {Paid(Ref(2))}})),
            "LEASE_LOST");
  EXPECT_EQ(Sql("SELECT count(*) FROM movement"), before);
  EXPECT_EQ(Outcome(rig_->outcomes.Apply("direct", **taken, {2, kHebei, {Paid(Ref(2))}})), "OK");
}

TEST_F(Outcomes, TheFollowerTellsHowFarItIsBehindAndAllOthersNothing) {
  const auto told = [](Replica& replica) {
    const auto of = [&](const char* name) {
      return static_cast<std::int64_t>(
          replica.metrics.Gauges(name, "What is told.").With().Value());
    };
    return std::pair{of("yikatong_outcomes_behind"),
                     of("yikatong_outcomes_followed_timestamp_seconds")};
  };
  const std::int64_t start = absl::ToUnixSeconds(rig_->clock.Now());
  Replica other(*rig_, "b");
  for (int i = 0; i < 5; ++i) Report({});
  EXPECT_EQ(*replica_->follower.FollowOnce(), 4);
  EXPECT_EQ(*other.follower.FollowOnce(), 0);
  EXPECT_EQ(told(*replica_), (std::pair<std::int64_t, std::int64_t>(1, 0)));
  EXPECT_EQ(told(other), (std::pair<std::int64_t, std::int64_t>(0, 0)));
  EXPECT_EQ(*replica_->follower.FollowOnce(), 1);
  EXPECT_EQ(told(*replica_), (std::pair<std::int64_t, std::int64_t>(0, start)));
  // What cannot be applied waits, and the time at which all was applied stays.
  rig_->clock.Advance(absl::Seconds(3));
  ASSERT_TRUE(replica_->registry.BeatOnce().ok());
  Report({});
  Report({});
  Sql("ALTER TABLE outcome_cursor RENAME TO gone");
  EXPECT_FALSE(replica_->follower.FollowOnce().ok());
  EXPECT_EQ(told(*replica_), (std::pair<std::int64_t, std::int64_t>(2, start)));
  Sql("ALTER TABLE gone RENAME TO outcome_cursor");
  // Another takes over; the first one, asleep and then awake, tells nothing any more.
  Bury(other);
  EXPECT_EQ(*other.follower.FollowOnce(), 2);
  EXPECT_EQ(told(other),
            (std::pair<std::int64_t, std::int64_t>(0, absl::ToUnixSeconds(rig_->clock.Now()))));
  EXPECT_EQ(*replica_->follower.FollowOnce(), 0);
  EXPECT_EQ(told(*replica_), (std::pair<std::int64_t, std::int64_t>(0, start)));
}

TEST_F(Outcomes, AFollowerTakesOverFromADeadOneWhereThatStopped) {
  Report({Paid(Ref(1))});
  EXPECT_EQ(*replica_->follower.FollowOnce(), 1);
  Replica other(*rig_, "b");
  Report({Paid(Ref(2))});
  EXPECT_EQ(*other.follower.FollowOnce(), 0);
  Bury(other);
  EXPECT_EQ(*other.follower.FollowOnce(), 1);
  EXPECT_EQ(Totals(batch_).paid(), 2);
  // The first one wakes up and finds out.
  Report({Paid(Ref(3))});
  EXPECT_EQ(Outcome(replica_->follower.FollowOnce()), "LEASE_LOST");
  EXPECT_EQ(*other.follower.FollowOnce(), 1);
  EXPECT_EQ(Totals(batch_).paid(), 3);
  ExpectBooks();
}

TEST_F(Outcomes, BatchesThatWaitForTheirBankDoNotKeepLaterOnesFromBeingSettled) {
  // More batches in transit than one sweep looks at.
  Sql("INSERT INTO batch SELECT district, batch_id + 1000 + n, department_id, field, policy_id, "
      "policy_version, period, rule, state, "
      "declared_count, declared_fen, first_item + 1000 * n, salt_key, created_org, created_by, "
      "created_at, created_on, pay_on, "
      "state_since_on, released_by, reason FROM batch, generate_series(1, 120) n");
  Sql("INSERT INTO movement SELECT district, batch_id, gen_random_uuid(), 1, 5, '', 1, 1 FROM "
      "batch WHERE batch_id > " +
      std::to_string(batch_) +
      " UNION ALL SELECT district, batch_id, gen_random_uuid(), 0, 1, '', 1, 1 FROM batch WHERE "
      "batch_id > " +
      std::to_string(batch_));
  const std::string last = Sql("SELECT max(batch_id) FROM batch");
  Sql("INSERT INTO movement SELECT 120105, " + last + ", gen_random_uuid(), 5, 6, '', 1, 1");
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_EQ(Sql("SELECT state FROM batch WHERE batch_id = " + last), "8");
}

}  // namespace
}  // namespace yikatong::dispatch::testing
