#include "services/dispatch/rpc/money_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/rpc/budget_fields.h"
#include "services/dispatch/rpc/wire.h"
#include "services/dispatch/store/once.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr int kMostRepairs = 2'000;
constexpr std::size_t kEntryDigits = 32;  // a ledger entry's id in hexadecimal

absl::Status CheckReason(const std::string& reason) {
  if (reason.empty()) return status::Refuse(Reason::kReasonMissing);
  if (reason.size() > 2'000) return FieldInvalid("reason", "at most 500 characters");
  return absl::OkStatus();
}

v1::BudgetLine ToWire(const BudgetLine& line) {
  v1::BudgetLine wire;
  wire.set_line_id(line.line_id);
  wire.set_district(line.district);
  wire.set_policy_id(line.policy_id);
  wire.set_year(line.year);
  wire.set_source(line.source);
  const Balances& balances = line.balances;
  wire.set_appropriated_fen(balances.appropriated_fen);
  wire.set_transfers_in_fen(balances.transfers_in_fen);
  wire.set_transfers_out_fen(balances.transfers_out_fen);
  wire.set_carried_in_fen(balances.carried_in_fen);
  wire.set_carried_out_fen(balances.carried_out_fen);
  wire.set_available_fen(line.available_fen);
  wire.set_reserved_fen(balances.reserved_fen);
  wire.set_in_transit_fen(balances.in_transit_fen);
  wire.set_paid_fen(balances.paid_fen);
  wire.set_owed_to_treasury_fen(balances.owed_to_treasury_fen);
  wire.set_settled_to_treasury_fen(balances.settled_to_treasury_fen);
  wire.set_lapsed_fen(balances.lapsed_fen);
  if (line.closed_on.has_value()) wire.set_closed_on(base::FormatDate(*line.closed_on));
  return wire;
}

// A line with what its ledger says, read in the transaction that changed it.
absl::StatusOr<v1::BudgetLine> ReadLine(postgres::Transaction& tx, MoneyStore& money,
                                        std::int32_t district, std::int64_t line_id) {
  YKT_ASSIGN_OR_RETURN(
      const std::vector<BudgetLine> lines,
      money.ListLines(tx, fmt::format("{{{}}}", district), "", district, line_id - 1, 1));
  YKT_INVARIANT(!lines.empty() && lines.front().line_id == line_id, "a budget line vanished");
  return ToWire(lines.front());
}

}  // namespace

absl::StatusOr<std::optional<std::string>> MoneyService::Answered(const identity::Caller& caller,
                                                                  const Request& request) {
  return FindAnswer(context_.database, caller, request);
}

absl::StatusOr<std::string> MoneyService::Answer(postgres::Transaction& tx, const BatchRow& row) {
  YKT_ASSIGN_OR_RETURN(const Batch batch, ReadBatch(tx, row));
  YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(batch.rule));
  YKT_ASSIGN_OR_RETURN(const v1::Batch wire, dispatch::ToWire(batch, rule));
  return wire.SerializeAsString();
}

absl::StatusOr<v1::BudgetLine> MoneyService::CreateBudgetLine(
    const v1::CreateBudgetLineRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kPermissionDenied);
  YKT_RETURN_IF_ERROR(CheckSource(request.source()));
  YKT_RETURN_IF_ERROR(CheckYear(request.year()));
  const Request once = RequestOf("CreateBudgetLine", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before, Answered(caller, once));
  if (before.has_value()) return Parse<v1::BudgetLine>(*before);
  YKT_RETURN_IF_ERROR(policies_.CheckPolicy(request.policy_id()));
  YKT_ASSIGN_OR_RETURN(const std::string answer,
                       Mutate(context_.database, "create_budget_line", caller, once,
                              [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                                BudgetLine line;
                                line.district = request.district();
                                line.policy_id = request.policy_id();
                                line.year = request.year();
                                line.source = request.source();
                                YKT_ASSIGN_OR_RETURN(
                                    const std::int64_t line_id,
                                    money_.CreateLine(tx, caller, line, request.request_id()));
                                YKT_ASSIGN_OR_RETURN(const v1::BudgetLine wire,
                                                     ReadLine(tx, money_, line.district, line_id));
                                return wire.SerializeAsString();
                              }));
  return Parse<v1::BudgetLine>(answer);
}

