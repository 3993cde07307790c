#include "services/bankgateway/store/outcome_writer.h"

#include <algorithm>
#include <utility>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/base/ranges.h"
#include "common/crypto/merkle.h"
#include "common/crypto/sha256.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/return_codes.h"
#include "services/bankgateway/sql/queries.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;

constexpr std::size_t kMaxChunkOutcomes = 2'000;

int& Counter(auto& totals, OutcomeState state) {
  switch (state) {
    case OutcomeState::kFailed:
      return totals.failed;
    case OutcomeState::kUnknown:
      return totals.unknown;
    case OutcomeState::kReturned:
      return totals.returned;
    default:
      return totals.paid;
  }
}

const char* NameOf(OutcomeState state) {
  constexpr const char* kNames[] = {"none", "paid", "failed", "unknown", "returned"};
  return kNames[static_cast<int>(state)];
}

bool IsOpen(OutcomeState state) {
  return state == OutcomeState::kNone || state == OutcomeState::kUnknown;
}

}  // namespace

absl::StatusOr<std::int64_t> OutcomeWriter::Lock() {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.Run(sql::kCursorLock, bank_code_));
  if (rows.empty()) return status::Refuse(status::Reason::kBankNotRegistered);
  restored_ = rows[0].Bool(1);
  open_restore_ = rows[0].Text(2);
  return rows[0].Int64(0);
}

absl::Status OutcomeWriter::Load(const std::vector<std::int64_t>& references, bool with_lines) {
  std::map<std::int32_t, std::vector<std::int64_t>> by_district;
  for (const std::int64_t reference : references) {
    if (reference > 0) by_district[DistrictOfReference(reference)].push_back(reference);
  }
  known_.reserve(references.size());
  if (with_lines) YKT_RETURN_IF_ERROR(cases_.Load(references));
  for (auto& [district, some] : by_district) {
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    YKT_RETURN_IF_ERROR(LoadDistrict(district, some, with_lines));
  }
  std::vector<std::int64_t> ids;
  for (const auto& [reference, known] : known_) {
    if (submissions_.try_emplace(known.submission_id).second) ids.push_back(known.submission_id);
  }
  if (ids.empty()) return absl::OkStatus();
  Columns columns;
  columns.Int64s(ids);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.RunColumns(sql::kKnownSubmissions, columns));
  for (const Row row : rows) {
    submissions_[row.Int64(0)] = {row.Text(1), row.Text(2), row.Text(3),
                                  row.Text(4), row.Bool(5), row.MaybeDate(6)};
  }
  for (auto& [reference, known] : known_) known.submission = &submissions_[known.submission_id];
  return absl::OkStatus();
}

absl::Status OutcomeWriter::LoadDistrict(std::int32_t district,
                                         const std::vector<std::int64_t>& references,
                                         bool with_lines) {
  const base::Ranges ranges = base::DenseRanges(references, kNeighbourReferences);
  Columns columns;
  columns.Scalar(district).Int64s(ranges.first).Int64s(ranges.last);
  YKT_ASSIGN_OR_RETURN(const Rows instructions, tx_.RunColumns(sql::kKnownInstructions, columns));
  for (const Row row : instructions) {
    const std::int64_t reference = row.Int64(0);
    if (!std::binary_search(references.begin(), references.end(), reference)) continue;
    Known& known = known_[reference];
    known.district = district;
    known.amount_fen = row.Int64(1);
    known.last_four = row.Int(2);
    known.submission_id = row.Int64(3);
  }
  YKT_ASSIGN_OR_RETURN(const Rows outcomes, tx_.RunColumns(sql::kKnownOutcomes, columns));
  for (const Row row : outcomes) {
    const std::int64_t reference = row.Int64(0);
    if (!std::binary_search(references.begin(), references.end(), reference)) continue;
    const auto at = known_.find(reference);
    YKT_INVARIANT(at != known_.end(), "an outcome without an instruction");
    at->second.last_no = row.Int(1);
    at->second.last = static_cast<OutcomeState>(row.Int(2));
    at->second.last_booked_on = row.MaybeDate(3);
    if (at->second.last == OutcomeState::kPaid) at->second.paid_on = at->second.last_booked_on;
  }
  if (restored_) YKT_RETURN_IF_ERROR(LoadFound(columns));
  if (!with_lines) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const Rows lines, tx_.RunColumns(sql::kKnownLines, columns));
  for (const Row row : lines) {
    const auto at = known_.find(row.Int64(0));
    if (at == known_.end()) continue;
    if (row.Bool(3)) at->second.net_debits += row.Bool(1) ? 1 : -1;
    if (row.Bool(4)) continue;
    if (row.MaybeInt64(2).value_or(at->second.amount_fen) != at->second.amount_fen) continue;
    (row.Bool(1) ? at->second.debited : at->second.reversed) = true;
  }
  return absl::OkStatus();
}

