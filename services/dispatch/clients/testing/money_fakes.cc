#include "services/dispatch/clients/testing/money_fakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/status/status.h"

namespace yikatong::dispatch::testing {
namespace {

using status::Reason;

// Cuts the part up to `end` off the front.
std::string_view Cut(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::int64_t Number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::vector<PayeeAccount> FakeAccounts::Answer(const std::vector<PayeeQuery>& payees) const {
  static const Account kUsual;
  std::vector<PayeeAccount> answers;
  answers.reserve(payees.size());
  for (const PayeeQuery& payee : payees) {
    const auto known = accounts_.find(payee.payee_id);
    const Account& account = known == accounts_.end() ? kUsual : known->second;
    answers.push_back({payee.item_id, account.bank_code, account.version, account.social_card,
                       account.reason, std::nullopt});
  }
  return answers;
}

absl::StatusOr<std::vector<PayeeAccount>> FakeAccounts::Resolve(
    const PayeeTerms& terms, const std::vector<PayeeQuery>& payees) {
  const std::lock_guard lock(mutex_);
  if (!failure.ok()) return failure;
  for (const PayeeQuery& payee : payees) {
    if (payee.item_id == poisoned) return absl::InternalError("poison");
  }
  last_terms = terms;
  return Answer(payees);
}

absl::StatusOr<SealedChunk> FakeAccounts::Seal(std::span<const SealGroup> groups,
                                               std::span<const std::string> chunk_ids,
                                               const PayeeTerms& terms,
                                               const std::vector<PayeeQuery>& payees) {
  if (before_seal) before_seal();
  const std::lock_guard lock(mutex_);
  if (!failure.ok()) return failure;
  for (const PayeeQuery& payee : payees) {
    if (payee.item_id == poisoned) return absl::InternalError("poison");
  }
  last_terms = terms;
  SealedChunk sealed;
  sealed.accounts = Answer(payees);
  sealed.envelopes.resize(groups.size());
  for (PayeeAccount& account : sealed.accounts) {
    if (!account.reason.empty()) continue;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto& banks = groups[g].bank_codes;
      if (std::find(banks.begin(), banks.end(), account.bank_code) != banks.end())
        account.group = g;
    }
    for (std::size_t g = 0; g < groups.size() && !account.group.has_value(); ++g) {
      if (groups[g].other_banks) account.group = g;
    }
    if (!account.group.has_value()) {
      account.reason = "BANK_NOT_COVERED";
      continue;
    }
    std::string& envelope = sealed.envelopes[*account.group];
    if (envelope.empty()) {
      seals.push_back(chunk_ids[*account.group]);
      envelope = fmt::format("seal {} no {};", seals.back(), seals.size());
    }
    envelope.append(200, 'x');  // about the size of a real one
  }
  return sealed;
}

absl::StatusOr<Agreements> FakeGateway::ResolveAgreements(std::int32_t, std::string_view) {
  const std::lock_guard lock(mutex_);
  return agreements;
}

std::string FakeGateway::EncodeSubmission(std::string_view request_id, std::int32_t,
                                          std::string_view agreement_no, std::string_view summary,
                                          std::string_view envelope,
                                          const std::vector<InstructionRow>& rows) const {
  std::string bytes = fmt::format("{}|{}|{}|", request_id, agreement_no, summary);
  for (const InstructionRow& row : rows)
    fmt::format_to(std::back_inserter(bytes), "{},{};", row.reference, row.amount_fen);
  bytes.append("|").append(envelope);
  return bytes;
}

FakeGateway::Submission FakeGateway::Parse(std::string_view bytes) {
  Submission submission;
  submission.bytes = bytes;
  submission.request_id = Cut(bytes, '|');
  submission.agreement_no = Cut(bytes, '|');
  Cut(bytes, '|');
  std::string_view rows = Cut(bytes, '|');
  while (!rows.empty()) {
    std::string_view row = Cut(rows, ';');
    const std::int64_t reference = Number(Cut(row, ','));
    submission.rows.push_back({reference, reference / 100, Number(row)});
  }
  return submission;
}

absl::StatusOr<std::int64_t> FakeGateway::Submit(std::string_view bytes, absl::Duration timeout) {
  if (before_submit) before_submit();
  const std::lock_guard lock(mutex_);
  received.emplace_back(bytes);
  timeouts.push_back(timeout);
  const Mode mode = modes.empty() ? Mode::kTake : modes.front();
  if (!modes.empty()) modes.pop_front();
  if (mode == Mode::kAway) return absl::UnavailableError("away");
  if (mode == Mode::kLeaseLost) return status::Refuse(Reason::kLeaseLost);
  Submission submission = Parse(bytes);
  const auto rows = static_cast<std::int64_t>(submission.rows.size());
  for (const Submission& before : taken) {
    if (before.request_id != submission.request_id) continue;
    if (before.bytes != bytes) return status::Refuse(Reason::kRequestIdReused);
    if (mode == Mode::kTakeAndLoseAnswer) return absl::UnavailableError("lost");
    return rows;
  }
  if (mode == Mode::kRefuse) return refusal;
  for (const InstructionRow& row : submission.rows) {
    if (references_.contains(row.reference)) return status::Refuse(Reason::kReferenceReused);
  }
  for (const InstructionRow& row : submission.rows) references_.insert(row.reference);
  taken.push_back(std::move(submission));
  if (mode == Mode::kTakeAndLoseAnswer) return absl::UnavailableError("lost");
  return rows;
}

absl::StatusOr<OutcomePage> FakeGateway::ListOutcomes(std::int64_t after, int max_chunks) {
  const std::lock_guard lock(mutex_);
  OutcomePage page;
  page.head = static_cast<std::int64_t>(outcomes_.size());
  for (const OutcomeChunk& chunk : outcomes_) {
    if (chunk.number > after && static_cast<int>(page.chunks.size()) < max_chunks)
      page.chunks.push_back(chunk);
  }
  return page;
}

absl::StatusOr<bool> FakeGateway::StatementReconciled(std::string_view agreement_no,
                                                      absl::CivilDay day) {
  const std::lock_guard lock(mutex_);
  return reconciled && !unreconciled.contains({std::string(agreement_no), day});
}

absl::StatusOr<std::vector<SubmissionTrace>> FakeGateway::TraceSubmissions(
    std::int32_t, const std::vector<std::string>& submissions) {
  if (before_trace) before_trace();
  const std::lock_guard lock(mutex_);
  ++traced;
  if (!trace_fails.ok()) return trace_fails;
  std::vector<SubmissionTrace> traces;
  for (const std::string& wanted : submissions) {
    for (const Submission& one : taken) {
      if (one.request_id != wanted) continue;
      SubmissionTrace& trace = traces.emplace_back();
      trace.submission = wanted;
      trace.agreement_no = one.agreement_no;
      trace.file_id = "F-1";
      trace.file_sha256 = std::string(32, 'f');
      trace.file_state = "DONE";
      trace.file_date = "2026-03-09";
      std::int64_t fen = 0;
      for (const InstructionRow& row : one.rows) fen += row.amount_fen;
      const auto rows = static_cast<std::int64_t>(one.rows.size());
      trace.statements.push_back(
          {one.agreement_no, booked_on,
           reconciled && !unreconciled.contains({one.agreement_no, booked_on}), rows, rows, 0, fen,
           0, rows, fen, 0});
      break;
    }
  }
  return traces;
}

void FakeGateway::Report(std::int32_t district, std::vector<ReportedOutcome> outcomes) {
  const std::lock_guard lock(mutex_);
  OutcomeChunk& chunk = outcomes_.emplace_back();
  chunk.number = static_cast<std::int64_t>(outcomes_.size());
  chunk.district = district;
  chunk.outcomes = std::move(outcomes);
}

absl::StatusOr<ChangePage> FakeFeed::ListChanges(std::int64_t after, int max_changes) {
  const std::lock_guard lock(mutex_);
  ChangePage page;
  page.head = static_cast<std::int64_t>(changes_.size());
  for (const PersonChange& change : changes_) {
    if (change.number > after && static_cast<int>(page.changes.size()) < max_changes)
      page.changes.push_back(change);
  }
  return page;
}

void FakeFeed::Died(std::int64_t person_id, absl::CivilDay day, absl::Time recorded_at) {
  const std::lock_guard lock(mutex_);
  changes_.push_back({static_cast<std::int64_t>(changes_.size()) + 1, PersonChange::Kind::kDeath,
                      person_id, day, 0, recorded_at});
}

void FakeFeed::Merged(std::int64_t kept, std::int64_t merged, absl::Time recorded_at) {
  const std::lock_guard lock(mutex_);
  changes_.push_back({static_cast<std::int64_t>(changes_.size()) + 1, PersonChange::Kind::kMerged,
                      kept, absl::CivilDay(), merged, recorded_at});
}

}  // namespace yikatong::dispatch::testing
