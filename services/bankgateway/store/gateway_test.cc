// From a submitted chunk to sent files: what must hold whatever banks and processes do.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

#include "common/base/testing/failpoint_folder.h"
#include "common/status/status.h"
#include "services/bankgateway/testing/gateway_rig.h"

namespace yikatong::bankgateway::testing {
namespace {

class Sending : public GatewayTest {};

TEST_F(Sending, AChunkIsPaidFromSubmissionToReconciledStatement) {
  SubmitAndSend(1, 100);
  ASSERT_EQ(fake().files.size(), 1u);
  for (int i = 1; i <= 100; ++i) {
    fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
    fake().Line("AG-1", kMonday, Reference(i), true, Amount(i));
  }
  TakeResults();
  EXPECT_EQ(Pull().size(), 100u);
  EXPECT_EQ(Reconcile(), 0);  // not closed yet
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  EXPECT_TRUE(Differences().empty());
  const std::vector<Reconciliation> done = *gateway_->outcomes.ListReconciliations(
      {.all_districts = true}, "", absl::CivilDay(9999, 1, 1), "", 10);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_TRUE(done[0].complete);
  EXPECT_EQ(done[0].agreed, 100);
  const Statistics counts = Count();
  EXPECT_EQ(counts.instructions, 100);
  EXPECT_EQ(counts.paid, 100);
  EXPECT_EQ(counts.awaiting, 0);
  EXPECT_EQ(counts.reconciled_lines, 100);
  EXPECT_EQ(counts.notifications, 100);
  EXPECT_EQ((*gateway_->files.List({.all_districts = true}, 0, 1'000'000, 10))[0].state,
            FileState::kDone);
}

TEST_F(Sending, HowOldWhatWaitsIsCountsFromTheTakingOfItsChunkInEveryQueue) {
  // Whole hours in which the oldest chunk has been unpacked, in an open file, without results.
  const auto ages = [&] {
    const QueueAges told = *gateway_->directory.Ages(0);
    return std::to_string(told.unpacked_seconds / 3'600) + "/" +
           std::to_string(told.files_open_seconds / 3'600) + "/" +
           std::to_string(told.awaiting_seconds / 3'600);
  };
  EXPECT_EQ(ages(), "0/0/0");
  ASSERT_TRUE(Submit(MakeChunk("old", 1, 2)).ok());
  ASSERT_TRUE(Submit(MakeChunk("new", 11, 2)).ok());
  db_->Sql(
      "UPDATE submission SET accepted_at = now() - interval '3 hours' WHERE request_id = 'old'");
  EXPECT_EQ(ages(), "3/0/0");
  PackAll();
  EXPECT_EQ(ages(), "0/3/0");
  // A bank that is away: the file is tried again and again, and only gets older.
  fake().on_submit = [](const FileToSend&, const std::string&) -> absl::StatusOr<SendAnswer> {
    return absl::UnavailableError("away");
  };
  for (int i = 0; i < 3; ++i) EXPECT_NE(SendOne(), SendStep::kSent);
  EXPECT_EQ(ages(), "0/3/3");
  fake().on_submit = nullptr;
  SendStep step = SendStep::kIdle;
  for (int i = 0; i < 5 && step != SendStep::kSent; ++i) step = SendOne();
  ASSERT_EQ(step, SendStep::kSent);
  EXPECT_EQ(ages(), "0/0/3");
  for (const int serial : {1, 2, 11, 12})
    fake().Say(Reference(serial), RowState::kPaid, Amount(serial), "", kMonday);
  TakeResults();
  EXPECT_EQ(ages(), "0/0/0");
}

TEST_F(Sending, ADayOnWhichEverythingFailedIsReconciledTooSoThatARepairNeedNotWaitForEver) {
  SubmitAndSend(1, 2);
  for (int i = 1; i <= 2; ++i)
    fake().Say(Reference(i), RowState::kFailed, Amount(i), "3004", kMonday);
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "F");
  NextDay();
  EXPECT_EQ(Reconcile(), 1);
  const std::vector<Reconciliation> done = *gateway_->outcomes.ListReconciliations(
      {.all_districts = true}, "AG-1", absl::CivilDay(9999, 1, 1), "", 10);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].day, kMonday);
  EXPECT_TRUE(done[0].complete);
  EXPECT_EQ(done[0].lines, 0);
  // A day on which nothing was sent has no statement to tell of.
  NextDay();
  Reconcile();
  EXPECT_EQ(
      gateway_->outcomes
          .ListReconciliations({.all_districts = true}, "AG-1", absl::CivilDay(9999, 1, 1), "", 10)
          ->size(),
      1u);
}

TEST_F(Sending, TheSameChunkAgainIsAnsweredAsBeforeAndOtherContentIsRefused) {
  const Chunk chunk = MakeChunk("c", 1, 10);
  EXPECT_EQ(*Submit(chunk), 10);
  EXPECT_EQ(*Submit(chunk), 10);
  EXPECT_EQ(Count().instructions, 10);
  Chunk other = chunk;
  other.rows[3].amount_fen += 1;
  EXPECT_EQ(status::ReasonOf(Submit(other).status()), Reason::kRequestIdReused);
  // Also once the agreement has ended.
  NextDay(400);
  EXPECT_EQ(*Submit(chunk), 10);
}

TEST_F(Sending, AReferenceIsTakenOnceInWhicheverChunkItComes) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10)).ok());
  EXPECT_EQ(status::ReasonOf(Submit(MakeChunk("c2", 10, 5)).status()), Reason::kReferenceReused);
  EXPECT_EQ(Count().instructions, 10);
  EXPECT_TRUE(Submit(MakeChunk("c3", 1, 10, "AG-1", 2)).ok());
}

