#include "services/banksim/domain/bank.h"

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/crypto/sha256.h"
#include "gtest/gtest.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // GCC has it without a header
#endif

namespace yikatong::banksim {
namespace {

constexpr absl::CivilDay kMonday(2026, 3, 2);
constexpr char kBank[] = "102100099996";
constexpr char kCaller[] = "bankgateway";

std::string CardNumber(int i) {
  char body[24];
  std::snprintf(body, sizeof body, "620000%09d", i);
  for (char check = '0'; check <= '9'; ++check) {
    std::string card = std::string(body) + check;
    if (AccountNumberFits(card, true)) return card;
  }
  return "";
}

struct TestRow {
  std::int64_t reference;
  std::int64_t amount_fen;
  std::string account;
};

struct TestFile {
  FileHead head;
  std::string bytes;
};

TestFile MakeFile(const std::string& id, const std::vector<TestRow>& rows,
                  const std::string& agreement = "AG-1") {
  TestFile file;
  std::int64_t total = 0;
  std::ostringstream lines;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    char reference[24];
    std::snprintf(reference, sizeof reference, "%016lld",
                  static_cast<long long>(rows[i].reference));
    lines << "D|" << i + 1 << '|' << reference << '|' << kBank << "|CARD|" << rows[i].account
          << "|测试|" << rows[i].amount_fen << "|补贴\n";
    total += rows[i].amount_fen;
  }
  std::ostringstream all;
  all << "H|YKT1|" << id << '|' << agreement << "|2026-03-02|" << rows.size() << '|' << total
      << "|补贴\n"
      << lines.str() << "T|" << rows.size() << '|' << total << "\n";
  file.bytes = all.str();
  file.head = {id,
               agreement,
               kBank,
               "2026-03-02",
               static_cast<std::int64_t>(rows.size()),
               total,
               crypto::StringOf(crypto::Sha256(file.bytes)),
               "",
               ""};
  return file;
}

std::vector<TestRow> MakeRows(int first, int count) {
  std::vector<TestRow> rows;
  for (int i = first; i < first + count; ++i) {
    rows.push_back({105'1'000'000'000'01 + i * 100LL, 1000 + i, CardNumber(i)});
  }
  return rows;
}

class BankTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("banksim_test_" + std::to_string(getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    Reopen();
  }
  void TearDown() override {
    bank_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return (folder_ / "journal").string(); }

  // As after kill -9: memory is gone, the file is what is left.
  void Reopen() {
    bank_.reset();
    absl::StatusOr<std::unique_ptr<Bank>> bank = Bank::Open({.journal_path = path()});
    ASSERT_TRUE(bank.ok()) << bank.status();
    bank_ = *std::move(bank);
    ASSERT_TRUE(bank_->AdvanceTo(kMonday).ok());
  }
  SubmitAnswer Submit(const TestFile& file) {
    absl::StatusOr<SubmitAnswer> answer = bank_->SubmitFile(kCaller, file.head, file.bytes);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : SubmitAnswer();
  }
  std::vector<RowReport> Results() {
    std::int64_t head = 0;
    std::vector<RowReport> reports = bank_->ListResults(kCaller, kBank, 0, 1'000'000, head);
    EXPECT_EQ(head, static_cast<std::int64_t>(reports.size()));
    return reports;
  }
  // Everything that a caller can be told, as one text.
  std::string Answers() {
    std::ostringstream out;
    for (const RowReport& r : Results()) {
      out << r.number << ' ' << r.file_id << ' ' << r.reference << ' ' << static_cast<int>(r.state)
          << ' ' << r.return_code << ' ' << r.bank_serial << ' ' << r.booked_on << ' '
          << r.amount_fen << '\n';
    }
    for (int day = 0; day < 8; ++day) {
      const StatementHead head = bank_->GetStatementHead(kCaller, "AG-1", kMonday + day);
      out << day << ' ' << head.lines << ' ' << head.debit_fen << ' ' << head.credit_fen << '\n';
      for (const StatementLine& line :
           bank_->ListStatementLines(kCaller, "AG-1", kMonday + day, 0, 1'000'000)) {
        out << line.line << ' ' << line.reference << ' ' << line.debit << ' ' << line.amount_fen
            << '\n';
      }
    }
    const JournalSummary sum = bank_->Summary();
    out << sum.credits << ' ' << sum.credit_fen << ' ' << sum.returns << ' ' << sum.return_fen;
    return out.str();
  }

  std::filesystem::path folder_;
  std::unique_ptr<Bank> bank_;
};

TEST_F(BankTest, CreditsEveryRowOfAFileAndReportsItOnce) {
  EXPECT_EQ(Submit(MakeFile("F1", MakeRows(0, 100))).answer, FileAnswer::kAccepted);
  const std::vector<RowReport> results = Results();
  ASSERT_EQ(results.size(), 100u);
  EXPECT_EQ(results[0].state, RowState::kPaid);
  EXPECT_EQ(results[0].booked_on, "2026-03-02");
  EXPECT_EQ(bank_->GetFile(kCaller, "F1").state, FileState::kDone);
  EXPECT_EQ(bank_->Summary().credits, 100);
  EXPECT_EQ(bank_->GetFile("another", "F1").state, FileState::kNotFound);
}

TEST_F(BankTest, TheSameFileAgainIsADuplicateAndOtherBytesUnderItsIdAreRefused) {
  const TestFile file = MakeFile("F1", MakeRows(0, 10));
  Submit(file);
  EXPECT_EQ(Submit(file).answer, FileAnswer::kDuplicate);
  const SubmitAnswer other = Submit(MakeFile("F1", MakeRows(0, 11)));
  EXPECT_EQ(other.answer, FileAnswer::kRefused);
  EXPECT_EQ(other.reason, "OTHER_CONTENT");
  EXPECT_EQ(bank_->Summary().credits, 10);
}

TEST_F(BankTest, AReferenceIsCreditedOnceInWhicheverFileItComes) {
  Submit(MakeFile("F1", MakeRows(0, 10)));
  Submit(MakeFile("F2", MakeRows(5, 10)));
  EXPECT_EQ(bank_->Summary().credits, 15);
  EXPECT_EQ(bank_->Summary().references_credited_twice, 0);
  int duplicates = 0;
  for (const RowReport& r : Results()) duplicates += r.return_code == 3051 ? 1 : 0;
  EXPECT_EQ(duplicates, 5);
  EXPECT_EQ(bank_->GetFile(kCaller, "F2").state, FileState::kDone);
  const std::string before = Answers();
  Reopen();
  EXPECT_EQ(Answers(), before);
}

TEST_F(BankTest, AFileWithAWrongControlSumTakesNothing) {
  TestFile file = MakeFile("F1", MakeRows(0, 10));
  file.bytes.replace(file.bytes.find("|1003|"), 6, "|9003|");
  file.head.sha256 = crypto::StringOf(crypto::Sha256(file.bytes));
  EXPECT_EQ(Submit(file).reason, "CONTROL_SUM");
  EXPECT_EQ(bank_->Summary().credits, 0);
  EXPECT_EQ(bank_->GetFile(kCaller, "F1").state, FileState::kRefused);
}

TEST_F(BankTest, ATruncatedFileTakesNothing) {
  TestFile file = MakeFile("F1", MakeRows(0, 10));
  file.bytes.resize(file.bytes.size() / 2);
  file.head.sha256 = crypto::StringOf(crypto::Sha256(file.bytes));
  EXPECT_EQ(Submit(file).reason, "FORMAT");
  EXPECT_EQ(bank_->Summary().credits, 0);
}

TEST_F(BankTest, AnswersTheSameAfterItWasKilled) {
  ASSERT_TRUE(bank_
                  ->SetFaults("", {.seed = 7,
                                   .fail_permille = 100,
                                   .return_permille = 100,
                                   .return_after_days = 2,
                                   .late_permille = 200,
                                   .late_days = 1,
                                   .repeat_permille = 50})
                  .ok());
  Submit(MakeFile("F1", MakeRows(0, 500)));
  Submit(MakeFile("F2", MakeRows(500, 500)));
  std::string before = Answers();
  Reopen();
  EXPECT_EQ(Answers(), before);
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 1).ok());
  before = Answers();
  Reopen();
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 1).ok());
  EXPECT_EQ(Answers(), before);
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 5).ok());
  before = Answers();
  Reopen();
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 5).ok());
  EXPECT_EQ(Answers(), before);
  EXPECT_EQ(bank_->GetFile(kCaller, "F1").state, FileState::kDone);
  EXPECT_GT(bank_->Summary().returns, 50);
}

