// Cases over a real PostgreSQL: found once, decided by two persons, cleared by the bank, and to the
// fen what the statements say.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "services/bankgateway/testing/gateway_rig.h"

namespace yikatong::bankgateway::testing {
namespace {

using status::Reason;

const identity::Scope kAll{.all_districts = true};

// Days of the agreement on which a statement's debits less credits are not payments less returns
// and what is in suspense; and cases whose money is not the sum of their legs.
constexpr char kUnequal[] = R"(
WITH days AS (
  SELECT day FROM statement UNION SELECT day FROM suspense_entry UNION SELECT booked_on FROM outcome
  WHERE booked_on IS NOT NULL),
paid AS (
  SELECT o.booked_on AS day, o.amount_fen AS fen FROM outcome o WHERE o.state = 1
  UNION ALL
  SELECT o.booked_on, -o.amount_fen FROM outcome o
  JOIN outcome b ON b.district = o.district AND b.reference = o.reference
                AND b.outcome_no = o.outcome_no - 1 AND b.state = 1
  WHERE o.state = 2
  UNION ALL SELECT o.booked_on, -o.amount_fen FROM outcome o WHERE o.state = 4),
legs AS (
  SELECT day, debit_case AS of, amount_fen AS fen FROM suspense_entry WHERE debit IN (3, 4, 5)
  UNION ALL
  SELECT day, credit_case, -amount_fen FROM suspense_entry WHERE credit IN (3, 4, 5))
SELECT coalesce(string_agg(what, '; '), '') FROM (
  SELECT d.day || ': ' || s.fen || ' on the statement, ' || p.fen || ' paid, ' || l.fen AS what
  FROM days d
  CROSS JOIN LATERAL (SELECT coalesce(sum(debit_fen - credit_fen), 0) AS fen FROM statement
                      WHERE day = d.day) s
  CROSS JOIN LATERAL (SELECT coalesce(sum(fen), 0) AS fen FROM paid WHERE day = d.day) p
  CROSS JOIN LATERAL (SELECT coalesce(sum(fen), 0) AS fen FROM legs WHERE day = d.day) l
  WHERE d.day <= (SELECT reconciled_through FROM agreement) AND s.fen <> p.fen + l.fen
  UNION ALL
  SELECT 'case ' || case_id || ': ' || open_fen FROM reconciliation_case c
  WHERE open_fen <> (SELECT coalesce(sum(fen), 0) FROM legs WHERE of = c.case_id)) bad)";

class CasesTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    maker_ = Person("p-maker");
    checker_ = Person("p-checker");
  }
  static identity::Caller Person(const std::string& id, std::int32_t district = kDistrict) {
    identity::Caller caller;
    caller.person = id;
    caller.organisation = "finance";
    caller.districts = {district};
    return caller;
  }
  CaseBook& book() { return gateway_->cases; }
  std::vector<Case> Open(const std::string& kind = "") {
    CaseFilter filter;
    filter.kind = kind;
    const absl::StatusOr<std::vector<Case>> cases = book().List(kAll, filter, 0, 1000);
    EXPECT_TRUE(cases.ok()) << cases.status();
    return cases.ok() ? *cases : std::vector<Case>();
  }
  Case Only(const std::string& kind) {
    const std::vector<Case> cases = Open(kind);
    EXPECT_EQ(cases.size(), 1u) << kind;
    return cases.empty() ? Case() : cases[0];
  }
  Case Read(std::int64_t id) { return book().Get(kAll, id)->one; }
  std::string NewRequest() { return "r-" + std::to_string(++requests_); }
  absl::StatusOr<Case> Propose(const Case& one, Decision decision, std::int64_t other = 0) {
    return book().Propose(maker_, NewRequest(), one.case_id, {decision, "银行来函", "", other});
  }
  absl::StatusOr<Case> Confirm(const Case& one, Decision decision) {
    return book().Confirm(checker_, NewRequest(), one.case_id, decision, true, "");
  }
  // Decides a case to its end, by two persons where money moves.
  void Decide(const Case& one, Decision decision, std::int64_t other = 0) {
    const absl::StatusOr<Case> proposed = Propose(one, decision, other);
    ASSERT_TRUE(proposed.ok()) << one.kind << " " << DecisionName(decision) << proposed.status();
    if (!MovesMoney(decision)) return;
    ASSERT_EQ(proposed->state, CaseState::kProposed);
    const absl::StatusOr<Case> confirmed = Confirm(one, decision);
    ASSERT_TRUE(confirmed.ok()) << one.kind << " " << DecisionName(decision) << confirmed.status();
  }
  void ExpectEqual() { EXPECT_EQ(db_->Sql(kUnequal), ""); }
  // Sends, reports as paid, and gives every row its line.
  void PayAll(int first, int count) {
    SubmitAndSend(first, count);
    for (int i = first; i < first + count; ++i) {
      fake().Say(Reference(i), RowState::kPaid, Amount(i), "", today_.Today());
      fake().Line("AG-1", today_.Today(), Reference(i), true, Amount(i));
    }
  }
  void CloseDay() {
    TakeResults();
    NextDay();
    while (Reconcile() > 0) {
    }
  }

  identity::Caller maker_;
  identity::Caller checker_;
  int requests_ = 0;
};

