#include "services/dispatch/store/money_store.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "common/base/dates.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/archive_due.h"
#include "services/dispatch/store/budget_audit.h"
#include "services/dispatch/store/chunk_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr std::int16_t kAbandoned =
    11;  // exception row of an item that was ended after it was sent

// "{1,2,3}" as PostgreSQL prints an array of bigint.
std::vector<std::int64_t> ParseArray(std::string_view text) {
  std::vector<std::int64_t> values;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  while (at < end) {
    std::int64_t value = 0;
    const auto read = std::from_chars(at, end, value);
    if (read.ec == std::errc()) {
      values.push_back(value);
      at = read.ptr;
    } else {
      ++at;
    }
  }
  return values;
}

std::string ArrayOf(const std::vector<std::int64_t>& values) {
  return fmt::format("{{{}}}", fmt::join(values, ","));
}

absl::Status AuditLine(postgres::Transaction& tx, const StoreContext& context,
                       const identity::Caller& caller, const BudgetLine& line,
                       std::string_view kind, std::string_view request_id,
                       std::map<std::string, std::string> details) {
  return AuditBudget(tx, context, caller, line.district,
                     fmt::format("budget-lines/{}/{}", line.district, line.line_id), kind,
                     request_id, std::move(details));
}

BudgetLine LineOf(std::int32_t district, std::int64_t line_id, const postgres::Row& row) {
  BudgetLine line;
  line.district = district;
  line.line_id = line_id;
  line.policy_id = row.Text(0);
  line.year = row.Int(1);
  line.source = row.Text(2);
  line.available_fen = row.Int64(3);
  line.closed_on = row.MaybeDate(4);
  return line;
}

absl::StatusOr<BudgetLine> LockedLine(postgres::Transaction& tx, std::int32_t district,
                                      std::int64_t line_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kBudgetLineLock, district, line_id));
  if (rows.empty()) return status::Refuse(Reason::kBudgetLineUnknown);
  return LineOf(district, line_id, rows[0]);
}

}  // namespace

absl::StatusOr<BatchFunding> MoneyStore::FundingOf(postgres::Transaction& tx,
                                                   const BatchRow& batch) {
  YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(batch.rule));
  return ReadFunding(tx, batch, rule);
}

absl::StatusOr<std::int64_t> MoneyStore::CreateLine(postgres::Transaction& tx,
                                                    const identity::Caller& caller,
                                                    const BudgetLine& line,
                                                    std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows ids, tx.Run(sql::kDistrictTakeLine, line.district));
  BudgetLine created = line;
  created.line_id = ids[0].Int64(0);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows inserted,
                       tx.Run(sql::kBudgetLineInsert, line.district, created.line_id,
                              line.policy_id, line.year, line.source));
  if (inserted.empty()) {
    return status::Refuse(Reason::kAlreadyExists,
                          "this policy, year and source has a line already");
  }
  YKT_RETURN_IF_ERROR(AuditLine(
      tx, context_, caller, created, "budget.line_created", request_id,
      {{"policy", line.policy_id}, {"source", line.source}, {"year", std::to_string(line.year)}}));
  return created.line_id;
}

absl::StatusOr<BudgetLine> MoneyStore::FindLine(postgres::Transaction& tx, std::int32_t district,
                                                std::int64_t line_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kBudgetLineRead, district, line_id));
  if (rows.empty()) return status::Refuse(Reason::kBudgetLineUnknown);
  return LineOf(district, line_id, rows[0]);
}

absl::StatusOr<BudgetLine> MoneyStore::LockLine(postgres::Transaction& tx, std::int32_t district,
                                                std::int64_t line_id) {
  return LockedLine(tx, district, line_id);
}

absl::Status LockLines(postgres::Transaction& tx, std::int32_t district, const Posting& posting) {
  for (const auto& [line_id, change] : posting.AvailableChanges()) {
    YKT_ASSIGN_OR_RETURN(const BudgetLine line, LockedLine(tx, district, line_id));
    if (line.available_fen + change < 0) {
      return status::Refuse(Reason::kFundsInsufficient, "",
                            {{"source", line.source},
                             {"available_fen", std::to_string(line.available_fen)},
                             {"needed_fen", std::to_string(-change)}});
    }
  }
  return absl::OkStatus();
}