absl::Status OutcomeWriter::LoadFound(const Columns& ranges) {
  YKT_ASSIGN_OR_RETURN(const Rows found, tx_.RunColumns(sql::kFoundKnown, ranges));
  for (const Row row : found) {
    if (const auto at = known_.find(row.Int64(0)); at != known_.end()) at->second.found = true;
  }
  return absl::OkStatus();
}

Known* OutcomeWriter::Find(std::int64_t reference) {
  const auto at = known_.find(reference);
  if (at == known_.end() || at->second.submission->bank_code != bank_code_) return nullptr;
  return &at->second;
}

void OutcomeWriter::Apply(const BankResult& result) {
  if (result.state == RowState::kPending || result.state == RowState::kNotFound) return;
  Known* const known = Find(result.reference);
  const auto differ = [&](const char* kind) {
    Difference one;
    one.agreement_no = known != nullptr ? known->submission->agreement_no : "";
    one.district = known != nullptr ? known->district : identity::kWholeCity;
    one.day = result.booked_on.value_or(context_.today.Today());
    one.reference = result.reference;
    one.kind = kind;
    one.statement_fen = result.amount_fen;
    one.book_fen = known != nullptr ? known->amount_fen : 0;
    Differ(std::move(one));
  };
  if (known == nullptr) return differ(difference::kUnknownReference);
  const bool failed = result.state == RowState::kFailed;
  const BankSays says =
      !failed ? result.state == RowState::kPaid ? BankSays::kPaid : BankSays::kReturned
      : result.return_code == kDuplicateCode ? BankSays::kDuplicate
                                             : BankSays::kFailed;
  if (!failed && result.amount_fen != known->amount_fen) return differ(difference::kAmountDiffers);
  Ground ground;
  ground.booked_on = result.booked_on;
  ground.amount_fen = known->amount_fen;
  ground.bank_serial = result.bank_serial;
  if (!failed && !ground.booked_on) ground.booked_on = context_.today.Today();
  if (says != BankSays::kPaid)
    ground.reason = status::ReasonName(ReasonOfReturnCode(result.return_code));
  switch (Next(known->last, says)) {
    case Verdict::kNothing:
      return;
    case Verdict::kDifference:
      return differ(difference::kContradictingResult);
    case Verdict::kPaid:
      return Record(result.reference, *known, OutcomeState::kPaid, ground);
    case Verdict::kFailed:
      return Record(result.reference, *known, OutcomeState::kFailed, ground);
    case Verdict::kUnknown:
      return Record(result.reference, *known, OutcomeState::kUnknown, ground);
    case Verdict::kReturned:
    case Verdict::kPaidAndReturned:
      return RecordReturn(result.reference, *known, ground);
  }
}

void OutcomeWriter::RecordReturn(std::int64_t reference, Known& known, const Ground& ground) {
  if (IsOpen(known.last)) {
    Ground paid = ground;
    paid.reason = {};
    Record(reference, known, OutcomeState::kPaid, paid);
  }
  Record(reference, known, OutcomeState::kReturned, ground);
}