TEST_F(CasesTest, AForeignDebitASecondDebitAndAStrayReversalAreDecidedToTheirEnd) {
  PayAll(1, 3);
  fake().Line("AG-1", kMonday, Reference(777), true, 4200);
  fake().Line("AG-1", kMonday, Reference(2), true, Amount(2));
  fake().Line("AG-1", kMonday, Reference(888), false, 4300);
  CloseDay();
  ASSERT_EQ(Open().size(), 3u);
  ExpectEqual();
  EXPECT_EQ(Only(difference::kUnknownReference).open_fen, 4200);
  EXPECT_EQ(Only(difference::kSecondDebit).open_fen, Amount(2));
  EXPECT_EQ(Only(difference::kReversalWithoutPayment).open_fen, -4300);
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(States(Reference(i)), "P");

  Decide(Only(difference::kUnknownReference), Decision::kClaimOnBank);
  Decide(Only(difference::kSecondDebit), Decision::kClaimOnBank);
  Decide(Only(difference::kReversalWithoutPayment), Decision::kOwedToBank);
  for (const Case& one : Open()) EXPECT_EQ(one.state, CaseState::kWaitingForBank);
  ExpectEqual();
  // The bank gives back, and takes back, on a later statement: the cases end by themselves.
  fake().Line("AG-1", kMonday + 1, Reference(777), false, 4200);
  fake().Line("AG-1", kMonday + 1, Reference(2), false, Amount(2));
  fake().Line("AG-1", kMonday + 1, Reference(888), true, 4300);
  CloseDay();
  EXPECT_TRUE(Open().empty());
  ExpectEqual();
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(States(Reference(i)), "P");
  EXPECT_EQ(Count().returned, 0);
  // A return of the twice debited payment is still a return.
  fake().Line("AG-1", kMonday + 2, Reference(2), false, Amount(2));
  CloseDay();
  EXPECT_EQ(States(Reference(2)), "PR");
  EXPECT_TRUE(Open().empty());
  ExpectEqual();
}

TEST_F(CasesTest, TheBankCanCorrectItselfBeforeAnybodyDecidesAndWithinOneStatement) {
  PayAll(1, 2);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  fake().Line("AG-1", kMonday, Reference(1), false, Amount(1));
  CloseDay();
  EXPECT_TRUE(Open().empty());
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM reconciliation_case WHERE state = 5"), "1");
  ExpectEqual();
}

TEST_F(CasesTest, ARepetitionAddsToItsCaseAndReopensADecidedOne) {
  PayAll(1, 1);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  CloseDay();
  const Case first = Only(difference::kSecondDebit);
  Decide(first, Decision::kClaimOnBank);
  fake().Line("AG-1", kMonday + 1, Reference(1), true, Amount(1));
  CloseDay();
  const Case again = Only(difference::kSecondDebit);
  EXPECT_EQ(again.case_id, first.case_id);
  EXPECT_EQ(again.state, CaseState::kReopened);
  EXPECT_EQ(again.occurrences, 2);
  EXPECT_EQ(again.open_fen, 2 * Amount(1));
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM difference WHERE case_id IS NOT NULL"), "2");
  // Each half of the claim is paid by itself; the case ends with the last.
  fake().Line("AG-1", kMonday + 2, Reference(1), false, Amount(1));
  CloseDay();
  EXPECT_EQ(Only(difference::kSecondDebit).open_fen, Amount(1));
  fake().Line("AG-1", kMonday + 3, Reference(1), false, Amount(1));
  CloseDay();
  EXPECT_TRUE(Open().empty());
  EXPECT_EQ(States(Reference(1)), "P");
  ExpectEqual();
}

