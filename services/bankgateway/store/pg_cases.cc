#include "services/bankgateway/store/pg_cases.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/base/hex.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/pg_files.h"

namespace yikatong::bankgateway {

Case CaseOf(const postgres::Row& row, absl::CivilDay today, const CaseTerms& terms) {
  Case one;
  one.case_id = row.Int64(0);
  one.agreement_no = row.Text(1);
  one.bank_code = row.Text(2);
  one.district = row.Int(3);
  one.kind = row.Text(4);
  one.subject = row.Text(5);
  one.reference = row.Int64(6);
  one.day = row.Date(7);
  one.state = static_cast<CaseState>(row.Int(8));
  one.priority = static_cast<Priority>(row.Int(9));
  one.owner = row.Text(10);
  one.opened_on = row.Date(11);
  one.due_on = row.MaybeDate(12);
  one.closed_on = row.MaybeDate(13);
  one.occurrences = row.Int(14);
  one.statement_fen = row.Int64(15);
  one.book_fen = row.Int64(16);
  one.open_fen = row.Int64(17);
  one.decision = static_cast<Decision>(row.Int(18));
  one.reason = row.Text(19);
  one.evidence = row.MaybeBytes(20).value_or("");
  one.matched_case = row.Int64(21);
  one.proposed_by = row.Text(22);
  one.decided_by = row.Text(23);
  one.age_days = static_cast<int>(one.closed_on.value_or(today) - one.opened_on);
  one.overdue = one.state != CaseState::kClosed &&
                one.due_on.value_or(one.opened_on + terms.unknown_due_days) < today;
  return one;
}

namespace {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

OpenCase OpenOf(const Case& one) {
  OpenCase open;
  open.case_id = one.case_id;
  open.agreement_no = one.agreement_no;
  open.kind = one.kind;
  open.subject = one.subject;
  open.district = one.district;
  open.reference = one.reference;
  open.day = one.day;
  open.state = one.state;
  open.open_fen = one.open_fen;
  open.book_fen = one.book_fen;
  return open;
}

// The person of "person@organisation".
std::string_view PersonOf(std::string_view actor) { return actor.substr(0, actor.rfind('@')); }

// What is decided and how, without who: the caller's part of a case.
void Forget(Case& one) {
  one.decision = Decision::kNone;
  one.reason.clear();
  one.evidence.clear();
  one.matched_case = 0;
  one.proposed_by.clear();
  one.decided_by.clear();
}

absl::Status Enter(Case& one, CaseEvent event) {
  const CaseState from = one.state;
  YKT_ASSIGN_OR_RETURN(one.state, Next(from, event));
  base::failpoint::Note("case", CaseStateName(from), CaseEventName(event));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Case>> PgCaseBook::List(const identity::Scope& scope,
                                                   const CaseFilter& filter, std::int64_t after,
                                                   int count) {
  std::vector<Case> cases;
  const absl::CivilDay today = context_.today.Today();
  YKT_RETURN_IF_ERROR(context_.database.Read("list_cases", [&](Transaction& tx) -> absl::Status {
    cases.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kCaseList, after, scope.all_districts, scope.districts,
                                filter.district, filter.agreement_no, filter.state, filter.kind,
                                filter.overdue, today, context_.terms.unknown_due_days, count));
    for (const Row row : rows) cases.push_back(CaseOf(row, today, context_.terms));
    return absl::OkStatus();
  }));
  return cases;
}

absl::StatusOr<PgCaseBook::Held> PgCaseBook::Read(Transaction& tx, const identity::Scope& scope,
                                                  std::int64_t case_id) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       tx.Run(sql::kCaseGet, case_id, scope.all_districts, scope.districts));
  if (rows.empty()) return status::Refuse(Reason::kNotFound);
  return Held{CaseOf(rows[0], context_.today.Today(), context_.terms), rows[0].Int(24)};
}

absl::StatusOr<CaseDetails> PgCaseBook::Get(const identity::Scope& scope, std::int64_t case_id) {
  CaseDetails details;
  YKT_RETURN_IF_ERROR(context_.database.Read("get_case", [&](Transaction& tx) -> absl::Status {
    details = {};
    YKT_ASSIGN_OR_RETURN(const Held held, Read(tx, scope, case_id));
    details.one = held.one;
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kCaseHistory, case_id));
    for (const Row row : rows) {
      details.history.push_back({row.Int(0), row.Time(1), row.Date(2), row.Text(3), row.Int(4),
                                 row.Int(5), row.Text(6), static_cast<Decision>(row.Int(7)),
                                 row.Int64(8), row.Text(9)});
    }
    if (!Next(held.one.state, CaseEvent::kPropose).ok()) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(const CaseFacts facts, FactsOf(tx, held.one, std::nullopt));
    details.fitting = Fitting(facts);
    return absl::OkStatus();
  }));
  return details;
}