TEST_F(Sending, AnExpiredOrSuspendedAgreementOrBankTakesNothing) {
  ASSERT_TRUE(gateway_->directory.SetBankState(caller_, "s1", kBank, true, "审计").ok());
  EXPECT_EQ(status::ReasonOf(Submit(MakeChunk("c", 1, 1)).status()), Reason::kBankSuspended);
  EXPECT_EQ(gateway_->intake.Resolve(kDistrict, "x", kMonday)->reason, "BANK_SUSPENDED");
  ASSERT_TRUE(gateway_->directory.SetBankState(caller_, "s2", kBank, false, "恢复").ok());
  ASSERT_TRUE(gateway_->directory.SetAgreementState(caller_, "s3", "AG-1", true, "争议").ok());
  EXPECT_EQ(status::ReasonOf(Submit(MakeChunk("c", 1, 1)).status()), Reason::kAgreementSuspended);
  ASSERT_TRUE(gateway_->directory.SetAgreementState(caller_, "s4", "AG-1", false, "解决").ok());
  EXPECT_EQ(gateway_->intake.Resolve(kDistrict, "x", kMonday)->usable.size(), 1u);
  EXPECT_EQ(gateway_->intake.Resolve(120115, "x", kMonday)->reason, "NO_AGREEMENT");
  NextDay(400);
  EXPECT_EQ(status::ReasonOf(Submit(MakeChunk("c", 1, 1)).status()), Reason::kAgreementExpired);
  EXPECT_EQ(gateway_->intake.Resolve(kDistrict, "x", today_.Today())->reason, "AGREEMENT_EXPIRED");
  EXPECT_EQ(Count().instructions, 0);
}

TEST_F(Sending, NothingIsSentToABankThatWasSuspendedAfterItsChunksWereTaken) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 5)).ok());
  PackAll();
  ASSERT_TRUE(Submit(MakeChunk("c2", 6, 5)).ok());
  ASSERT_TRUE(gateway_->directory.SetBankState(caller_, "s1", kBank, true, "审计").ok());
  PackAll();
  EXPECT_EQ(SendOne(), SendStep::kIdle);
  EXPECT_EQ(fake().submits, 0);
  EXPECT_EQ(Count().unpacked, 5);
  EXPECT_EQ(gateway_->instructions.Get({.all_districts = true}, Reference(1))->waiting_reason,
            "BANK_SUSPENDED");
  EXPECT_EQ(gateway_->instructions.Get({.all_districts = true}, Reference(6))->waiting_reason,
            "BANK_SUSPENDED");
  ASSERT_TRUE(gateway_->directory.SetBankState(caller_, "s2", kBank, false, "恢复").ok());
  PackAll();
  EXPECT_EQ(SendOne(), SendStep::kSent);
  EXPECT_EQ(SendOne(), SendStep::kSent);
}

