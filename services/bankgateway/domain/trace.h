// What became of a submission at the bank: its file, the statements that its payments stand on, the
// cases about them. For whoever seals a batch with its evidence. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "services/bankgateway/domain/cases.h"
#include "services/bankgateway/domain/types.h"

namespace yikatong::bankgateway {

// The part that a submission has in one statement.
struct StatementShare {
  Reconciliation statement;  // not complete, and without figures, where there is none yet
  std::int64_t own_lines = 0;
  std::int64_t own_debit_fen = 0;
  std::int64_t own_credit_fen = 0;
};

struct SubmissionTrace {
  std::string submission;  // the request id under which it came
  std::string agreement_no;
  std::string file_id;      // empty while it is in none; then the rest of the file is not set
  std::string file_sha256;  // 32 bytes
  FileState file_state = FileState::kPacked;
  absl::CivilDay file_date;
  std::int32_t file_offset = 0;            // rows of the file before its own
  std::vector<StatementShare> statements;  // by agreement and day
  std::vector<Case> cases;                 // by id
};

// Reads only. Thread safe.
class TraceBook {
 public:
  virtual ~TraceBook() = default;
  // NOT_FOUND with the first submission that this district has none of.
  virtual absl::Status CheckKnown(std::int32_t district,
                                  const std::vector<std::string>& submissions) = 0;
  virtual absl::StatusOr<SubmissionTrace> Trace(std::int32_t district,
                                                const std::string& submission) = 0;
};

}  // namespace yikatong::bankgateway
