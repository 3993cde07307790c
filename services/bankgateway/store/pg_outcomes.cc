#include "services/bankgateway/store/pg_outcomes.h"

#include "common/base/dates.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/return_codes.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/outcome_writer.h"
#include "services/bankgateway/store/pg_restores.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

template <typename Things>
std::vector<std::int64_t> ReferencesOf(const Things& things) {
  std::vector<std::int64_t> references;
  references.reserve(things.size());
  for (const auto& thing : things) references.push_back(thing.reference);
  return references;
}

struct Compared {
  std::int64_t statement_id = 0;
  std::int64_t lines = 0;
  bool complete = false;
  std::int64_t debit_fen = 0;
  std::int64_t credit_fen = 0;
};

absl::StatusOr<Compared> LockStatement(Transaction& tx, const DueStatement& statement) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kStatementLock, statement.agreement_no,
                                               statement.day, statement.district));
  const Row row = rows[0];
  return Compared{row.Int64(0), row.Int64(1), row.Bool(2), row.Int64(5), row.Int64(6)};
}

struct Progress {
  std::int64_t lines = 0;
  std::int64_t agreed = 0;
  std::int64_t differences = 0;
  std::int64_t debit_fen = 0;
  std::int64_t credit_fen = 0;
};

absl::Status AddProgress(Transaction& tx, const DueStatement& statement, const Progress& progress) {
  return tx
      .Run(sql::kStatementProgress, statement.agreement_no, statement.day, progress.lines,
           progress.agreed, progress.differences, progress.debit_fen, progress.credit_fen)
      .status();
}

// Every payment (or return) of a day that has no line, a few thousand at a time.
absl::Status FindMissing(Transaction& tx, OutcomeWriter& writer, const DueStatement& statement,
                         bool debit) {
  const OutcomeState state = debit ? OutcomeState::kPaid : OutcomeState::kReturned;
  for (std::int64_t behind = 0;;) {
    YKT_ASSIGN_OR_RETURN(const Rows missing,
                         tx.Run(sql::kStatementMissing, statement.agreement_no, statement.day,
                                statement.district, static_cast<int>(state), behind));
    for (const Row row : missing) {
      writer.MissLine({0, statement.agreement_no, statement.district, statement.day, 0,
                       row.Int64(0), "", 0, row.Int64(1)},
                      debit);
      behind = row.Int64(0);
    }
    if (missing.empty()) return absl::OkStatus();
  }
}

// Posts what a line moved that no payment explains, to the case of its difference.
void PostLine(OutcomeWriter& writer, const DueStatement& statement, const StatementLine& line,
              OpenCase& of, std::string_view step) {
  const Leg bank{Suspense::kBankAccount};
  // A credit pays a claim, a debit a debt; otherwise each makes its own.
  const bool pays = line.debit ? of.open_fen < 0 : of.open_fen > 0;
  const Leg other{line.debit != pays ? Suspense::kClaimOnBank : Suspense::kOwedToBank, &of};
  writer.cases().Post(statement.agreement_no, statement.district, statement.day,
                      line.debit ? other : bank, line.debit ? bank : other, line.amount_fen, step);
}

// A line of a payment (or return) that we held already. It can be another day's than was reported:
// then a case waits for it, or the two days are told apart until both are past.
void PostKnownLine(OutcomeWriter& writer, const DueStatement& statement, const StatementLine& line,
                   absl::CivilDay reported) {
  CaseWriter& cases = writer.cases();
  const char* kind = line.debit ? difference::kLineMissing : difference::kReturnLineMissing;
  const Leg payments{Suspense::kPayments};
  if (OpenCase* const waits = cases.Find(statement.agreement_no, kind, line.reference)) {
    const Leg cleared{line.debit ? Suspense::kOwedToBank : Suspense::kClaimOnBank, waits};
    cases.Post(statement.agreement_no, statement.district, statement.day,
               line.debit ? cleared : payments, line.debit ? payments : cleared, line.amount_fen,
               "line_came");
    cases.Settle(*waits);
    return;
  }
  if (reported == statement.day) return;
  const Leg between{Suspense::kBetweenDays};
  for (const bool here : {true, false}) {
    const bool up = here == line.debit;
    cases.Post(statement.agreement_no, statement.district, here ? statement.day : reported,
               up ? between : payments, up ? payments : between, line.amount_fen, "other_day");
  }
}