absl::StatusOr<v1::BudgetLine> MoneyService::AppropriateBudget(
    const v1::AppropriateBudgetRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetLineUnknown);
  YKT_RETURN_IF_ERROR(CheckAmount(request.amount_fen()));
  YKT_RETURN_IF_ERROR(CheckDocument(request.basis(), "basis"));
  const Request once = RequestOf("AppropriateBudget", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before, Answered(caller, once));
  if (before.has_value()) return Parse<v1::BudgetLine>(*before);
  // The catalogue is asked before the line is locked; what a line is for never changes.
  BudgetLine line;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_budget_line", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(line, money_.FindLine(tx, request.district(), request.line_id()));
        return absl::OkStatus();
      }));
  // 同步审核、同步下达: no money without an approved target.
  YKT_ASSIGN_OR_RETURN(const bool approved,
                       policies_.TargetApproved(line.policy_id, line.district, line.year));
  if (!approved) return status::Refuse(Reason::kPerformanceTargetMissing);
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "appropriate_budget", caller, once,
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_RETURN_IF_ERROR(money_.Appropriate(tx, caller, line, request.amount_fen(),
                                                      request.basis(), request.request_id()));
               YKT_ASSIGN_OR_RETURN(const v1::BudgetLine wire,
                                    ReadLine(tx, money_, line.district, line.line_id));
               return wire.SerializeAsString();
             }));
  return Parse<v1::BudgetLine>(answer);
}

absl::StatusOr<v1::ListBudgetLinesResponse> MoneyService::ListBudgetLines(
    const v1::ListBudgetLinesRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  std::int32_t after_district = 0;
  std::int64_t after_line = 0;
  if (!request.page_token().empty() &&
      !ReadToken(request.page_token(), after_district, after_line)) {
    return status::Refuse(Reason::kPageTokenInvalid);
  }
  const std::string districts = DistrictsWanted(caller, request.district());
  v1::ListBudgetLinesResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_budget_lines", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(const std::vector<BudgetLine> lines,
                             money_.ListLines(tx, districts, request.policy_id(), after_district,
                                              after_line, page_size + 1));
        for (const BudgetLine& line : lines) {
          if (response.lines_size() == page_size) {
            const v1::BudgetLine& last = response.lines(page_size - 1);
            response.set_next_page_token(fmt::format("{}-{}", last.district(), last.line_id()));
            break;
          }
          *response.add_lines() = ToWire(line);
        }
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::ListLedgerEntriesResponse> MoneyService::ListLedgerEntries(
    const v1::ListLedgerEntriesRequest& request, const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kBudgetLineUnknown);
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  absl::Time after = absl::UnixEpoch();
  std::string after_entry(kEntryDigits, '0');
  if (!request.page_token().empty()) {
    // "<microseconds>-<entry id>"
    const std::string_view token = request.page_token();
    const std::size_t dash = token.find('-');
    std::int64_t micros = 0;
    const auto read =
        std::from_chars(token.data(), token.data() + std::min(dash, token.size()), micros);
    if (dash == std::string_view::npos || read.ec != std::errc() ||
        read.ptr != token.data() + dash || token.size() - dash - 1 != kEntryDigits ||
        token.substr(dash + 1).find_first_not_of("0123456789abcdef") != std::string_view::npos) {
      return status::Refuse(Reason::kPageTokenInvalid);
    }
    after = absl::FromUnixMicros(micros);
    after_entry = token.substr(dash + 1);
  }
  v1::ListLedgerEntriesResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_ledger", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(const std::vector<LedgerLine> lines,
                             money_.ListLedger(tx, request.district(), request.line_id(), after,
                                               after_entry, page_size + 1));
        std::string token;
        for (const LedgerLine& line : lines) {
          if (response.entries_size() == page_size) {
            response.set_next_page_token(token);
            break;
          }
          v1::LedgerEntry& entry = *response.add_entries();
          entry.set_line_id(request.line_id());
          entry.set_batch_id(line.batch_id);
          entry.set_chunk(line.chunk);
          entry.set_step(line.step);
          entry.set_debit(AccountName(line.debit));
          entry.set_credit(AccountName(line.credit));
          entry.set_amount_fen(line.amount_fen);
          entry.set_business_date(base::FormatDate(line.business_date));
          entry.set_reason(line.reason);
          token = fmt::format("{}-{}", absl::ToUnixMicros(line.at), line.entry_id);
        }
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::Batch> MoneyService::FundBatch(const v1::FundBatchRequest& request,
                                                  const identity::Caller& caller) {
  const Request once = RequestOf("FundBatch", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before, Answered(caller, once));
  if (before.has_value()) return Parse<v1::Batch>(*before);
  YKT_RETURN_IF_ERROR(chunks_.CheckAuditBacklog(audit_backlog_limit_));
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "fund_batch", caller, once,
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, caller, request.batch_id()));
               YKT_RETURN_IF_ERROR(money_.Fund(tx, caller, batch, request.request_id()));
               return Answer(tx, batch);
             }));
  return Parse<v1::Batch>(answer);
}

