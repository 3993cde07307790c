// The pure rules of cases: their states, which decision fits, how urgent they are, what may be
// written into them.
#include "services/bankgateway/domain/cases.h"

#include <gtest/gtest.h>

#include "common/status/status.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

CaseFacts FactsOf(std::string_view kind, std::int64_t open_fen, std::int64_t book_fen = 1000) {
  CaseFacts facts;
  facts.kind = kind;
  facts.open_fen = open_fen;
  facts.book_fen = book_fen;
  facts.known = true;
  facts.day_closed = true;
  return facts;
}

bool Fits(const CaseFacts& facts, Decision decision) { return CheckDecision(facts, decision).ok(); }

TEST(CaseStates, AClosedCaseTakesNothingAndOnlyAProposalIsTurnedDown) {
  for (int event = 0; event < 7; ++event) {
    EXPECT_EQ(status::ReasonOf(Next(CaseState::kClosed, CaseEvent(event)).status()),
              Reason::kStateConflict);
  }
  for (int state = 1; state <= kCaseStates; ++state) {
    EXPECT_EQ(Next(CaseState(state), CaseEvent::kReject).ok(),
              CaseState(state) == CaseState::kProposed);
  }
}

TEST(CaseStates, WhatComesAgainVoidsAProposalAndReopensWhatWasDecided) {
  EXPECT_EQ(*Next(CaseState::kProposed, CaseEvent::kRepeat), CaseState::kReopened);
  EXPECT_EQ(*Next(CaseState::kWaitingForBank, CaseEvent::kRepeat), CaseState::kReopened);
  EXPECT_EQ(*Next(CaseState::kAssigned, CaseEvent::kRepeat), CaseState::kAssigned);
}

TEST(CaseStates, TheBankSettlesAnyOpenCaseAndOneProposalIsEnough) {
  for (int state = 1; state <= kCaseStates; ++state) {
    if (CaseState(state) == CaseState::kClosed) continue;
    EXPECT_EQ(*Next(CaseState(state), CaseEvent::kSettle), CaseState::kClosed);
  }
  EXPECT_FALSE(Next(CaseState::kProposed, CaseEvent::kPropose).ok());
}

TEST(Decisions, ADebitOfAFailedRowIsThePaymentUnlessTheItemWasSentAgain) {
  CaseFacts facts = FactsOf(difference::kNotReportedPaid, 1000);
  facts.last = OutcomeState::kFailed;
  EXPECT_TRUE(Fits(facts, Decision::kConfirmPaid));
  EXPECT_TRUE(Fits(facts, Decision::kClaimOnBank));
  EXPECT_FALSE(Fits(facts, Decision::kConfirmNotPaid));
  facts.later_attempt = true;
  EXPECT_FALSE(Fits(facts, Decision::kConfirmPaid));
  EXPECT_TRUE(Fits(facts, Decision::kClaimOnBank));
}

TEST(Decisions, NobodyWasPaidOnlyBehindTheHorizonAndALaterClosedStatement) {
  CaseFacts facts = FactsOf(difference::kLineMissing, -1000);
  facts.last = OutcomeState::kPaid;
  EXPECT_FALSE(Fits(facts, Decision::kConfirmNotPaid));
  facts.behind_horizon = true;
  EXPECT_FALSE(Fits(facts, Decision::kConfirmNotPaid));
  facts.later_closed = true;
  EXPECT_TRUE(Fits(facts, Decision::kConfirmNotPaid));
  EXPECT_TRUE(Fits(facts, Decision::kBankCorrects));
  facts.last = OutcomeState::kReturned;
  EXPECT_FALSE(Fits(facts, Decision::kConfirmNotPaid));
}

TEST(Decisions, MoneyThatIsNoPaymentOfOursIsClaimedOrOwedAndNeverAPayment) {
  for (const char* kind : {difference::kSecondDebit, difference::kUnknownReference}) {
    CaseFacts facts = FactsOf(kind, 500);
    facts.last = OutcomeState::kPaid;
    EXPECT_EQ(Fitting(facts), std::vector<Decision>{Decision::kClaimOnBank});
  }
  EXPECT_EQ(Fitting(FactsOf(difference::kReversalWithoutPayment, -500)),
            std::vector<Decision>{Decision::kOwedToBank});
}