TEST_F(CasesTest, ADebitOfAFailedRowBecomesItsPaymentByTwoPersons) {
  SubmitAndSend(1, 2);
  fake().Say(Reference(1), RowState::kFailed, 0, "3018", kMonday);
  fake().Say(Reference(2), RowState::kPaid, Amount(2), "", kMonday);
  for (int i = 1; i <= 2; ++i) fake().Line("AG-1", kMonday, Reference(i), true, Amount(i));
  CloseDay();
  const Case one = Only(difference::kNotReportedPaid);
  EXPECT_EQ(one.open_fen, Amount(1));
  ASSERT_TRUE(Propose(one, Decision::kConfirmPaid).ok());
  EXPECT_EQ(States(Reference(1)), "F");
  EXPECT_EQ(status::ReasonOf(
                book()
                    .Confirm(maker_, NewRequest(), one.case_id, Decision::kConfirmPaid, true, "")
                    .status()),
            Reason::kSamePerson);
  EXPECT_EQ(status::ReasonOf(Confirm(one, Decision::kConfirmNotPaid).status()),
            Reason::kCaseDecisionUnfit);
  ASSERT_TRUE(Confirm(one, Decision::kConfirmPaid).ok());
  EXPECT_EQ(States(Reference(1)), "FP");
  EXPECT_TRUE(Open().empty());
  ExpectEqual();
  const std::vector<Outcome> outcomes = Pull();
  EXPECT_EQ(outcomes.back().reference, Reference(1));
  EXPECT_EQ(outcomes.back().outcome_no, 2);
  EXPECT_EQ(outcomes.back().reason, "PAID_BY_DECISION");
  EXPECT_EQ(Count().paid, 2);
  EXPECT_EQ(Count().failed, 0);
}

TEST_F(CasesTest, AnItemThatWasSentAgainIsNotConfirmedAndOneThatIsConfirmedIsNotSentAgain) {
  SubmitAndSend(1, 2);
  for (int i = 1; i <= 2; ++i) {
    fake().Say(Reference(i), RowState::kFailed, 0, "3018", kMonday);
    fake().Line("AG-1", kMonday, Reference(i), true, Amount(i));
  }
  CloseDay();
  ASSERT_EQ(Open(difference::kNotReportedPaid).size(), 2u);
  const Case first = Open(difference::kNotReportedPaid)[0];
  const Case second = Open(difference::kNotReportedPaid)[1];
  // The first was sent again before anybody looked: the bank owes one of the two.
  ASSERT_TRUE(Submit(MakeChunk("again-1", 1, 1, "AG-1", 2)).ok());
  EXPECT_EQ(status::ReasonOf(Propose(first, Decision::kConfirmPaid).status()),
            Reason::kCaseDecisionUnfit);
  Decide(first, Decision::kClaimOnBank);
  // The second is confirmed, and dispatch, which has not heard of it, sends it again.
  Decide(second, Decision::kConfirmPaid);
  EXPECT_EQ(status::ReasonOf(Submit(MakeChunk("again-2", 2, 1, "AG-1", 2)).status()),
            Reason::kEarlierAttemptPaid);
  EXPECT_EQ(Count().instructions, 3);
  ExpectEqual();
}

