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
  // The chunks behind number `after`, dense and in order; none where there is nothing new.
  virtual absl::StatusOr<std::vector<OutcomeChunk>> ListOutcomes(std::int64_t after,
                                                                 int max_chunks) = 0;
  // Whether the closed statement of that agreement and day was compared whole.
  virtual absl::StatusOr<bool> StatementReconciled(std::string_view agreement_no,
                                                   absl::CivilDay day) = 0;
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
