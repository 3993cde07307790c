#include "services/bankgateway/rpc/wire.h"

#include <charconv>
#include <optional>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

absl::Status BadField(std::string_view field) {
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

v1::OutcomeState StateToWire(OutcomeState state) {
  switch (state) {
    case OutcomeState::kPaid:
      return v1::OUTCOME_STATE_PAID;
    case OutcomeState::kFailed:
      return v1::OUTCOME_STATE_FAILED;
    case OutcomeState::kUnknown:
      return v1::OUTCOME_STATE_UNKNOWN;
    case OutcomeState::kReturned:
      return v1::OUTCOME_STATE_RETURNED;
    case OutcomeState::kNone:
      break;
  }
  return v1::OUTCOME_STATE_UNSPECIFIED;
}

void ToWire(absl::Time at, google::protobuf::Timestamp& wire) {
  const absl::Duration since = at - absl::UnixEpoch();
  const std::int64_t seconds = absl::ToInt64Seconds(since);
  wire.set_seconds(seconds);
  wire.set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(since - absl::Seconds(seconds))));
}

}  // namespace

Bank FromWire(const v1::Bank& wire) {
  return {wire.bank_code(),    wire.name(),      wire.address(),
          wire.card_partner(), wire.suspended(), wire.tls_name()};
}

void ToWire(const Bank& bank, v1::Bank& wire) {
  wire.set_bank_code(bank.bank_code);
  wire.set_name(bank.name);
  wire.set_address(bank.address);
  wire.set_card_partner(bank.card_partner);
  wire.set_suspended(bank.suspended);
  wire.set_tls_name(bank.tls_name);
}

absl::StatusOr<Agreement> FromWire(const v1::Agreement& wire) {
  const std::optional<absl::CivilDay> from = base::ParseDate(wire.valid_from());
  const std::optional<absl::CivilDay> to = base::ParseDate(wire.valid_to());
  if (!from) return BadField("valid_from");
  if (!to) return BadField("valid_to");
  Agreement agreement;
  agreement.agreement_no = wire.agreement_no();
  agreement.district = wire.district();
  agreement.department_id = wire.department_id();
  agreement.bank_code = wire.bank_code();
  agreement.valid_from = *from;
  agreement.valid_to = *to;
  agreement.credits_other_banks = wire.credits_other_banks();
  agreement.with_identity = wire.with_identity();
  agreement.bank_notifies = wire.bank_notifies();
  agreement.refuses_duplicates = wire.refuses_duplicates();
  return agreement;
}

void ToWire(const Agreement& agreement, v1::Agreement& wire) {
  wire.set_agreement_no(agreement.agreement_no);
  wire.set_district(agreement.district);
  wire.set_department_id(agreement.department_id);
  wire.set_bank_code(agreement.bank_code);
  wire.set_valid_from(base::FormatDate(agreement.valid_from));
  wire.set_valid_to(base::FormatDate(agreement.valid_to));
  wire.set_credits_other_banks(agreement.credits_other_banks);
  wire.set_with_identity(agreement.with_identity);
  wire.set_bank_notifies(agreement.bank_notifies);
  wire.set_refuses_duplicates(agreement.refuses_duplicates);
  wire.set_suspended(agreement.suspended);
}

Chunk FromWire(const v1::SubmitChunkRequest& wire) {
  Chunk chunk;
  chunk.request_id = wire.request_id();
  chunk.district = wire.district();
  chunk.agreement_no = wire.agreement_no();
  chunk.summary = wire.summary();
  chunk.rows.reserve(static_cast<std::size_t>(wire.rows_size()));
  for (const v1::InstructionRow& row : wire.rows()) {
    InstructionRow& one = chunk.rows.emplace_back();
    one.reference = row.reference();
    one.item_id = row.item_id();
    one.amount_fen = row.amount_fen();
  }
  return chunk;
}

void ToWire(const Outcome& outcome, v1::Outcome& wire) {
  wire.set_reference(outcome.reference);
  wire.set_outcome_no(outcome.outcome_no);
  wire.set_state(StateToWire(outcome.state));
  wire.set_reason(outcome.reason);
  if (outcome.booked_on) wire.set_booked_on(base::FormatDate(*outcome.booked_on));
  wire.set_amount_fen(outcome.amount_fen);
}

void ToWire(const Instruction& instruction, v1::Instruction& wire) {
  wire.set_reference(instruction.reference);
  wire.set_district(instruction.district);
  wire.set_agreement_no(instruction.agreement_no);
  wire.set_amount_fen(instruction.amount_fen);
  wire.set_file_id(instruction.file_id);
  wire.set_waiting_reason(instruction.waiting_reason);
  for (const Outcome& outcome : instruction.outcomes) ToWire(outcome, *wire.add_outcomes());
}

void ToWire(const File& file, v1::File& wire) {
  wire.set_file_id(file.file_id);
  wire.set_district(file.district);
  wire.set_agreement_no(file.agreement_no);
  wire.set_business_date(base::FormatDate(file.business_date));
  wire.set_rows(file.rows);
  wire.set_total_fen(file.total_fen);
  wire.set_state(static_cast<v1::FileState>(file.state));
  wire.set_sha256(file.sha256);
  wire.set_reason(file.reason);
  ToWire(file.changed_at, *wire.mutable_changed_at());
}

