// The pure rules of paying: where an item goes, what an attempt can become, what a step does to the
// ledger.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/status/status.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/domain/posting.h"
#include "services/dispatch/domain/routing.h"

namespace yikatong::dispatch {
namespace {

const std::vector<AgreementOption> kOptions = {
    {"A1", "102100000001", false, false},
    {"A2", "103100000002", true, false},
    {"A3", "105100000003", true, false},
};

TEST(Routing, EachBankHasOneGroupAndTheFirstThatCreditsOthersTakesForeignAccounts) {
  const std::vector<SealGroup> groups = GroupsOf(kOptions);
  ASSERT_EQ(groups.size(), 3U);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    EXPECT_EQ(groups[g].bank_codes, std::vector<std::string>{kOptions[g].bank_code});
    EXPECT_EQ(groups[g].other_banks, g == 1) << g;
  }
  // A department's own agreement stands before the district's with the same bank.
  const std::vector<AgreementOption> two = {{"own", "102100000001", false, true},
                                            {"district's", "102100000001", true, false}};
  const std::vector<SealGroup> both = GroupsOf(two);
  EXPECT_TRUE(both[1].bank_codes.empty());
  EXPECT_TRUE(both[1].other_banks);
  EXPECT_TRUE(both[0].with_identity);
  EXPECT_TRUE(GroupsOf({}).empty());
}

TEST(Routing, WhatHasNowhereToGoLeavesWithAReason) {
  const std::vector<PayeeAccount> accounts = {
      {1, "102100000001", 7, true, "", {}},          {2, "313100000009", 3, true, "", {}},
      {3, "", 0, false, "NO_ACCOUNT", {}},           {4, "", 0, false, "PAYEE_DECEASED", {}},
      {5, "", 0, false, "BENEFICIARY_DECEASED", {}},
  };
  const std::vector<StrayItem> strays = FindStrays(std::span(kOptions).first(1), "", accounts);
  ASSERT_EQ(strays.size(), 4U);
  EXPECT_EQ(strays[0].item_id, 2);
  EXPECT_EQ(strays[0].reason, "BANK_NOT_COVERED");
  EXPECT_EQ(strays[1].reason, "NO_ACCOUNT");
  EXPECT_FALSE(strays[1].stopped);
  EXPECT_TRUE(strays[2].stopped);
  EXPECT_TRUE(strays[3].stopped);
  EXPECT_EQ(FindStrays(kOptions, "", accounts).size(), 3U) << "another bank credits it";
}

TEST(Routing, WithoutAnAgreementItsReasonGoesToThoseWhoHaveAnAccount) {
  const std::vector<PayeeAccount> accounts = {{1, "102100000001", 7, true, "", {}},
                                              {2, "", 0, false, "CARD_LOST", {}}};
  const std::vector<StrayItem> strays = FindStrays({}, "AGREEMENT_EXPIRED", accounts);
  ASSERT_EQ(strays.size(), 2U);
  EXPECT_EQ(strays[0].reason, "AGREEMENT_EXPIRED");
  EXPECT_EQ(strays[1].reason, "CARD_LOST");
}

constexpr AttemptState kAll[] = {AttemptState::kSent, AttemptState::kPaid, AttemptState::kFailed,
                                 AttemptState::kUnknown, AttemptState::kReturned};

TEST(AttemptStates, OnlyTheTransitionsOfTheTableAreAllowed) {
  using enum AttemptState;
  const std::map<AttemptState, std::vector<AttemptState>> table = {
      {kSent, {kPaid, kFailed, kUnknown}},
      {kUnknown, {kPaid, kFailed}},
      {kPaid, {kReturned}},
      {kFailed, {}},
      {kReturned, {}}};
  for (const AttemptState from : kAll) {
    for (const AttemptState to : kAll) {
      const auto& allowed = table.at(from);
      const bool may = std::find(allowed.begin(), allowed.end(), to) != allowed.end();
      const auto next = NextAttemptState(from, to);
      EXPECT_EQ(next.ok(), may) << AttemptStateName(from) << " " << AttemptStateName(to);
      if (may) continue;
      EXPECT_EQ(status::ReasonOf(next.status()), status::Reason::kOutcomeContradicts);
    }
  }
}

TEST(AttemptStates, ADecisionTurnsFailedAndPaidAroundAndNothingElse) {
  for (const AttemptState from : kAll) {
    for (const AttemptState to : kAll) {
      const bool turns = (from == AttemptState::kFailed && to == AttemptState::kPaid) ||
                         (from == AttemptState::kPaid && to == AttemptState::kFailed);
      EXPECT_EQ(NextAttemptState(from, to, true).ok(), turns || NextAttemptState(from, to).ok())
          << AttemptStateName(from) << " " << AttemptStateName(to);
    }
  }
  EXPECT_TRUE(IsDecided("PAID_BY_DECISION"));
  EXPECT_TRUE(IsDecided("NOT_PAID_BY_DECISION"));
  EXPECT_FALSE(IsDecided("BANK_ACCOUNT_CLOSED"));
}

TEST(AttemptStates, AStateThatNobodyKnowsContradictsEverything) {
  EXPECT_FALSE(NextAttemptState(AttemptState::kSent, static_cast<AttemptState>(9)).ok());
}

BatchFunding TwoSources() {
  BatchFunding funding;
  funding.shares = {{"city", 6'000}, {"district", 4'000}};
  funding.line_ids = {11, 12};
  funding.year = 2026;
  return funding;
}

TEST(Posting, TwoSourcesSplitEachItemToTheFenAndTheFirstGetsTheRest) {
  Posting posting;
  for (const std::int64_t fen : {1, 2, 3, 104'501, 999}) {
    ASSERT_TRUE(
        posting.Move(TwoSources(), 7, 1, "submit", "", Account::kInTransit, Account::kReserved, fen)
            .ok());
  }
  const std::vector<LedgerRow> rows = posting.Rows();
  ASSERT_EQ(rows.size(), 2U);
  // Each item by itself: 0 + 0 + 1 + 41800 + 399.
  EXPECT_EQ(rows[1].line_id, 12);
  EXPECT_EQ(rows[1].amount_fen, 42'200);
  EXPECT_EQ(rows[0].amount_fen, 1 + 2 + 3 + 104'501 + 999 - 42'200);
}

TEST(Posting, OneRowForEachLineStepAndReasonHoweverManyItems) {
  Posting posting;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(posting
                    .Move(TwoSources(), 7, 1, "failed", i % 2 == 0 ? "A" : "B", Account::kReserved,
                          Account::kInTransit, 100)
                    .ok());
  }
  EXPECT_EQ(posting.Rows().size(), 4U);
}

TEST(Posting, NoRowIsWrittenForAPartOfNothing) {
  Posting posting;
  ASSERT_TRUE(
      posting.Move(TwoSources(), 7, 1, "submit", "", Account::kInTransit, Account::kReserved, 1)
          .ok());
  ASSERT_EQ(posting.Rows().size(), 1U);
  EXPECT_EQ(posting.Rows()[0].line_id, 11);
}

TEST(Posting, OnlyWhatComesToOrLeavesAvailableChangesTheLine) {
  Posting posting;
  const auto move = [&](Account debit, Account credit, std::int64_t fen) {
    ASSERT_TRUE(posting.Move(TwoSources(), 7, 1, "x", "", debit, credit, fen).ok());
  };
  move(Account::kInTransit, Account::kReserved, 1'000);
  EXPECT_TRUE(posting.AvailableChanges().empty());
  move(Account::kAvailable, Account::kPaid, 100);
  move(Account::kReserved, Account::kAvailable, 10);
  const std::map<std::int64_t, std::int64_t> expected = {{11, 54}, {12, 36}};
  EXPECT_EQ(posting.AvailableChanges(), expected);
}

TEST(Posting, OtherLinesThanSourcesAreRefused) {
  BatchFunding funding = TwoSources();
  funding.line_ids.pop_back();
  Posting posting;
  EXPECT_FALSE(posting.Move(funding, 7, 1, "x", "", Account::kPaid, Account::kInTransit, 5).ok());
}

TEST(OutcomeNumbers, AreDenseAndBeginAnewWithARestoreEpoch) {
  EXPECT_TRUE(FollowsOutcomes(0, 1));
  EXPECT_TRUE(FollowsOutcomes(41, 42));
  EXPECT_FALSE(FollowsOutcomes(41, 41));
  EXPECT_FALSE(FollowsOutcomes(41, 43));
  EXPECT_TRUE(FollowsOutcomes(41, 2 * kOutcomesOfEpoch + 1));
  EXPECT_TRUE(FollowsOutcomes(2 * kOutcomesOfEpoch + 1, 2 * kOutcomesOfEpoch + 2));
  EXPECT_TRUE(FollowsOutcomes(2 * kOutcomesOfEpoch + 9, 4 * kOutcomesOfEpoch + 1));
  EXPECT_FALSE(FollowsOutcomes(41, 2 * kOutcomesOfEpoch + 2));
  EXPECT_FALSE(FollowsOutcomes(2 * kOutcomesOfEpoch + 9, 2 * kOutcomesOfEpoch + 1));
  EXPECT_FALSE(FollowsOutcomes(2 * kOutcomesOfEpoch + 9, 42));
}

TEST(OutcomeNumbers, AreCountedWithinTheirRestoreEpoch) {
  EXPECT_EQ(NumbersBehind(40, 42), 2);
  EXPECT_EQ(NumbersBehind(42, 42), 0);
  EXPECT_EQ(NumbersBehind(41, 2 * kOutcomesOfEpoch), 0);
  EXPECT_EQ(NumbersBehind(41, 2 * kOutcomesOfEpoch + 3), 3);
  EXPECT_EQ(NumbersBehind(2 * kOutcomesOfEpoch + 1, 2 * kOutcomesOfEpoch + 3), 2);
}

}  // namespace
}  // namespace yikatong::dispatch