// Whether a line is what an open case waits for: the bank corrects itself. What agrees with our
// books belongs to them first; but money that comes back under a reference with a claim pays the
// claim, and is no return of a payment that nobody said had come back.
bool PaysCase(OutcomeWriter& writer, const DueStatement& statement, const StatementLine& line,
              const LineVerdict& verdict) {
  if (verdict.agreed && (line.debit || verdict.outcome == Verdict::kNothing)) return false;
  OpenCase* const payable = writer.cases().FindPayable(
      statement.agreement_no, line.reference, line.debit ? -line.amount_fen : line.amount_fen);
  if (payable == nullptr) return false;
  PostLine(writer, statement, line, *payable, "paid_by_bank");
  if (payable->open_fen == 0) writer.cases().Settle(*payable);
  return true;
}

// Lines that are none of their reference's payment.
struct LinesApart {
  std::vector<std::int64_t> references;
  std::vector<std::int64_t> lines;

  void Add(const StatementLine& line) {
    references.push_back(line.reference);
    lines.push_back(line.line);
  }
};

// Compares one line with the books and remembers what it changes.
bool CompareLine(OutcomeWriter& writer, const DueStatement& statement, const StatementLine& line,
                 LinesApart& apart) {
  Known* known = writer.Find(line.reference);
  if (known != nullptr && known->submission->agreement_no != statement.agreement_no)
    known = nullptr;
  LineContext context;
  if (known != nullptr) {
    context = {true,           line.amount_fen == known->amount_fen,
               known->debited, known->reversed,
               known->last,    known->net_debits > 1};
    known->net_debits += line.debit ? 1 : -1;
  }
  const LineVerdict verdict = JudgeLine(line.debit, context);
  if (PaysCase(writer, statement, line, verdict)) {
    apart.Add(line);
    return true;
  }
  if (verdict.difference != nullptr) {
    OpenCase& one = writer.Differ({0, statement.agreement_no, statement.district, statement.day,
                                   line.line, line.reference, verdict.difference, line.amount_fen,
                                   known != nullptr ? known->amount_fen : 0});
    PostLine(writer, statement, line, one, "line");
    if (known == nullptr || one.kind == difference::kReversalWithoutPayment) {
      // If the payment of this reference is booked where it belongs, or comes back later, that has
      // a line of its own, or misses one.
      apart.Add(line);
      return false;
    }
  }
  if (known == nullptr) return false;
  if (context.amount_fits) (line.debit ? known->debited : known->reversed) = true;
  Ground ground;
  ground.booked_on = statement.day;
  ground.amount_fen = line.amount_fen;
  ground.bank_serial = line.bank_serial;
  ground.on_statement = true;
  if (verdict.outcome == Verdict::kPaid) {
    writer.Record(line.reference, *known, OutcomeState::kPaid, ground);
  } else if (verdict.outcome == Verdict::kReturned) {
    ground.reason = status::ReasonName(ReasonOfReturnCode(line.return_code));
    writer.Record(line.reference, *known, OutcomeState::kReturned, ground);
  } else if (verdict.agreed) {
    // Known before from a result: it has its line now.
    const std::optional<absl::CivilDay>& day = line.debit ? known->paid_on : known->last_booked_on;
    if (day.has_value()) {
      writer.Match(statement.agreement_no, *day, line.debit);
      PostKnownLine(writer, statement, line, *day);
    }
  }
  return verdict.agreed;
}

// While a restore is open: of a payment that we do not know to have sent, in a file that we do not
// have. It is kept until the payment is asked for again, and applied then.
bool IsOfUndoneTime(OutcomeWriter& writer, const BankResult& result) {
  if (writer.open_restore().empty()) return false;
  const Known* const known = writer.Find(result.reference);
  if (known == nullptr) return true;
  return known->last == OutcomeState::kNone && !known->found &&
         known->submission->file_id != result.file_id;
}

}  // namespace

absl::StatusOr<std::int64_t> PgOutcomeBook::Cursor(const std::string& bank_code) {
  std::int64_t cursor = 0;
  YKT_RETURN_IF_ERROR(context_.database.Read("read_cursor", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kCursorRead, bank_code));
    if (rows.empty()) return status::Refuse(Reason::kBankNotRegistered);
    cursor = rows[0].Int64(0);
    return absl::OkStatus();
  }));
  return cursor;
}

