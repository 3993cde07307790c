// After the database was put back from a backup: what the bank has is found out and not sent again.
#include <gmock/gmock.h>

#include <sstream>

#include "common/outbox/restore.h"
#include "services/bankgateway/testing/gateway_rig.h"

namespace yikatong::bankgateway::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kLostFile[] = "120105-20260302-1-0000009";

class RestoreTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    Raise();
  }
  void Raise() {
    postgres::DatabaseOptions options;
    options.conninfo = db_->runtime_conninfo();
    std::ostringstream said;
    ASSERT_TRUE(outbox::RaiseRestoreEpoch("monday", "bankgateway", options, sql::kEpochRead,
                                          sql::kEpochRaise, said)
                    .ok());
    EXPECT_EQ(said.str(), "restore epoch: 2\n");
  }
  // As the bank has it from the time that the restore undid.
  void BankHas(int serial, RowState state, const std::string& code = "",
               absl::CivilDay day = kMonday) {
    BankResult& answer = fake().answers[Reference(serial)];
    answer.file_id = kLostFile;
    answer.state = state;
    answer.return_code = code;
    answer.amount_fen = state == RowState::kFailed ? 0 : Amount(serial);
    if (state == RowState::kPaid || state == RowState::kReturned) answer.booked_on = day;
    if (state == RowState::kPending) return;
    fake().Say(Reference(serial), state, answer.amount_fen, code, answer.booked_on);
    fake().results.back().file_id = kLostFile;
  }
  void LookUpAll() {
    for (;;) {
      const absl::StatusOr<int> looked = gateway_->look_up.RunOnce();
      ASSERT_TRUE(looked.ok()) << looked.status();
      if (*looked == 0) return;
    }
  }
  absl::Status Finish(bool leave_unclaimed = false) {
    said_.str("");
    postgres::DatabaseOptions options;
    options.conninfo = db_->runtime_conninfo();
    return FinishRestore(options, leave_unclaimed, said_);
  }
  // The bytes of the only file that the bank got from us.
  std::string OnlyFile() {
    EXPECT_EQ(fake().files.size(), 1u);
    return fake().files.empty() ? "" : fake().files.begin()->second.bytes;
  }
  static std::string RowOf(int serial) { return "|" + ReferenceText(Reference(serial)) + "|"; }

  std::ostringstream said_;
};

TEST_F(RestoreTest, WhatTheBankHasIsNotSentAgainAndTheRestIs) {
  BankHas(1, RowState::kPaid);
  BankHas(2, RowState::kFailed, "3018");
  TakeResults();
  EXPECT_THAT(Differences(), IsEmpty()) << "nobody has asked for them again yet";
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 4)).ok());
  PackAll();
  EXPECT_EQ(Count().files_open, 0) << "nothing is packed before the banks were asked";
  LookUpAll();
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(States(Reference(2)), "F");
  EXPECT_EQ(States(Reference(3)), "");
  EXPECT_EQ(Pull().size(), 2u);
  EXPECT_EQ(gateway_->instructions.Get({.all_districts = true}, Reference(1))->file_id, kLostFile);
  PackAll();
  ASSERT_EQ(SendOne(), SendStep::kSent);
  const std::string bytes = OnlyFile();
  EXPECT_THAT(bytes, Not(HasSubstr(RowOf(1))));
  EXPECT_THAT(bytes, Not(HasSubstr(RowOf(2))));
  EXPECT_THAT(bytes, HasSubstr(RowOf(3)));
  EXPECT_THAT(bytes, HasSubstr(RowOf(4)));
  EXPECT_THAT(bytes, HasSubstr("T|2|" + std::to_string(Amount(3) + Amount(4))));
  EXPECT_EQ(Count().unpacked, 0);
  EXPECT_EQ(Count().awaiting, 2);

  const std::string ours = fake().files.begin()->first;
  for (const int serial : {3, 4}) {
    fake().Say(Reference(serial), RowState::kPaid, Amount(serial), "", kMonday);
    fake().results.back().file_id = ours;
  }
  TakeResults();
  EXPECT_EQ(States(Reference(3)), "P");
  EXPECT_EQ(db_->Sql("SELECT state || '/' || final_rows || '/' || row_count FROM file"), "4/2/2");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                     "'%kind: instructions.withheld%detail.rows: 2%'"),
            "1");
}

TEST_F(RestoreTest, NoNumberOfTheUndoneTimeIsUsedAgain) {
  BankHas(1, RowState::kPaid);
  BankHas(7, RowState::kPaid);
  TakeResults();
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 2)).ok());
  LookUpAll();
  ASSERT_TRUE(gateway_->outcomes.NumberChunks().ok());
  PackAll();
  ASSERT_TRUE(Finish(true).ok());
  fake().Line("AG-1", kMonday, Reference(7), true, Amount(7));
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  const std::string first = std::to_string(2 * kNumbersOfEpoch + 1);
  EXPECT_EQ(db_->Sql("SELECT number FROM outcome_chunk"), first);
  EXPECT_EQ(db_->Sql("SELECT chunk_id FROM outcome_chunk"), first);
  EXPECT_EQ(db_->Sql("SELECT min(case_id) FROM reconciliation_case"), first);
  EXPECT_EQ(db_->Sql("SELECT min(difference_id) FROM difference"), first);
  EXPECT_EQ(db_->Sql("SELECT min(batch_id) FROM notification_batch"), first);
  EXPECT_EQ(db_->Sql("SELECT split_part(file_id, '-', 3) FROM file"), "2");
}