absl::StatusOr<CaseFacts> PgCaseBook::FactsOf(Transaction& tx, const Case& one,
                                              const std::optional<Case>& other) {
  CaseFacts facts;
  facts.kind = one.kind;
  facts.open_fen = one.open_fen;
  facts.book_fen = one.book_fen;
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       tx.Run(sql::kCaseFacts, one.case_id, DistrictOfReference(one.reference)));
  const Row row = rows[0];
  facts.known = row.Bool(0);
  facts.last = static_cast<OutcomeState>(row.Int(1));
  facts.later_attempt = row.Bool(2);
  facts.line_missing = row.Bool(3);
  const std::optional<absl::CivilDay> through = row.MaybeDate(4);
  absl::CivilDay since = one.day;
  if (one.kind == difference::kFileOtherContent) {
    YKT_ASSIGN_OR_RETURN(const Rows files, tx.Run(sql::kCaseFileFacts, one.subject));
    YKT_INVARIANT(files.size() == 1, "a case of a file that is not there");
    since = files[0].Date(1);
    facts.nothing_booked =
        files[0].Int(0) == static_cast<int>(FileState::kSending) && files[0].Bool(2);
  }
  facts.day_closed = through.has_value() && *through >= since;
  facts.later_closed = through.has_value() && *through > since;
  facts.behind_horizon = context_.today.Today() > since + context_.terms.horizon_days;
  if (other.has_value()) {
    facts.other_open_fen = other->open_fen;
    facts.other_kind = other->kind;
    facts.same_reference = other->reference == one.reference && one.reference != 0;
  }
  return facts;
}

absl::StatusOr<std::optional<Case>> PgCaseBook::OtherOf(Transaction& tx,
                                                        const identity::Caller& caller,
                                                        const Case& one, std::int64_t other_case) {
  if (other_case == 0) return std::nullopt;
  YKT_ASSIGN_OR_RETURN(Held other, Read(tx, identity::ScopeOf(caller), other_case));
  if (other.one.state == CaseState::kClosed || other.one.case_id == one.case_id ||
      other.one.agreement_no != one.agreement_no) {
    return status::Refuse(Reason::kFieldInvalid, "", {{"field", "other_case_id"}});
  }
  return std::optional(std::move(other.one));
}

absl::StatusOr<Case> PgCaseBook::Mutate(std::string_view name, const identity::Caller& caller,
                                        const std::string& request_id, std::int64_t case_id,
                                        std::initializer_list<std::string_view> content,
                                        const Act& act) {
  Case changed;
  const identity::Scope scope = identity::ScopeOf(caller);
  YKT_RETURN_IF_ERROR(context_.database.Transact(name, [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Held seen, Read(tx, scope, case_id));
    YKT_ASSIGN_OR_RETURN(const bool before, DoneBefore(tx, request_id, content));
    changed = seen.one;
    if (before) return absl::OkStatus();
    // The bank's row before the case's, as every step that writes outcomes or cases; what the case
    // is now is read behind it.
    OutcomeWriter writer(context_, tx, seen.one.bank_code, "case");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_ASSIGN_OR_RETURN(Held held, Read(tx, scope, case_id));
    const CaseState from = held.one.state;
    YKT_ASSIGN_OR_RETURN(const Change change, act(tx, writer, held.one));
    const Case& one = held.one;
    if (one.state == CaseState::kClosed) held.one.closed_on = context_.today.Today();
    Columns columns;
    columns.Scalar(case_id)
        .Scalar(static_cast<int>(one.state))
        .Scalar(one.owner)
        .Scalar(static_cast<int>(one.decision))
        .Scalar(one.reason);
    if (one.evidence.empty()) {
      columns.Scalar(nullptr);
    } else {
      columns.Scalar(postgres::Bytes{one.evidence});
    }
    if (one.matched_case == 0) {
      columns.Scalar(nullptr);
    } else {
      columns.Scalar(one.matched_case);
    }
    columns.Scalar(one.proposed_by).Scalar(one.decided_by).Scalar(one.closed_on);
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kCaseSet, columns));
    YKT_RETURN_IF_ERROR(AppendCaseNotes(context_, tx, &caller,
                                        {{.case_id = case_id,
                                          .number = rows[0].Int(0),
                                          .what = change.what,
                                          .from = static_cast<int>(from),
                                          .to = static_cast<int>(one.state),
                                          .decision = change.decision,
                                          .amount_fen = change.amount_fen,
                                          .text = change.note}}));
    std::map<std::string, std::string> details = {{"kind", one.kind},
                                                  {"state", CaseStateName(one.state)}};
    if (change.decision != Decision::kNone) {
      details["decision"] = DecisionName(change.decision);
      details["amount_fen"] = std::to_string(change.amount_fen);
      if (!one.evidence.empty()) details["evidence_sha256"] = base::ToHex(one.evidence);
    }
    YKT_RETURN_IF_ERROR(Audit(context_, tx, &caller,
                              {.kind = change.kind,
                               .district = one.district,
                               .subject = "cases/" + std::to_string(case_id),
                               .details = std::move(details),
                               .request_id = request_id}));
    YKT_ASSIGN_OR_RETURN(held, Read(tx, scope, case_id));
    changed = held.one;
    return absl::OkStatus();
  }));
  return changed;
}