absl::Status PgOutcomeBook::ApplyPage(const std::string& bank_code, std::int64_t after,
                                      const std::vector<BankResult>& results) {
  return context_.database.Transact("apply_page", [&](Transaction& tx) -> absl::Status {
    OutcomeWriter writer(context_, tx, bank_code, "results");
    YKT_ASSIGN_OR_RETURN(const std::int64_t cursor, writer.Lock());
    if (cursor != after) return status::Refuse(Reason::kLeaseLost);
    YKT_RETURN_IF_ERROR(writer.Load(ReferencesOf(results)));
    std::vector<BankResult> found;
    for (const BankResult& result : results) {
      if (IsOfUndoneTime(writer, result)) {
        found.push_back(result);
      } else {
        writer.Apply(result);
      }
    }
    YKT_RETURN_IF_ERROR(writer.Finish());
    YKT_RETURN_IF_ERROR(WriteFound(tx, writer.open_restore(), bank_code, found));
    return tx.Run(sql::kCursorMove, bank_code, results.back().number).status();
  });
}

absl::StatusOr<std::int64_t> PgOutcomeBook::NumberChunks() {
  std::int64_t numbered = 0;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("number_chunks", [&](Transaction& tx) -> absl::Status {
        numbered = 0;
        YKT_ASSIGN_OR_RETURN(const Rows head, tx.Run(sql::kChunkLockHead));
        if (head.empty()) return absl::OkStatus();  // another replica is at it
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kChunkNumber));
        numbered = rows[0].Int64(0);
        if (numbered == 0) return absl::OkStatus();
        return tx.Run(sql::kChunkMoveHead, numbered).status();
      }));
  return numbered;
}

absl::StatusOr<std::vector<OutcomeChunk>> PgOutcomeBook::ListChunks(std::int64_t after, int count,
                                                                    std::int64_t& head) {
  std::vector<OutcomeChunk> chunks;
  YKT_RETURN_IF_ERROR(context_.database.Read("list_outcomes", [&](Transaction& tx) -> absl::Status {
    chunks.clear();
    YKT_ASSIGN_OR_RETURN(const Rows heads, tx.Run(sql::kChunkHead));
    head = heads[0].Int64(0);
    if (head <= after) return absl::OkStatus();
    Columns which;
    which.Scalar(after).Scalar(count);
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kChunkList, which));
    for (const Row listed : rows) {
      OutcomeChunk& chunk = chunks.emplace_back();
      chunk.number = listed.Int64(0);
      chunk.district = listed.Int(1);
      const std::int64_t least = listed.Int64(3);
      const std::int64_t most = listed.Int64(4);
      const bool near = most - least <= listed.Int64(2) * kNeighbourReferences;
      Columns columns;
      columns.Scalar(chunk.number).Scalar(chunk.district);
      if (near) columns.Scalar(least).Scalar(most);
      YKT_ASSIGN_OR_RETURN(
          const Rows outcomes,
          tx.RunColumns(near ? sql::kChunkOutcomesNear : sql::kChunkOutcomes, columns));
      chunk.outcomes.reserve(static_cast<std::size_t>(outcomes.size()));
      for (const Row row : outcomes) {
        chunk.outcomes.push_back({row.Int64(0), row.Int(1), static_cast<OutcomeState>(row.Int(2)),
                                  row.MaybeText(3).value_or(""), row.MaybeDate(4), row.Int64(5)});
      }
    }
    return absl::OkStatus();
  }));
  return chunks;
}

absl::StatusOr<std::vector<LateFile>> PgOutcomeBook::LateFiles(const std::string& bank_code,
                                                               absl::CivilDay sent_by) {
  std::vector<LateFile> files;
  YKT_RETURN_IF_ERROR(context_.database.Read("late_files", [&](Transaction& tx) -> absl::Status {
    files.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kAskFiles, bank_code, sent_by, context_.today.Today()));
    for (const Row row : rows) {
      files.push_back({row.Text(0), static_cast<FileState>(row.Int(1)), row.Date(2)});
    }
    return absl::OkStatus();
  }));
  return files;
}

absl::StatusOr<std::vector<std::int64_t>> PgOutcomeBook::OpenReferences(const std::string& file_id,
                                                                        std::int64_t after,
                                                                        int count) {
  std::vector<std::int64_t> references;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("open_references", [&](Transaction& tx) -> absl::Status {
        references.clear();
        YKT_ASSIGN_OR_RETURN(const Rows rows,
                             tx.Run(sql::kAskOpenReferences, file_id, after, count));
        for (const Row row : rows) references.push_back(row.Int64(0));
        return absl::OkStatus();
      }));
  return references;
}