absl::Status MoneyStore::Appropriate(postgres::Transaction& tx, const identity::Caller& caller,
                                     const BudgetLine& line, std::int64_t amount_fen,
                                     std::string_view basis, std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const BudgetLine locked, LockLine(tx, line.district, line.line_id));
  YKT_RETURN_IF_ERROR(CheckOpen(locked));
  Posting posting;
  posting.MoveOnLine(line.line_id, "appropriate", "", Account::kAvailable, Account::kAppropriation,
                     amount_fen);
  YKT_RETURN_IF_ERROR(WritePosting(tx, context_, line.district, posting));
  return AuditLine(tx, context_, caller, line, "budget.appropriated", request_id,
                   {{"amount_fen", std::to_string(amount_fen)}, {"basis", std::string(basis)}});
}

absl::StatusOr<std::vector<BudgetLine>> MoneyStore::ListLines(postgres::Transaction& tx,
                                                              std::string_view districts,
                                                              std::string_view policy_id,
                                                              std::int32_t after_district,
                                                              std::int64_t after_line, int limit) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kBudgetLinesList, districts, policy_id, after_district, after_line, limit));
  std::vector<BudgetLine> lines;
  for (const postgres::Row row : rows) {
    // One row for each pair of accounts; a line without any has one of NULLs.
    if (lines.empty() || lines.back().district != row.Int(0) ||
        lines.back().line_id != row.Int64(1)) {
      BudgetLine line;
      line.district = row.Int(0);
      line.line_id = row.Int64(1);
      line.policy_id = row.Text(2);
      line.year = row.Int(3);
      line.source = row.Text(4);
      line.available_fen = row.Int64(5);
      line.closed_on = row.MaybeDate(6);
      lines.push_back(std::move(line));
    }
    if (row.IsNull(7)) continue;
    lines.back().balances.Add(static_cast<Account>(row.Int(7)), static_cast<Account>(row.Int(8)),
                              row.Int64(9));
  }
  return lines;
}

absl::StatusOr<std::vector<LedgerLine>> MoneyStore::ListLedger(
    postgres::Transaction& tx, std::int32_t district, std::int64_t line_id, absl::Time after,
    std::string_view after_entry, int limit) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kLedgerList, district, line_id, after, after_entry, limit));
  std::vector<LedgerLine> lines;
  for (const postgres::Row row : rows) {
    lines.push_back({row.Text(0), row.Int64(1), row.Int(2), row.Text(3),
                     static_cast<Account>(row.Int(4)), static_cast<Account>(row.Int(5)),
                     row.Int64(6), row.Date(7), row.Time(8), row.Text(9)});
  }
  return lines;
}

absl::Status MoneyStore::Fund(postgres::Transaction& tx, const identity::Caller& caller,
                              BatchRow& batch, std::string_view request_id) {
  YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kFund).status());
  YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(batch.rule));
  std::vector<std::int32_t> later_shares;
  for (std::size_t i = 1; i < rule.funding.size(); ++i)
    later_shares.push_back(rule.funding[i].share_bp);
  postgres::Columns columns;
  columns.Scalar(batch.district)
      .Scalar(batch.batch_id)
      .Scalar(batch.first_item)
      .Scalar(batch.last_item());
  columns.Int32s(later_shares).Lone();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows sums, tx.RunColumns(sql::kBatchSourceSums, columns));
  std::vector<std::int64_t> parts = ParseArray(sums[0].Text(1));
  std::int64_t first = sums[0].Int64(0);
  for (const std::int64_t part : parts) first -= part;
  parts.insert(parts.begin(), first);
  YKT_INVARIANT(parts.size() == rule.funding.size(),
                "the split has other parts than the version has sources");

  const int year = static_cast<int>(context_.business.Today().year());
  std::vector<std::int32_t> numbers;
  std::vector<std::int64_t> lines;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string& source = rule.funding[i].source;
    YKT_ASSIGN_OR_RETURN(const postgres::Rows found, tx.Run(sql::kBudgetLineFind, batch.district,
                                                            batch.policy_id, year, source));
    if (found.empty()) {
      return status::Refuse(Reason::kBudgetLineMissing, "",
                            {{"source", source}, {"year", std::to_string(year)}});
    }
    numbers.push_back(static_cast<std::int32_t>(i));
    lines.push_back(found[0].Int64(0));
  }
  // By line id, so that two batches on the same lines wait in one order.
  std::vector<std::size_t> order(parts.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return lines[a] < lines[b]; });
  std::vector<std::string> entries, steps, reasons;
  std::vector<std::int64_t> batches, reserved_lines, amounts;
  std::vector<std::int32_t> chunks;
  std::vector<std::int16_t> debits, credits;
  for (const std::size_t i : order) {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows taken,
                         tx.Run(sql::kBudgetLineTake, batch.district, lines[i], parts[i]));
    if (taken.empty()) {
      YKT_ASSIGN_OR_RETURN(const BudgetLine line, LockLine(tx, batch.district, lines[i]));
      YKT_RETURN_IF_ERROR(CheckOpen(line));
      return status::Refuse(Reason::kFundsInsufficient, "",
                            {{"source", line.source},
                             {"available_fen", std::to_string(line.available_fen)},
                             {"needed_fen", std::to_string(parts[i])}});
    }
    if (parts[i] == 0) continue;
    reserved_lines.push_back(lines[i]);
    entries.push_back(context_.ids.NewId());
    batches.push_back(batch.batch_id);
    chunks.push_back(0);
    steps.emplace_back("reserve");
    reasons.emplace_back();
    debits.push_back(static_cast<std::int16_t>(Account::kReserved));
    credits.push_back(static_cast<std::int16_t>(Account::kAvailable));
    amounts.push_back(parts[i]);
  }
  postgres::Columns ledger;
  ledger.Scalar(batch.district)
      .Scalar(context_.business.Today())
      .Int64s(reserved_lines)
      .Uuids(entries);
  ledger.Int64s(batches)
      .Int32s(chunks)
      .Texts(steps)
      .Texts(reasons)
      .Int16s(debits)
      .Int16s(credits)
      .Int64s(amounts);
  YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kLedgerInsert, ledger).status());
  postgres::Columns reservation;
  reservation.Scalar(batch.district)
      .Scalar(batch.batch_id)
      .Int32s(numbers)
      .Int64s(lines)
      .Int64s(parts);
  YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kReservationInsert, reservation).status());
  YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kFund));
  return Audit(tx, context_, caller, batch,
               {.kind = "batch.funded",
                .request_id = std::string(request_id),
                .details = {{"amount_fen", std::to_string(sums[0].Int64(0))}}})
      .status();
}

