// What the use cases need from outside: the books (PostgreSQL stands behind them) and the banks
// (gRPC does).
//
// Every method of a book is one transaction: done or not done. An error of the books (UNAVAILABLE,
// LEASE_LOST …) leaves nothing behind; COMMIT_UNKNOWN is answered by calling again, since each step
// says under which cursor, fence or key it is. Implementations are thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/identity/caller.h"
#include "common/status/reason.h"
#include "services/bankgateway/domain/types.h"

namespace yikatong::bankgateway {

// ---- Banks, as their contract has them.

enum class FileAnswer { kAccepted, kDuplicate, kRefused };

// The bank has other bytes under our id: its word for it, and our note.
inline constexpr std::string_view kOtherContent = "OTHER_CONTENT";

struct SendAnswer {
  FileAnswer answer = FileAnswer::kRefused;
  std::string word;  // the bank's reason, for refused
};

enum class BankFileState { kNotFound, kProcessing, kDone, kRefused };

struct FileReport {
  BankFileState state = BankFileState::kNotFound;
  std::string sha256;
  std::string word;
  int horizon_days = 0;  // after which not found is final
};

enum class RowState { kNotFound, kPending, kPaid, kFailed, kReturned };

struct BankResult {
  std::int64_t number = 0;
  std::string file_id;
  std::int64_t reference = 0;
  RowState state = RowState::kNotFound;
  std::string return_code;
  std::string bank_serial;
  std::optional<absl::CivilDay> booked_on;
  std::int64_t amount_fen = 0;
};

struct ResultPage {
  std::vector<BankResult> results;
  std::int64_t head = 0;
};

struct StatementHead {
  bool closed = false;
  std::int64_t lines = 0;
  std::int64_t debit_fen = 0;
  std::int64_t credit_fen = 0;
};

struct StatementLine {
  std::int64_t line = 0;
  std::int64_t reference = 0;
  bool debit = false;
  std::int64_t amount_fen = 0;
  std::string bank_serial;
  std::string return_code;
};

// A file that this worker may send or ask about until `act_until_ms`.
struct FileToSend {
  std::string file_id;
  std::int64_t fence = 0;
  bool fresh = false;  // nobody can have sent a byte of it before
  std::int32_t district = 0;
  std::string agreement_no;
  std::string bank_code;
  absl::CivilDay business_date;
  absl::CivilDay sent_on;
  std::int32_t rows = 0;
  std::int64_t total_fen = 0;
  std::int64_t byte_size = 0;
  std::int32_t parts = 0;
  std::string sha256;
  std::string signature;
  std::string signer_key_id;
  bool refuses_duplicates = false;
  bool stopped = false;           // the bank had other bytes under its id when it was last asked
  bool may_send = false;          // bank and agreement are usable today
  std::int64_t act_until_ms = 0;  // on Clock::MonotonicMillis
};

// Gives one part of a file's bytes.
using PartReader = std::function<absl::StatusOr<std::string>(std::int32_t part)>;

// One agent bank. An error means that nothing is known, in particular not whether a file was taken.
class AgentBank {
 public:
  virtual ~AgentBank() = default;
  virtual absl::StatusOr<SendAnswer> SubmitFile(const FileToSend& file, const PartReader& read,
                                                std::int64_t timeout_ms) = 0;
  virtual absl::StatusOr<FileReport> GetFileState(const std::string& file_id) = 0;
  virtual absl::StatusOr<ResultPage> ListResults(std::int64_t after, int count) = 0;
  virtual absl::StatusOr<std::vector<BankResult>> QueryReferences(
      const std::vector<std::int64_t>& references) = 0;
  // `on_head` first; false ends the reading, and the answer is OK. Then `on_lines` for each part,
  // in order.
  virtual absl::Status GetStatement(
      const std::string& agreement_no, absl::CivilDay day,
      const std::function<bool(const StatementHead&)>& on_head,
      const std::function<absl::Status(const std::vector<StatementLine>&)>& on_lines) = 0;
};

class AgentBanks {
 public:
  virtual ~AgentBanks() = default;
  // NOT_FOUND for a bank without an address.
  virtual absl::StatusOr<std::shared_ptr<AgentBank>> Of(const Bank& bank) = 0;
};

// ---- Books.

// Banks and agreements. Mutations are done once for a request id; REQUEST_ID_REUSED with other
// content.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual absl::StatusOr<Bank> CreateBank(const identity::Caller& caller,
                                          const std::string& request_id, const Bank& bank) = 0;
  virtual absl::StatusOr<Bank> SetBankState(const identity::Caller& caller,
                                            const std::string& request_id,
                                            const std::string& bank_code, bool suspended,
                                            const std::string& reason) = 0;
  // Calls go to the new address from here on; one that is under way ends at the old one.
  virtual absl::StatusOr<Bank> SetBankAddress(
      const identity::Caller& caller, const std::string& request_id, const std::string& bank_code,
      const std::string& address, const std::string& tls_name, const std::string& reason) = 0;
  virtual absl::StatusOr<std::vector<Bank>> ListBanks(const std::string& after, int count) = 0;
  virtual absl::StatusOr<Agreement> CreateAgreement(const identity::Caller& caller,
                                                    const std::string& request_id,
                                                    const Agreement& agreement) = 0;
  virtual absl::StatusOr<Agreement> SetAgreementState(const identity::Caller& caller,
                                                      const std::string& request_id,
                                                      const std::string& agreement_no,
                                                      bool suspended,
                                                      const std::string& reason) = 0;
  virtual absl::StatusOr<std::vector<Agreement>> ListAgreements(const identity::Scope& scope,
                                                                std::int32_t district,
                                                                const std::string& after,
                                                                int count) = 0;
  // All that could pay for the department, its own before the district's.
  virtual absl::StatusOr<std::vector<Agreement>> CandidateAgreements(
      std::int32_t district, const std::string& department_id) = 0;
  virtual absl::StatusOr<Statistics> Count(std::int32_t district) = 0;
  // Instructions of every bank that is called, by its code, of which it has told no outcome and
  // that are not told to be unknown.
  virtual absl::StatusOr<std::map<std::string, std::int64_t>> AwaitedByBank() = 0;
  // `unknown`: as it was counted over all districts. Those of them whose file is not old enough to
  // be asked about row by row were told by the bank itself, and are the youngest.
  virtual absl::StatusOr<QueueAges> Ages(std::int64_t unknown) = 0;
};