TEST(Decisions, AnotherAmountPaysOnlyWhatHasNoLineOfItsOwn) {
  CaseFacts facts = FactsOf(difference::kAmountDiffers, 1200);
  facts.last = OutcomeState::kUnknown;
  EXPECT_TRUE(Fits(facts, Decision::kConfirmPaid));
  facts.last = OutcomeState::kPaid;
  EXPECT_FALSE(Fits(facts, Decision::kConfirmPaid));
  facts.line_missing = true;
  EXPECT_TRUE(Fits(facts, Decision::kConfirmPaid));
  facts = FactsOf(difference::kAmountDiffers, -900);
  facts.last = OutcomeState::kPaid;
  EXPECT_TRUE(Fits(facts, Decision::kConfirmReturned));
}

TEST(Decisions, AResultThatContradictsIsAskedAboutOrTheStatementsWordIsTaken) {
  CaseFacts facts = FactsOf(difference::kContradictingResult, 0);
  facts.day_closed = false;
  EXPECT_EQ(Fitting(facts), std::vector<Decision>{Decision::kAskBank});
  facts.day_closed = true;
  EXPECT_EQ(Fitting(facts), (std::vector{Decision::kAskBank, Decision::kKeepBooks}));
}

TEST(Decisions, CasesAreMatchedOnlyAgainstOppositeMoneyThatIsNotLess) {
  CaseFacts facts = FactsOf(difference::kUnknownReference, 500);
  EXPECT_FALSE(Fits(facts, Decision::kMatchCase));
  facts.other_kind = difference::kReversalWithoutPayment;
  facts.other_open_fen = 500;
  EXPECT_FALSE(Fits(facts, Decision::kMatchCase));
  facts.other_open_fen = -499;
  EXPECT_FALSE(Fits(facts, Decision::kMatchCase));
  facts.other_open_fen = -500;
  EXPECT_TRUE(Fits(facts, Decision::kMatchCase));
  // What misses its line waits for that alone,
  facts.other_kind = difference::kLineMissing;
  EXPECT_FALSE(Fits(facts, Decision::kMatchCase));
  // but for a reversal that came before its return was told.
  facts = FactsOf(difference::kReversalWithoutPayment, -500);
  facts.other_kind = difference::kReturnLineMissing;
  facts.other_open_fen = 500;
  EXPECT_FALSE(Fits(facts, Decision::kMatchCase));
  facts.same_reference = true;
  EXPECT_TRUE(Fits(facts, Decision::kMatchCase));
}

TEST(Decisions, ARefusalNamesWhatFits) {
  const absl::Status refused =
      CheckDecision(FactsOf(difference::kSecondDebit, 500), Decision::kConfirmPaid);
  EXPECT_EQ(status::ReasonOf(refused), Reason::kCaseDecisionUnfit);
  EXPECT_EQ(status::MetadataOf(refused).at("fitting"), "CLAIM_ON_BANK");
}

TEST(Priorities, MoreMoneyIsDueSooner) {
  EXPECT_EQ(PriorityOf(1'000'000), Priority::kHigh);
  EXPECT_EQ(PriorityOf(999'999), Priority::kNormal);
  EXPECT_EQ(PriorityOf(99'999), Priority::kLow);
  EXPECT_LT(DueWorkingDays(Priority::kHigh), DueWorkingDays(Priority::kNormal));
  EXPECT_LT(DueWorkingDays(Priority::kNormal), DueWorkingDays(Priority::kLow));
}

TEST(Words, AProposalNeedsADecisionWordsAndForAMatchTheOtherCase) {
  EXPECT_TRUE(CheckProposal({Decision::kClaimOnBank, "银行来函", "", 0}).ok());
  EXPECT_FALSE(CheckProposal({Decision::kNone, "银行来函", "", 0}).ok());
  EXPECT_FALSE(CheckProposal({Decision::kClaimOnBank, "", "", 0}).ok());
  EXPECT_FALSE(CheckProposal({Decision::kClaimOnBank, "银行来函", "short", 0}).ok());
  EXPECT_FALSE(CheckProposal({Decision::kMatchCase, "银行来函", "", 0}).ok());
  EXPECT_FALSE(CheckProposal({Decision::kClaimOnBank, "银行来函", "", 7}).ok());
}

}  // namespace
}  // namespace yikatong::bankgateway
