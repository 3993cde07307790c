// From reported results to reconciled statements, and what is told of them: what must hold whatever
// banks and processes do.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "common/status/status.h"
#include "services/bankgateway/testing/gateway_rig.h"

namespace yikatong::bankgateway::testing {
namespace {

class Outcomes : public GatewayTest {};

TEST_F(Outcomes, RepeatedResultsChangeNothingAndContradictingOnesAreCases) {
  SubmitAndSend(1, 4);
  for (int round = 0; round < 2; ++round) {
    fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
    fake().Say(Reference(2), RowState::kFailed, 0, "3031");
  }
  fake().Say(Reference(1), RowState::kFailed, 0, "3018");
  fake().Say(Reference(2), RowState::kPaid, Amount(2), "", kMonday);
  fake().Say(Reference(3), RowState::kPaid, Amount(3) + 1, "", kMonday);
  fake().Say(Reference(99), RowState::kPaid, 5, "", kMonday);
  fake().Say(Reference(4), RowState::kFailed, 0, "3051");
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(States(Reference(2)), "F");
  EXPECT_EQ(States(Reference(3)), "");
  EXPECT_EQ(States(Reference(4)), "U");
  const std::vector<std::string> kinds = {
      difference::kContradictingResult, difference::kContradictingResult,
      difference::kAmountDiffers, difference::kUnknownReference};
  EXPECT_EQ(Differences(), kinds);
  EXPECT_EQ(Count().paid, 1);
  EXPECT_EQ(Count().unknown, 1);
}

TEST_F(Outcomes, AReturnFollowsItsPaymentAlsoWhenItIsReportedFirst) {
  SubmitAndSend(1, 2);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  fake().Say(Reference(1), RowState::kReturned, Amount(1), "3056", kMonday + 2);
  fake().Say(Reference(2), RowState::kReturned, Amount(2), "3056", kMonday + 2);
  fake().Say(Reference(2), RowState::kPaid, Amount(2), "", kMonday);
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "PR");
  EXPECT_EQ(States(Reference(2)), "PR");
  EXPECT_TRUE(Differences().empty());
  EXPECT_EQ(Count().paid, 0);
  EXPECT_EQ(Count().returned, 2);
  EXPECT_EQ(Pull()[1].reason, "BANK_RETURNED");
}

TEST_F(Outcomes,
       AStatementWithAForeignDebitASecondDebitAndAStrayReversalGivesThreeCasesAndChangesNoPayment) {
  SubmitAndSend(1, 3);
  for (int i = 1; i <= 3; ++i) {
    fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
    fake().Line("AG-1", kMonday, Reference(i), true, Amount(i));
  }
  fake().Line("AG-1", kMonday, Reference(777), true, 4200);     // a debit that we do not know
  fake().Line("AG-1", kMonday, Reference(2), true, Amount(2));  // a second debit
  fake().Line("AG-1", kMonday, Reference(888), false, 4300);    // a reversal without a payment
  TakeResults();
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  const std::vector<std::string> kinds = {difference::kUnknownReference, difference::kSecondDebit,
                                          difference::kReversalWithoutPayment};
  EXPECT_EQ(Differences(), kinds);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(States(Reference(i)), "P");
  EXPECT_EQ(Count().paid, 3);
  // The same statement again finds nothing new.
  EXPECT_EQ(Reconcile(), 0);
  EXPECT_EQ(Differences().size(), 3u);
}

TEST_F(Outcomes, AClosedStatementPaysWhatWasUnknownAndReturnsWhatCameBack) {
  SubmitAndSend(1, 2);
  NextDay(2);
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(States(Reference(1)), "U");
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  fake().Line("AG-1", kMonday + 1, Reference(1), false, Amount(1));
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_EQ(States(Reference(1)), "UPR");
  EXPECT_EQ(States(Reference(2)), "U");
  // The result that comes at last says nothing new.
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "UPR");
  EXPECT_TRUE(Differences().empty());
}