absl::StatusOr<Case> PgCaseBook::Assign(const identity::Caller& caller,
                                        const std::string& request_id, std::int64_t case_id,
                                        const std::string& owner) {
  return Mutate("assign_case", caller, request_id, case_id,
                {"AssignCase", std::to_string(case_id), owner},
                [&](Transaction&, OutcomeWriter&, Case& one) -> absl::StatusOr<Change> {
                  YKT_RETURN_IF_ERROR(Enter(one, CaseEvent::kAssign));
                  one.owner = owner;
                  return Change{.what = "assigned", .kind = "case.assigned", .note = owner};
                });
}

absl::StatusOr<Case> PgCaseBook::Note(const identity::Caller& caller, const std::string& request_id,
                                      std::int64_t case_id, const std::string& text) {
  return Mutate("note_case", caller, request_id, case_id,
                {"NoteCase", std::to_string(case_id), text},
                [&](Transaction&, OutcomeWriter&, Case&) -> absl::StatusOr<Change> {
                  return Change{.what = "noted", .kind = "case.noted", .note = text};
                });
}

absl::StatusOr<Case> PgCaseBook::Propose(const identity::Caller& caller,
                                         const std::string& request_id, std::int64_t case_id,
                                         const Proposal& proposal) {
  return Mutate("propose_decision", caller, request_id, case_id,
                {"ProposeDecision", std::to_string(case_id), DecisionName(proposal.decision),
                 proposal.reason, proposal.evidence, std::to_string(proposal.other_case)},
                [&](Transaction& tx, OutcomeWriter& writer, Case& one) -> absl::StatusOr<Change> {
                  YKT_RETURN_IF_ERROR(Next(one.state, CaseEvent::kPropose).status());
                  YKT_ASSIGN_OR_RETURN(const std::optional<Case> other,
                                       OtherOf(tx, caller, one, proposal.other_case));
                  YKT_ASSIGN_OR_RETURN(const CaseFacts facts, FactsOf(tx, one, other));
                  YKT_RETURN_IF_ERROR(CheckDecision(facts, proposal.decision));
                  one.decision = proposal.decision;
                  one.reason = proposal.reason;
                  one.evidence = proposal.evidence;
                  one.matched_case = proposal.other_case;
                  one.proposed_by = caller.Actor();
                  one.decided_by.clear();
                  if (one.owner.empty()) one.owner = caller.person;
                  Change change{.what = "proposed",
                                .kind = "case.proposed",
                                .decision = proposal.decision,
                                .amount_fen = one.open_fen,
                                .note = proposal.reason};
                  if (MovesMoney(proposal.decision)) {
                    YKT_RETURN_IF_ERROR(Enter(one, CaseEvent::kPropose));
                    return change;
                  }
                  one.decided_by = caller.Actor();
                  YKT_RETURN_IF_ERROR(Carry(tx, writer, one, other));
                  change.what = "decided";
                  change.kind = "case.decided";
                  return change;
                });
}