TEST_F(BankTest, ATornGroupAtTheEndOfTheJournalIsAsIfItHadNeverBeen) {
  Submit(MakeFile("F1", MakeRows(0, 10)));
  const std::string before = Answers();
  const auto whole = std::filesystem::file_size(path());
  Submit(MakeFile("F2", MakeRows(10, 10)));
  const auto both = std::filesystem::file_size(path());
  for (const auto cut : {whole + 1, whole + 100, (whole + both) / 2, both - 1}) {
    std::filesystem::copy_file(path(), path() + ".torn",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path() + ".torn", cut);
    absl::StatusOr<std::unique_ptr<Bank>> torn = Bank::Open({.journal_path = path() + ".torn"});
    ASSERT_TRUE(torn.ok()) << torn.status();
    EXPECT_EQ((*torn)->Summary().credits, 10);
    EXPECT_EQ(std::filesystem::file_size(path() + ".torn"), whole);
  }
  std::filesystem::resize_file(path(), both - 1);
  Reopen();
  EXPECT_EQ(Answers(), before);
  EXPECT_EQ(Submit(MakeFile("F2", MakeRows(10, 10))).answer, FileAnswer::kAccepted);
}

TEST_F(BankTest, AnAlteredLineInTheMiddleOfTheJournalIsFoundAtTheStart) {
  Submit(MakeFile("F1", MakeRows(0, 10)));
  Submit(MakeFile("F2", MakeRows(10, 10)));
  bank_.reset();
  std::fstream file(path(), std::ios::in | std::ios::out);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t at = text.find("|1003|");
  ASSERT_NE(at, std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at + 1));
  file << '9';
  file.close();
  EXPECT_EQ(Bank::Open({.journal_path = path()}).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(BankTest, TheSameRowsBehaveTheSameInWhateverFilesAndOrderTheyCome) {
  const Faults faults = {
      .seed = 3, .fail_permille = 200, .return_permille = 50, .late_permille = 50};
  ASSERT_TRUE(bank_->SetFaults("", faults).ok());
  Submit(MakeFile("F1", MakeRows(0, 1000)));
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 1).ok());
  const JournalSummary one = bank_->Summary();
  absl::StatusOr<std::unique_ptr<Bank>> other = Bank::Open({.journal_path = path() + ".other"});
  ASSERT_TRUE(other.ok());
  bank_ = *std::move(other);
  ASSERT_TRUE(bank_->AdvanceTo(kMonday).ok());
  ASSERT_TRUE(bank_->SetFaults("", faults).ok());
  for (int i = 9; i >= 0; --i) Submit(MakeFile("G" + std::to_string(i), MakeRows(i * 100, 100)));
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 1).ok());
  EXPECT_EQ(bank_->Summary().credits, one.credits);
  EXPECT_EQ(bank_->Summary().credit_fen, one.credit_fen);
  EXPECT_EQ(bank_->Summary().return_fen, one.return_fen);
  EXPECT_NEAR(static_cast<double>(one.credits), 800, 60);
}