TEST_F(CasesTest, AMissingLineWaitsForTheBankOrIsNoPaymentBehindTheHorizon) {
  SubmitAndSend(1, 2);
  for (int i = 1; i <= 2; ++i) fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
  CloseDay();
  std::vector<Case> cases = Open(difference::kLineMissing);
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0].open_fen, -Amount(1));
  ExpectEqual();
  EXPECT_EQ(status::ReasonOf(Propose(cases[0], Decision::kConfirmNotPaid).status()),
            Reason::kCaseDecisionUnfit);
  Decide(cases[0], Decision::kBankCorrects);
  fake().Line("AG-1", kMonday + 1, Reference(1), true, Amount(1));
  for (int i = 0; i < 4; ++i) CloseDay();
  cases = Open(difference::kLineMissing);
  ASSERT_EQ(cases.size(), 1u);
  EXPECT_EQ(cases[0].reference, Reference(2));
  EXPECT_EQ(States(Reference(1)), "P");
  Decide(cases[0], Decision::kConfirmNotPaid);
  EXPECT_EQ(States(Reference(2)), "PF");
  EXPECT_TRUE(Open().empty());
  ExpectEqual();
  // The line comes after all: a new case, and then the payment.
  fake().Line("AG-1", today_.Today(), Reference(2), true, Amount(2));
  CloseDay();
  Decide(Only(difference::kNotReportedPaid), Decision::kConfirmPaid);
  EXPECT_EQ(States(Reference(2)), "PFP");
  ExpectEqual();
}

TEST_F(CasesTest, AnotherAmountPaysAndLeavesTheRestOpen) {
  SubmitAndSend(1, 3);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1) + 70);  // told as paid
  fake().Line("AG-1", kMonday, Reference(2), true, Amount(2) - 30);  // nothing told
  fake().Say(Reference(3), RowState::kPaid, Amount(3), "", kMonday);
  fake().Line("AG-1", kMonday, Reference(3), true, Amount(3));
  CloseDay();
  const std::vector<Case> cases = Open(difference::kAmountDiffers);
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(Open(difference::kLineMissing).size(), 1u);
  ExpectEqual();
  for (const Case& one : cases) Decide(one, Decision::kConfirmPaid);
  ExpectEqual();
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(States(Reference(2)), "P");
  EXPECT_TRUE(Open(difference::kLineMissing).empty());
  EXPECT_EQ(Read(cases[0].case_id).open_fen, 70);
  EXPECT_EQ(Read(cases[1].case_id).open_fen, -30);
  EXPECT_EQ(Read(cases[1].case_id).state, CaseState::kWaitingForBank);
  fake().Line("AG-1", today_.Today(), Reference(1), false, 70);
  fake().Line("AG-1", today_.Today(), Reference(2), true, 30);
  // Of a return less than was paid, the rest is claimed.
  fake().Line("AG-1", today_.Today(), Reference(3), false, Amount(3) - 5);
  CloseDay();
  EXPECT_EQ(Open().size(), 1u);
  const Case less = Only(difference::kAmountDiffers);
  Decide(less, Decision::kConfirmReturned);
  EXPECT_EQ(States(Reference(3)), "PR");
  EXPECT_EQ(Read(less.case_id).open_fen, 5);
  ExpectEqual();
}

TEST_F(CasesTest, ACreditUnderAnotherReferenceIsMatchedWithTheClaim) {
  PayAll(1, 1);
  fake().Line("AG-1", kMonday, Reference(700), true, 5000);
  fake().Line("AG-1", kMonday, 0, false, 2000);
  fake().Line("AG-1", kMonday, 0, false, 3000);
  CloseDay();
  const Case claim = Only(difference::kUnknownReference);
  const std::vector<Case> credits = Open(difference::kReversalWithoutPayment);
  ASSERT_EQ(credits.size(), 2u);  // money without a reference is a case by its line
  EXPECT_EQ(status::ReasonOf(Propose(claim, Decision::kMatchCase, credits[0].case_id).status()),
            Reason::kCaseDecisionUnfit);
  Decide(credits[0], Decision::kMatchCase, claim.case_id);
  EXPECT_EQ(Read(claim.case_id).open_fen, 3000);
  ExpectEqual();
  Decide(credits[1], Decision::kMatchCase, claim.case_id);
  EXPECT_TRUE(Open().empty());
  ExpectEqual();
}