absl::StatusOr<Case> PgCaseBook::Confirm(const identity::Caller& caller,
                                         const std::string& request_id, std::int64_t case_id,
                                         Decision decision, bool approve,
                                         const std::string& reason) {
  return Mutate("confirm_decision", caller, request_id, case_id,
                {"ConfirmDecision", std::to_string(case_id), DecisionName(decision),
                 approve ? "approve" : "refuse", reason},
                [&](Transaction& tx, OutcomeWriter& writer, Case& one) -> absl::StatusOr<Change> {
                  YKT_RETURN_IF_ERROR(Next(one.state, CaseEvent::kReject).status());
                  if (one.decision != decision) {
                    return status::Refuse(Reason::kCaseDecisionUnfit, "",
                                          {{"decision", DecisionName(decision)},
                                           {"fitting", DecisionName(one.decision)}});
                  }
                  Change change{.what = "rejected",
                                .kind = "case.rejected",
                                .decision = decision,
                                .amount_fen = one.open_fen,
                                .note = reason};
                  if (!approve) {
                    YKT_RETURN_IF_ERROR(Enter(one, CaseEvent::kReject));
                    Forget(one);
                    return change;
                  }
                  if (PersonOf(one.proposed_by) == caller.person)
                    return status::Refuse(Reason::kSamePerson);
                  YKT_ASSIGN_OR_RETURN(const std::optional<Case> other,
                                       OtherOf(tx, caller, one, one.matched_case));
                  YKT_ASSIGN_OR_RETURN(const CaseFacts facts, FactsOf(tx, one, other));
                  YKT_RETURN_IF_ERROR(CheckDecision(facts, decision));
                  one.decided_by = caller.Actor();
                  YKT_RETURN_IF_ERROR(Carry(tx, writer, one, other));
                  change.what = "decided";
                  change.kind = "case.decided";
                  return change;
                });
}

// ---- What a decision does.

absl::Status PgCaseBook::Carry(Transaction& tx, OutcomeWriter& writer, Case& one,
                               const std::optional<Case>& other) {
  if (one.reference != 0) YKT_RETURN_IF_ERROR(writer.Load({one.reference}, true));
  const bool of_file = one.kind == difference::kFileOtherContent;
  switch (one.decision) {
    case Decision::kConfirmPaid:
      YKT_RETURN_IF_ERROR(ConfirmPaid(writer, one));
      break;
    case Decision::kConfirmNotPaid:
      YKT_RETURN_IF_ERROR(of_file ? FailFile(tx, writer, one) : ConfirmNotPaid(writer, one));
      break;
    case Decision::kConfirmReturned:
      YKT_RETURN_IF_ERROR(ConfirmReturned(writer, one));
      break;
    case Decision::kMatchCase:
      YKT_INVARIANT(other.has_value(), "a case is matched with none");
      YKT_RETURN_IF_ERROR(Match(writer, one, *other));
      break;
    case Decision::kKeepBooks:
      break;
    default:
      return Enter(one, CaseEvent::kAwait);
  }
  YKT_RETURN_IF_ERROR(writer.Finish());
  // What is left of its money is still the bank's or ours to move.
  YKT_ASSIGN_OR_RETURN(const Held now, Read(tx, {.all_districts = true}, one.case_id));
  return Enter(one, now.one.open_fen == 0 ? CaseEvent::kDecide : CaseEvent::kAwait);
}

// The line paid the person. Where the payment was held as failed or open it becomes PAID by this;
// where it is paid and misses its own line, this line is it. What the line had more stays a claim,
// what it had less is owed.
absl::Status PgCaseBook::ConfirmPaid(OutcomeWriter& writer, Case& one) {
  Known* const known = writer.Find(one.reference);
  YKT_INVARIANT(known != nullptr, "a payment is confirmed that nobody submitted");
  CaseWriter& cases = writer.cases();
  OpenCase& open = cases.Take(OpenOf(one));
  const Leg payments{Suspense::kPayments};
  const auto post = [&](Leg debit, Leg credit, std::int64_t fen) {
    if (fen > 0) {
      cases.Post(one.agreement_no, one.district, one.day, debit, credit, fen, "confirm_paid");
    }
  };
  if (known->last == OutcomeState::kPaid || known->last == OutcomeState::kReturned) {
    OpenCase* const missing = cases.Find(one.agreement_no, difference::kLineMissing, one.reference);
    YKT_INVARIANT(missing != nullptr, "a payment with its line is confirmed by another");
    post({Suspense::kOwedToBank, missing}, payments, known->amount_fen);
    cases.Settle(*missing);
  } else {
    Ground ground;
    ground.reason = status::ReasonName(Reason::kPaidByDecision);
    ground.booked_on = one.day;
    ground.amount_fen = known->amount_fen;
    ground.on_statement = true;
    writer.Record(one.reference, *known, OutcomeState::kPaid, ground);
  }
  const std::int64_t covered = std::min(one.open_fen, known->amount_fen);
  post(payments, {Suspense::kClaimOnBank, &open}, covered);
  post(payments, {Suspense::kOwedToBank, &open}, known->amount_fen - covered);
  return absl::OkStatus();
}