absl::Status MoneyStore::Release(postgres::Transaction& tx, const identity::Caller& caller,
                                 BatchRow& batch, std::string_view request_id) {
  YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kRelease).status());
  if (caller.person == batch.created_by)
    return status::Refuse(Reason::kSamePerson, "", {{"other_step", "entered"}});
  YKT_ASSIGN_OR_RETURN(const postgres::Rows reviewers,
                       tx.Run(sql::kBatchReviewers, batch.district, batch.batch_id));
  for (const postgres::Row row : reviewers) {
    if (row.Text(0) == caller.person)
      return status::Refuse(Reason::kSamePerson, "", {{"other_step", "reviewed"}});
  }
  if (batch.pay_on.has_value() && context_.business.Today() < *batch.pay_on) {
    return status::Refuse(Reason::kPayDateEarly, "", {{"pay_on", base::FormatDate(*batch.pay_on)}});
  }
  YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kRelease));
  batch.released_by = caller.person;
  YKT_RETURN_IF_ERROR(
      tx.Run(sql::kBatchReleasedBy, batch.district, batch.batch_id, caller.person).status());
  YKT_ASSIGN_OR_RETURN(const postgres::Rows chunks,
                       tx.Run(sql::kChunkReleaseBatch, batch.district, batch.batch_id));
  return Audit(tx, context_, caller, batch,
               {.kind = "batch.released",
                .request_id = std::string(request_id),
                .details = {{"chunks", std::to_string(chunks.affected())}}})
      .status();
}

absl::Status MoneyStore::Close(postgres::Transaction& tx, const identity::Caller& caller,
                               BatchRow& batch, std::string_view request_id) {
  YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kClose).status());
  YKT_ASSIGN_OR_RETURN(const postgres::Rows open,
                       tx.Run(sql::kBatchOpenWork, batch.district, batch.batch_id));
  const std::int64_t moving = open[0].Int64(0);
  const std::int64_t unknown = open[0].Int64(1);
  const std::int64_t to_repair = open[0].Int64(2) - open[0].Int64(3);
  if (moving != 0 || unknown != 0 || to_repair != 0) {
    return status::Refuse(Reason::kItemsOpen, "",
                          {{"moving", std::to_string(moving)},
                           {"unknown", std::to_string(unknown)},
                           {"to_repair", std::to_string(to_repair)}});
  }
  YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kClose));
  YKT_RETURN_IF_ERROR(MarkArchiveDue(tx, batch));
  return Audit(tx, context_, caller, batch,
               {.kind = "batch.closed", .request_id = std::string(request_id)})
      .status();
}