TEST_F(CasesTest, ASecondDebitThatWasMatchedAndIsCorrectedAfterAllMakesNoReturn) {
  PayAll(1, 2);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  fake().Line("AG-1", kMonday, Reference(888), false, Amount(1));
  CloseDay();
  Decide(Only(difference::kSecondDebit), Decision::kMatchCase,
         Only(difference::kReversalWithoutPayment).case_id);
  EXPECT_TRUE(Open().empty());
  // Nobody said that the payment came back: its item must not be sent again.
  fake().Line("AG-1", kMonday + 1, Reference(1), false, Amount(1));
  CloseDay();
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(Only(difference::kReversalWithoutPayment).open_fen, -Amount(1));
  ExpectEqual();
  // The payment's own return is one.
  fake().Line("AG-1", kMonday + 2, Reference(1), false, Amount(1));
  CloseDay();
  EXPECT_EQ(States(Reference(1)), "PR");
  ExpectEqual();
}

TEST_F(CasesTest, AContradictingResultIsAskedAboutUntilTheBankAgrees) {
  PayAll(1, 2);
  fake().Say(Reference(1), RowState::kFailed, 0, "3018");
  fake().Say(Reference(2), RowState::kFailed, 0, "3018");
  TakeResults();
  const std::vector<Case> cases = Open(difference::kContradictingResult);
  ASSERT_EQ(cases.size(), 2u);
  for (const Case& one : cases) Decide(one, Decision::kAskBank);
  fake().answers[Reference(1)] = fake().results[0];
  fake().answers[Reference(2)] = fake().results.back();
  EXPECT_EQ(*gateway_->collector.AskAboutCases(bank()), 2);
  EXPECT_EQ(*gateway_->collector.AskAboutCases(bank()), 0);  // once a day
  EXPECT_EQ(Read(cases[0].case_id).state, CaseState::kClosed);
  EXPECT_EQ(Read(cases[1].case_id).state, CaseState::kReopened);
  EXPECT_EQ(status::ReasonOf(Propose(cases[1], Decision::kKeepBooks).status()),
            Reason::kCaseDecisionUnfit);
  CloseDay();
  Decide(Read(cases[1].case_id), Decision::kKeepBooks);
  EXPECT_TRUE(Open().empty());
  EXPECT_EQ(States(Reference(2)), "P");
  ExpectEqual();
}

TEST_F(CasesTest, AStoppedFileIsOneCaseAndItsRowsFailOnlyOnceNothingCanHaveBeenPaid) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 3)).ok());
  PackAll();
  fake().on_submit = [](const FileToSend&, const std::string&) -> absl::StatusOr<SendAnswer> {
    return SendAnswer{FileAnswer::kRefused, "OTHER_CONTENT"};
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(SendOne(), SendStep::kUnknown);
  const Case one = Only(difference::kFileOtherContent);
  EXPECT_EQ(one.occurrences, 1);
  EXPECT_EQ(one.book_fen, Amount(1) + Amount(2) + Amount(3));
  Decide(one, Decision::kBankCorrects);
  EXPECT_EQ(status::ReasonOf(Propose(one, Decision::kConfirmNotPaid).status()),
            Reason::kCaseDecisionUnfit);
  for (int i = 0; i < 4; ++i) CloseDay();
  Decide(one, Decision::kConfirmNotPaid);
  EXPECT_EQ(States(Reference(1)), "F");
  EXPECT_EQ(Read(one.case_id).state, CaseState::kClosed);
  EXPECT_EQ(SendOne(), SendStep::kIdle);
  EXPECT_EQ(Pull()[0].reason, "BANK_NOT_TAKEN");
  ExpectEqual();
}

TEST_F(CasesTest, AStoppedFileThatTheBankHasAfterAllEndsItsCase) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 1)).ok());
  PackAll();
  std::string bytes_of_file;
  std::optional<FileToSend> sent;
  fake().on_submit = [&](const FileToSend& file,
                         const std::string& bytes) -> absl::StatusOr<SendAnswer> {
    sent = file;
    bytes_of_file = bytes;
    return SendAnswer{FileAnswer::kRefused, "OTHER_CONTENT"};
  };
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  Decide(Only(difference::kFileOtherContent), Decision::kBankCorrects);
  fake().Take(*sent, bytes_of_file);
  EXPECT_EQ(SendOne(), SendStep::kSent);
  EXPECT_TRUE(Open().empty());
}