absl::Status PgCaseBook::ConfirmNotPaid(OutcomeWriter& writer, Case& one) {
  Known* const known = writer.Find(one.reference);
  YKT_INVARIANT(known != nullptr, "a payment is denied that nobody submitted");
  Ground ground;
  ground.reason = status::ReasonName(Reason::kNotPaidByDecision);
  ground.booked_on = one.day;  // whose payment it takes back
  ground.amount_fen = known->amount_fen;
  writer.Record(one.reference, *known, OutcomeState::kFailed, ground);
  CaseWriter& cases = writer.cases();
  cases.Post(one.agreement_no, one.district, one.day,
             {Suspense::kOwedToBank, &cases.Take(OpenOf(one))}, {Suspense::kPayments},
             known->amount_fen, "confirm_not_paid");
  return absl::OkStatus();
}

absl::Status PgCaseBook::ConfirmReturned(OutcomeWriter& writer, Case& one) {
  Known* const known = writer.Find(one.reference);
  YKT_INVARIANT(known != nullptr, "a return is confirmed that nobody submitted");
  Ground ground;
  ground.reason = status::ReasonName(Reason::kBankReturned);
  ground.booked_on = one.day;
  ground.amount_fen = known->amount_fen;
  ground.on_statement = true;
  writer.Record(one.reference, *known, OutcomeState::kReturned, ground);
  CaseWriter& cases = writer.cases();
  OpenCase& open = cases.Take(OpenOf(one));
  const Leg payments{Suspense::kPayments};
  const std::int64_t covered = std::min(-one.open_fen, known->amount_fen);
  cases.Post(one.agreement_no, one.district, one.day, {Suspense::kOwedToBank, &open}, payments,
             covered, "confirm_returned");
  if (known->amount_fen > covered) {
    cases.Post(one.agreement_no, one.district, one.day, {Suspense::kClaimOnBank, &open}, payments,
               known->amount_fen - covered, "confirm_returned");
  }
  return absl::OkStatus();
}

// The bank paid nothing of a file that it has other bytes for.
absl::Status PgCaseBook::FailFile(Transaction& tx, OutcomeWriter& writer, const Case& one) {
  YKT_ASSIGN_OR_RETURN(const Rows held, tx.Run(sql::kFileHold, one.subject));
  // A worker asks the bank at this moment, or has just heard better.
  if (held.empty()) return status::Refuse(Reason::kConcurrentChange);
  YKT_RETURN_IF_ERROR(FailRowsOfFile(tx, writer, one.subject, Reason::kBankNotTaken));
  return tx
      .Run(sql::kFileSetState, one.subject, static_cast<int>(FileState::kRefused), "OTHER_CONTENT")
      .status();
}

absl::Status PgCaseBook::Match(OutcomeWriter& writer, Case& one, const Case& other) {
  CaseWriter& cases = writer.cases();
  OpenCase& ours = cases.Take(OpenOf(one));
  OpenCase& theirs = cases.Take(OpenOf(other));
  const bool claim = one.open_fen > 0;
  cases.Post(one.agreement_no, one.district, one.day,
             {Suspense::kOwedToBank, claim ? &theirs : &ours},
             {Suspense::kClaimOnBank, claim ? &ours : &theirs}, std::abs(one.open_fen), "match");
  if (theirs.open_fen == 0) cases.Settle(theirs);
  return absl::OkStatus();
}

// ---- What workers do.

