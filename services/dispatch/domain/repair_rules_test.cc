// The rules of repairs: what a recovery can become, where its money goes, until when each thing
// waits, what a missed amount is.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/status/status.h"
#include "services/dispatch/domain/recovery.h"
#include "services/dispatch/domain/repairs.h"
#include "services/dispatch/domain/top_up.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;
using status::ReasonOf;

constexpr RecoveryState kStates[] = {RecoveryState::kProposed,  RecoveryState::kOrdered,
                                     RecoveryState::kNotified,  RecoveryState::kWriteOffAsked,
                                     RecoveryState::kRecovered, RecoveryState::kWrittenOff,
                                     RecoveryState::kCancelled};
constexpr RecoveryEvent kEvents[] = {RecoveryEvent::kApprove,        RecoveryEvent::kNotify,
                                     RecoveryEvent::kReceivePart,    RecoveryEvent::kReceiveRest,
                                     RecoveryEvent::kAskWriteOff,    RecoveryEvent::kGrantWriteOff,
                                     RecoveryEvent::kRefuseWriteOff, RecoveryEvent::kCancel};

TEST(Recoveries, NoMoneyIsTakenBeforeAnApprovalAndNothingLeavesAnEnd) {
  for (const RecoveryState state : kStates) {
    for (const RecoveryEvent event : kEvents) {
      const auto next = Next(state, event);
      const bool takes =
          event == RecoveryEvent::kReceivePart || event == RecoveryEvent::kReceiveRest;
      if (!IsOpen(state) || (state == RecoveryState::kProposed && takes)) {
        EXPECT_EQ(ReasonOf(next.status()), Reason::kRecoveryState)
            << RecoveryStateName(state) << " " << RecoveryEventName(event);
      }
      if (!next.ok() || !takes) continue;
      EXPECT_EQ(*next, event == RecoveryEvent::kReceivePart ? state : RecoveryState::kRecovered);
    }
  }
}

TEST(Recoveries, EveryOpenStateReachesAnEnd) {
  std::set<RecoveryState> ends_from;
  for (int round = 0; round < 8; ++round) {
    for (const RecoveryState state : kStates) {
      for (const RecoveryEvent event : kEvents) {
        const auto next = Next(state, event);
        if (next.ok() && (!IsOpen(*next) || ends_from.contains(*next))) ends_from.insert(state);
      }
    }
  }
  EXPECT_EQ(ends_from.size(), 4u);
}