TEST_F(RestoreTest, WithoutARestoreTheSameResultsAreDifferences) {
  db_->Sql("DELETE FROM restored");
  BankHas(1, RowState::kPaid);
  TakeResults();
  EXPECT_THAT(Differences(), ElementsAre("UNKNOWN_REFERENCE"));
}

TEST_F(RestoreTest, APaymentAndItsReturnKeepTheirOwnDays) {
  BankHas(1, RowState::kPaid);
  BankHas(1, RowState::kReturned, "3056", kMonday + 1);
  NextDay(2);
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 1)).ok());
  EXPECT_EQ(*gateway_->look_up.RunOnce(), 0) << "the bank's news is read first";
  TakeResults();
  LookUpAll();
  EXPECT_EQ(States(Reference(1)), "PR");
  EXPECT_EQ(db_->Sql("SELECT string_agg(booked_on::text, ' ' ORDER BY outcome_no) FROM outcome"),
            "2026-03-02 2026-03-03");
}

TEST_F(RestoreTest, AChunkThatTheBankHasWhollyIsInNoFileAndItsDayIsReconciled) {
  BankHas(1, RowState::kPaid);
  BankHas(2, RowState::kPaid);
  TakeResults();
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 2)).ok());
  LookUpAll();
  PackAll();
  EXPECT_EQ(SendOne(), SendStep::kIdle);
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  fake().Line("AG-1", kMonday, Reference(2), true, Amount(2));
  NextDay();
  EXPECT_EQ(Reconcile(), 0) << "not while the restore is open";
  ASSERT_TRUE(Finish().ok());
  EXPECT_THAT(said_.str(), HasSubstr("restore monday is finished\n"));
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_THAT(Differences(), IsEmpty());
  EXPECT_EQ(db_->Sql("SELECT complete || '/' || agreed FROM statement"), "true/2");
}

TEST_F(RestoreTest, ALineThatIsMissingForWhatWasFoundIsACase) {
  BankHas(1, RowState::kPaid);
  TakeResults();
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 1)).ok());
  LookUpAll();
  ASSERT_TRUE(Finish().ok());
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_THAT(Differences(), ElementsAre("LINE_MISSING"));
}

TEST_F(RestoreTest, WhatTheBankHasNotDecidedIsWithheldAndItsResultCounts) {
  BankHas(1, RowState::kPending);
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 2)).ok());
  LookUpAll();
  PackAll();
  ASSERT_EQ(SendOne(), SendStep::kSent);
  EXPECT_THAT(OnlyFile(), Not(HasSubstr(RowOf(1))));
  EXPECT_EQ(States(Reference(1)), "");
  BankHas(1, RowState::kPaid);
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(db_->Sql("SELECT final_rows || '/' || row_count FROM file"), "0/1");
}

TEST_F(RestoreTest, WhatStaysUndecidedIsAskedAboutOnceADayAndToldAsUnknown) {
  BankHas(1, RowState::kPending);
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 1)).ok());
  LookUpAll();
  EXPECT_EQ(Count().awaiting, 1);
  EXPECT_EQ(*gateway_->look_up.AskAboutLate(bank(), 2), 0);
  NextDay(2);
  EXPECT_EQ(*gateway_->look_up.AskAboutLate(bank(), 2), 1);
  EXPECT_EQ(States(Reference(1)), "U");
  EXPECT_EQ(gateway_->directory.Ages(Count().unknown)->unknown.at("0-1"), 0);
  EXPECT_EQ(gateway_->directory.Ages(Count().unknown)->unknown.at("2-5"), 1)
      << "since it was found";
  EXPECT_EQ(*gateway_->look_up.AskAboutLate(bank(), 2), 0);
  NextDay();
  fake().answers[Reference(1)].state = RowState::kPaid;
  fake().answers[Reference(1)].booked_on = kMonday;
  EXPECT_EQ(*gateway_->look_up.AskAboutLate(bank(), 2), 1);
  EXPECT_EQ(States(Reference(1)), "UP");
  EXPECT_EQ(Count().awaiting, 0);
  EXPECT_EQ(gateway_->directory.Ages(Count().unknown)->unknown.at("2-5"), 0);
  NextDay();
  EXPECT_EQ(*gateway_->look_up.AskAboutLate(bank(), 2), 1) << "all of it has its end";
  NextDay();
  EXPECT_EQ(*gateway_->look_up.AskAboutLate(bank(), 2), 0) << "it is looked at no more";
}