TEST_F(Sending, AccountsOfAnotherBankNeedAnAgreementThatCreditsThem) {
  ASSERT_TRUE(MakeBank(kOtherBank).ok());
  Chunk chunk = MakeChunk("c", 1, 3);
  chunk.rows[1].bank_code = kOtherBank;
  EXPECT_EQ(status::ReasonOf(Submit(chunk).status()), Reason::kBankNotCovered);
}

TEST_F(Sending, FilesHoldWholeChunksUpToTheirLimitAndEveryRowOnce) {
  for (int i = 0; i < 6; ++i)
    ASSERT_TRUE(Submit(MakeChunk("c" + std::to_string(i), 1 + i * 2000, 2000)).ok());
  PackAll();
  while (SendOne() == SendStep::kSent) {
  }
  ASSERT_EQ(fake().files.size(), 2u);
  std::size_t rows = 0;
  for (const auto& [id, taken] : fake().files) {
    rows += static_cast<std::size_t>(taken.file.rows);
    EXPECT_EQ(taken.file.byte_size, static_cast<std::int64_t>(taken.bytes.size()));
    EXPECT_EQ(crypto::StringOf(crypto::Sha256(taken.bytes)), taken.file.sha256);
    EXPECT_TRUE(file_key_.PublicKey().Verify(taken.file.sha256, taken.file.signature));
  }
  EXPECT_EQ(rows, 12'000u);
}

TEST_F(Sending, NoAccountNumberStandsInTheDatabaseInClear) {
  SubmitAndSend(1, 10);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM submission WHERE position('6200000000000013'::bytea in "
                     "accounts) > 0"),
            "0");
  EXPECT_EQ(
      db_->Sql(
          "SELECT count(*) FROM file_part WHERE position('6200000000000013'::bytea in bytes) > 0"),
      "0");
  EXPECT_EQ(
      db_->Sql("SELECT count(*) FROM outbox WHERE position('6200000000000013'::bytea in body) > 0"),
      "0");
}

TEST_F(Sending, AFileWhoseAnswerWasLostIsAskedAboutAndNotSentAgain) {
  ASSERT_TRUE(MakeAgreement("AG-2", false).ok());
  ASSERT_TRUE(Submit(MakeChunk("c", 1, 10, "AG-2")).ok());
  PackAll();
  fake().on_submit = [&](const FileToSend& file,
                         const std::string& bytes) -> absl::StatusOr<SendAnswer> {
    fake().Take(file, bytes);
    return absl::UnavailableError("the connection broke");
  };
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  EXPECT_EQ(SendOne(), SendStep::kSent);
  EXPECT_EQ(fake().submits, 1);
  EXPECT_EQ(fake().asks, 1);
}

TEST_F(Sending, AFileThatTheBankDoesNotKnowGoesAgainOnlyToABankThatRefusesDuplicates) {
  ASSERT_TRUE(MakeAgreement("AG-2", false).ok());
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10, "AG-2")).ok());
  PackAll();
  fake().on_submit = [](const FileToSend&, const std::string&) -> absl::StatusOr<SendAnswer> {
    return absl::UnavailableError("the connection broke");
  };
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  fake().on_submit = nullptr;
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  EXPECT_EQ(fake().submits, 1);
  NextDay(3);
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  NextDay(1);  // behind the horizon
  EXPECT_EQ(SendOne(), SendStep::kRefused);
  EXPECT_EQ(States(Reference(1)), "F");
  EXPECT_EQ(Pull()[0].reason, "BANK_NOT_TAKEN");
  EXPECT_EQ(fake().submits, 1);

  ASSERT_TRUE(Submit(MakeChunk("c2", 100, 10, "AG-1")).ok());
  PackAll();
  std::string first;
  fake().on_submit = [&](const FileToSend&,
                         const std::string& bytes) -> absl::StatusOr<SendAnswer> {
    if (first.empty()) {
      first = bytes;
      return absl::UnavailableError("the connection broke");
    }
    EXPECT_EQ(bytes, first);
    return SendAnswer{FileAnswer::kAccepted, ""};
  };
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  EXPECT_EQ(SendOne(), SendStep::kSent);
}