void ToWire(const Reconciliation& reconciliation, v1::Reconciliation& wire) {
  wire.set_agreement_no(reconciliation.agreement_no);
  wire.set_business_date(base::FormatDate(reconciliation.day));
  wire.set_complete(reconciliation.complete);
  wire.set_lines(reconciliation.lines);
  wire.set_agreed(reconciliation.agreed);
  wire.set_differences(reconciliation.differences);
  wire.set_debit_fen(reconciliation.debit_fen);
  wire.set_credit_fen(reconciliation.credit_fen);
}

void ToWire(const Difference& difference, v1::Difference& wire) {
  wire.set_agreement_no(difference.agreement_no);
  wire.set_business_date(base::FormatDate(difference.day));
  wire.set_line(difference.line);
  wire.set_reference(difference.reference);
  wire.set_kind(difference.kind);
  wire.set_statement_fen(difference.statement_fen);
  wire.set_book_fen(difference.book_fen);
}

void ToWire(const Case& one, v1::Case& wire) {
  wire.set_case_id(one.case_id);
  wire.set_agreement_no(one.agreement_no);
  wire.set_bank_code(one.bank_code);
  wire.set_district(one.district);
  wire.set_kind(one.kind);
  wire.set_subject(one.subject);
  wire.set_reference(one.reference);
  wire.set_business_date(base::FormatDate(one.day));
  wire.set_state(static_cast<v1::CaseState>(one.state));
  wire.set_priority(static_cast<v1::CasePriority>(one.priority));
  wire.set_owner(one.owner);
  wire.set_opened_on(base::FormatDate(one.opened_on));
  if (one.due_on) wire.set_due_on(base::FormatDate(*one.due_on));
  if (one.closed_on) wire.set_closed_on(base::FormatDate(*one.closed_on));
  wire.set_age_days(one.age_days);
  wire.set_overdue(one.overdue);
  wire.set_occurrences(one.occurrences);
  wire.set_statement_fen(one.statement_fen);
  wire.set_book_fen(one.book_fen);
  wire.set_open_fen(one.open_fen);
  wire.set_decision(static_cast<v1::CaseDecision>(one.decision));
  wire.set_reason(one.reason);
  wire.set_evidence_sha256(one.evidence);
  wire.set_matched_case_id(one.matched_case);
  wire.set_proposed_by(one.proposed_by);
  wire.set_decided_by(one.decided_by);
}

void ToWire(const CaseDetails& details, v1::CaseDetails& wire) {
  ToWire(details.one, *wire.mutable_current());
  for (const CaseEventRow& row : details.history) {
    v1::CaseEvent& event = *wire.add_history();
    event.set_event_no(row.event_no);
    ToWire(row.at, *event.mutable_at());
    event.set_business_date(base::FormatDate(row.on_day));
    event.set_what(row.what);
    event.set_from_state(static_cast<v1::CaseState>(row.from_state));
    event.set_to_state(static_cast<v1::CaseState>(row.to_state));
    event.set_actor(row.actor);
    event.set_decision(static_cast<v1::CaseDecision>(row.decision));
    event.set_amount_fen(row.amount_fen);
    event.set_note(row.note);
  }
  for (const Decision decision : details.fitting) {
    wire.add_fitting_decisions(static_cast<v1::CaseDecision>(decision));
  }
}

Proposal FromWire(const v1::ProposeDecisionRequest& wire) {
  return {static_cast<Decision>(wire.decision()), wire.reason(), wire.evidence_sha256(),
          wire.other_case_id()};
}

void ToWire(const Statistics& statistics, v1::GetStatisticsResponse& wire) {
  wire.set_instructions(statistics.instructions);
  wire.set_unpacked(statistics.unpacked);
  wire.set_files_open(statistics.files_open);
  wire.set_awaiting(statistics.awaiting);
  const auto add = [&](const char* stage, std::int64_t done) {
    auto& progress = *wire.add_outcomes();
    progress.set_stage(stage);
    progress.set_done(done);
    progress.set_total(statistics.instructions);
  };
  add("PAID", statistics.paid);
  add("FAILED", statistics.failed);
  add("UNKNOWN", statistics.unknown);
  add("RETURNED", statistics.returned);
  wire.set_reconciled_lines(statistics.reconciled_lines);
  wire.set_differences(statistics.differences);
  wire.set_outcome_head(statistics.outcome_head);
  wire.set_notifications(statistics.notifications);
}

absl::StatusOr<int> PageSize(std::int32_t asked) {
  if (asked < 0 || asked > 1000) return BadField("page_size");
  return asked == 0 ? 100 : asked;
}

absl::StatusOr<std::int64_t> NumberToken(const std::string& token, std::int64_t fallback) {
  if (token.empty()) return fallback;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error != std::errc() || end != token.data() + token.size() || number < 0) {
    return status::Refuse(Reason::kPageTokenInvalid);
  }
  return number;
}

}  // namespace yikatong::bankgateway
