// The stand-in bank: takes files of payments, credits accounts, reports results, keeps statements.
// Whatever it answers is in its journal first, so that after a kill it answers as before.
//
// One object can be several banks: each agreement belongs to one, and each bank numbers its own
// results for each caller. Thread safe; one lock, held while the disk writes (a file is one group
// of the journal).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "services/banksim/domain/bank_file.h"
#include "services/banksim/domain/journal.h"

namespace yikatong::banksim {

// How the bank misbehaves; see simulator.proto. Rates are in a thousand.
struct Faults {
  std::int64_t seed = 1;
  int fail_permille = 0;
  int return_permille = 0;
  int return_after_days = 0;
  int late_permille = 0;
  int late_days = 0;
  int lost_answer_permille = 0;
  int refuse_file_permille = 0;
  int delay_ms = 0;
  int repeat_permille = 0;
  bool down = false;
  // Lines of statements that are no payment; see simulator.proto.
  int second_debit_permille = 0;
  int foreign_debit_permille = 0;
  int stray_reversal_permille = 0;
  int correct_after_days = 0;  // 0: never
};

struct BankOptions {
  std::string journal_path;
  // Whether a signature over the 32 bytes of a SHA-256 is one of the named key; empty takes every
  // signature.
  std::function<bool(std::string_view key_id, std::string_view sha256, std::string_view signature)>
      signature_fits = {};
  // Agreements that the bank has signed, with the bank of each. Others are opened by their first
  // file where `open_agreements`, and refused where not.
  std::map<std::string, std::string> agreements = {};
  bool open_agreements = true;
  int horizon_days = 3;  // after which "not found" is final
};

struct FileHead {
  std::string file_id;
  std::string agreement_no;
  std::string bank_code;
  std::string business_date;
  std::int64_t rows = 0;
  std::int64_t total_fen = 0;
  std::string sha256;
  std::string signature;
  std::string signer_key_id;
};

enum class FileAnswer { kAccepted, kDuplicate, kRefused };
enum class FileState { kNotFound, kProcessing, kDone, kRefused };
enum class RowState : std::uint8_t { kNotFound, kPending, kPaid, kFailed, kReturned };

struct SubmitAnswer {
  FileAnswer answer = FileAnswer::kRefused;
  std::string reason;
  bool lost = false;  // the answer shall not reach the caller
};

struct FileReport {
  FileState state = FileState::kNotFound;
  std::string sha256;
  std::string reason;
};

struct RowReport {
  std::int64_t number = 0;
  std::string file_id;
  std::int64_t reference = 0;
  RowState state = RowState::kNotFound;
  int return_code = 0;
  std::string bank_serial;
  std::string booked_on;
  std::int64_t amount_fen = 0;
};

struct StatementLine {
  std::int64_t line = 0;
  std::int64_t reference = 0;
  bool debit = false;
  std::int64_t amount_fen = 0;
  std::string bank_serial;
  int return_code = 0;
};

struct StatementHead {
  bool closed = false;
  std::int64_t lines = 0;
  std::int64_t debit_fen = 0;
  std::int64_t credit_fen = 0;
};

struct JournalSummary {
  std::int64_t credits = 0;
  std::int64_t credit_fen = 0;
  std::int64_t returns = 0;
  std::int64_t return_fen = 0;
  std::int64_t references_credited_twice = 0;
};

class Bank {
 public:
  // Reads the journal, if there is one.
  static absl::StatusOr<std::unique_ptr<Bank>> Open(BankOptions options);

  // Moves the bank's day forward (never back) and books what is due by then.
  absl::Status AdvanceTo(absl::CivilDay today);
  // The day on which the bank books; none before the first AdvanceTo of an empty journal.
  bool HasDay() const;

  // `bytes` is the whole file. An error: nothing was taken.
  absl::StatusOr<SubmitAnswer> SubmitFile(const std::string& caller, const FileHead& head,
                                          std::string_view bytes);
  FileReport GetFile(const std::string& caller, const std::string& file_id) const;
  // At most `count` results behind number `after`; `head` gets the highest number.
  std::vector<RowReport> ListResults(const std::string& caller, const std::string& bank_code,
                                     std::int64_t after, std::int64_t count,
                                     std::int64_t& head) const;
  // Of one bank, or of all where `bank_code` is empty.
  std::vector<RowReport> QueryReferences(const std::string& caller, const std::string& bank_code,
                                         const std::vector<std::int64_t>& references) const;
  StatementHead GetStatementHead(const std::string& caller, const std::string& agreement_no,
                                 absl::CivilDay day) const;
  // At most `count` lines behind line `after`.
  std::vector<StatementLine> ListStatementLines(const std::string& caller,
                                                const std::string& agreement_no, absl::CivilDay day,
                                                std::int64_t after, std::int64_t count) const;