TEST_F(Sending, DuplicateMeansAskAndOtherBytesUnderOurIdStopTheFile) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10)).ok());
  PackAll();
  fake().on_submit = [&](const FileToSend& file,
                         const std::string& bytes) -> absl::StatusOr<SendAnswer> {
    fake().Take(file, bytes);
    return SendAnswer{FileAnswer::kDuplicate, ""};
  };
  EXPECT_EQ(SendOne(), SendStep::kSent);
  ASSERT_TRUE(Submit(MakeChunk("c2", 11, 10)).ok());
  PackAll();
  fake().on_submit = [&](const FileToSend&, const std::string&) -> absl::StatusOr<SendAnswer> {
    return SendAnswer{FileAnswer::kRefused, "OTHER_CONTENT"};
  };
  EXPECT_EQ(SendOne(), SendStep::kUnknown);
  EXPECT_EQ(States(Reference(11)), "");
  EXPECT_EQ((*gateway_->files.List({.all_districts = true}, 0, 1'000'000, 1))[0].reason,
            "OTHER_CONTENT");
}

TEST_F(Sending, OneBanksSilenceLeavesItsRowsUnknownAndDelaysNoOther) {
  ASSERT_TRUE(MakeBank(kOtherBank).ok());
  Agreement agreement;
  agreement.agreement_no = "AG-B";
  agreement.district = kDistrict;
  agreement.bank_code = kOtherBank;
  agreement.valid_from = absl::CivilDay(2026, 1, 1);
  agreement.valid_to = absl::CivilDay(2026, 12, 31);
  ASSERT_TRUE(gateway_->intake.CreateAgreement(caller_, "make-b", agreement).ok());
  ASSERT_TRUE(Submit(MakeChunk("a", 1, 2)).ok());
  Chunk silent = MakeChunk("b", 11, 2, "AG-B");
  for (InstructionRow& row : silent.rows) row.bank_code = kOtherBank;
  ASSERT_TRUE(Submit(silent).ok());
  PackAll();
  FakeBank& other = banks_.banks[kOtherBank];
  const Bank other_bank{kOtherBank, "另一家银行", "bank:1", true, false, ""};
  other.today = kMonday;
  other.on_submit = [&](const FileToSend& file,
                        const std::string& bytes) -> absl::StatusOr<SendAnswer> {
    other.Take(file, bytes);
    return absl::DeadlineExceededError("no answer");
  };
  other.down = true;
  std::multiset<SendStep> steps{SendOne(), SendOne()};
  EXPECT_EQ(steps, (std::multiset<SendStep>{SendStep::kSent, SendStep::kUnknown}));
  for (int i = 1; i <= 2; ++i) fake().Say(Reference(i), RowState::kPaid, Amount(i), "", kMonday);
  TakeResults();
  EXPECT_EQ(States(Reference(1)), "P");
  EXPECT_EQ(States(Reference(11)), "");
  NextDay(2);
  EXPECT_FALSE(gateway_->collector.AskAboutLate(other_bank).ok());
  EXPECT_EQ(States(Reference(11)), "U");
  // It comes back: it had the file, and its results still arrive.
  other.down = false;
  other.today = today_.Today();
  EXPECT_EQ(SendOne(), SendStep::kSent);
  other.Say(Reference(11), RowState::kPaid, Amount(11), "", kMonday);
  other.Say(Reference(12), RowState::kFailed, 0, "3018");
  EXPECT_EQ(*gateway_->collector.TakeResults(other_bank), 2);
  EXPECT_EQ(States(Reference(11)), "UP");
  EXPECT_EQ(States(Reference(12)), "UF");
  EXPECT_EQ(other.submits, 1);
}

