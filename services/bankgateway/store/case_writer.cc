#include "services/bankgateway/store/case_writer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/sql/queries.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;

std::string SubjectOf(const Difference& difference) {
  if (difference.reference != 0) return ReferenceText(difference.reference);
  return base::FormatDate(difference.day) + "/" + std::to_string(difference.line);
}

std::int64_t Signed(Suspense account) {
  return account == Suspense::kClaimOnBank || account == Suspense::kOwedToBank ? 1 : 0;
}

// What a repetition makes of each state, as an array literal by the state's number. A closed case
// is never met: its open successor is.
std::string AfterRepeat() {
  std::string out = "{";
  for (int i = 1; i <= kCaseStates; ++i) {
    if (i > 1) out += ',';
    out += std::to_string(
        static_cast<int>(Next(CaseState(i), CaseEvent::kRepeat).value_or(CaseState(i))));
  }
  return out + "}";
}

}  // namespace

OpenCase OpenCaseOf(const Row& row) {
  OpenCase one;
  one.case_id = row.Int64(0);
  one.agreement_no = row.Text(1);
  one.kind = row.Text(2);
  one.subject = row.Text(3);
  one.reference = row.Int64(4);
  one.day = row.Date(5);
  one.state = static_cast<CaseState>(row.Int(6));
  one.open_fen = row.Int64(7);
  one.book_fen = row.Int64(8);
  one.district = row.Int(9);
  return one;
}

absl::Status CaseWriter::SettleSubject(const std::string& agreement_no, std::string_view kind,
                                       const std::string& subject) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       tx_.Run(sql::kCaseSubject, bank_code_, agreement_no, kind, subject));
  for (const Row row : rows) Settle(Take(OpenCaseOf(row)));
  return absl::OkStatus();
}

absl::Status CaseWriter::Load(const std::vector<std::int64_t>& references) {
  if (references.empty()) return absl::OkStatus();
  Columns columns;
  columns.Int64s(references).Lone().Scalar(bank_code_);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.RunColumns(sql::kCaseKnown, columns));
  for (const Row row : rows) Take(OpenCaseOf(row));
  return absl::OkStatus();
}

OpenCase& CaseWriter::Take(OpenCase one) {
  Key key(one.agreement_no, one.kind, one.subject);
  return cases_.insert_or_assign(std::move(key), std::move(one)).first->second;
}

OpenCase& CaseWriter::Of(const Difference& what, std::string subject) {
  const auto [at, fresh] = cases_.try_emplace(Key(what.agreement_no, what.kind, subject));
  OpenCase& one = at->second;
  if (fresh) {
    one.agreement_no = what.agreement_no;
    one.kind = what.kind;
    one.subject = std::move(subject);
    one.district = what.district;
    one.reference = what.reference;
    one.day = what.day;
    one.book_fen = what.book_fen;
  }
  one.district = what.district;
  ++one.found;
  one.found_fen += what.statement_fen;
  // What is found again is no longer done with.
  one.settled = false;
  return one;
}

OpenCase& CaseWriter::Add(Difference difference) {
  OpenCase& one = Of(difference, SubjectOf(difference));
  differences_.emplace_back(std::move(difference), &one);
  return one;
}

OpenCase& CaseWriter::Open(const Difference& what, std::string subject) {
  return Of(what, std::move(subject));
}

OpenCase* CaseWriter::Find(const std::string& agreement_no, std::string_view kind,
                           std::int64_t reference) {
  const auto at = cases_.find(Key(agreement_no, std::string(kind), ReferenceText(reference)));
  return at == cases_.end() || at->second.settled ? nullptr : &at->second;
}

OpenCase* CaseWriter::FindPayable(const std::string& agreement_no, std::int64_t reference,
                                  std::int64_t amount_fen) {
  if (reference == 0) return nullptr;  // it says nothing of what it is for
  const bool claim = amount_fen > 0;
  for (const char* kind :
       {difference::kSecondDebit, difference::kUnknownReference, difference::kAmountDiffers,
        difference::kNotReportedPaid, difference::kReversalWithoutPayment}) {
    OpenCase* const one = Find(agreement_no, kind, reference);
    if (one == nullptr || (one->open_fen > 0) != claim || one->open_fen == 0) continue;
    if (std::abs(amount_fen) <= std::abs(one->open_fen)) return one;
  }
  return nullptr;
}

void CaseWriter::Post(const std::string& agreement_no, std::int32_t district, absl::CivilDay day,
                      Leg debit, Leg credit, std::int64_t amount_fen, std::string_view step) {
  const auto add = [](const Leg& leg, std::int64_t fen) {
    if (leg.of == nullptr) return;
    leg.of->open_fen += fen;
    leg.of->delta_fen += fen;
    leg.of->counted = true;
  };
  add(debit, Signed(debit.account) * amount_fen);
  add(credit, -Signed(credit.account) * amount_fen);
  entries_.push_back({agreement_no, district, day, debit, credit, amount_fen, std::string(step)});
}