TEST_F(Outcomes, APaymentWithoutItsLineIsACaseOnceTheDayIsClosed) {
  SubmitAndSend(1, 3);
  for (int i = 1; i <= 2; ++i) fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  TakeResults();
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_EQ(Differences(), std::vector<std::string>{difference::kLineMissing});
  // One that is reported only afterwards.
  fake().Say(Reference(3), RowState::kPaid, Amount(3), "", kMonday);
  TakeResults();
  EXPECT_EQ(Differences().size(), 2u);
  EXPECT_EQ(States(Reference(2)), "P");
}

TEST_F(Outcomes, ARowWithoutAnAnswerIsUnknownOnceAndFailsOnlyWhenTheBankNeverHadIt) {
  SubmitAndSend(1, 3);
  NextDay(1);
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 0);
  NextDay(1);
  fake().answers[Reference(2)].state = RowState::kPaid;
  fake().answers[Reference(2)].amount_fen = Amount(2);
  fake().answers[Reference(2)].booked_on = kMonday;
  fake().answers[Reference(3)].state = RowState::kPending;
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 0);  // once a day
  EXPECT_EQ(States(Reference(1)), "U");
  EXPECT_EQ(States(Reference(2)), "P");
  EXPECT_EQ(States(Reference(3)), "U");
  NextDay(1);
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(States(Reference(1)), "U");
  NextDay(1);  // behind the horizon
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(States(Reference(1)), "UF");
  EXPECT_EQ(States(Reference(3)), "U");
  fake().Say(Reference(3), RowState::kPaid, Amount(3), "", kMonday + 3);
  TakeResults();
  EXPECT_EQ(States(Reference(3)), "UP");
  EXPECT_EQ(Count().unknown, 0);
}

TEST_F(Outcomes, UnknownOnesAreCountedByTheDaysSinceTheyWereSent) {
  const auto unknown = [&] {
    const QueueAges ages = *gateway_->directory.Ages(Count().unknown);
    std::string text;
    for (const char* bucket : kAgeBuckets)
      text += std::string(bucket) + "=" + std::to_string(ages.unknown.at(bucket)) + " ";
    return text;
  };
  EXPECT_EQ(unknown(), "0-1=0 2-5=0 6-10=0 11-=0 ");
  SubmitAndSend(1, 3);
  fake().Say(Reference(1), RowState::kFailed, 0, "3051");  // the bank says that it does not know
  TakeResults();
  EXPECT_EQ(unknown(), "0-1=1 2-5=0 6-10=0 11-=0 ");
  NextDay(2);
  for (const int serial : {1, 2, 3}) fake().answers[Reference(serial)].state = RowState::kPending;
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(unknown(), "0-1=0 2-5=3 6-10=0 11-=0 ");
  NextDay(4);
  SubmitAndSend(11, 2);
  NextDay(2);
  for (const int serial : {11, 12}) fake().answers[Reference(serial)].state = RowState::kPending;
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 2);
  EXPECT_EQ(unknown(), "0-1=0 2-5=2 6-10=3 11-=0 ");
  fake().Say(Reference(2), RowState::kPaid, Amount(2), "", kMonday);
  TakeResults();
  NextDay(3);
  EXPECT_EQ(unknown(), "0-1=0 2-5=2 6-10=0 11-=2 ");
}

TEST_F(Outcomes, ABankThatIsAwayLeavesItsRowsUnknownAndIsAskedAgain) {
  SubmitAndSend(1, 3);
  NextDay(2);
  fake().down = true;
  EXPECT_FALSE(gateway_->collector.AskAboutLate(bank()).ok());
  EXPECT_EQ(States(Reference(1)), "U");
  fake().down = false;
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(States(Reference(1)), "U");
}

TEST_F(Outcomes, APageOfResultsIsAppliedOnceByWhicheverReplica) {
  SubmitAndSend(1, 10);
  std::vector<BankResult> page;
  for (int i = 1; i <= 10; ++i) {
    fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
    page.push_back(fake().results.back());
    page.back().number = i;
  }
  EXPECT_TRUE(gateway_->outcomes.ApplyPage(kBank, 0, page).ok());
  EXPECT_EQ(status::ReasonOf(gateway_->outcomes.ApplyPage(kBank, 0, page)), Reason::kLeaseLost);
  EXPECT_EQ(*gateway_->outcomes.Cursor(kBank), 10);
  EXPECT_EQ(Count().paid, 10);
}

