// What paying asks of the other services. Implemented over their stubs in clients/, and by fakes in
// tests. Every implementation is thread safe, bounds each call by a deadline, and gives UNAVAILABLE
// for a peer that is away. Never called inside a transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/routing.h"

namespace yikatong::dispatch {

// One payee of a chunk.
struct PayeeQuery {
  std::int64_t item_id = 0;
  std::int64_t payee_id = 0;
  std::int64_t beneficiary_id = 0;
};

// A chunk of outcomes is applied behind the one before it. The gateway's numbers are dense, and
// begin anew at (restore epoch) * 10^12 + 1 after its database was put back from a backup.
inline constexpr std::int64_t kOutcomesOfEpoch = 1'000'000'000'000;
constexpr bool FollowsOutcomes(std::int64_t applied, std::int64_t number) {
  return number == applied + 1 ||
         (number % kOutcomesOfEpoch == 1 && number / kOutcomesOfEpoch > applied / kOutcomesOfEpoch);
}

// How many numbers of such a feed lie behind `applied` up to `head`; of a former epoch none are
// counted once another has begun. The registry numbers its changes in the same way.
constexpr std::int64_t NumbersBehind(std::int64_t applied, std::int64_t head) {
  return head / kOutcomesOfEpoch > applied / kOutcomesOfEpoch ? head % kOutcomesOfEpoch
                                                              : head - applied;
}

// What holds for all payees of a chunk.
struct PayeeTerms {
  bool card_required = true;
  std::string period_first_day;  // YYYY-MM-DD; empty for LIFE
  std::int32_t death_grace_months = 0;
};

// The accounts of a chunk: each stands in the envelope of its group, in the order of the queries,
// or has a reason.
struct SealedChunk {
  std::vector<PayeeAccount> accounts;
  // The registry's sealed bytes for each group, whose form this service does not read.
  std::vector<std::string> envelopes;
};

// The registry.
class AccountPort {
 public:
  virtual ~AccountPort() = default;
  // One answer for each payee, in their order.
  virtual absl::StatusOr<std::vector<PayeeAccount>> Resolve(
      const PayeeTerms& terms, const std::vector<PayeeQuery>& payees) = 0;
  // The same, and seals in the same look: what is judged is what is sealed. `chunk_ids` names the
  // seal of each group; the account of a bank that no group takes has the reason BANK_NOT_COVERED.
  virtual absl::StatusOr<SealedChunk> Seal(std::span<const SealGroup> groups,
                                           std::span<const std::string> chunk_ids,
                                           const PayeeTerms& terms,
                                           const std::vector<PayeeQuery>& payees) = 0;
};

// Which agreements may be paid under today.
struct Agreements {
  std::vector<AgreementOption> usable;
  std::string reason;  // where none is
};

struct InstructionRow {
  std::int64_t reference = 0;
  std::int64_t item_id = 0;
  std::int64_t amount_fen = 0;
};

// One outcome as the gateway reports it.
struct ReportedOutcome {
  std::int64_t reference = 0;
  std::int32_t outcome_no = 0;
  AttemptState state = AttemptState::kSent;
  std::string reason;
  std::optional<absl::CivilDay> booked_on;
  std::int64_t amount_fen = 0;
};

struct OutcomeChunk {
  std::int64_t number = 0;
  std::int32_t district = 0;
  std::vector<ReportedOutcome> outcomes;
};

// What comes next of the outcomes.
struct OutcomePage {
  std::vector<OutcomeChunk> chunks;
  std::int64_t head = 0;  // the highest number that the gateway has
};

// What a submission has to do with one bank statement.
struct StatementShare {
  std::string agreement_no;
  absl::CivilDay day;
  bool complete = false;  // closed by the bank, and compared whole
  std::int64_t lines = 0;
  std::int64_t agreed = 0;
  std::int64_t differences = 0;
  std::int64_t debit_fen = 0;
  std::int64_t credit_fen = 0;
  std::int64_t own_lines = 0;
  std::int64_t own_debit_fen = 0;
  std::int64_t own_credit_fen = 0;
};

// A difference between books and bank about one payment, as somebody decided it.
struct TracedCase {
  std::int64_t case_id = 0;
  std::string kind;
  std::int64_t reference = 0;
  absl::CivilDay day;
  std::string state;     // OPEN … CLOSED
  std::string decision;  // empty for none
  std::string reason;
  std::int64_t statement_fen = 0;
  std::int64_t book_fen = 0;
};

// What became of a submission at the bank.
struct SubmissionTrace {
  std::string submission;  // its request id
  std::string agreement_no;
  std::string file_id;      // empty while it is in none
  std::string file_sha256;  // 32 bytes, or empty
  std::string file_state;   // SENT, DONE …, or empty
  std::string file_date;    // YYYY-MM-DD, or empty
  std::int32_t file_offset = 0;
  std::vector<StatementShare> statements;
  std::vector<TracedCase> cases;
};

// The gateway.
class GatewayPort {
 public:
  virtual ~GatewayPort() = default;
  virtual absl::StatusOr<Agreements> ResolveAgreements(std::int32_t district,
                                                       std::string_view department_id) = 0;
  // The bytes of one submission, made once and stored before they are sent.
  virtual std::string EncodeSubmission(std::string_view request_id, std::int32_t district,
                                       std::string_view agreement_no, std::string_view summary,
                                       std::string_view envelope,
                                       const std::vector<InstructionRow>& rows) const = 0;
  // Sends those bytes, waiting no longer than `timeout`; returns how many rows the gateway holds
  // durably.
  virtual absl::StatusOr<std::int64_t> Submit(std::string_view submission,
                                              absl::Duration timeout) = 0;
  // The chunks behind number `after`, in order, each as FollowsOutcomes has it; none where there is
  // nothing new.
  virtual absl::StatusOr<OutcomePage> ListOutcomes(std::int64_t after, int max_chunks) = 0;
  // Whether the closed statement of that agreement and day was compared whole.
  virtual absl::StatusOr<bool> StatementReconciled(std::string_view agreement_no,
                                                   absl::CivilDay day) = 0;
  // What became of submissions that the gateway took, in the order of the question.
  virtual absl::StatusOr<std::vector<SubmissionTrace>> TraceSubmissions(
      std::int32_t district, const std::vector<std::string>& submissions) = 0;
};

// The catalogue.
class PolicyPort {
 public:
  virtual ~PolicyPort() = default;
  virtual absl::StatusOr<bool> CardRequired(std::int32_t district, std::string_view policy_id) = 0;
  virtual absl::StatusOr<bool> TargetApproved(std::string_view policy_id, std::int32_t district,
                                              int year) = 0;
  // POLICY_UNKNOWN where there is none.
  virtual absl::Status CheckPolicy(std::string_view policy_id) = 0;
};

}  // namespace yikatong::dispatch