void OutcomeWriter::Record(std::int64_t reference, Known& known, OutcomeState state,
                           const Ground& ground) {
  std::vector<DistrictStep>& steps = steps_[known.district];
  if (steps.empty() || steps.back().recorded.size() >= kMaxChunkOutcomes) steps.emplace_back();
  DistrictStep& step = steps.back();
  const KnownSubmission& submission = *known.submission;
  if (known.last != OutcomeState::kNone) --Counter(step.net, known.last);
  ++Counter(step.net, state);
  if (IsOpen(known.last) && !IsOpen(state) && !known.found) ++finals_[submission.file_id];
  base::failpoint::Note("outcome", NameOf(known.last), NameOf(state));
  known.last = state;
  known.last_no += 1;
  known.last_booked_on = ground.booked_on;
  step.recorded.push_back({{reference, known.last_no, state, std::string(ground.reason),
                            ground.booked_on, ground.amount_fen},
                           std::string(ground.bank_serial),
                           known.district});
  const bool paid = state == OutcomeState::kPaid;
  if (paid) {
    known.paid_on = ground.booked_on;
    step.paid_fen += ground.amount_fen;
    if (!submission.bank_notifies) {
      step.messages[submission.summary].push_back(
          {reference, ground.amount_fen, static_cast<std::int16_t>(known.last_four)});
    }
  } else if (state == OutcomeState::kReturned) {
    step.returned_fen += ground.amount_fen;
  } else {
    return;
  }
  if (ground.on_statement || !ground.booked_on) return;
  ++book_days_[{submission.agreement_no, *ground.booked_on, paid}].reported;
  // The statement of that day is done, and had no such line, or it would have told us first.
  if (submission.reconciled_through && *ground.booked_on <= *submission.reconciled_through) {
    MissLine({0, submission.agreement_no, known.district, *ground.booked_on, 0, reference, "", 0,
              ground.amount_fen},
             paid);
  }
}

OpenCase& OutcomeWriter::Differ(Difference difference) {
  if (differences_++ == 0) first_difference_ = difference;
  return cases_.Add(std::move(difference));
}

void OutcomeWriter::MissLine(const Difference& missing, bool debit) {
  Difference difference = missing;
  difference.kind = debit ? difference::kLineMissing : difference::kReturnLineMissing;
  OpenCase& one = Differ(std::move(difference));
  const Leg payments{Suspense::kPayments};
  const Leg owed{Suspense::kOwedToBank, &one};
  const Leg claim{Suspense::kClaimOnBank, &one};
  cases_.Post(missing.agreement_no, missing.district, missing.day, debit ? payments : claim,
              debit ? owed : payments, missing.book_fen, "missing");
}

void OutcomeWriter::Match(const std::string& agreement_no, absl::CivilDay day, bool debit) {
  ++book_days_[{agreement_no, day, debit}].matched;
}

absl::Status OutcomeWriter::Finish() {
  YKT_RETURN_IF_ERROR(WriteOutcomes());
  for (const auto& [district, steps] : steps_) {
    for (const DistrictStep& step : steps) YKT_RETURN_IF_ERROR(WriteChunk(district, step));
  }
  YKT_RETURN_IF_ERROR(WriteFinals());
  YKT_RETURN_IF_ERROR(WriteBookDays());
  YKT_RETURN_IF_ERROR(cases_.Finish());
  return AuditDifferences();
}

absl::Status OutcomeWriter::WriteOutcomes() {
  if (steps_.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                       postgres::BinaryCopy::Start(tx_, sql::kOutcomeCopy, 8));
  for (const auto& [district, steps] : steps_) {
    for (const DistrictStep& step : steps) {
      for (const Recorded& one : step.recorded) {
        copy.Int32(district);
        copy.Int64(one.outcome.reference);
        copy.Int16(static_cast<std::int16_t>(one.outcome.outcome_no));
        copy.Int16(static_cast<std::int16_t>(one.outcome.state));
        copy.Int64(one.outcome.amount_fen);
        one.outcome.booked_on ? copy.Date(*one.outcome.booked_on) : copy.Null();
        one.outcome.reason.empty() ? copy.Null() : copy.Text(one.outcome.reason);
        one.bank_serial.empty() ? copy.Null() : copy.Text(one.bank_serial);
        YKT_RETURN_IF_ERROR(copy.EndRow());
      }
    }
  }
  return copy.Finish().status();
}