void CaseWriter::Settle(OpenCase& one) {
  one.settled = true;
  one.counted = true;
}

absl::Status CaseWriter::Finish() {
  if (cases_.empty() && entries_.empty()) return absl::OkStatus();
  YKT_RETURN_IF_ERROR(WriteCases());
  YKT_RETURN_IF_ERROR(WriteDifferences());
  YKT_RETURN_IF_ERROR(WriteEntries());
  YKT_RETURN_IF_ERROR(WriteSettled());
  return AppendCaseNotes(context_, tx_, nullptr, notes_);
}

absl::Status CaseWriter::WriteCases() {
  std::vector<OpenCase*> found;
  std::vector<std::string> agreements, kinds, subjects;
  std::vector<std::int32_t> districts, occurrences;
  std::vector<std::int64_t> references, statement_fen, book_fen;
  std::vector<absl::CivilDay> days;
  std::vector<std::int16_t> priorities;
  std::vector<std::optional<absl::CivilDay>> due;
  const absl::CivilDay today = context_.today.Today();
  for (auto& [key, one] : cases_) {
    if (one.found == 0) continue;
    found.push_back(&one);
    agreements.push_back(one.agreement_no);
    districts.push_back(one.district);
    kinds.push_back(one.kind);
    subjects.push_back(one.subject);
    references.push_back(one.reference);
    days.push_back(one.day);
    const Priority priority = PriorityOf(std::max(one.found_fen, one.book_fen));
    priorities.push_back(static_cast<std::int16_t>(priority));
    // A year without its notice is not guessed: the case has no due day, and is overdue by age.
    const absl::StatusOr<absl::CivilDay> until =
        context_.calendar.AddWorkingDays(today, DueWorkingDays(priority));
    due.push_back(until.ok() ? std::optional(*until) : std::nullopt);
    occurrences.push_back(one.found);
    statement_fen.push_back(one.found_fen);
    book_fen.push_back(one.book_fen);
  }
  if (found.empty()) return absl::OkStatus();
  Columns columns;
  columns.Scalar(bank_code_)
      .Scalar(today)
      .Texts(agreements)
      .Int32s(districts)
      .Texts(kinds)
      .Texts(subjects)
      .Int64s(references)
      .Dates(days)
      .Int16s(priorities)
      .Dates(due)
      .Int32s(occurrences)
      .Scalar(AfterRepeat())
      .Int64s(statement_fen)
      .Int64s(book_fen);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.RunColumns(sql::kCaseOpen, columns));
  for (const Row row : rows) {
    const auto at = cases_.find(Key(row.Text(0), row.Text(1), row.Text(2)));
    YKT_INVARIANT(at != cases_.end(), "a case that nobody opened");
    OpenCase& one = at->second;
    one.case_id = row.Int64(3);
    one.state = static_cast<CaseState>(row.Int(4));
    const int before = row.Int(6);
    if (before != 0) {
      base::failpoint::Note("case", CaseStateName(CaseState(before)),
                            CaseEventName(CaseEvent::kRepeat));
    }
    notes_.push_back({.case_id = one.case_id,
                      .number = row.Int(5),
                      .what = before == 0 ? "opened" : "repeated",
                      .from = before,
                      .to = row.Int(4),
                      .amount_fen = one.found_fen});
  }
  for (const OpenCase* one : found) YKT_INVARIANT(one->case_id != 0, "a case was not written");
  return absl::OkStatus();
}

absl::Status CaseWriter::WriteDifferences() {
  if (differences_.empty()) return absl::OkStatus();
  std::vector<std::string> agreements, kinds;
  std::vector<std::int32_t> districts;
  std::vector<absl::CivilDay> days;
  std::vector<std::int64_t> lines, references, statement_fen, book_fen, cases;
  for (const auto& [one, of] : differences_) {
    agreements.push_back(one.agreement_no);
    districts.push_back(one.district);
    days.push_back(one.day);
    lines.push_back(one.line);
    references.push_back(one.reference);
    kinds.push_back(one.kind);
    statement_fen.push_back(one.statement_fen);
    book_fen.push_back(one.book_fen);
    cases.push_back(of->case_id);
  }
  Columns columns;
  columns.Texts(agreements)
      .Int32s(districts)
      .Dates(days)
      .Int64s(lines)
      .Int64s(references)
      .Texts(kinds)
      .Int64s(statement_fen)
      .Int64s(book_fen)
      .Int64s(cases);
  return tx_.RunColumns(sql::kDifferenceInsert, columns).status();
}

