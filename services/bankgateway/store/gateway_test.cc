// The use cases over a real PostgreSQL, with a fake bank behind them: what must hold whatever banks
// and processes do.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "common/base/testing/failpoint_folder.h"
#include "common/crypto/testing/seeded_random.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/chunk.h"
#include "services/bankgateway/domain/collector.h"
#include "services/bankgateway/domain/intake.h"
#include "services/bankgateway/domain/sender.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/pg_directory.h"
#include "services/bankgateway/store/pg_files.h"
#include "services/bankgateway/store/pg_instructions.h"
#include "services/bankgateway/store/pg_outcomes.h"
#include "services/bankgateway/testing/fake_bank.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

constexpr absl::CivilDay kMonday(2026, 3, 2);
constexpr char kBank[] = "102100099996";
constexpr char kOtherBank[] = "103100000026";
constexpr std::int32_t kDistrict = 120105;

std::int64_t Reference(int serial, int attempt = 1) {
  return (1051000000000LL + serial) * 100 + attempt;
}
std::int64_t Amount(int serial) { return 1000 + serial; }

class GatewayTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    pg_ = postgres::PgFixture::Start({"bankgateway", sql::kMigrations});
  }
  static void TearDownTestSuite() { pg_.reset(); }

  // One replica: everything that a process has for itself.
  struct Replica {
    Replica(postgres::Database& database, const base::Clock& clock, GatewayTest& test,
            const std::string& worker)
        : workers(database, clock, worker),
          context{database, workers, clock, test.today_, test.ids_, test.cipher_, test.file_key_},
          directory(context),
          instructions(context),
          files(context, {kMaxFileRows, 0}),
          outcomes(context),
          intake(instructions, directory, test.today_,
                 {test.gateway_key_, {test.registry_key_.PublicKey()}}),
          sender(files, directory, test.banks_, clock, test.today_, {60'000, 0, 0}),
          collector(outcomes, test.banks_, test.today_) {}
    postgres::WorkerRegistry workers;
    StoreContext context;
    PgDirectory directory;
    PgInstructionBook instructions;
    PgFileBook files;
    PgOutcomeBook outcomes;
    Intake intake;
    Sender sender;
    Collector collector;
  };

  void SetUp() override {
    db_ = pg_->FreshDatabase();
    gateway_ = std::make_unique<Replica>(db_->database(), clock_, *this, "one");
    ASSERT_TRUE(gateway_->workers.BeatOnce().ok());
    caller_.service = "dispatch";
    fake().today = kMonday;
    ASSERT_TRUE(MakeBank(kBank).ok());
    ASSERT_TRUE(MakeAgreement("AG-1").ok());
  }

  FakeBank& fake() { return banks_.banks[kBank]; }
  absl::Status MakeBank(const std::string& code) {
    return gateway_->intake
        .CreateBank(caller_, "bank-" + code, {code, "一家银行", "bank:1", true, false, ""})
        .status();
  }
  absl::Status MakeAgreement(const std::string& number, bool refuses_duplicates = true) {
    Agreement agreement;
    agreement.agreement_no = number;
    agreement.district = kDistrict;
    agreement.bank_code = kBank;
    agreement.valid_from = absl::CivilDay(2026, 1, 1);
    agreement.valid_to = absl::CivilDay(2026, 12, 31);
    agreement.refuses_duplicates = refuses_duplicates;
    return gateway_->intake.CreateAgreement(caller_, "make-" + number, agreement).status();
  }
  static Chunk MakeChunk(const std::string& id, int first, int count,
                         const std::string& agreement = "AG-1", int attempt = 1) {
    Chunk chunk;
    chunk.request_id = id;
    chunk.district = kDistrict;
    chunk.agreement_no = agreement;
    chunk.summary = "耕地地力保护补贴";
    for (int i = first; i < first + count; ++i) {
      InstructionRow row;
      row.reference = Reference(i, attempt);
      row.item_id = row.reference / 100;
      row.amount_fen = Amount(i);
      row.person_id = i;
      row.account_version = 1;
      row.bank_code = kBank;
      chunk.rows.push_back(row);
    }
    return chunk;
  }
  std::string Seal(const Chunk& chunk) {
    std::vector<crypto::RowToSeal> rows;
    for (const InstructionRow& row : chunk.rows) {
      rows.push_back(
          {{row.item_id, std::to_string(row.person_id), row.bank_code, row.account_version},
           {"6200000000000013", "测一", "0013", "", ""}});
    }
    return crypto::EncodeSealedChunk(*crypto::SealChunk(chunk.request_id, rows, registry_key_,
                                                        gateway_key_.PublicKey(), random_));
  }
  absl::StatusOr<int> Submit(const Chunk& chunk) {
    return gateway_->intake.SubmitChunk(caller_, chunk, Seal(chunk));
  }
  void PackAll() {
    for (;;) {
      const absl::StatusOr<bool> packed = gateway_->files.PackOne();
      ASSERT_TRUE(packed.ok()) << packed.status();
      if (!*packed) return;
    }
  }
  SendStep SendOne() {
    const absl::StatusOr<SendStep> step = gateway_->sender.RunOnce();
    EXPECT_TRUE(step.ok()) << step.status();
    return step.ok() ? *step : SendStep::kIdle;
  }
  void SubmitAndSend(int first, int count) {
    const Chunk chunk = MakeChunk("chunk-" + std::to_string(first), first, count);
    ASSERT_TRUE(Submit(chunk).ok());
    PackAll();
    ASSERT_EQ(SendOne(), SendStep::kSent);
  }
  Bank bank() { return {kBank, "一家银行", "bank:1", true, false, ""}; }
  void TakeResults() {
    for (;;) {
      const absl::StatusOr<int> took = gateway_->collector.TakeResults(bank());
      ASSERT_TRUE(took.ok()) << took.status();
      if (*took == 0) return;
    }
  }
  int Reconcile() {
    const absl::StatusOr<int> closed = gateway_->collector.Reconcile(bank());
    EXPECT_TRUE(closed.ok()) << closed.status();
    return closed.value_or(-1);
  }
  void NextDay(int days = 1) {
    today_.AdvanceDays(days);
    fake().today = today_.Today();
  }
  // The states of a reference's outcomes, in order: "PU" is paid, then unknown.
  std::string States(std::int64_t reference) {
    const absl::StatusOr<Instruction> got =
        gateway_->instructions.Get({.all_districts = true}, reference);
    EXPECT_TRUE(got.ok()) << got.status();
    std::string states;
    if (!got.ok()) return states;
    for (const Outcome& outcome : got->outcomes) states += "-PFUR"[static_cast<int>(outcome.state)];
    return states;
  }
  std::vector<std::string> Differences() {
    std::vector<std::string> kinds;
    const absl::StatusOr<std::vector<Difference>> all =
        gateway_->outcomes.ListDifferences({.all_districts = true}, "", 0, 1000);
    EXPECT_TRUE(all.ok()) << all.status();
    if (!all.ok()) return kinds;
    for (const Difference& one : *all) kinds.push_back(one.kind);
    return kinds;
  }
  // All outcomes that dispatch would pull.
  std::vector<Outcome> Pull() {
    EXPECT_TRUE(gateway_->outcomes.NumberChunks().ok());
    std::vector<Outcome> all;
    std::int64_t head = 0;
    std::int64_t after = 0;
    do {
      const std::vector<OutcomeChunk> chunks = *gateway_->outcomes.ListChunks(after, 8, head);
      for (const OutcomeChunk& chunk : chunks) {
        EXPECT_EQ(chunk.number, ++after);
        all.insert(all.end(), chunk.outcomes.begin(), chunk.outcomes.end());
      }
    } while (after < head);
    return all;
  }
  Statistics Count() { return *gateway_->directory.Count(0); }

  static inline std::unique_ptr<postgres::PgFixture> pg_;
  crypto::SeededRandom random_{5};
  crypto::Ed25519PrivateKey registry_key_ = crypto::Ed25519PrivateKey::Generate(random_);
  crypto::X25519PrivateKey gateway_key_ = crypto::X25519PrivateKey::Generate(random_);
  crypto::Ed25519PrivateKey file_key_ = crypto::Ed25519PrivateKey::Generate(random_);
  crypto::ColumnCipher cipher_ =
      *crypto::ColumnCipher::Make(*crypto::ParseKeyRing("1 " + std::string(64, 'a')), random_);
  base::SystemClock clock_;
  base::ManualBusinessClock today_{kMonday};
  base::RandomIdSource ids_;
  identity::Caller caller_;
  FakeBanks banks_;
  std::unique_ptr<postgres::TestDatabase> db_;
  std::unique_ptr<Replica> gateway_;
};

TEST_F(GatewayTest, AChunkIsPaidFromSubmissionToReconciledStatement) {
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

TEST_F(GatewayTest, ADayOnWhichEverythingFailedIsReconciledTooSoThatARepairNeedNotWaitForEver) {
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

TEST_F(GatewayTest, TheSameChunkAgainIsAnsweredAsBeforeAndOtherContentIsRefused) {
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

TEST_F(GatewayTest, AReferenceIsTakenOnceInWhicheverChunkItComes) {
  ASSERT_TRUE(Submit(MakeChunk("c1", 1, 10)).ok());
  EXPECT_EQ(status::ReasonOf(Submit(MakeChunk("c2", 10, 5)).status()), Reason::kReferenceReused);
  EXPECT_EQ(Count().instructions, 10);
  EXPECT_TRUE(Submit(MakeChunk("c3", 1, 10, "AG-1", 2)).ok());
}

TEST_F(GatewayTest, AnExpiredOrSuspendedAgreementOrBankTakesNothing) {
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

TEST_F(GatewayTest, NothingIsSentToABankThatWasSuspendedAfterItsChunksWereTaken) {
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

TEST_F(GatewayTest, AccountsOfAnotherBankNeedAnAgreementThatCreditsThem) {
  ASSERT_TRUE(MakeBank(kOtherBank).ok());
  Chunk chunk = MakeChunk("c", 1, 3);
  chunk.rows[1].bank_code = kOtherBank;
  EXPECT_EQ(status::ReasonOf(Submit(chunk).status()), Reason::kBankNotCovered);
}

TEST_F(GatewayTest, FilesHoldWholeChunksUpToTheirLimitAndEveryRowOnce) {
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

TEST_F(GatewayTest, NoAccountNumberStandsInTheDatabaseInClear) {
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

TEST_F(GatewayTest, AFileWhoseAnswerWasLostIsAskedAboutAndNotSentAgain) {
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

TEST_F(GatewayTest, AFileThatTheBankDoesNotKnowGoesAgainOnlyToABankThatRefusesDuplicates) {
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

TEST_F(GatewayTest, DuplicateMeansAskAndOtherBytesUnderOurIdStopTheFile) {
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

TEST_F(GatewayTest, AFileOfAKilledWorkerIsAskedAboutByAnother) {
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

TEST_F(GatewayTest, ASenderStoppedBeforeItsCommitDoesNoHarmWhenItWakes) {
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

TEST_F(GatewayTest, AFileThatIsRefusedWholeGivesEveryRowBackOnce) {
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

TEST_F(GatewayTest, RepeatedResultsChangeNothingAndContradictingOnesAreCases) {
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

TEST_F(GatewayTest, AReturnFollowsItsPaymentAlsoWhenItIsReportedFirst) {
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

TEST_F(GatewayTest,
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

TEST_F(GatewayTest, AClosedStatementPaysWhatWasUnknownAndReturnsWhatCameBack) {
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

TEST_F(GatewayTest, APaymentWithoutItsLineIsACaseOnceTheDayIsClosed) {
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

TEST_F(GatewayTest, ARowWithoutAnAnswerIsUnknownOnceAndFailsOnlyWhenTheBankNeverHadIt) {
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

TEST_F(GatewayTest, ABankThatIsAwayLeavesItsRowsUnknownAndIsAskedAgain) {
  SubmitAndSend(1, 3);
  NextDay(2);
  fake().down = true;
  EXPECT_FALSE(gateway_->collector.AskAboutLate(bank()).ok());
  EXPECT_EQ(States(Reference(1)), "U");
  fake().down = false;
  EXPECT_EQ(*gateway_->collector.AskAboutLate(bank()), 1);
  EXPECT_EQ(States(Reference(1)), "U");
}

TEST_F(GatewayTest, APageOfResultsIsAppliedOnceByWhicheverReplica) {
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

TEST_F(GatewayTest, APageOfResultsWithAGapIsRefused) {
  SubmitAndSend(1, 2);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  fake().first_number = 2;
  EXPECT_EQ(gateway_->collector.TakeResults(bank()).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*gateway_->outcomes.Cursor(kBank), 0);
  EXPECT_EQ(States(Reference(1)), "");
}

TEST_F(GatewayTest, OutcomeChunksAreNumberedDenselyAndOnlyWhatHasCommitted) {
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

TEST_F(GatewayTest, ARequestIdIsDoneOnceAlsoForBanksAndAgreements) {
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

TEST_F(GatewayTest, EveryStepLeavesItsAuditEntryAndARefusalChangesNothing) {
  SubmitAndSend(1, 5);
  fake().Say(Reference(1), RowState::kPaid, Amount(1), "", kMonday);
  TakeResults();
  const std::string before = db_->Sql("SELECT count(*) FROM outbox");
  EXPECT_EQ(before, "6");  // bank, agreement, chunk, file packed, file sent, outcomes
  EXPECT_FALSE(Submit(MakeChunk("c2", 1, 5)).ok());
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM outbox"), before);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM submission"), "1");
}

TEST_F(GatewayTest, AThousandPaymentsCostMillisecondsEndToEnd) {
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
}  // namespace yikatong::bankgateway