absl::StatusOr<std::vector<RepairCandidate>> MoneyStore::Repairable(
    postgres::Transaction& tx, const BatchRow& batch, const std::vector<std::int64_t>& item_ids,
    int limit) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kRepairCandidates, batch.district, batch.batch_id, batch.first_item,
             batch.last_item(),
             item_ids.empty() ? postgres::Param(nullptr) : postgres::Param(ArrayOf(item_ids)),
             limit));
  std::vector<RepairCandidate> candidates;
  for (const postgres::Row row : rows) {
    const int bucket = row.Int(2);
    const auto state = static_cast<AttemptState>(row.Int(3));
    RepairCandidate candidate;
    candidate.item_id = row.Int64(0);
    candidate.amount_fen = row.Int64(1);
    candidate.unroutable = bucket == static_cast<int>(Bucket::kUnroutable);
    candidate.returned = !candidate.unroutable && state == AttemptState::kReturned;
    candidate.attempts = row.Int64(4) == 0 ? 0 : AttemptOfReference(row.Int64(4));
    if (!candidate.unroutable) {
      candidate.agreement_no = row.MaybeText(5).value_or("");
      if (const auto sent = row.MaybeDate(6); sent.has_value()) candidate.sent_on = *sent;
    }
    const bool ended =
        bucket == 0 && (state == AttemptState::kFailed || state == AttemptState::kReturned);
    const bool repairable = (candidate.unroutable || ended) && !row.Bool(7);
    if (!repairable) {
      if (item_ids.empty()) continue;
      return status::Refuse(Reason::kItemNotRepairable, "",
                            {{"item", std::to_string(candidate.item_id)}});
    }
    if (candidate.attempts >= kMaxAttempts) {
      return status::Refuse(Reason::kAttemptsExhausted, "",
                            {{"item", std::to_string(candidate.item_id)}});
    }
    candidates.push_back(std::move(candidate));
  }
  if (!item_ids.empty() && candidates.size() != item_ids.size())
    return status::Refuse(Reason::kItemUnknown);
  return candidates;
}

absl::Status MoneyStore::InsertRepairChunk(postgres::Transaction& tx, BatchRow& batch,
                                           std::vector<std::int64_t> items) {
  std::sort(items.begin(), items.end());
  YKT_RETURN_IF_ERROR(tx.Run(sql::kChunkInsertRepair, batch.district, batch.batch_id, items.front(),
                             items.back(), ArrayOf(items))
                          .status());
  if (batch.state == BatchState::kSettled || batch.state == BatchState::kPaying) {
    return Advance(tx, context_, batch, BatchEvent::kReissue);
  }
  return absl::OkStatus();
}

absl::Status MoneyStore::Reissue(postgres::Transaction& tx, const identity::Caller& caller,
                                 BatchRow& batch, const std::vector<RepairCandidate>& items,
                                 std::string_view reason, std::string_view request_id) {
  YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kReissue).status());
  if (items.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const BatchFunding funding, FundingOf(tx, batch));
  Posting posting;
  std::map<Bucket, CountAndFen> moved;
  std::vector<std::int64_t> ids, unroutable;
  for (const RepairCandidate& item : items) {
    const Bucket from = item.unroutable ? Bucket::kUnroutable
                        : item.returned ? Bucket::kReturnedOpen
                                        : Bucket::kFailed;
    ++moved[from].items;
    moved[from].fen += item.amount_fen;
    ids.push_back(item.item_id);
    if (item.unroutable) unroutable.push_back(item.item_id);
    if (item.returned) {
      // What came back after its year belongs to the treasury, and what is left on the old line is
      // not this batch's to take.
      if (!funding.OpenOn(context_.business.Today())) {
        return status::Refuse(
            Reason::kFundsInsufficient, "the budget year of this batch is over",
            {{"year", std::to_string(funding.year)}, {"item", std::to_string(item.item_id)}});
      }
      YKT_RETURN_IF_ERROR(posting.Move(funding, batch.batch_id, 0, "reserve", "reissue",
                                       Account::kReserved, Account::kAvailable, item.amount_fen));
    }
  }
  YKT_RETURN_IF_ERROR(LockLines(tx, batch.district, posting));
  YKT_RETURN_IF_ERROR(WritePosting(tx, context_, batch.district, posting));
  if (!unroutable.empty()) {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows resolved,
                         tx.Run(sql::kExceptionResolve, batch.district, ArrayOf(unroutable)));
    YKT_INVARIANT(resolved.size() == static_cast<std::int64_t>(unroutable.size()),
                  "an unroutable item has no open exception");
  }
  std::vector<Movement> movements;
  movements.reserve(moved.size());
  for (const auto& [from, sum] : moved)
    movements.push_back({from, Bucket::kWaiting, "reissue", sum});
  YKT_RETURN_IF_ERROR(AppendMovements(tx, context_, batch, movements));
  YKT_RETURN_IF_ERROR(InsertRepairChunk(tx, batch, ids));
  return Audit(tx, context_, caller, batch,
               {.kind = "items.reissued",
                .request_id = std::string(request_id),
                .details = {{"items", std::to_string(items.size())},
                            {"reason", std::string(reason)}}})
      .status();
}

