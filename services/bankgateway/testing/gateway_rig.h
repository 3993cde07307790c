// The gateway's use cases over a real PostgreSQL, with a fake bank behind them and clocks that a
// test moves.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "common/crypto/testing/seeded_random.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/chunk.h"
#include "services/bankgateway/domain/collector.h"
#include "services/bankgateway/domain/intake.h"
#include "services/bankgateway/domain/look_up.h"
#include "services/bankgateway/domain/sender.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/pg_cases.h"
#include "services/bankgateway/store/pg_directory.h"
#include "services/bankgateway/store/pg_files.h"
#include "services/bankgateway/store/pg_instructions.h"
#include "services/bankgateway/store/pg_outcomes.h"
#include "services/bankgateway/store/pg_restores.h"
#include "services/bankgateway/testing/fake_bank.h"

namespace yikatong::bankgateway::testing {

using status::Reason;

inline constexpr absl::CivilDay kMonday(2026, 3, 2);
inline constexpr char kBank[] = "102100099996";
inline constexpr char kOtherBank[] = "103100000026";
inline constexpr std::int32_t kDistrict = 120105;
inline constexpr std::int64_t kNumbersOfEpoch = 1'000'000'000'000;

inline std::int64_t Reference(int serial, int attempt = 1) {
  return (1051000000000LL + serial) * 100 + attempt;
}
inline std::int64_t Amount(int serial) { return 1000 + serial; }

class GatewayTest : public ::testing::Test {
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
          cases(context),
          restores(context),
          intake(instructions, directory, test.today_,
                 {test.gateway_key_, {test.registry_key_.PublicKey()}}),
          sender(files, directory, test.banks_, clock, test.today_, {60'000, 0, 0}),
          collector(outcomes, cases, test.banks_, test.today_),
          look_up(restores, outcomes, directory, test.banks_, test.today_) {}
    postgres::WorkerRegistry workers;
    StoreContext context;
    PgDirectory directory;
    PgInstructionBook instructions;
    PgFileBook files;
    PgOutcomeBook outcomes;
    PgCaseBook cases;
    PgRestoreBook restores;
    Intake intake;
    Sender sender;
    Collector collector;
    LookUp look_up;
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
        // Dense, but for where a restore begins numbers of its own.
        EXPECT_TRUE(chunk.number == after + 1 || chunk.number == 2 * kNumbersOfEpoch + 1);
        after = chunk.number;
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

}  // namespace yikatong::bankgateway::testing