  // For one bank, or for all where `bank_code` is empty. Kept in the journal.
  absl::Status SetFaults(const std::string& bank_code, const Faults& faults);
  Faults FaultsOf(const std::string& bank_code) const;
  // Of the bank that has the file or agreement; those of all where nobody has it.
  Faults FaultsOfFile(const std::string& caller, const std::string& file_id) const;
  Faults FaultsOfAgreement(const std::string& agreement_no) const;
  JournalSummary Summary() const;
  int horizon_days() const { return options_.horizon_days; }

 private:
  struct Row {
    std::int64_t reference = 0;
    std::int64_t amount_fen = 0;
    std::uint32_t file = 0;
    std::uint16_t day = 0;  // on which it was booked, in days since 2000-01-01
    std::uint16_t code = 0;
    std::uint16_t last_four = 0;
    std::uint16_t return_day = 0;
    RowState state = RowState::kPending;
    RowState reported = RowState::kPending;  // what the caller was told last
    std::uint8_t credits = 0;
  };
  struct Result {
    std::uint32_t row = 0;
    std::uint32_t file = 0;
    std::uint16_t code = 0;
    RowState state = RowState::kPending;
  };
  struct Agreement {
    std::string number;
    std::string caller;
    std::string bank_code;
    std::uint32_t results = 0;  // index into results_
    // row * 2, + 1 for money that came back; with kOdd set, an index into odd_.
    std::map<std::uint16_t, std::vector<std::uint32_t>> days;
  };
  struct File {
    std::string id;
    std::string sha256;
    std::string reason;  // not empty: refused
    std::uint32_t agreement = 0;
    std::uint32_t rows = 0;
    std::uint32_t reported = 0;  // rows with a first result
  };
  // A line of a statement that is no payment and no return.
  struct OddLine {
    std::int64_t reference = 0;
    std::int64_t amount_fen = 0;
    std::uint32_t agreement = 0;
    bool debit = false;
    bool corrected = false;  // or a correction itself
  };
  static constexpr std::uint32_t kOdd = 1u << 31;
  enum class Due : std::uint8_t { kReport, kCredit, kReturn };

  // Rows are found by reference through a table of their indexes alone: five bytes a row.
  struct RowHash {
    using is_transparent = void;
    const std::deque<Row>* rows;
    std::size_t operator()(std::uint32_t row) const { return (*this)((*rows)[row].reference); }
    std::size_t operator()(std::int64_t reference) const;
  };
  struct RowEqual {
    using is_transparent = void;
    const std::deque<Row>* rows;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::uint32_t a, std::int64_t reference) const {
      return (*rows)[a].reference == reference;
    }
    bool operator()(std::int64_t reference, std::uint32_t a) const {
      return (*rows)[a].reference == reference;
    }
  };

  explicit Bank(BankOptions options);

  absl::Status Replay(const JournalFields& fields);
  absl::Status ReplayFile(const JournalFields& fields);
  absl::Status ReplayRow(const JournalFields& fields);
  absl::Status ReplayReturn(const JournalFields& fields);
  absl::Status ReplayOdd(const JournalFields& fields);

  void TakeRows(const FileHead& head, const Faults& faults, const std::vector<PaymentRow>& rows,
                std::int64_t number);
  absl::Status BookDue();
  // Writes the lines that a credited row brings with it by a fault.
  void AddOddLines(const FileHead& head, const Faults& faults, const PaymentRow& row,
                   std::uint64_t draw);
  // The opposites of odd lines that are due by now.
  absl::Status CorrectOdd();
  StatementLine LineOf(std::uint32_t entry) const;
  bool MayUse(const std::string& caller, const FileHead& head) const;
  std::uint32_t ResultsOf(const std::string& caller, const std::string& bank_code);
  const Row* Find(std::int64_t reference, std::uint32_t& index) const;
  const Agreement* FindAgreement(const std::string& caller, const std::string& number) const;
  RowReport ReportOf(std::uint32_t index, std::uint32_t file, RowState state, int code) const;
  Faults FaultsLocked(const std::string& bank_code) const;

  const BankOptions options_;
  mutable std::mutex mutex_;
  std::unique_ptr<Journal> journal_;
  absl::CivilDay today_;
  bool has_day_ = false;

  std::deque<Row> rows_;
  absl::flat_hash_set<std::uint32_t, RowHash, RowEqual> by_reference_;
  std::deque<File> files_;
  std::unordered_map<std::string, std::uint32_t> file_by_id_;  // by caller and id
  std::deque<Agreement> agreements_;
  std::unordered_map<std::string, std::uint32_t> agreement_by_number_;
  std::vector<std::deque<Result>> results_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> results_by_bank_;
  std::map<std::uint16_t, std::vector<std::pair<std::uint32_t, Due>>> due_;
  std::deque<OddLine> odd_;
  std::map<std::uint16_t, std::vector<std::uint32_t>> odd_due_;  // to be corrected
  std::map<std::string, Faults> faults_;                         // "" for all
  JournalSummary summary_;
  std::uint32_t replayed_file_ = 0;  // the file whose rows are being replayed
};

}  // namespace yikatong::banksim