absl::Status PgOutcomeBook::ApplyAnswers(const std::string& bank_code,
                                         const std::vector<BankResult>& answers,
                                         bool not_found_is_final) {
  return context_.database.Transact("apply_answers", [&](Transaction& tx) -> absl::Status {
    OutcomeWriter writer(context_, tx, bank_code, "asked");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_RETURN_IF_ERROR(writer.Load(ReferencesOf(answers)));
    for (const BankResult& answer : answers) {
      Known* const known = writer.Find(answer.reference);
      const bool open = known != nullptr && (known->last == OutcomeState::kNone ||
                                             known->last == OutcomeState::kUnknown);
      Ground ground;
      ground.amount_fen = known != nullptr ? known->amount_fen : 0;
      if (answer.state != RowState::kPending && answer.state != RowState::kNotFound) {
        writer.Apply(answer);
      } else if (open && answer.state == RowState::kNotFound && not_found_is_final) {
        ground.reason = status::ReasonName(Reason::kBankNotTaken);
        writer.Record(answer.reference, *known, OutcomeState::kFailed, ground);
      } else if (open && known->last == OutcomeState::kNone) {
        ground.reason = status::ReasonName(Reason::kBankUnknown);
        writer.Record(answer.reference, *known, OutcomeState::kUnknown, ground);
      }
    }
    return writer.Finish();
  });
}

absl::Status PgOutcomeBook::MarkAsked(const std::string& file_id) {
  return context_.database.Transact("mark_asked", [&](Transaction& tx) {
    return tx.Run(sql::kAskMark, file_id, context_.today.Today()).status();
  });
}

absl::StatusOr<std::vector<DueStatement>> PgOutcomeBook::DueStatements(
    const std::string& bank_code) {
  std::vector<DueStatement> due;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("due_statements", [&](Transaction& tx) -> absl::Status {
        due.clear();
        YKT_ASSIGN_OR_RETURN(const Rows rows,
                             tx.Run(sql::kStatementDue, bank_code, context_.today.Today()));
        for (const Row row : rows) due.push_back({row.Text(0), row.Int(1), row.Date(2)});
        return absl::OkStatus();
      }));
  return due;
}

absl::Status PgOutcomeBook::CompareLines(const std::string& bank_code,
                                         const DueStatement& statement,
                                         const std::vector<StatementLine>& lines) {
  return context_.database.Transact("compare_lines", [&](Transaction& tx) -> absl::Status {
    OutcomeWriter writer(context_, tx, bank_code, "statement");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_ASSIGN_OR_RETURN(const Compared before, LockStatement(tx, statement));
    std::vector<StatementLine> fresh;
    for (const StatementLine& line : lines) {
      if (line.line > before.lines) fresh.push_back(line);
    }
    if (before.complete || fresh.empty()) return absl::OkStatus();
    YKT_RETURN_IF_ERROR(writer.Load(ReferencesOf(fresh), true));
    Progress progress;
    LinesApart apart;
    for (const StatementLine& line : fresh) {
      if (line.line != before.lines + progress.lines + 1)
        return absl::DataLossError("the statement has a gap");
      ++progress.lines;
      (line.debit ? progress.debit_fen : progress.credit_fen) += line.amount_fen;
      if (CompareLine(writer, statement, line, apart)) ++progress.agreed;
    }
    progress.differences = writer.differences();
    YKT_RETURN_IF_ERROR(writer.Finish());
    YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                         postgres::BinaryCopy::Start(tx, sql::kStatementLineCopy, 6));
    for (const StatementLine& line : fresh) {
      copy.Int32(statement.district);
      copy.Int64(line.reference);
      copy.Int64(before.statement_id);
      copy.Int64(line.line);
      copy.Bool(line.debit);
      copy.Int64(line.amount_fen);
      YKT_RETURN_IF_ERROR(copy.EndRow());
    }
    YKT_RETURN_IF_ERROR(copy.Finish().status());
    if (!apart.lines.empty()) {
      Columns columns;
      columns.Scalar(statement.district)
          .Scalar(before.statement_id)
          .Int64s(apart.references)
          .Int64s(apart.lines);
      YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kLineApartInsert, columns).status());
    }
    return AddProgress(tx, statement, progress);
  });
}