absl::Status CaseWriter::WriteEntries() {
  if (entries_.empty()) return absl::OkStatus();
  std::vector<std::string> agreements, steps;
  std::vector<std::int32_t> districts;
  std::vector<absl::CivilDay> days;
  std::vector<std::int16_t> debits, credits;
  std::vector<std::optional<std::int64_t>> debit_cases, credit_cases;
  std::vector<std::int64_t> amounts;
  const auto case_of = [](const Leg& leg) {
    return leg.of == nullptr ? std::nullopt : std::optional(leg.of->case_id);
  };
  for (const Entry& one : entries_) {
    agreements.push_back(one.agreement_no);
    districts.push_back(one.district);
    days.push_back(one.day);
    debits.push_back(static_cast<std::int16_t>(one.debit.account));
    debit_cases.push_back(case_of(one.debit));
    credits.push_back(static_cast<std::int16_t>(one.credit.account));
    credit_cases.push_back(case_of(one.credit));
    amounts.push_back(one.amount_fen);
    steps.push_back(one.step);
  }
  Columns columns;
  columns.Texts(agreements)
      .Int32s(districts)
      .Dates(days)
      .Int16s(debits)
      .Int64s(debit_cases)
      .Int16s(credits)
      .Int64s(credit_cases)
      .Int64s(amounts)
      .Texts(steps);
  return tx_.RunColumns(sql::kSuspenseInsert, columns).status();
}

absl::Status CaseWriter::WriteSettled() {
  std::vector<std::int64_t> ids, deltas;
  std::vector<bool> closes;
  std::map<std::int64_t, const OpenCase*> by_id;
  for (const auto& [key, one] : cases_) {
    if (!one.counted) continue;
    // Only what the table lets the bank settle.
    if (one.settled) {
      YKT_RETURN_IF_ERROR(Next(one.state, CaseEvent::kSettle).status());
      base::failpoint::Note("case", CaseStateName(one.state), CaseEventName(CaseEvent::kSettle));
    }
    ids.push_back(one.case_id);
    deltas.push_back(one.delta_fen);
    closes.push_back(one.settled);
    by_id[one.case_id] = &one;
  }
  if (ids.empty()) return absl::OkStatus();
  Columns columns;
  columns.Scalar(context_.today.Today()).Int64s(ids).Int64s(deltas).Bools(closes);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx_.RunColumns(sql::kCaseSettle, columns));
  YKT_INVARIANT(rows.size() == static_cast<std::int64_t>(ids.size()), "a case is not there");
  for (const Row row : rows) {
    const OpenCase& one = *by_id[row.Int64(0)];
    notes_.push_back({.case_id = one.case_id,
                      .number = row.Int(2),
                      .what = one.settled ? "settled" : "posted",
                      .from = row.Int(3),
                      .to = row.Int(1),
                      .amount_fen = one.delta_fen});
    if (!one.settled) continue;
    YKT_RETURN_IF_ERROR(
        Audit(context_, tx_, nullptr,
              {.kind = "case.settled",
               .district = one.district,
               .subject = "cases/" + std::to_string(one.case_id),
               .details = {{"kind", one.kind}, {"amount_fen", std::to_string(one.delta_fen)}}}));
  }
  return absl::OkStatus();
}

absl::Status AppendCaseNotes(const StoreContext& context, postgres::Transaction& tx,
                             const identity::Caller* caller, const std::vector<CaseNote>& notes) {
  if (notes.empty()) return absl::OkStatus();
  std::vector<std::int64_t> ids, amounts;
  std::vector<std::int32_t> numbers;
  std::vector<std::string> what, texts;
  std::vector<std::int16_t> from, to, decisions;
  for (const CaseNote& note : notes) {
    ids.push_back(note.case_id);
    numbers.push_back(note.number);
    what.push_back(note.what);
    from.push_back(static_cast<std::int16_t>(note.from));
    to.push_back(static_cast<std::int16_t>(note.to));
    decisions.push_back(static_cast<std::int16_t>(note.decision));
    amounts.push_back(note.amount_fen);
    texts.push_back(note.text);
  }
  Columns columns;
  columns.Scalar(context.today.Today())
      .Scalar(caller != nullptr ? caller->Actor() : "")
      .Int64s(ids)
      .Int32s(numbers)
      .Texts(what)
      .Int16s(from)
      .Int16s(to)
      .Int16s(decisions)
      .Int64s(amounts)
      .Texts(texts);
  return tx.RunColumns(sql::kCaseEventInsert, columns).status();
}

}  // namespace yikatong::bankgateway