TEST_F(RestoreTest, AFileThatIsRefusedFailsOnlyWhatIsInIt) {
  BankHas(1, RowState::kPending);
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 2)).ok());
  LookUpAll();
  PackAll();
  fake().on_submit = [](const FileToSend&, const std::string&) {
    return SendAnswer{FileAnswer::kRefused, "FUNDS"};
  };
  ASSERT_EQ(SendOne(), SendStep::kRefused);
  EXPECT_EQ(States(Reference(1)), "") << "the bank may have paid it";
  EXPECT_EQ(States(Reference(2)), "F");
}

TEST_F(RestoreTest, WhatAnotherBankHasIsNotSentAndStaysUnknown) {
  ASSERT_TRUE(MakeBank(kOtherBank).ok());
  BankResult& answer = banks_.banks[kOtherBank].answers[Reference(1)];
  answer.file_id = kLostFile;
  answer.state = RowState::kPaid;
  answer.amount_fen = Amount(1);
  answer.booked_on = kMonday;
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 2)).ok());
  LookUpAll();
  PackAll();
  ASSERT_EQ(SendOne(), SendStep::kSent);
  EXPECT_THAT(OnlyFile(), Not(HasSubstr(RowOf(1))));
  EXPECT_EQ(States(Reference(1)), "U");
  EXPECT_EQ(gateway_->restores.Count()->unclaimed, 1);
  EXPECT_EQ(status::ReasonOf(Finish()), Reason::kStateConflict);
}

TEST_F(RestoreTest, NothingIsPackedWhileABankCannotBeAsked) {
  fake().down = true;
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 2)).ok());
  EXPECT_FALSE(gateway_->look_up.RunOnce().ok());
  PackAll();
  EXPECT_EQ(SendOne(), SendStep::kIdle);
  EXPECT_EQ(gateway_->restores.Count()->to_look_up, 1);
  fake().down = false;
  LookUpAll();
  PackAll();
  EXPECT_EQ(SendOne(), SendStep::kSent);
}

TEST_F(RestoreTest, AChunkThatWaitedInTheBackupIsLookedUpToo) {
  db_->Sql("DELETE FROM restored");
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 1)).ok());
  db_->Sql("UPDATE restore_epoch SET epoch = 1");
  Raise();
  BankHas(1, RowState::kPaid);
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "")
      << "a result in a file that is not ours waits for the question";
  LookUpAll();
  PackAll();
  EXPECT_EQ(SendOne(), SendStep::kIdle);
  EXPECT_EQ(States(Reference(1)), "P");
}

TEST_F(RestoreTest, AChunkIsLookedUpOnce) {
  BankHas(1, RowState::kPaid);
  TakeResults();
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 1)).ok());
  ASSERT_EQ(*gateway_->look_up.RunOnce(), 1);
  const WaitingChunk chunk{2 * kNumbersOfEpoch + 1, kBank, {Reference(1)}};
  ASSERT_EQ(db_->Sql("SELECT submission_id FROM submission"), std::to_string(chunk.submission_id));
  EXPECT_EQ(
      *gateway_->restores.LookedUp("monday", chunk, {{kBank, {fake().answers[Reference(1)]}}}), 0);
  EXPECT_EQ(States(Reference(1)), "P");
}

TEST_F(RestoreTest, IsFinishedOnlyWhenEverythingIsFoundOut) {
  BankHas(1, RowState::kPaid);
  BankHas(7, RowState::kPaid);
  BankHas(8, RowState::kFailed, "3018");
  EXPECT_EQ(status::ReasonOf(Finish()), Reason::kStateConflict) << "news is not read";
  TakeResults();
  ASSERT_TRUE(Submit(MakeChunk("chunk", 1, 1)).ok());
  EXPECT_EQ(*gateway_->look_up.RunOnce(), 1);
  ASSERT_TRUE(Submit(MakeChunk("more", 2, 1)).ok());
  EXPECT_EQ(status::ReasonOf(Finish()), Reason::kStateConflict) << "a chunk waits";
  LookUpAll();
  EXPECT_EQ(status::ReasonOf(Finish()), Reason::kStateConflict) << "a payment belongs to nobody";
  EXPECT_EQ(said_.str(), "reference " + ReferenceText(Reference(7)) + ", bank " + kBank +
                             ": 1007 fen\npayments that no chunk has asked for: 1, 1007 fen\n");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM restored WHERE finished_at IS NULL"), "1");
  ASSERT_TRUE(Finish(true).ok());
  ASSERT_TRUE(Finish().ok());
  EXPECT_EQ(said_.str(), "no restore is open\n");
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                     "'%kind: restore.finished%detail.unclaimed: 1%'"),
            "1");
  // Its money is found on the statement of its day.
  fake().Line("AG-1", kMonday, Reference(1), true, Amount(1));
  fake().Line("AG-1", kMonday, Reference(7), true, Amount(7));
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_THAT(Differences(), ElementsAre("UNKNOWN_REFERENCE"));
}

}  // namespace
}  // namespace yikatong::bankgateway::testing