absl::Status PgOutcomeBook::CompleteStatement(const std::string& bank_code,
                                              const DueStatement& statement,
                                              const StatementHead& head) {
  return context_.database.Transact("complete_statement", [&](Transaction& tx) -> absl::Status {
    OutcomeWriter writer(context_, tx, bank_code, "statement");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    // A day on which nothing was sent, without a line and without anything missing, leaves no row.
    YKT_ASSIGN_OR_RETURN(const Rows sent,
                         tx.Run(sql::kStatementSent, statement.agreement_no, statement.day));
    bool has_row = head.lines > 0 || !sent.empty();
    if (has_row) {
      YKT_ASSIGN_OR_RETURN(const Compared all, LockStatement(tx, statement));
      if (all.complete) return absl::OkStatus();
      if (all.lines != head.lines || all.debit_fen != head.debit_fen ||
          all.credit_fen != head.credit_fen) {
        return absl::DataLossError("the statement's lines are not those of its head");
      }
    }
    YKT_ASSIGN_OR_RETURN(const Rows days,
                         tx.Run(sql::kBookDayRead, statement.agreement_no, statement.day));
    for (const Row day : days) {
      if (day.Int64(1) <= day.Int64(2)) continue;
      YKT_RETURN_IF_ERROR(FindMissing(tx, writer, statement, day.Bool(0)));
    }
    if (writer.differences() > 0) {
      has_row = true;
      YKT_RETURN_IF_ERROR(LockStatement(tx, statement).status());
      Progress progress;
      progress.differences = writer.differences();
      YKT_RETURN_IF_ERROR(AddProgress(tx, statement, progress));
    }
    // The statement that was missed is here.
    YKT_RETURN_IF_ERROR(writer.cases().SettleSubject(
        statement.agreement_no, difference::kStatementMissing, base::FormatDate(statement.day)));
    YKT_RETURN_IF_ERROR(writer.Finish());
    if (has_row) {
      YKT_RETURN_IF_ERROR(
          tx.Run(sql::kStatementComplete, statement.agreement_no, statement.day).status());
      YKT_RETURN_IF_ERROR(Audit(context_, tx, nullptr,
                                {.kind = "statement.reconciled",
                                 .district = statement.district,
                                 .subject = "statements/" + statement.agreement_no + "/" +
                                            base::FormatDate(statement.day),
                                 .details = {{"lines", std::to_string(head.lines)},
                                             {"debit_fen", std::to_string(head.debit_fen)},
                                             {"credit_fen", std::to_string(head.credit_fen)},
                                             {"missing", std::to_string(writer.differences())}}}));
    }
    return tx.Run(sql::kStatementAdvance, statement.agreement_no, statement.day).status();
  });
}

absl::StatusOr<std::vector<Reconciliation>> PgOutcomeBook::ListReconciliations(
    const identity::Scope& scope, const std::string& agreement_no, absl::CivilDay before_day,
    const std::string& before_agreement, int count) {
  std::vector<Reconciliation> list;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_reconciliations", [&](Transaction& tx) -> absl::Status {
        list.clear();
        YKT_ASSIGN_OR_RETURN(const Rows rows,
                             tx.Run(sql::kStatementList, agreement_no, before_day, before_agreement,
                                    scope.all_districts, scope.districts, count));
        for (const Row row : rows) {
          list.push_back({row.Text(0), row.Date(1), row.Bool(2), row.Int64(3), row.Int64(4),
                          row.Int64(5), row.Int64(6), row.Int64(7)});
        }
        return absl::OkStatus();
      }));
  return list;
}

absl::StatusOr<std::vector<Difference>> PgOutcomeBook::ListDifferences(
    const identity::Scope& scope, const std::string& agreement_no, std::int64_t after, int count) {
  std::vector<Difference> list;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_differences", [&](Transaction& tx) -> absl::Status {
        list.clear();
        YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kDifferenceList, after, agreement_no,
                                                     scope.all_districts, scope.districts, count));
        for (const Row row : rows) {
          list.push_back({row.Int64(0), row.Text(1), 0, row.Date(2), row.Int64(3), row.Int64(4),
                          row.Text(5), row.Int64(6), row.Int64(7)});
        }
        return absl::OkStatus();
      }));
  return list;
}

}  // namespace yikatong::bankgateway
