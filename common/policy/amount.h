// How much one row gets: every calculation type in exact integers, rounded half up at most once.
//
//   policy::AmountInput input;
//   input.quantity = 327;  // 3.27 mu
//   YKT_ASSIGN_OR_RETURN(int64_t fen, policy::AmountFen(rule.calculation, input, district));
//   const auto parts = policy::SplitSources(fen, rule.funding);   // city 60 %, district 40 %
//
// All functions are pure and thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/period.h"
#include "common/policy/rule.h"

namespace yikatong::policy {

// The figures of one row. What a type does not use is not read.
struct AmountInput {
  std::int64_t quantity =
      0;  // units: 0.01 mu, kWh, m3, months, years; 0 counts as 1 for FIXED, FIXED_BY_DISTRICT
  std::int32_t members = 0;       // of the household, for TOP_UP
  std::int64_t income_fen = 0;    // of the household, for TOP_UP
  std::int64_t bill_fen = 0;      // the bill or the price, for PERCENT, PERCENT_CAP and CATALOG
  std::string tier = {};          // for TIERED and CATALOG
  std::int32_t age = 0;           // full years at the reference date, for TIERED_AGE
  std::int64_t assessed_fen = 0;  // set by hand, for ASSESSED
};

// The amount in fen; 0 is an answer (a household above its line). `district` is the one that pays.
//
// CATALOG cuts at the percentage of the price rounded down, since it is a bound that must not be
// passed; all other types round half up.
//
// `calculation` is one that CheckCalculation accepts; it is not checked again for each row. Errors,
// all of them reasons of rows, with `field` in the metadata:
//   QUANTITY_INVALID     a figure that the type needs is missing, negative or out of range
//   STANDARD_MISSING     an unknown tier, an age below the first tier, a district without a rate
//   AMOUNT_INVALID, AMOUNT_NOT_STANDARD  an assessed amount that is not positive, or outside of its
//   bounds AMOUNT_TOO_LARGE     more than int64 holds
absl::StatusOr<std::int64_t> AmountFen(const Calculation& calculation, const AmountInput& input,
                                       std::int32_t district);

// How many payments of `cadence` a batch for `period` holds: 3 for a quarter of a monthly policy,
// else 1. Rates of FIXED, FIXED_BY_DISTRICT, TOP_UP, TIERED and TIERED_AGE are for one payment.
int PaymentsIn(Cadence cadence, const base::Period& period);

// AmountFen for all payments that the period holds: three months' rate for a quarter of a monthly
// policy. The other types take their quantity for the whole period and are not multiplied.
absl::StatusOr<std::int64_t> AmountForPeriodFen(const PolicyRule& rule, const AmountInput& input,
                                                std::int32_t district, const base::Period& period);

struct SourceAmount {
  std::string source;
  std::int64_t amount_fen = 0;

  friend bool operator==(const SourceAmount&, const SourceAmount&) = default;
};

// Splits `amount_fen` by the shares, in their order: every source but the first gets its share
// rounded down, the first what remains, so that the parts add up to the fen. POLICY_INVALID for
// shares that CheckFunding refuses, AMOUNT_INVALID for a negative amount.
absl::StatusOr<std::vector<SourceAmount>> SplitSources(std::int64_t amount_fen,
                                                       const std::vector<FundingShare>& shares);

}  // namespace yikatong::policy