TEST_F(CasesTest, AStatementThatDoesNotCloseIsACaseUntilItDoes) {
  PayAll(1, 1);
  TakeResults();
  today_.AdvanceDays(2);  // the bank's own day stands still
  EXPECT_EQ(Reconcile(), 0);
  EXPECT_TRUE(Open().empty());
  today_.AdvanceDays(1);
  EXPECT_EQ(Reconcile(), 0);
  EXPECT_EQ(Reconcile(), 0);
  const Case one = Only(difference::kStatementMissing);
  EXPECT_EQ(one.subject, "2026-03-02");
  EXPECT_EQ(one.occurrences, 1);
  EXPECT_EQ(one.book_fen, Amount(1));
  EXPECT_EQ(book().Get(kAll, one.case_id)->fitting, std::vector<Decision>{Decision::kBankCorrects});
  fake().today = today_.Today();
  while (Reconcile() > 0) {
  }
  EXPECT_TRUE(Open().empty());
}

TEST_F(CasesTest, ADueDayIsInWorkingDaysAndOverdueCasesAreListedAndCounted) {
  today_.MoveTo(absl::CivilDay(2026, 3, 5));  // a Thursday
  fake().today = today_.Today();
  PayAll(1, 1);
  fake().Line("AG-1", today_.Today(), Reference(1), true, Amount(1));
  CloseDay();
  const Case one = Only(difference::kSecondDebit);
  EXPECT_EQ(one.priority, Priority::kLow);
  EXPECT_EQ(*one.due_on, absl::CivilDay(2026, 3, 13));  // five working days behind a Friday
  CaseFilter overdue;
  overdue.overdue = true;
  NextDay(7);
  EXPECT_TRUE(book().List(kAll, overdue, 0, 10)->empty());
  NextDay(1);
  EXPECT_EQ(book().List(kAll, overdue, 0, 10)->size(), 1u);
  EXPECT_TRUE(Read(one.case_id).overdue);
  EXPECT_EQ(Read(one.case_id).age_days, 8);
  const std::vector<CaseCount> counts = *book().CountOpen();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].kind, "SECOND_DEBIT");
  EXPECT_EQ(counts[0].age, "6-10");
  EXPECT_EQ(counts[0].overdue, 1);
  EXPECT_EQ(counts[0].claim_fen, Amount(1));
}

TEST_F(CasesTest, AForeignDistrictSeesNothingAndChangesNothing) {
  PayAll(1, 1);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  CloseDay();
  const Case one = Only(difference::kSecondDebit);
  const identity::Caller foreign = Person("p-x", 120115);
  EXPECT_TRUE(book().List(identity::ScopeOf(foreign), {}, 0, 10)->empty());
  EXPECT_EQ(status::ReasonOf(book().Get(identity::ScopeOf(foreign), one.case_id).status()),
            Reason::kNotFound);
  const std::string before = db_->Sql("SELECT count(*) FROM outbox");
  EXPECT_EQ(status::ReasonOf(book().Assign(foreign, "f1", one.case_id, "p-x").status()),
            Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(
                book()
                    .Propose(foreign, "f2", one.case_id, {Decision::kClaimOnBank, "x", "", 0})
                    .status()),
            Reason::kNotFound);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), before);
  EXPECT_EQ(Read(one.case_id).state, CaseState::kOpen);
}

TEST_F(CasesTest, EachDeedIsDoneOnceLeavesItsHistoryAndAnAuditEntryWithoutWords) {
  PayAll(1, 1);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  CloseDay();
  const Case one = Only(difference::kSecondDebit);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(book().Assign(maker_, "a", one.case_id, "p-maker")->owner, "p-maker");
    EXPECT_TRUE(book().Note(maker_, "n", one.case_id, "已致函银行").ok());
    EXPECT_EQ(book()
                  .Propose(maker_, "d", one.case_id,
                           {Decision::kClaimOnBank, "银行来函", std::string(32, 'e'), 0})
                  ->state,
              CaseState::kWaitingForBank);
  }
  EXPECT_EQ(status::ReasonOf(book().Note(maker_, "n", one.case_id, "别的内容").status()),
            Reason::kRequestIdReused);
  const CaseDetails details = *book().Get(kAll, one.case_id);
  std::string what;
  for (const CaseEventRow& row : details.history) what += row.what + " ";
  EXPECT_EQ(what, "opened posted assigned noted decided ");
  EXPECT_EQ(details.history[3].note, "已致函银行");
  EXPECT_EQ(details.history[3].actor, "p-maker@finance");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') ~ "
                     "'case[.](assigned|noted|decided)'"),
            "3");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox WHERE position('致函' IN "
                     "convert_from(body, 'UTF8')) > 0"),
            "0");
}