TEST(MoneyBack, InAnyPartsIsSplitAsThePaymentWas) {
  BatchFunding funding;
  funding.shares = {{"city", 3'334}, {"district", 3'333}, {"fund", 3'333}};
  funding.line_ids = {1, 2, 3};
  funding.year = 2026;
  const std::int64_t paid_fen = 10'007;
  const auto whole = SplitMoneyBack(funding, 0, paid_fen);
  ASSERT_TRUE(whole.ok());
  for (const std::int64_t step : {1, 2, 3, 7, 999}) {
    std::map<std::int64_t, std::int64_t> sums;
    for (std::int64_t before = 0; before < paid_fen; before += step) {
      const std::int64_t part_fen = std::min(step, paid_fen - before);
      const auto parts = SplitMoneyBack(funding, before, part_fen);
      ASSERT_TRUE(parts.ok());
      std::int64_t together = 0;
      for (const LinePart& part : *parts) {
        sums[part.line_id] += part.amount_fen;
        together += part.amount_fen;
      }
      ASSERT_EQ(together, part_fen);
    }
    for (const LinePart& part : *whole) EXPECT_EQ(sums[part.line_id], part.amount_fen) << step;
  }
  funding.line_ids.pop_back();
  EXPECT_EQ(ReasonOf(SplitMoneyBack(funding, 0, 1).status()), Reason::kFundingShares);
}

TEST(Deadlines, CountWorkingDaysAndEscalateAfterTen) {
  const auto calendar = calendar::Calendar::BuiltIn();
  Repair failed;
  failed.kind = RepairKind::kFailed;
  failed.since_on = absl::CivilDay(2026, 3, 5);  // a Thursday
  EXPECT_EQ(DeadlineOf(failed, failed.since_on, calendar).due_on, absl::CivilDay(2026, 3, 10));
  EXPECT_FALSE(DeadlineOf(failed, absl::CivilDay(2026, 3, 10), calendar).overdue);
  EXPECT_TRUE(DeadlineOf(failed, absl::CivilDay(2026, 3, 11), calendar).overdue);
  EXPECT_FALSE(DeadlineOf(failed, absl::CivilDay(2026, 3, 19), calendar).escalated);
  EXPECT_TRUE(DeadlineOf(failed, absl::CivilDay(2026, 3, 20), calendar).escalated);

  Repair told;
  told.kind = RepairKind::kRecovery;
  told.reason = "NOTIFIED";
  told.since_on = absl::CivilDay(2026, 3, 5);
  told.granted_until = absl::CivilDay(2026, 6, 3);
  EXPECT_EQ(DeadlineOf(told, absl::CivilDay(2026, 6, 3), calendar).due_on, told.granted_until);
  EXPECT_FALSE(DeadlineOf(told, absl::CivilDay(2026, 6, 3), calendar).overdue);
  EXPECT_TRUE(DeadlineOf(told, absl::CivilDay(2026, 6, 4), calendar).overdue);
  EXPECT_FALSE(DeadlineOf(told, absl::CivilDay(2026, 6, 4), calendar).escalated);

  // A year without its notice is never guessed.
  failed.since_on = absl::CivilDay(2199, 3, 5);
  const Deadline unknown = DeadlineOf(failed, absl::CivilDay(2199, 12, 1), calendar);
  EXPECT_FALSE(unknown.due_on.has_value());
  EXPECT_FALSE(unknown.overdue);
}

TEST(Deadlines, EveryKindAndEveryStateSaysWhatToDo) {
  for (int kind = 1; kind < kRepairKinds; ++kind) {
    Repair repair;
    repair.kind = static_cast<RepairKind>(kind);
    for (const char* reason : {"", "BANK_ACCOUNT_CLOSED", "PROPOSED", "ORDERED", "NOTIFIED",
                               "WRITE_OFF_ASKED", "SOMETHING_NEWER"}) {
      repair.reason = reason;
      EXPECT_FALSE(WhatToDo(repair, status::Lang::kEnglish).empty()) << kind;
      EXPECT_FALSE(WhatToDo(repair, status::Lang::kChinese).empty()) << kind;
    }
    EXPECT_STRNE(RepairKindName(repair.kind), "invalid");
  }
}

TEST(Documents, AreOneLineOfText) {
  EXPECT_TRUE(CheckEvidence("津财〔2026〕7号", "document").ok());
  EXPECT_EQ(ReasonOf(CheckEvidence("", "document")), Reason::kDocumentMissing);
  for (const char* text : {"a\nb", "a\x7f", "a\u2028b", "a\u0085b", "\xff", "to 13800000001",
                           "card 6228480402564890018"}) {
    EXPECT_EQ(ReasonOf(CheckEvidence(text, "document")), Reason::kFieldInvalid) << text;
  }
  EXPECT_EQ(ReasonOf(CheckEvidence(std::string(201, 'a'), "document")), Reason::kFieldInvalid);
  EXPECT_TRUE(CheckReceipt("20260309-000017/A").ok());
  for (const char* text : {"", "a b", "回单"})
    EXPECT_EQ(ReasonOf(CheckReceipt(text)), Reason::kFieldInvalid);
}

class TopUps : public ::testing::Test {
 protected:
  TopUps() {
    rule_.policy_id = "P001";
    rule_.calculation.type = policy::CalculationType::kPerServiceYear;
    rule_.calculation.rate_fen = 1'000;
    rule_.calculation.unit = "year";
    row_.item_id = 10'500'000'000'010;
    row_.input.quantity = 12;
    row_.amount_fen = 2'000;
    facts_.amount_fen = 10'000;
    facts_.paid = true;
  }
  std::optional<Reason> Check() {
    return ReasonOf(CheckTopUp(rule_, 120'105, base::Period::Month(2026, 3), row_, facts_));
  }
  policy::PolicyRule rule_;
  TopUpRow row_;
  TopUpFacts facts_;
};

TEST_F(TopUps, PayExactlyWhatTheStandardGivesAbovePaymentsAndEarlierTopUps) {
  EXPECT_EQ(Check(), std::nullopt);
  row_.amount_fen = 1'999;
  EXPECT_EQ(Check(), Reason::kAmountNotStandard);
  row_.amount_fen = 2'001;
  EXPECT_EQ(Check(), Reason::kAmountNotStandard);
  facts_.topped_up_fen = 500;
  row_.amount_fen = 1'500;
  EXPECT_EQ(Check(), std::nullopt);
  facts_.topped_up_fen = 2'000;
  EXPECT_EQ(Check(), Reason::kTopUpNothingMissed);
  facts_.topped_up_fen = 0;
  facts_.recovered_fen = 1'000;  // taken back as too much: the person has it not
  row_.amount_fen = 3'000;
  EXPECT_EQ(Check(), std::nullopt);
}

TEST_F(TopUps, AreForWhatIsPaidOrGivenUpAndForNothingElse) {
  facts_.recovery_open = true;
  EXPECT_EQ(Check(), Reason::kTopUpNotPossible);
  facts_.recovery_open = false;
  facts_.paid = false;
  EXPECT_EQ(Check(), Reason::kTopUpNotPossible);
  facts_.given_up = true;
  row_.amount_fen = 12'000;
  EXPECT_EQ(Check(), std::nullopt) << "nothing of it was paid";
  row_.input.quantity = -1;
  EXPECT_EQ(Check(), Reason::kCalculationInput);
}

TEST(TopUpClaims, AreSlotsOfTheirOwn) {
  const ClaimKey first = TopUpClaim("P001", "2026-03", 7, 1);
  EXPECT_NE(first, TopUpClaim("P001", "2026-03", 7, 2));
  EXPECT_NE(first, TopUpClaim("P001", "2026-03", 8, 1));
  EXPECT_NE(first, MakeClaimKey(PolicyScope("P001"), "2026-03", "PERSON", "7"));
  EXPECT_EQ(first, TopUpClaim("P001", "2026-03", 7, 1));
}

}  // namespace
}  // namespace yikatong::dispatch