TEST_F(Sending, AFileOfAKilledWorkerIsAskedAboutByAnother) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10)).ok());
  PackAll();
  base::ManualClock clock(absl::Now());
  postgres::DatabaseOptions options;
  const std::unique_ptr<postgres::Database> database = db_->Open(options);
  Replica second(*database, clock, *this, "two");
  ASSERT_TRUE(second.workers.BeatOnce().ok());
  // The first sends, and dies before it hears the answer.
  const absl::StatusOr<std::optional<FileToSend>> taken = gateway_->files.Take({}, {});
  ASSERT_TRUE(taken.ok() && taken->has_value());
  EXPECT_TRUE((*taken)->fresh);
  fake().Take(**taken, "");
  EXPECT_EQ(*second.sender.RunOnce(), SendStep::kIdle);
  clock.Advance(absl::Seconds(16));
  ASSERT_TRUE(second.workers.BeatOnce().ok());
  EXPECT_EQ(*second.sender.RunOnce(), SendStep::kSent);
  EXPECT_EQ(fake().submits, 0);
  EXPECT_EQ(fake().asks, 1);
  // The first wakes: its fence has passed on.
  EXPECT_EQ(status::ReasonOf(gateway_->files.MarkRefused(**taken, "FUNDS", Reason::kBankFunds)),
            Reason::kLeaseLost);
  EXPECT_EQ(States(Reference(1)), "");
}

TEST_F(Sending, ASenderStoppedBeforeItsCommitDoesNoHarmWhenItWakes) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10)).ok());
  PackAll();
  base::ManualClock clock(absl::Now());
  postgres::DatabaseOptions options;
  const std::unique_ptr<postgres::Database> database = db_->Open(options);
  Replica second(*database, clock, *this, "two");
  ASSERT_TRUE(second.workers.BeatOnce().ok());
  // The bank refused the file by what the first one hears; by what the second one asks, it has it.
  fake().on_submit = [&](const FileToSend& file, const std::string&) -> absl::StatusOr<SendAnswer> {
    fake().Take(file, "");
    return SendAnswer{FileAnswer::kRefused, "FUNDS"};
  };
  const base::testing::FailpointFolder points;
  points.Put("mark_refused.before_begin", "wait");
  std::thread stopped([&] {
    EXPECT_EQ(status::ReasonOf(gateway_->sender.RunOnce().status()), Reason::kLeaseLost);
  });
  points.AwaitTaken("mark_refused.before_begin");
  clock.Advance(absl::Seconds(16));
  ASSERT_TRUE(second.workers.BeatOnce().ok());
  EXPECT_EQ(*second.sender.RunOnce(), SendStep::kSent);
  points.LetGo("mark_refused.before_begin");
  stopped.join();
  EXPECT_EQ(fake().submits, 1);
  EXPECT_EQ(States(Reference(1)), "");
}

TEST_F(Sending, AFileThatIsRefusedWholeGivesEveryRowBackOnce) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10)).ok());
  ASSERT_TRUE(Submit(MakeChunk("c2", 11, 10)).ok());
  PackAll();
  fake().on_submit = [](const FileToSend&, const std::string&) -> absl::StatusOr<SendAnswer> {
    return SendAnswer{FileAnswer::kRefused, "FUNDS"};
  };
  EXPECT_EQ(SendOne(), SendStep::kRefused);
  EXPECT_EQ(SendOne(), SendStep::kIdle);
  const std::vector<Outcome> outcomes = Pull();
  ASSERT_EQ(outcomes.size(), 20u);
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.state, OutcomeState::kFailed);
    EXPECT_EQ(outcome.reason, "BANK_FUNDS");
    EXPECT_EQ(outcome.outcome_no, 1);
  }
  EXPECT_EQ(Count().failed, 20);
  EXPECT_EQ(Count().notifications, 0);
}

}  // namespace
}  // namespace yikatong::bankgateway::testing
