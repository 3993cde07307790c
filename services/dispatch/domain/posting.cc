#include "services/dispatch/domain/posting.h"

#include <algorithm>

#include "common/policy/amount.h"
#include "common/status/status.h"

namespace yikatong::dispatch {

const char* AccountName(Account account) {
  switch (account) {
    case Account::kAppropriation:
      return "appropriation";
    case Account::kAvailable:
      return "available";
    case Account::kReserved:
      return "reserved";
    case Account::kInTransit:
      return "in_transit";
    case Account::kPaid:
      return "paid";
    case Account::kOwedToTreasury:
      return "owed_to_treasury";
    case Account::kTransfer:
      return "transfer";
    case Account::kCarryOver:
      return "carry_over";
    case Account::kLapsed:
      return "lapsed";
    case Account::kSettledToTreasury:
      return "settled_to_treasury";
  }
  return "invalid";
}

bool BatchFunding::OpenOn(absl::CivilDay today) const {
  return year == today.year() && std::find(closed.begin(), closed.end(), true) == closed.end();
}

Account AccountForReturn(int line_year, bool closed, absl::CivilDay today) {
  return line_year == today.year() && !closed ? Account::kAvailable : Account::kOwedToTreasury;
}

absl::StatusOr<std::vector<std::int64_t>> Posting::Split(const BatchFunding& funding,
                                                         std::int64_t amount_fen) {
  if (funding.line_ids.size() != funding.shares.size()) {
    return status::Refuse(status::Reason::kFundingShares, "the batch has other lines than sources");
  }
  YKT_ASSIGN_OR_RETURN(const std::vector<policy::SourceAmount> parts,
                       policy::SplitSources(amount_fen, funding.shares));
  std::vector<std::int64_t> fen;
  fen.reserve(parts.size());
  for (const policy::SourceAmount& part : parts) fen.push_back(part.amount_fen);
  return fen;
}

void Posting::Add(std::int64_t line_id, std::int64_t batch_id, std::int32_t chunk,
                  std::string_view step, std::string_view reason, Account debit, Account credit,
                  std::int64_t fen) {
  if (fen == 0) return;
  sums_[Key(line_id, batch_id, chunk, std::string(step), std::string(reason), debit, credit)] +=
      fen;
}

absl::Status Posting::Move(const BatchFunding& funding, std::int64_t batch_id, std::int32_t chunk,
                           std::string_view step, std::string_view reason, Account debit,
                           Account credit, std::int64_t amount_fen) {
  if (funding.line_ids.size() == 1 && funding.shares.size() == 1) {  // most batches, once an item
    Add(funding.line_ids.front(), batch_id, chunk, step, reason, debit, credit, amount_fen);
    return absl::OkStatus();
  }
  YKT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> parts, Split(funding, amount_fen));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Add(funding.line_ids[i], batch_id, chunk, step, reason, debit, credit, parts[i]);
  }
  return absl::OkStatus();
}

absl::Status Posting::MoveBack(const BatchFunding& funding, std::int64_t batch_id,
                               std::int32_t chunk, std::string_view step, std::string_view reason,
                               absl::CivilDay today, std::int64_t amount_fen) {
  YKT_INVARIANT(funding.closed.size() == funding.line_ids.size(),
                "it is not known which lines are closed");
  YKT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> parts, Split(funding, amount_fen));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Add(funding.line_ids[i], batch_id, chunk, step, reason,
        AccountForReturn(funding.year, funding.closed[i], today), Account::kPaid, parts[i]);
  }
  return absl::OkStatus();
}

void Posting::MoveOnLine(std::int64_t line_id, std::string_view step, std::string_view reason,
                         Account debit, Account credit, std::int64_t amount_fen) {
  Add(line_id, 0, 0, step, reason, debit, credit, amount_fen);
}

std::vector<LedgerRow> Posting::Rows() const {
  std::vector<LedgerRow> rows;
  rows.reserve(sums_.size());
  for (const auto& [key, fen] : sums_) {
    const auto& [line_id, batch_id, chunk, step, reason, debit, credit] = key;
    rows.push_back({line_id, batch_id, chunk, step, reason, debit, credit, fen});
  }
  return rows;
}

std::map<std::int64_t, std::int64_t> Posting::AvailableChanges() const {
  std::map<std::int64_t, std::int64_t> changes;
  for (const auto& [key, fen] : sums_) {
    const Account debit = std::get<5>(key);
    const Account credit = std::get<6>(key);
    if (debit == Account::kAvailable) changes[std::get<0>(key)] += fen;
    if (credit == Account::kAvailable) changes[std::get<0>(key)] -= fen;
  }
  return changes;
}

}  // namespace yikatong::dispatch