absl::StatusOr<std::vector<CaseCount>> PgCaseBook::CountOpen() {
  std::vector<CaseCount> counts;
  YKT_RETURN_IF_ERROR(context_.database.Read("count_cases", [&](Transaction& tx) -> absl::Status {
    counts.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kCaseCount, context_.today.Today(),
                                                 context_.terms.unknown_due_days));
    for (const Row row : rows) {
      const std::string kind = row.Text(0);
      const std::string age = AgeBucket(row.Int(1));
      // Days come in their order: those of one bucket are neighbours.
      if (counts.empty() || counts.back().kind != kind || counts.back().age != age) {
        counts.push_back({.kind = kind, .age = age});
      }
      CaseCount& sum = counts.back();
      sum.open += row.Int64(2);
      sum.overdue += row.Int64(3);
      sum.claim_fen += row.Int64(4);
      sum.owed_fen += row.Int64(5);
    }
    return absl::OkStatus();
  }));
  return counts;
}

absl::StatusOr<std::vector<std::int64_t>> PgCaseBook::ToAsk(const std::string& bank_code) {
  std::vector<std::int64_t> references;
  YKT_RETURN_IF_ERROR(context_.database.Read("cases_to_ask", [&](Transaction& tx) -> absl::Status {
    references.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kCaseToAsk, bank_code, context_.today.Today()));
    for (const Row row : rows) references.push_back(row.Int64(0));
    return absl::OkStatus();
  }));
  return references;
}

absl::Status PgCaseBook::ApplyAnswers(const std::string& bank_code,
                                      const std::vector<BankResult>& answers) {
  return context_.database.Transact("answer_cases", [&](Transaction& tx) -> absl::Status {
    OutcomeWriter writer(context_, tx, bank_code, "case");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    std::vector<std::int64_t> references;
    references.reserve(answers.size());
    for (const BankResult& answer : answers) references.push_back(answer.reference);
    YKT_RETURN_IF_ERROR(writer.Load(references));
    Columns columns;
    columns.Scalar(bank_code).Scalar(context_.today.Today()).Int64s(references).Lone();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kCaseAsked, columns));
    std::map<std::int64_t, std::vector<OpenCase*>> waiting;
    for (const Row row : rows) {
      OpenCase& one = writer.cases().Take(OpenCaseOf(row));
      waiting[one.reference].push_back(&one);
    }
    for (const BankResult& answer : answers) {
      // Not decided yet is no answer, and not found is none about what we sent.
      if (answer.state == RowState::kPending) continue;
      if (answer.state == RowState::kNotFound && writer.Find(answer.reference) != nullptr) continue;
      const std::int64_t before = writer.differences();
      writer.Apply(answer);
      if (writer.differences() > before) continue;  // it says so again: the case is reopened
      for (OpenCase* const one : waiting[answer.reference]) writer.cases().Settle(*one);
    }
    return writer.Finish();
  });
}

absl::StatusOr<bool> PgCaseBook::MissStatement(const std::string& bank_code,
                                               const DueStatement& statement) {
  const absl::StatusOr<absl::CivilDay> last =
      context_.calendar.AddWorkingDays(statement.day, context_.terms.statement_working_days);
  // A year without its notice: two weeks are never too early.
  const absl::CivilDay until = last.value_or(statement.day + context_.terms.unknown_due_days);
  if (context_.today.Today() <= until) return false;
  const std::string subject = base::FormatDate(statement.day);
  const auto is_open = [&](Transaction& tx) -> absl::StatusOr<bool> {
    YKT_ASSIGN_OR_RETURN(const Rows open,
                         tx.Run(sql::kCaseSubject, bank_code, statement.agreement_no,
                                difference::kStatementMissing, subject));
    return !open.empty();
  };
  // Nearly always it stands already; only who opens it holds the bank's row.
  bool stands = false;
  YKT_RETURN_IF_ERROR(context_.database.Read("find_missed", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(stands, is_open(tx));
    return absl::OkStatus();
  }));
  if (stands) return true;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("miss_statement", [&](Transaction& tx) -> absl::Status {
        OutcomeWriter writer(context_, tx, bank_code, "statement");
        YKT_RETURN_IF_ERROR(writer.Lock().status());
        YKT_ASSIGN_OR_RETURN(const bool open, is_open(tx));
        if (open) return absl::OkStatus();
        YKT_ASSIGN_OR_RETURN(const Rows sent,
                             tx.Run(sql::kFileSentSum, statement.agreement_no, statement.day));
        writer.cases().Open({0, statement.agreement_no, statement.district, statement.day, 0, 0,
                             difference::kStatementMissing, 0, sent[0].Int64(0)},
                            subject);
        return writer.Finish();
      }));
  return true;
}

}  // namespace yikatong::bankgateway
