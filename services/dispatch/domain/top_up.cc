#include "services/dispatch/domain/top_up.h"

#include <fmt/core.h>

#include "common/status/status.h"

namespace yikatong::dispatch {

using status::Reason;

absl::Status CheckTopUp(const policy::PolicyRule& rule, std::int32_t district,
                        const base::Period& period, const TopUpRow& row, const TopUpFacts& facts) {
  status::Metadata metadata = {{"item", std::to_string(row.item_id)}};
  if (facts.paid == facts.given_up || facts.recovery_open)
    return status::Refuse(Reason::kTopUpNotPossible, "", metadata);
  const absl::StatusOr<std::int64_t> standard =
      policy::AmountForPeriodFen(rule, row.input, district, period);
  if (!standard.ok()) {
    metadata.merge(status::MetadataOf(standard.status()));
    return status::Refuse(Reason::kCalculationInput, "", metadata);
  }
  const std::int64_t has_fen =
      (facts.paid ? facts.amount_fen - facts.recovered_fen : 0) + facts.topped_up_fen;
  const std::int64_t missed_fen = *standard - has_fen;
  metadata["standard_fen"] = std::to_string(*standard);
  metadata["paid_fen"] = std::to_string(has_fen);
  if (missed_fen <= 0) return status::Refuse(Reason::kTopUpNothingMissed, "", metadata);
  if (row.amount_fen == missed_fen) return absl::OkStatus();
  metadata["missed_fen"] = std::to_string(missed_fen);
  metadata["given_fen"] = std::to_string(row.amount_fen);
  return status::Refuse(Reason::kAmountNotStandard, "", metadata);
}

ClaimKey TopUpClaim(std::string_view policy_id, std::string_view period, std::int64_t of_item,
                    int ordinal) {
  return MakeClaimKey(PolicyScope(policy_id), fmt::format("{}+{}", period, ordinal), "ITEM",
                      std::to_string(of_item));
}

}  // namespace yikatong::dispatch