TEST_F(CasesTest, AProposalThatIsTurnedDownLeavesTheCaseAsItWas) {
  SubmitAndSend(1, 1);
  fake().Say(Reference(1), RowState::kFailed, 0, "3018", kMonday);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  CloseDay();
  const Case one = Only(difference::kNotReportedPaid);
  ASSERT_TRUE(Propose(one, Decision::kConfirmPaid).ok());
  EXPECT_EQ(status::ReasonOf(Propose(one, Decision::kClaimOnBank).status()),
            Reason::kStateConflict);
  const Case back =
      *book().Confirm(maker_, NewRequest(), one.case_id, Decision::kConfirmPaid, false, "再核实");
  EXPECT_EQ(back.state, CaseState::kAssigned);
  EXPECT_EQ(back.decision, Decision::kNone);
  EXPECT_EQ(back.open_fen, Amount(1));
  EXPECT_EQ(States(Reference(1)), "F");
  ExpectEqual();
}

TEST_F(CasesTest, ABankThatMovesIsReachedAtItsNewAddressAndItsFilesGoOn) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 1)).ok());
  PackAll();
  identity::Caller admin = Person("p-admin", identity::kWholeCity);
  for (int i = 0; i < 2; ++i) {
    const absl::StatusOr<Bank> moved =
        gateway_->intake.SetBankAddress(admin, "m", kBank, "bank:2", "bank.tls", "迁移机房");
    ASSERT_TRUE(moved.ok()) << moved.status();
    EXPECT_EQ(moved->address, "bank:2");
    EXPECT_EQ(moved->tls_name, "bank.tls");
  }
  EXPECT_EQ(
      status::ReasonOf(gateway_->intake.SetBankAddress(admin, "m2", kBank, "", "", "x").status()),
      Reason::kFieldInvalid);
  EXPECT_EQ(status::ReasonOf(
                gateway_->intake.SetBankAddress(admin, "m3", kOtherBank, "b:1", "", "x").status()),
            Reason::kBankNotRegistered);
  std::string reached;
  banks_.on_of = [&](const Bank& bank) { reached = bank.address; };
  EXPECT_EQ(SendOne(), SendStep::kSent);
  EXPECT_EQ(reached, "bank:2");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox WHERE position('bank.moved' IN "
                     "convert_from(body, 'UTF8')) > 0"),
            "1");
}

