// One step that gives outcomes to references of one bank, within a transaction of its caller: load
// what is known, judge, record, finish. Whoever uses it holds the bank's cursor row, so that no two
// steps number one reference's outcomes.
//
//   OutcomeWriter writer(context, tx, bank_code, "results");
//   YKT_ASSIGN_OR_RETURN(const std::int64_t cursor, writer.Lock());
//   YKT_RETURN_IF_ERROR(writer.Load(references));
//   if (Known* known = writer.Find(reference)) writer.Record(reference, *known, …);
//   return writer.Finish();
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/postgres/bulk.h"
#include "services/bankgateway/domain/outcome_rules.h"
#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/store/case_writer.h"
#include "services/bankgateway/store/context.h"

namespace yikatong::bankgateway {

// References of neighbouring items are a hundred apart, and a file has every second or third of
// them: one stretch of an index is read faster than each is found from its root, also where it
// holds a few times as many.
inline constexpr std::int64_t kNeighbourReferences = 1'600;

struct KnownSubmission {
  std::string agreement_no;
  std::string bank_code;
  std::string summary;
  std::string file_id;
  bool bank_notifies = false;
  std::optional<absl::CivilDay> reconciled_through;
};

struct Known {
  std::int32_t district = 0;
  std::int64_t amount_fen = 0;
  int last_four = 0;
  std::int64_t submission_id = 0;
  const KnownSubmission* submission = nullptr;
  OutcomeState last = OutcomeState::kNone;
  std::int32_t last_no = 0;
  std::optional<absl::CivilDay> last_booked_on;
  std::optional<absl::CivilDay> paid_on;
  bool debited = false;  // by a line of a statement, of its amount
  bool reversed = false;
  int net_debits = 0;  // lines that debit less lines that credit, those of cases included
  bool found = false;  // a bank had it when this database was put back: it is in no file of ours
};

// What an outcome is based on.
struct Ground {
  std::string_view reason;  // stable, for all but PAID
  std::optional<absl::CivilDay> booked_on;
  std::int64_t amount_fen = 0;
  std::string_view bank_serial;
  bool on_statement = false;  // the statement's own line says it
};

// Not thread safe; lives no longer than the transaction.
class OutcomeWriter {
 public:
  OutcomeWriter(const StoreContext& context, postgres::Transaction& tx, std::string bank_code,
                std::string_view source)
      : context_(context),
        tx_(tx),
        bank_code_(std::move(bank_code)),
        source_(source),
        cases_(context, tx, bank_code_) {}

  // Locks the bank's cursor row; its value.
  absl::StatusOr<std::int64_t> Lock();
  // Reads instructions, outcomes and, where asked, statement lines and open cases of these
  // references. References that nobody submitted are left out.
  absl::Status Load(const std::vector<std::int64_t>& references, bool with_lines = false);
  // Null where nobody submitted it, or to another bank.
  Known* Find(std::int64_t reference);

  // The restore that nobody has finished yet; empty for none. Once the row is locked.
  const std::string& open_restore() const { return open_restore_; }
  // Applies what the bank said of a row, by the table of outcome_rules.h.
  void Apply(const BankResult& result);
  void Record(std::int64_t reference, Known& known, OutcomeState state, const Ground& ground);
  // PAID and RETURNED at once where the return came first.
  void RecordReturn(std::int64_t reference, Known& known, const Ground& ground);
  // A difference is a case; the caller posts its money.
  OpenCase& Differ(Difference difference);
  // A payment (or a return) that we hold as booked has no line: we owe the bank its debit, or claim
  // the credit from it.
  void MissLine(const Difference& missing, bool debit);
  // One more payment (or return) of a day has its line.
  void Match(const std::string& agreement_no, absl::CivilDay day, bool debit);

  // Writes everything that was recorded.
  absl::Status Finish();
  std::int64_t differences() const { return differences_; }
  CaseWriter& cases() { return cases_; }

 private:
  struct Recorded {
    Outcome outcome;
    std::string bank_serial;
    std::int32_t district = 0;
  };
  struct ChunkTotals {
    int paid = 0;
    int failed = 0;
    int unknown = 0;
    int returned = 0;
  };
  struct Message {
    std::int64_t reference = 0;
    std::int64_t amount_fen = 0;
    std::int16_t last_four = 0;
  };
  struct DistrictStep {
    std::vector<Recorded> recorded;
    ChunkTotals net;
    std::int64_t paid_fen = 0;
    std::int64_t returned_fen = 0;
    std::map<std::string, std::vector<Message>> messages;  // by summary
  };

  absl::Status LoadDistrict(std::int32_t district, const std::vector<std::int64_t>& references,
                            bool with_lines);
  absl::Status LoadFound(const postgres::Columns& ranges);
  absl::Status WriteOutcomes();
  absl::Status WriteChunk(std::int32_t district, const DistrictStep& step);
  absl::Status WriteFinals();
  absl::Status WriteBookDays();
  absl::Status AuditDifferences();

  const StoreContext& context_;
  postgres::Transaction& tx_;
  const std::string bank_code_;
  const std::string_view source_;
  bool restored_ = false;  // this database was put back from a backup at some time
  std::string open_restore_;
  std::unordered_map<std::int64_t, Known> known_;
  std::map<std::int64_t, KnownSubmission> submissions_;
  std::map<std::int32_t, std::vector<DistrictStep>> steps_;  // each at most one chunk
  std::map<std::string, int> finals_;                        // by file
  struct BookDay {
    std::int64_t reported = 0;
    std::int64_t matched = 0;
  };
  std::map<std::tuple<std::string, absl::CivilDay, bool>, BookDay> book_days_;
  std::int64_t differences_ = 0;
  Difference first_difference_;
  CaseWriter cases_;
};

}  // namespace yikatong::bankgateway