absl::Status OutcomeWriter::WriteChunk(std::int32_t district, const DistrictStep& step) {
  std::vector<std::int64_t> references;
  std::vector<std::int16_t> numbers;
  crypto::MerkleAccumulator leaves;
  for (const Recorded& one : step.recorded) {
    references.push_back(one.outcome.reference);
    numbers.push_back(static_cast<std::int16_t>(one.outcome.outcome_no));
    leaves.Add(crypto::LeafHash(std::to_string(one.outcome.reference) + "|" +
                                std::to_string(one.outcome.outcome_no) + "|" +
                                std::to_string(static_cast<int>(one.outcome.state)) + "|" +
                                std::to_string(one.outcome.amount_fen)));
  }
  Columns columns;
  columns.Scalar(district)
      .Int64s(references)
      .Int16s(numbers)
      .Scalar(step.net.paid)
      .Scalar(step.net.failed)
      .Scalar(step.net.unknown)
      .Scalar(step.net.returned);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.RunColumns(sql::kOutcomeChunkInsert, columns));
  const std::int64_t chunk_id = rows[0].Int64(0);
  for (const auto& [summary, messages] : step.messages) {
    std::vector<std::int64_t> to;
    std::vector<std::int64_t> amounts;
    std::vector<std::int16_t> last_fours;
    for (const Message& message : messages) {
      to.push_back(message.reference);
      amounts.push_back(message.amount_fen);
      last_fours.push_back(message.last_four);
    }
    Columns notices;
    notices.Scalar(district)
        .Scalar(chunk_id)
        .Scalar(summary)
        .Int64s(to)
        .Int64s(amounts)
        .Int16s(last_fours)
        .Scalar(static_cast<std::int64_t>(messages.size()));
    YKT_RETURN_IF_ERROR(tx_.RunColumns(sql::kNotificationInsert, notices).status());
  }
  return Audit(context_, tx_, nullptr,
               {.kind = "outcomes.recorded",
                .district = district,
                .subject = "outcomeChunks/" + std::to_string(chunk_id),
                .details = {{"bank", bank_code_},
                            {"source", std::string(source_)},
                            {"paid_fen", std::to_string(step.paid_fen)},
                            {"returned_fen", std::to_string(step.returned_fen)}},
                .root = crypto::StringOf(leaves.Root()),
                .leaves = static_cast<std::int64_t>(step.recorded.size())});
}

absl::Status OutcomeWriter::WriteFinals() {
  std::vector<std::string> files;
  std::vector<std::int32_t> counts;
  for (const auto& [file_id, count] : finals_) {
    if (file_id.empty()) continue;
    files.push_back(file_id);
    counts.push_back(count);
  }
  if (files.empty()) return absl::OkStatus();
  Columns columns;
  columns.Texts(files).Int32s(counts);
  return tx_.RunColumns(sql::kFileCountFinal, columns).status();
}

absl::Status OutcomeWriter::WriteBookDays() {
  if (book_days_.empty()) return absl::OkStatus();
  std::vector<std::string> agreements;
  std::vector<absl::CivilDay> days;
  std::vector<bool> debits;
  std::vector<std::int64_t> reported;
  std::vector<std::int64_t> matched;
  for (const auto& [key, count] : book_days_) {
    agreements.push_back(std::get<0>(key));
    days.push_back(std::get<1>(key));
    debits.push_back(std::get<2>(key));
    reported.push_back(count.reported);
    matched.push_back(count.matched);
  }
  Columns columns;
  columns.Texts(agreements).Dates(days).Bools(debits).Int64s(reported).Int64s(matched);
  return tx_.RunColumns(sql::kBookDayAdd, columns).status();
}

absl::Status OutcomeWriter::AuditDifferences() {
  if (differences_ == 0) return absl::OkStatus();
  return Audit(context_, tx_, nullptr,
               {.kind = "differences.found",
                .district = first_difference_.district,
                .subject = "banks/" + bank_code_,
                .details = {{"source", std::string(source_)},
                            {"count", std::to_string(differences_)},
                            {"first_kind", first_difference_.kind},
                            {"first_day", base::FormatDate(first_difference_.day)}}});
}

}  // namespace yikatong::bankgateway