class InstructionBook {
 public:
  virtual ~InstructionBook() = default;
  // The number of rows of a chunk that was taken before under this id, if it was; REQUEST_ID_REUSED
  // with other content.
  virtual absl::StatusOr<std::optional<int>> FindChunk(const Chunk& chunk) = 0;
  // Takes the chunk whole. REFERENCE_REUSED, and what CheckAgreement says.
  virtual absl::Status StoreChunk(const identity::Caller& caller, const Chunk& chunk) = 0;
  virtual absl::StatusOr<Instruction> Get(const identity::Scope& scope, std::int64_t reference) = 0;
};

class FileBook {
 public:
  virtual ~FileBook() = default;
  // Makes one file of waiting chunks: of one agreement, at most kMaxFileRows. False where nothing
  // is to be packed.
  virtual absl::StatusOr<bool> PackOne() = 0;
  // Takes one file to send or to ask about, under a lease; it is SENDING from here on. Files that
  // this process holds already are taken again: the caller skips those that it is still at.
  virtual absl::StatusOr<std::optional<FileToSend>> Take(
      const std::vector<std::string>& skip_files, const std::vector<std::string>& skip_banks) = 0;
  virtual absl::StatusOr<std::string> ReadPart(const std::string& file_id, std::int32_t part) = 0;
  // The bank has it.
  virtual absl::Status MarkSent(const FileToSend& file) = 0;
  // The bank will never pay any of it: every row is FAILED with `reason`, once.
  virtual absl::Status MarkRefused(const FileToSend& file, std::string_view word,
                                   status::Reason reason) = 0;
  // Nothing is known; whoever takes it next asks first. The note kOtherContent stops the file: a
  // case is opened, and a person has to look.
  virtual absl::Status Release(const FileToSend& file, std::string_view note) = 0;
  virtual absl::StatusOr<std::vector<File>> List(const identity::Scope& scope,
                                                 std::int32_t district, std::int64_t before_number,
                                                 int count) = 0;
};

// A file with rows that nothing final is known of for too long.
struct LateFile {
  std::string file_id;
  FileState state = FileState::kSent;
  absl::CivilDay sent_on;
};

struct DueStatement {
  std::string agreement_no;
  std::int32_t district = 0;
  absl::CivilDay day;
};