TEST_F(Outcomes, APageOfResultsWithAGapIsRefused) {
  SubmitAndSend(1, 2);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  fake().first_number = 2;
  EXPECT_EQ(gateway_->collector.TakeResults(bank()).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*gateway_->outcomes.Cursor(kBank), 0);
  EXPECT_EQ(States(Reference(1)), "");
}

TEST_F(Outcomes, OutcomeChunksAreNumberedDenselyAndOnlyWhatHasCommitted) {
  SubmitAndSend(1, 3);
  for (int i = 1; i <= 3; ++i) {
    fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
    TakeResults();
  }
  EXPECT_EQ(*gateway_->outcomes.NumberChunks(), 3);
  EXPECT_EQ(*gateway_->outcomes.NumberChunks(), 0);
  std::int64_t head = 0;
  EXPECT_EQ(gateway_->outcomes.ListChunks(1, 1, head)->at(0).number, 2);
  EXPECT_EQ(head, 3);
}

TEST_F(Outcomes, ARequestIdIsDoneOnceAlsoForBanksAndAgreements) {
  EXPECT_TRUE(MakeBank(kBank).ok());
  EXPECT_EQ(status::ReasonOf(gateway_->intake
                                 .CreateBank(caller_, "bank-" + std::string(kBank),
                                             {kBank, "另一个名字", "bank:1", true, false, ""})
                                 .status()),
            Reason::kRequestIdReused);
  EXPECT_EQ(status::ReasonOf(
                gateway_->intake
                    .CreateBank(caller_, "another", {kBank, "一家银行", "bank:1", true, false, ""})
                    .status()),
            Reason::kAlreadyExists);
  EXPECT_EQ(status::ReasonOf(
                gateway_->intake
                    .CreateBank(caller_, "no-partner", {kOtherBank, "x", "", false, false, ""})
                    .status()),
            Reason::kBankNotPartner);
}

TEST_F(Outcomes, EveryStepLeavesItsAuditEntryAndARefusalChangesNothing) {
  SubmitAndSend(1, 5);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  TakeResults();
  const std::string before = db_->Sql("SELECT count(*) FROM outbox");
  EXPECT_EQ(before, "6");  // bank, agreement, chunk, file packed, file sent, outcomes
  EXPECT_FALSE(Submit(MakeChunk("c2", 1, 5)).ok());
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), before);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM submission"), "1");
}

TEST_F(Outcomes, AThousandPaymentsCostMillisecondsEndToEnd) {
  const char* rows = std::getenv("YIKATONG_GATEWAY_ROWS");
  const int kRows = rows != nullptr ? static_cast<int>(std::strtol(rows, nullptr, 10)) : 20'000;
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  for (int i = 0; i < kRows / 1000; ++i)
    ASSERT_TRUE(Submit(MakeChunk("c" + std::to_string(i), 1 + i * 1000, 1000)).ok());
  const auto submitted = std::chrono::steady_clock::now();
  PackAll();
  while (SendOne() == SendStep::kSent) {
  }
  const auto sent = std::chrono::steady_clock::now();
  for (int i = 1; i <= kRows; ++i) {
    fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
    fake().Line("AG-1", kMonday, Reference(i), true, Amount(i));
  }
  TakeResults();
  const auto paid = std::chrono::steady_clock::now();
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  const auto closed = std::chrono::steady_clock::now();
  const auto us = [kRows](auto a, auto b) {
    return std::chrono::duration<double, std::micro>(b - a).count() / kRows;
  };
  std::printf(
      "us a payment: submit %.1f (with sealing), pack and send %.1f, results %.1f, statement %.1f; "
      "own CPU %.1f\n",
      us(start, submitted), us(submitted, sent), us(sent, paid), us(paid, closed),
      1e6 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC / kRows);
  EXPECT_EQ(Count().paid, kRows);
  EXPECT_EQ(Count().reconciled_lines, kRows);
  EXPECT_TRUE(Differences().empty());
}

}  // namespace
}  // namespace yikatong::bankgateway::testing
