// Money that was paid wrongly and comes back, over real gRPC.
#include <fmt/format.h>

#include "common/status/status.h"
#include "services/dispatch/testing/repair_rpc.h"

namespace yikatong::dispatch::testing {
namespace {

using identity::Role;

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
  const std::int64_t line = Line("P001", "city", 1'000'000);
  Replica replica(*rig_, "a");
  const std::int64_t batch = PaidBatch(1, replica);
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
  const std::int64_t line = Line("P001", "city", 1'000'000);
  Replica replica(*rig_, "a");
  const std::int64_t batch = PaidBatch(2, replica);
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

// --- Paid besides ---

// A batch of two; the bank told a failure of the first, and two persons decided that it had paid
// it.
class PaidBesidesTest : public RepairRpcTest {
 protected:
  void Pay(const std::vector<std::pair<std::string, std::int64_t>>& sources,
           bool two_sources = false) {
    if (two_sources) PutPolicy("P001", true);
    batch_ = Approved(2);
    for (const auto& [source, fen] : sources) lines_.push_back(Line("P001", source, fen));
    ASSERT_EQ(Outcome(Fund(batch_)), "OK");
    ASSERT_EQ(Outcome(Release(batch_)), "OK");
    fen_ = two_sources ? 104'501 : 104'500;
    replica_ = std::make_unique<Replica>(*rig_, "a");
    Work(*replica_);
    Tell({Failed(Ref(), 1, fen_), Paid(Item(batch_, 2) * 100 + 1, 1, fen_)});
  }
  std::int64_t Ref() { return Item(batch_, 1) * 100 + 1; }
  void Tell(std::vector<ReportedOutcome> outcomes) {
    Report(std::move(outcomes));
    Follow(*replica_);
  }
  void Decide(int outcome_no = 2) {
    ReportedOutcome after_all = Paid(Ref(), outcome_no, fen_);
    after_all.reason = "PAID_BY_DECISION";
    Tell({after_all});
  }
  v1::Recovery TheRecovery() {
    v1::ListRecoveriesRequest request;
    request.set_batch_id(batch_);
    v1::ListRecoveriesResponse page;
    EXPECT_EQ(Outcome(Call(&Stub::ListRecoveries, request, &page, "a", {Role::kAuditor})), "OK");
    EXPECT_EQ(page.recoveries_size(), 1);
    return page.recoveries_size() == 1 ? page.recoveries(0) : v1::Recovery();
  }
  std::string Cancel(std::int64_t recovery, v1::Recovery* answer) {
    v1::CancelRecoveryRequest request;
    request.set_recovery_id(recovery);
    request.set_reason("it was due to her");
    return Do(&Stub::CancelRecovery, request, answer, "rev", kReviewer);
  }
  std::int64_t batch_ = 0, fen_ = 0;
  std::vector<std::int64_t> lines_;
  std::unique_ptr<Replica> replica_;
};

TEST_F(PaidBesidesTest, ItsMoneyIsChargedWithTheOrderComesBackToTheLineAndHindersNoRepair) {
  Pay({{"city", 1'000'000}});
  ASSERT_EQ(ReissueOf(batch_, {Item(batch_, 1)}), "OK");
  Work(*replica_);
  Decide();
  Decide(3);
  const v1::Recovery found = TheRecovery();
  EXPECT_EQ(found.cause(), v1::RECOVERY_CAUSE_PAID_BESIDES);
  EXPECT_EQ(found.state(), v1::RECOVERY_STATE_PROPOSED);
  EXPECT_EQ(found.reference(), Ref());
  EXPECT_EQ(found.due_fen(), 104'500);
  EXPECT_EQ(found.opened_by(), "");
  EXPECT_EQ(Told(Repairs(batch_)), (std::vector<std::string>{"RECOVERY PROPOSED 2026-03-16"}));
  EXPECT_EQ(Books(lines_[0]), "791000/0/104500/104500/0") << "nobody has decided yet";
  ExpectBooks();

  v1::Recovery answer;
  ASSERT_EQ(Approve(found.recovery_id(), &answer), "OK");
  EXPECT_EQ(Books(lines_[0]), "686500/0/104500/209000/0");
  ExpectBooks();
  // The item's own payment goes its own way: it fails too, and is sent once more.
  Tell({Failed(Item(batch_, 1) * 100 + 2)});
  ASSERT_EQ(ReissueOf(batch_, {Item(batch_, 1)}), "OK");
  Work(*replica_);
  PayAll(*replica_);
  ExpectBooks();
  ASSERT_EQ(Receive(found.recovery_id(), "R1", 33'333, &answer), "OK");
  ASSERT_EQ(Receive(found.recovery_id(), "R2", 71'167, &answer), "OK");
  EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_RECOVERED);
  EXPECT_EQ(Books(lines_[0]), "791000/0/0/209000/0");
  ExpectBooks();
  // And it can be taken back by itself, all of it.
  v1::OpenRecoveriesResponse opened;
  EXPECT_EQ(Open(batch_, {Item(batch_, 1)}, v1::RECOVERY_CAUSE_PAID_BESIDES, &opened),
            "FIELD_INVALID");
  ASSERT_EQ(Open(batch_, {Item(batch_, 1)}, v1::RECOVERY_CAUSE_NOT_ENTITLED, &opened), "OK");
  EXPECT_EQ(opened.recoveries(0).due_fen(), 104'500);
  Decide(4);
  EXPECT_EQ(Number("SELECT count(*) FROM recovery WHERE reference <> 0"), 1);
}

TEST_F(PaidBesidesTest, ALineThatDoesNotSufficeIsNotOverdrawnAndTheRepairStaysOpen) {
  // 60 and 40 of a hundred of 2 * 1045.01 yuan, and a fen less than what the second one needs
  // again.
  Pay({{"city", 1'000'000}, {"district", 2 * 41'800 + 41'799}}, true);
  ASSERT_EQ(AbandonOf(batch_, Item(batch_, 1)), "OK");
  ASSERT_EQ(ReissueOf(batch_, {Item(batch_, 1)}), "ITEM_NOT_REPAIRABLE");
  // What was given up is available again; somebody else takes it.
  Sql(fmt::format(
      "WITH gone AS (UPDATE budget_line SET available_fen = 41799 WHERE line_id = {0}) "
      "INSERT INTO ledger (district, line_id, entry_id, step, debit, credit, amount_fen, "
      "business_date) SELECT 120105, {0}, gen_random_uuid(), 'transfer', 7, 2, 41800, "
      "'2026-03-09'",
      lines_[1]));
  Decide();
  const std::string before = Books(lines_[0]) + " " + Books(lines_[1]);
  const std::int64_t id = TheRecovery().recovery_id();
  v1::Recovery answer;
  EXPECT_EQ(Approve(id, &answer), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(Cancel(id, &answer), "FUNDS_INSUFFICIENT");
  EXPECT_EQ(TheRecovery().state(), v1::RECOVERY_STATE_PROPOSED);
  EXPECT_EQ(Books(lines_[0]) + " " + Books(lines_[1]), before);
  Sql(
      fmt::format("WITH more AS (UPDATE budget_line SET available_fen = available_fen + 1 WHERE "
                  "line_id = {0}) INSERT INTO ledger (district, line_id, entry_id, step, debit, "
                  "credit, amount_fen, business_date) SELECT 120105, {0}, gen_random_uuid(), "
                  "'appropriate', 2, 1, 1, '2026-03-09'",
                  lines_[1]));
  ASSERT_EQ(Approve(id, &answer), "OK");
  EXPECT_EQ(Sql(fmt::format("SELECT available_fen FROM budget_line WHERE line_id = {}", lines_[1])),
            "0");
  ExpectBooks();
  ASSERT_EQ(Receive(id, "R1", 1, &answer), "OK");
  ASSERT_EQ(Receive(id, "R2", 104'500, &answer), "OK");
  ExpectBooks();
}

TEST_F(PaidBesidesTest, WhatWasGivenUpAndPaidAfterAllMayBeKeptAndIsChargedAllTheSame) {
  Pay({{"city", 1'000'000}});
  ASSERT_EQ(AbandonOf(batch_, Item(batch_, 1)), "OK");
  EXPECT_EQ(Books(lines_[0]), "895500/0/0/104500/0");
  Decide();
  v1::Recovery answer;
  ASSERT_EQ(Cancel(TheRecovery().recovery_id(), &answer), "OK");
  EXPECT_EQ(answer.state(), v1::RECOVERY_STATE_CANCELLED);
  EXPECT_EQ(Books(lines_[0]), "791000/0/0/209000/0");
  ExpectBooks();
  EXPECT_TRUE(Repairs(batch_).empty());
  // The audit log was told of the sum when it was found.
  EXPECT_EQ(Number("SELECT count(*) FROM outbox WHERE position('paid_besides_fen' IN "
                   "convert_from(body, 'UTF8')) > 0"),
            1);
}

TEST_F(PaidBesidesTest, OfALineWhoseYearWasClosedTheTreasuryPaysIt) {
  Pay({{"city", 1'000'000}});
  ASSERT_EQ(AbandonOf(batch_, Item(batch_, 1)), "OK");
  rig_->business.MoveTo(absl::CivilDay(2026, 12, 31));
  Sql("WITH gone AS (UPDATE budget_line SET available_fen = 0, closed_on = '2026-12-31') "
      "INSERT INTO ledger (district, line_id, entry_id, step, debit, credit, amount_fen, "
      "business_date) SELECT 120105, 1, gen_random_uuid(), 'lapse', 9, 2, 895500, '2026-12-31'");
  Decide();
  v1::Recovery answer;
  const std::int64_t id = TheRecovery().recovery_id();
  ASSERT_EQ(Approve(id, &answer), "OK");
  EXPECT_EQ(Books(lines_[0]), "0/0/0/209000/0");
  EXPECT_EQ(
      Number("SELECT sum(CASE WHEN debit = 9 THEN amount_fen WHEN credit = 9 THEN -amount_fen "
             "END) FROM ledger"),
      791'000);
  ASSERT_EQ(Receive(id, "R1", 104'500, &answer), "OK");
  EXPECT_EQ(Books(lines_[0]), "0/0/0/104500/104500") << "and is owed it when it comes back";
}

TEST_F(PaidBesidesTest, MoneyGivenBackForTheItemCountsForWhatWasPaidBesidesFirst) {
  Pay({{"city", 1'000'000}});
  ASSERT_EQ(ReissueOf(batch_, {Item(batch_, 1)}), "OK");
  Decide();
  v1::RecordArrivalRequest record;
  record.set_district(kHebei);
  record.set_receipt("A1");
  record.set_amount_fen(104'500);
  record.set_arrived_on("2026-03-09");
  v1::Arrival arrival;
  ASSERT_EQ(Do(&Stub::RecordArrival, record, &arrival, "f", kCity, kFinance), "OK");
  v1::ConfirmArrivalRequest confirm;
  confirm.set_arrival_id(arrival.arrival_id());
  confirm.set_batch_id(batch_);
  confirm.set_item_id(Item(batch_, 1));
  confirm.set_reason("she had it twice");
  ASSERT_EQ(Do(&Stub::ConfirmArrival, confirm, &arrival, "rev", kReviewer), "OK");
  EXPECT_EQ(TheRecovery().state(), v1::RECOVERY_STATE_RECOVERED);
  EXPECT_EQ(arrival.recovery_id(), TheRecovery().recovery_id());
  ExpectBooks();
}

}  // namespace
}  // namespace yikatong::dispatch::testing
