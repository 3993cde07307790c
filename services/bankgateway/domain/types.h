// What the gateway speaks of. Values only; money in fen, dates of the business calendar.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::bankgateway {

inline constexpr int kMaxChunkRows = 2'000;
inline constexpr int kMaxFileRows = 10'000;
inline constexpr std::int64_t kMaxPartBytes = 1 << 20;
inline constexpr std::int64_t kMaxRowFen = 1'000'000'000;

struct Bank {
  std::string bank_code;  // twelve digits
  std::string name;
  std::string address;  // empty: only credited by others
  bool card_partner = false;
  bool suspended = false;
  std::string tls_name;
};

struct Agreement {
  std::string agreement_no;
  std::int32_t district = 0;
  std::string department_id;  // empty: every department of the district
  std::string bank_code;
  absl::CivilDay valid_from;
  absl::CivilDay valid_to;
  bool credits_other_banks = false;
  bool with_identity = false;
  bool bank_notifies = false;
  bool refuses_duplicates = false;
  bool suspended = false;
  bool bank_suspended = false;
};

// One instruction as dispatch submits it, with what the seal says of it in clear.
struct InstructionRow {
  std::int64_t reference = 0;
  std::int64_t item_id = 0;
  std::int64_t amount_fen = 0;
  std::int64_t person_id = 0;
  std::int64_t account_version = 0;
  std::string bank_code;  // of the payee's account
};

// What only the bank is told, besides the row. Never logged, never stored in clear.
struct PayeeAccount {
  std::string number;
  std::string name;
  std::string id_number;  // empty unless the agreement needs it
  std::string phone;      // the same
};

struct Chunk {
  std::string request_id;
  std::int32_t district = 0;
  std::string agreement_no;
  std::string summary;
  std::vector<InstructionRow> rows;
  std::vector<PayeeAccount> accounts;  // one for each row
};

// As it stands in the database.
enum class OutcomeState : std::int16_t {
  kNone = 0,
  kPaid = 1,
  kFailed = 2,
  kUnknown = 3,
  kReturned = 4
};

struct Outcome {
  std::int64_t reference = 0;
  std::int32_t outcome_no = 0;
  OutcomeState state = OutcomeState::kNone;
  std::string reason;
  std::optional<absl::CivilDay> booked_on;
  std::int64_t amount_fen = 0;
};

struct OutcomeChunk {
  std::int64_t number = 0;
  std::int32_t district = 0;
  std::vector<Outcome> outcomes;
};

struct Instruction {
  std::int64_t reference = 0;
  std::int32_t district = 0;
  std::string agreement_no;
  std::int64_t amount_fen = 0;
  std::string file_id;         // empty while it is in none
  std::string waiting_reason;  // why nothing is sent now
  std::vector<Outcome> outcomes;
};

enum class FileState : std::int16_t {
  kPacked = 1,
  kSending = 2,
  kSent = 3,
  kDone = 4,
  kRefused = 5
};

struct File {
  std::string file_id;
  std::int64_t file_number = 0;
  std::int32_t district = 0;
  std::string agreement_no;
  absl::CivilDay business_date;
  std::int32_t rows = 0;
  std::int64_t total_fen = 0;
  FileState state = FileState::kPacked;
  std::string sha256;
  std::string reason;
  absl::Time changed_at;
};

struct Reconciliation {
  std::string agreement_no;
  absl::CivilDay day;
  bool complete = false;
  std::int64_t lines = 0;
  std::int64_t agreed = 0;
  std::int64_t differences = 0;
  std::int64_t debit_fen = 0;
  std::int64_t credit_fen = 0;
};

// Kinds of differences between our books and the bank's; the names go out as they are.
namespace difference {
inline constexpr char kUnknownReference[] = "UNKNOWN_REFERENCE";
inline constexpr char kSecondDebit[] = "SECOND_DEBIT";
inline constexpr char kAmountDiffers[] = "AMOUNT_DIFFERS";
inline constexpr char kReversalWithoutPayment[] = "REVERSAL_WITHOUT_PAYMENT";
inline constexpr char kLineMissing[] = "LINE_MISSING";
inline constexpr char kReturnLineMissing[] = "RETURN_LINE_MISSING";
inline constexpr char kNotReportedPaid[] = "NOT_REPORTED_PAID";
inline constexpr char kContradictingResult[] = "CONTRADICTING_RESULT";
// Kinds of cases that are no difference of a payment.
inline constexpr char kFileOtherContent[] = "FILE_OTHER_CONTENT";
inline constexpr char kStatementMissing[] = "STATEMENT_MISSING";
}  // namespace difference

struct Difference {
  std::int64_t id = 0;
  std::string agreement_no;
  std::int32_t district = 0;
  absl::CivilDay day;
  std::int64_t line = 0;
  std::int64_t reference = 0;
  std::string kind;
  std::int64_t statement_fen = 0;
  std::int64_t book_fen = 0;
};

struct Statistics {
  std::int64_t instructions = 0;
  std::int64_t unpacked = 0;
  std::int64_t files_open = 0;
  std::int64_t awaiting = 0;
  std::int64_t paid = 0;
  std::int64_t failed = 0;
  std::int64_t unknown = 0;
  std::int64_t returned = 0;
  std::int64_t reconciled_lines = 0;
  std::int64_t differences = 0;
  std::int64_t outcome_head = 0;
  std::int64_t notifications = 0;
};

// How long what is on its way has been there; for metrics.
struct QueueAges {
  // Since the oldest chunk was taken that is in no file yet, in a file that is packed or being
  // sent, in a file that awaits results; 0 where there is none.
  std::int64_t unpacked_seconds = 0;
  std::int64_t files_open_seconds = 0;
  std::int64_t awaiting_seconds = 0;
  // Payments of which nobody knows the outcome, by days since they were sent; each bucket of
  // kAgeBuckets.
  std::map<std::string, std::int64_t> unknown;
};

// The district that a reference names in its first four digits; the province is the city's own.
inline std::int32_t DistrictOfReference(std::int64_t reference) {
  return static_cast<std::int32_t>(120'000 + reference / 1'000'000'000'000);
}

}  // namespace yikatong::bankgateway