// Random banks and random officers: whatever they do, each day adds up.
class RandomHistory : public CasesTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  int Draw(int below) { return static_cast<int>(random_engine_() % static_cast<unsigned>(below)); }
  void Line(int days, std::int64_t reference, bool debit, std::int64_t fen) {
    fake().Line("AG-1", today_.Today() + days, reference, debit, fen);
  }
  void Say(int row, RowState state, int days = 0) {
    fake().Say(Reference(row), state, Amount(row), state == RowState::kPaid ? "" : "3056",
               today_.Today() + days);
  }
  void Behave(int row) {
    const std::int64_t reference = Reference(row);
    const std::int64_t fen = Amount(row);
    switch (Draw(20)) {
      case 0:  // its line comes two days late
        Say(row, RowState::kPaid);
        return Line(2, reference, true, fen);
      case 1:  // its line never comes
        return Say(row, RowState::kPaid);
      case 2:  // told as failed, and debited
        Say(row, RowState::kFailed);
        return Line(Draw(2), reference, true, fen);
      case 3:  // nothing is told
        return Line(0, reference, true, fen);
      case 4:  // debited twice, or three times
        Say(row, RowState::kPaid);
        for (int i = 0; i < 2 + Draw(2); ++i) Line(i, reference, true, fen);
        return;
      case 5:
        Say(row, RowState::kPaid);
        return Line(0, reference, true, fen + 1 + Draw(50));
      case 6:
        return Line(0, reference, true, fen - 1 - Draw(50));
      case 7:  // told for the next day
        Say(row, RowState::kPaid, 1);
        return Line(0, reference, true, fen);
      case 8:  // comes back, told and booked
        Say(row, RowState::kPaid);
        Line(0, reference, true, fen);
        Say(row, RowState::kReturned, 1);
        return Line(1, reference, false, fen);
      case 9:  // comes back on the statement alone
        Say(row, RowState::kPaid);
        Line(0, reference, true, fen);
        return Line(2, reference, false, fen);
      case 10:  // comes back short
        Say(row, RowState::kPaid);
        Line(0, reference, true, fen);
        return Line(1, reference, false, fen - 1 - Draw(20));
      case 11:  // told to be back, and is not
        Say(row, RowState::kPaid);
        Line(0, reference, true, fen);
        return Say(row, RowState::kReturned, 0);
      case 12:  // contradicts itself
        Say(row, RowState::kPaid);
        Say(row, RowState::kFailed);
        return Line(0, reference, true, fen);
      case 13:  // the return is told first
        Say(row, RowState::kReturned, 1);
        Line(0, reference, true, fen);
        return Line(1, reference, false, fen);
      case 14:  // a debit of one that never was, or a credit of it
        Say(row, RowState::kPaid);
        Line(0, reference, true, fen);
        return Line(Draw(2), Reference(row + 100'000), Draw(2) == 0, 500 + Draw(3));
      case 15:  // without a reference
        Say(row, RowState::kPaid);
        Line(0, reference, true, fen);
        return Line(Draw(2), 0, Draw(2) == 0, 500 + Draw(3));
      case 16:  // reversed though it failed, and debited to set that right
        Say(row, RowState::kFailed);
        Line(0, reference, false, fen);
        return Line(1, reference, true, fen);
      default:
        Say(row, RowState::kPaid);
        return Line(0, reference, true, fen);
    }
  }
  // The bank corrects some of what is open.
  void Correct() {
    for (const Case& one : Open()) {
      if (one.open_fen == 0 || one.reference == 0 || Draw(4) != 0) continue;
      Line(0, one.reference, one.open_fen < 0, std::abs(one.open_fen));
    }
  }
  void Officers() {
    for (const Case& seen : Open()) {
      if (Draw(3) == 0) continue;
      const absl::StatusOr<CaseDetails> details = book().Get(kAll, seen.case_id);
      ASSERT_TRUE(details.ok()) << details.status();
      const std::vector<Decision>& fitting = details->fitting;
      if (!fitting.empty() && Draw(5) != 0) {
        const Decision decision =
            fitting[static_cast<std::size_t>(Draw(static_cast<int>(fitting.size())))];
        Decide(seen, decision);
        decided_.insert(decision);
      } else if (details->one.state != CaseState::kClosed) {
        for (const Case& other : Open()) {
          if (!Propose(seen, Decision::kMatchCase, other.case_id).ok()) continue;
          ASSERT_TRUE(Confirm(seen, Decision::kMatchCase).ok());
          decided_.insert(Decision::kMatchCase);
          break;
        }
      }
      ExpectEqual();
      if (HasFailure()) return;
    }
  }

  std::mt19937 random_engine_{GetParam()};
  std::set<Decision> decided_;
};

TEST_P(RandomHistory, EachDaysStatementIsPaymentsReturnsAndSuspenseToTheFen) {
  constexpr int kDays = 9;
  constexpr int kRows = 12;
  for (int day = 0; day < kDays && !HasFailure(); ++day) {
    // On a machine with much else to do a day takes longer than a lease.
    ASSERT_TRUE(gateway_->workers.BeatOnce().ok());
    if (day < kDays - 4) {
      SubmitAndSend(1 + day * kRows, kRows);
      for (int i = 1; i <= kRows; ++i) Behave(day * kRows + i);
    }
    Correct();
    CloseDay();
    ExpectEqual();
    Officers();
    const absl::StatusOr<int> asked = gateway_->collector.AskAboutCases(bank());
    ASSERT_TRUE(asked.ok()) << asked.status();
    ExpectEqual();
  }
  EXPECT_GT(db_->Sql("SELECT count(*) FROM suspense_entry"), "0");
  EXPECT_GE(decided_.size(), 3u);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM difference WHERE case_id IS NULL"), "0");
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range(1u, 13u));

}  // namespace
}  // namespace yikatong::bankgateway::testing