absl::StatusOr<v1::Batch> MoneyService::ReleaseBatch(const v1::ReleaseBatchRequest& request,
                                                     const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "release_batch", caller,
             RequestOf("ReleaseBatch", request.request_id(), request),
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, caller, request.batch_id()));
               YKT_RETURN_IF_ERROR(money_.Release(tx, caller, batch, request.request_id()));
               return Answer(tx, batch);
             }));
  return Parse<v1::Batch>(answer);
}

MoneyService::SendingDays MoneyService::DaysThatMatter(const std::vector<RepairCandidate>& items) {
  SendingDays days;
  for (const RepairCandidate& item : items) {
    // What came back stands on a statement already; what was never sent stands on none.
    if (!item.agreement_no.empty() && !item.returned) days.emplace(item.agreement_no, item.sent_on);
  }
  return days;
}

absl::StatusOr<MoneyService::SendingDays> MoneyService::ReconciledDays(
    const identity::Caller& caller, std::int64_t batch_id,
    const std::vector<std::int64_t>& item_ids) {
  SendingDays days;
  const absl::Status read =
      context_.database.Read("repair_candidates", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, FindBatch(tx, caller, batch_id));
        YKT_ASSIGN_OR_RETURN(const std::vector<RepairCandidate> items,
                             money_.Repairable(tx, batch, item_ids, kMostRepairs));
        days = DaysThatMatter(items);
        return absl::OkStatus();
      });
  // Whatever refuses here refuses again under the lock, unless the request was answered before.
  if (!read.ok()) return SendingDays();
  SendingDays reconciled;
  for (const auto& [agreement_no, day] : days) {
    YKT_ASSIGN_OR_RETURN(const bool closed, gateway_.StatementReconciled(agreement_no, day));
    if (closed) reconciled.emplace(agreement_no, day);
  }
  return reconciled;
}