class OutcomeBook {
 public:
  virtual ~OutcomeBook() = default;
  virtual absl::StatusOr<std::int64_t> Cursor(const std::string& bank_code) = 0;
  // Applies a page that begins behind `after`, at most 2000 results, and moves the cursor. ABORTED
  // where another worker has moved it meanwhile.
  virtual absl::Status ApplyPage(const std::string& bank_code, std::int64_t after,
                                 const std::vector<BankResult>& results) = 0;
  // Gives numbers to chunks that have committed; how many.
  virtual absl::StatusOr<std::int64_t> NumberChunks() = 0;
  virtual absl::StatusOr<std::vector<OutcomeChunk>> ListChunks(std::int64_t after, int count,
                                                               std::int64_t& head) = 0;

  // Files sent on or before a day with rows still open, not asked about today.
  virtual absl::StatusOr<std::vector<LateFile>> LateFiles(const std::string& bank_code,
                                                          absl::CivilDay sent_by) = 0;
  virtual absl::StatusOr<std::vector<std::int64_t>> OpenReferences(const std::string& file_id,
                                                                   std::int64_t after,
                                                                   int count) = 0;
  // What the bank answered about single rows. What is still pending, or not found before that is
  // final, becomes UNKNOWN, once; not found for ever becomes FAILED.
  virtual absl::Status ApplyAnswers(const std::string& bank_code,
                                    const std::vector<BankResult>& answers,
                                    bool not_found_is_final) = 0;
  virtual absl::Status MarkAsked(const std::string& file_id) = 0;

  // The next closed day of each agreement of a bank that is not reconciled.
  virtual absl::StatusOr<std::vector<DueStatement>> DueStatements(const std::string& bank_code) = 0;
  // Compares lines with the books; lines that were compared before are passed over.
  virtual absl::Status CompareLines(const std::string& bank_code, const DueStatement& statement,
                                    const std::vector<StatementLine>& lines) = 0;
  // All lines were compared: finds what is missing and closes the day. FAILED_PRECONDITION where
  // the lines are not those of the head.
  virtual absl::Status CompleteStatement(const std::string& bank_code,
                                         const DueStatement& statement,
                                         const StatementHead& head) = 0;
  virtual absl::StatusOr<std::vector<Reconciliation>> ListReconciliations(
      const identity::Scope& scope, const std::string& agreement_no, absl::CivilDay before_day,
      const std::string& before_agreement, int count) = 0;
  virtual absl::StatusOr<std::vector<Difference>> ListDifferences(const identity::Scope& scope,
                                                                  const std::string& agreement_no,
                                                                  std::int64_t after,
                                                                  int count) = 0;
};

// A restore from a backup that nobody has finished yet.
struct OpenRestore {
  std::string restore_id;
  // Banks that had news when it began which we have not read yet.
  std::vector<std::string> behind;
};

// A chunk that waits to be packed.
struct WaitingChunk {
  std::int64_t submission_id = 0;
  std::string bank_code;
  std::vector<std::int64_t> references;
};

// What was found out at the banks after the database was put back from a backup.
class RestoreBook {
 public:
  virtual ~RestoreBook() = default;
  // Nothing where no restore is open.
  virtual absl::StatusOr<std::optional<OpenRestore>> Open() = 0;
  virtual absl::Status MarkRead(const std::string& restore_id, const std::string& bank_code) = 0;
  // The oldest chunk of which the banks were not asked yet.
  virtual absl::StatusOr<std::optional<WaitingChunk>> NextToLookUp() = 0;
  // What the banks answered about its references, by bank. Rows that a bank has are withheld from
  // packing and get the outcome that the bank tells; a row that only another bank has becomes
  // UNKNOWN. How many are withheld; nothing is done where the chunk waits no more.
  virtual absl::StatusOr<int> LookedUp(
      const std::string& restore_id, const WaitingChunk& chunk,
      const std::map<std::string, std::vector<BankResult>>& answers) = 0;
  // A chunk of a bank with withheld rows, looked up on or before a day and not asked about today:
  // those of them that nothing final is known of.
  virtual absl::StatusOr<std::optional<WaitingChunk>> LateChunk(const std::string& bank_code,
                                                                absl::CivilDay looked_up_by) = 0;
  // Without references it is never asked about again.
  virtual absl::Status MarkAsked(const WaitingChunk& chunk) = 0;
  // Chunks still to be looked up, and payments of the undone time that no chunk has asked for.
  struct Left {
    bool open = false;
    std::int64_t to_look_up = 0;
    std::int64_t unclaimed = 0;
  };
  virtual absl::StatusOr<Left> Count() = 0;
};

}  // namespace yikatong::bankgateway
