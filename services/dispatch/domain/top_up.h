// Missed amounts that are paid after all (补发): what an item was paid too little. Pure; thread
// safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/period.h"
#include "common/policy/amount.h"
#include "common/policy/rule.h"
#include "services/dispatch/domain/claims.h"

namespace yikatong::dispatch {

inline constexpr int kMostTopUps = 1'000;  // items of one call

// One item that was paid too little, with its figures as they should have been.
struct TopUpRow {
  std::int64_t item_id = 0;
  std::int64_t amount_fen = 0;  // that was missed
  policy::AmountInput input;
};

// What became of that item so far.
struct TopUpFacts {
  std::int64_t amount_fen = 0;
  bool paid = false;           // its payment stands
  bool given_up = false;       // it failed or came back, and was abandoned
  bool recovery_open = false;  // somebody asks for it back
  std::int64_t recovered_fen = 0;
  std::int64_t topped_up_fen = 0;  // by earlier batches, cancelled ones apart
};

// OK where the row's amount is exactly what was missed: the standard of the period, less what the
// person has. TOP_UP_NOT_POSSIBLE where the item is neither paid nor given up, or is being
// recovered; TOP_UP_NOTHING_MISSED; AMOUNT_NOT_STANDARD; CALCULATION_INPUT for figures that the
// standard gives nothing for. The item, and the amounts, stand in the metadata.
absl::Status CheckTopUp(const policy::PolicyRule& rule, std::int32_t district,
                        const base::Period& period, const TopUpRow& row, const TopUpFacts& facts);

// The claim of an item's `ordinal`-th top-up: its slot is one of its own, beside the item's, so
// that the item's claim stays what it is and each missed amount is paid once.
ClaimKey TopUpClaim(std::string_view policy_id, std::string_view period, std::int64_t of_item,
                    int ordinal);

}  // namespace yikatong::dispatch