absl::Status MoneyStore::Abandon(postgres::Transaction& tx, const identity::Caller& caller,
                                 BatchRow& batch, const std::vector<RepairCandidate>& items,
                                 std::string_view reason, std::string_view request_id) {
  YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kReissue).status());
  if (items.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const BatchFunding funding, FundingOf(tx, batch));
  Posting posting;
  CountAndFen stopped;
  std::vector<std::int64_t> ids, unroutable;
  std::vector<std::int16_t> buckets;
  std::vector<std::string> reasons;
  for (const RepairCandidate& item : items) {
    ids.push_back(item.item_id);
    reasons.emplace_back("ABANDONED");
    // What was never sent is stopped; what was sent stays failed or returned, and is only not
    // repaired.
    buckets.push_back(item.unroutable ? static_cast<std::int16_t>(Bucket::kStopped) : kAbandoned);
    if (item.unroutable) {
      unroutable.push_back(item.item_id);
      ++stopped.items;
      stopped.fen += item.amount_fen;
    }
    // A returned payment's money is available again already.
    if (!item.returned) {
      YKT_RETURN_IF_ERROR(posting.Move(funding, batch.batch_id, 0, "release", "ABANDONED",
                                       Account::kAvailable, Account::kReserved, item.amount_fen));
    }
  }
  if (!unroutable.empty()) {
    YKT_RETURN_IF_ERROR(
        tx.Run(sql::kExceptionResolve, batch.district, ArrayOf(unroutable)).status());
  }
  postgres::Columns columns;
  columns.Scalar(batch.district).Scalar(batch.batch_id).Int64s(ids).Int16s(buckets).Texts(reasons);
  columns.Scalar(context_.business.Today());
  YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kExceptionInsert, columns).status());
  YKT_RETURN_IF_ERROR(AppendMovements(
      tx, context_, batch, {{Bucket::kUnroutable, Bucket::kStopped, "ABANDONED", stopped}}));
  YKT_RETURN_IF_ERROR(WritePosting(tx, context_, batch.district, posting));
  return Audit(tx, context_, caller, batch,
               {.kind = "items.abandoned",
                .request_id = std::string(request_id),
                .details = {{"items", std::to_string(items.size())},
                            {"reason", std::string(reason)}}})
      .status();
}

absl::Status MoneyStore::ReleaseReservation(postgres::Transaction& tx, const identity::Caller&,
                                            const BatchRow& batch) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kReservationHeld, batch.district, batch.batch_id));
  Posting posting;
  for (const postgres::Row row : rows) {
    BatchFunding whole;
    whole.shares = {{"", 10'000}};
    whole.line_ids = {row.Int64(0)};
    if (row.Int64(1) == 0) continue;
    YKT_RETURN_IF_ERROR(posting.Move(whole, batch.batch_id, 0, "release", "CANCELLED",
                                     Account::kAvailable, Account::kReserved, row.Int64(1)));
  }
  return WritePosting(tx, context_, batch.district, posting);
}

absl::Status MoneyStore::ItemStopped(postgres::Transaction& tx, const identity::Caller&,
                                     const BatchRow& batch, std::int64_t, std::int64_t amount_fen) {
  YKT_ASSIGN_OR_RETURN(const BatchFunding funding, FundingOf(tx, batch));
  Posting posting;
  YKT_RETURN_IF_ERROR(posting.Move(funding, batch.batch_id, 0, "release", "OBJECTION_UPHELD",
                                   Account::kAvailable, Account::kReserved, amount_fen));
  return WritePosting(tx, context_, batch.district, posting);
}

absl::Status MoneyStore::ItemFreed(postgres::Transaction& tx, const identity::Caller&,
                                   BatchRow& batch, std::int64_t item_id) {
  return InsertRepairChunk(tx, batch, {item_id});
}

}  // namespace yikatong::dispatch