TEST_F(BankTest, FailuresAreSpreadOverAllReasonsOfRows) {
  ASSERT_TRUE(bank_->SetFaults("", {.fail_permille = 1000}).ok());
  Submit(MakeFile("F1", MakeRows(0, 2000)));
  std::set<int> codes;
  for (const RowReport& r : Results()) codes.insert(r.return_code);
  EXPECT_EQ(codes.size(), 22u);
  EXPECT_EQ(codes.count(3051), 0u);
}

TEST_F(BankTest, HalfOfTheLateRowsAreCreditedAtOnceAndAllAreReportedLate) {
  ASSERT_TRUE(bank_->SetFaults("", {.late_permille = 1000, .late_days = 2}).ok());
  Submit(MakeFile("F1", MakeRows(0, 1000)));
  EXPECT_TRUE(Results().empty());
  EXPECT_NEAR(static_cast<double>(bank_->Summary().credits), 500, 80);
  EXPECT_EQ(bank_->GetFile(kCaller, "F1").state, FileState::kProcessing);
  const std::vector<RowReport> asked =
      bank_->QueryReferences(kCaller, "", {MakeRows(0, 1)[0].reference, 77});
  EXPECT_EQ(asked[0].state, RowState::kPending);
  EXPECT_EQ(asked[0].file_id, "F1");
  EXPECT_EQ(asked[1].state, RowState::kNotFound);
  const auto of_bank = [&](const std::string& code) {
    return bank_->QueryReferences(kCaller, code, {MakeRows(0, 1)[0].reference})[0].state;
  };
  EXPECT_EQ(of_bank(MakeFile("F1", {}).head.bank_code), RowState::kPending);
  EXPECT_EQ(of_bank("103100000026"), RowState::kNotFound);
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 1).ok());
  EXPECT_TRUE(Results().empty());
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 2).ok());
  EXPECT_EQ(Results().size(), 1000u);
  EXPECT_EQ(bank_->Summary().credits, 1000);
  const StatementHead first = bank_->GetStatementHead(kCaller, "AG-1", kMonday);
  EXPECT_TRUE(first.closed);
  EXPECT_FALSE(bank_->GetStatementHead(kCaller, "AG-1", kMonday + 2).closed);
  EXPECT_EQ(first.lines + bank_->GetStatementHead(kCaller, "AG-1", kMonday + 2).lines, 1000);
}

