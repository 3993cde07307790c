#include "services/dispatch/domain/posting.h"

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
  }
  return "invalid";
}

absl::Status Posting::Move(const BatchFunding& funding, std::int64_t batch_id, std::int32_t chunk,
                           std::string_view step, std::string_view reason, Account debit,
                           Account credit, std::int64_t amount_fen) {
  if (funding.line_ids.size() != funding.shares.size()) {
    return status::Refuse(status::Reason::kFundingShares, "the batch has other lines than sources");
  }
  auto add = [&](std::int64_t line_id, std::int64_t fen) {
    if (fen == 0) return;
    sums_[Key(line_id, batch_id, chunk, std::string(step), std::string(reason), debit, credit)] +=
        fen;
  };
  if (funding.line_ids.size() == 1) {
    add(funding.line_ids.front(), amount_fen);
    return absl::OkStatus();
  }
  YKT_ASSIGN_OR_RETURN(const std::vector<policy::SourceAmount> parts,
                       policy::SplitSources(amount_fen, funding.shares));
  for (std::size_t i = 0; i < parts.size(); ++i) add(funding.line_ids[i], parts[i].amount_fen);
  return absl::OkStatus();
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