absl::Status MoneyService::CheckStatements(const std::vector<RepairCandidate>& items,
                                           const SendingDays& reconciled) {
  for (const auto& day : DaysThatMatter(items)) {
    if (reconciled.contains(day)) continue;
    return status::Refuse(Reason::kStatementOutstanding, "",
                          {{"agreement", day.first}, {"date", base::FormatDate(day.second)}});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RepairCandidate>> MoneyService::WithoutWaiting(
    std::vector<RepairCandidate> items, const SendingDays& reconciled) {
  const std::vector<RepairCandidate> all = items;
  std::erase_if(items, [&](const RepairCandidate& item) {
    return !CheckStatements({item}, reconciled).ok();
  });
  if (items.empty()) YKT_RETURN_IF_ERROR(CheckStatements(all, reconciled));
  return items;
}

absl::StatusOr<v1::ReissueItemsResponse> MoneyService::ReissueItems(
    const v1::ReissueItemsRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  if (request.item_ids_size() > kMostRepairs)
    return FieldInvalid("item_ids", "at most 2000 in one call");
  std::vector<std::int64_t> ids(request.item_ids().begin(), request.item_ids().end());
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end())
    return FieldInvalid("item_ids", "an item is named twice");
  const Request once = RequestOf("ReissueItems", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before, Answered(caller, once));
  if (before.has_value()) return Parse<v1::ReissueItemsResponse>(*before);
  // Peers are asked before the batch is locked.
  YKT_ASSIGN_OR_RETURN(const SendingDays reconciled,
                       ReconciledDays(caller, request.batch_id(), ids));
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "reissue_items", caller, once,
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, caller, request.batch_id()));
               YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kReissue).status());
               YKT_ASSIGN_OR_RETURN(std::vector<RepairCandidate> items,
                                    money_.Repairable(tx, batch, ids, kMostRepairs));
               if (ids.empty()) {
                 // Every item that can be sent again now.
                 YKT_ASSIGN_OR_RETURN(items, WithoutWaiting(std::move(items), reconciled));
               }
               YKT_RETURN_IF_ERROR(CheckStatements(items, reconciled));
               YKT_RETURN_IF_ERROR(money_.Reissue(tx, caller, batch, items, request.reason(),
                                                  request.request_id()));
               v1::ReissueItemsResponse response;
               response.set_reissued(static_cast<std::int64_t>(items.size()));
               return response.SerializeAsString();
             }));
  return Parse<v1::ReissueItemsResponse>(answer);
}

absl::StatusOr<v1::AbandonItemsResponse> MoneyService::AbandonItems(
    const v1::AbandonItemsRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  if (request.item_ids().empty() || request.item_ids_size() > kMostRepairs) {
    return FieldInvalid("item_ids", "1 to 2000 items");
  }
  std::vector<std::int64_t> ids(request.item_ids().begin(), request.item_ids().end());
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end())
    return FieldInvalid("item_ids", "an item is named twice");
  const Request once = RequestOf("AbandonItems", request.request_id(), request);
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before, Answered(caller, once));
  if (before.has_value()) return Parse<v1::AbandonItemsResponse>(*before);
  // Peers are asked before the batch is locked.
  YKT_ASSIGN_OR_RETURN(const SendingDays reconciled,
                       ReconciledDays(caller, request.batch_id(), ids));
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "abandon_items", caller, once,
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, caller, request.batch_id()));
               YKT_ASSIGN_OR_RETURN(const std::vector<RepairCandidate> items,
                                    money_.Repairable(tx, batch, ids, kMostRepairs));
               YKT_RETURN_IF_ERROR(CheckStatements(items, reconciled));
               YKT_RETURN_IF_ERROR(money_.Abandon(tx, caller, batch, items, request.reason(),
                                                  request.request_id()));
               v1::AbandonItemsResponse response;
               response.set_abandoned(static_cast<std::int64_t>(items.size()));
               return response.SerializeAsString();
             }));
  return Parse<v1::AbandonItemsResponse>(answer);
}

absl::StatusOr<v1::Batch> MoneyService::CloseBatch(const v1::CloseBatchRequest& request,
                                                   const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(
      const std::string answer,
      Mutate(context_.database, "close_batch", caller,
             RequestOf("CloseBatch", request.request_id(), request),
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, caller, request.batch_id()));
               YKT_RETURN_IF_ERROR(money_.Close(tx, caller, batch, request.request_id()));
               return Answer(tx, batch);
             }));
  return Parse<v1::Batch>(answer);
}

absl::StatusOr<v1::GetItemProofResponse> MoneyService::GetItemProof(
    const v1::GetItemProofRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const ItemProof proof,
                       proofs_.Prove(caller, request.item_id(), request.step()));
  v1::GetItemProofResponse response;
  response.set_leaf(proof.leaf);
  response.set_leaf_index(proof.leaf_index);
  response.set_leaves(proof.leaves);
  for (const std::string& hash : proof.path) response.add_path(hash);
  response.set_root(proof.root);
  response.set_entry_number(proof.entry_number);
  return response;
}

}  // namespace yikatong::dispatch