TEST_F(BankTest, AReturnStandsOnTheStatementOfTheDayOnWhichItCameBack) {
  ASSERT_TRUE(bank_->SetFaults("", {.return_permille = 1000, .return_after_days = 3}).ok());
  Submit(MakeFile("F1", MakeRows(0, 10)));
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 3).ok());
  EXPECT_EQ(bank_->GetStatementHead(kCaller, "AG-1", kMonday).lines, 10);
  const StatementHead back = bank_->GetStatementHead(kCaller, "AG-1", kMonday + 3);
  EXPECT_EQ(back.credit_fen, bank_->Summary().credit_fen);
  EXPECT_EQ(Results().back().state, RowState::kReturned);
  EXPECT_EQ(Results().back().return_code, 3056);
}

TEST_F(BankTest, OddLinesStandOnStatementsOnlyAreCorrectedInTimeAndOutliveAKill) {
  ASSERT_TRUE(bank_
                  ->SetFaults("", {.second_debit_permille = 300,
                                   .foreign_debit_permille = 300,
                                   .stray_reversal_permille = 400,
                                   .correct_after_days = 2})
                  .ok());
  Submit(MakeFile("F1", MakeRows(0, 100)));
  EXPECT_EQ(bank_->Summary().credits, 100);
  EXPECT_EQ(bank_->Summary().references_credited_twice, 0);
  Reopen();
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 1).ok());
  const StatementHead first = bank_->GetStatementHead(kCaller, "AG-1", kMonday);
  const std::vector<StatementLine> lines =
      bank_->ListStatementLines(kCaller, "AG-1", kMonday, 0, 1000);
  ASSERT_EQ(lines.size(), 200u);
  EXPECT_EQ(first.lines, 200);
  int second = 0, foreign = 0, stray = 0;
  std::int64_t debit_fen = 0;
  for (const StatementLine& line : lines) {
    if (line.debit) debit_fen += line.amount_fen;
    const bool odd = line.bank_serial[0] == 'D';
    if (!odd) continue;
    const bool ours = line.reference % 100 != 0;
    ++(ours ? second : line.debit ? foreign : stray);
    EXPECT_TRUE(!ours || line.debit);
  }
  EXPECT_EQ(first.debit_fen, debit_fen);
  EXPECT_EQ(second + foreign + stray, 100);
  EXPECT_GT(second, 0);
  EXPECT_GT(foreign, 0);
  EXPECT_GT(stray, 0);
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 2).ok());
  Reopen();
  ASSERT_TRUE(bank_->AdvanceTo(kMonday + 4).ok());
  const StatementHead corrected = bank_->GetStatementHead(kCaller, "AG-1", kMonday + 2);
  EXPECT_EQ(corrected.lines, 100);  // once each, also over a kill
  EXPECT_EQ(first.debit_fen + corrected.debit_fen - first.credit_fen - corrected.credit_fen,
            bank_->Summary().credit_fen);
}

TEST_F(BankTest, AgreementsBelongToTheBankAndCallerThatOpenedThem) {
  Submit(MakeFile("F1", MakeRows(0, 1)));
  TestFile file = MakeFile("F2", MakeRows(1, 1));
  file.head.bank_code = "103100000026";
  EXPECT_EQ(Submit(file).reason, "AGREEMENT");
  EXPECT_EQ(bank_
                ->SubmitFile("another", MakeFile("F3", MakeRows(2, 1)).head,
                             MakeFile("F3", MakeRows(2, 1)).bytes)
                ->reason,
            "AGREEMENT");
}

TEST_F(BankTest, AFileIsRefusedWholeOnDemand) {
  ASSERT_TRUE(bank_->SetFaults("", {.refuse_file_permille = 1000}).ok());
  EXPECT_EQ(Submit(MakeFile("F1", MakeRows(0, 10))).reason, "FUNDS");
  EXPECT_EQ(bank_->GetFile(kCaller, "F1").state, FileState::kRefused);
  EXPECT_TRUE(Results().empty());
}

// Bytes on the heap, as whoever hands them out counts them.
std::size_t Allocated() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
#endif
}

TEST_F(BankTest, KeepsARowInAHundredBytes) {
  constexpr std::size_t kRows = 200'000;
  std::vector<TestFile> files;
  files.reserve(20);
  for (int i = 0; i < 20; ++i)
    files.push_back(MakeFile("P" + std::to_string(i), MakeRows(i * 10'000, 10'000)));
  const std::size_t before = Allocated();
  for (const TestFile& file : files) Submit(file);
  const std::size_t bytes_a_row = (Allocated() - before) / kRows;
  EXPECT_LT(bytes_a_row, 120U);
  EXPECT_GT(bytes_a_row, 10U) << "nothing was measured";
}

}  // namespace
}  // namespace yikatong::banksim
