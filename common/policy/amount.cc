#include "common/policy/amount.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "common/status/status.h"
#include "fmt/format.h"

namespace yikatong::policy {
namespace {

using status::Reason;

// Two int64 multiply into this without loss; the result is brought back once, with a check.
__extension__ typedef __int128 Wide;

absl::Status Refused(Reason reason, std::string_view field, std::string_view why) {
  return status::Refuse(reason, fmt::format("{}: {}", field, why), {{"field", std::string(field)}});
}

// A figure of the row that is missing or out of range.
absl::Status BadInput(std::string_view field, std::string_view why) {
  return Refused(Reason::kQuantityInvalid, field, why);
}

// The row names what the standard has no rate for.
absl::Status NoStandard(std::string_view field, std::string_view why) {
  return Refused(Reason::kStandardMissing, field, why);
}

absl::StatusOr<std::int64_t> Narrow(Wide value) {
  if (value < 0 || value > std::numeric_limits<std::int64_t>::max()) {
    return Refused(Reason::kAmountTooLarge, "amount", "more than can be paid");
  }
  return static_cast<std::int64_t>(value);
}

// numerator / denominator, half up; both not negative.
Wide HalfUp(Wide numerator, std::int64_t denominator) {
  return (numerator * 2 + denominator) / (Wide{2} * denominator);
}

absl::StatusOr<std::int64_t> PositiveQuantity(const AmountInput& input) {
  if (input.quantity <= 0) return BadInput("quantity", "must be positive");
  return input.quantity;
}

absl::StatusOr<std::int64_t> Fixed(std::int64_t rate, const AmountInput& input) {
  if (input.quantity < 0) return BadInput("quantity", "must not be negative");
  return Narrow(Wide{rate} * std::max<std::int64_t>(input.quantity, 1));
}

absl::StatusOr<std::int64_t> DistrictRateOf(const Calculation& c, std::int32_t district) {
  for (const DistrictRate& rate : c.district_rates) {
    if (rate.district == district) return rate.rate_fen;
  }
  if (c.rate_fen > 0) return c.rate_fen;
  return NoStandard("district", "has no rate of its own, and there is no default");
}

absl::StatusOr<std::int64_t> TopUp(const Calculation& c, const AmountInput& input) {
  if (input.members <= 0) return BadInput("members", "must be positive");
  if (input.income_fen < 0) return BadInput("income_fen", "must not be negative");
  return Narrow(std::max<Wide>(0, Wide{c.rate_fen} * input.members - input.income_fen));
}

absl::StatusOr<std::int64_t> TierRate(const Calculation& c, const std::string& name) {
  if (name.empty()) return NoStandard("tier", "is missing");
  for (const Tier& tier : c.tiers) {
    if (tier.tier == name) return tier.rate_fen;
  }
  return NoStandard("tier", "is none of this version");
}

absl::StatusOr<std::int64_t> AgeTierRate(const Calculation& c, std::int32_t age) {
  // Tiers rise by age: the last one that the age has reached counts.
  std::optional<std::int64_t> rate;
  for (const Tier& tier : c.tiers) {
    if (age >= tier.min_age) rate = tier.rate_fen;
  }
  if (!rate.has_value()) return NoStandard("age", "is below the first tier");
  return *rate;
}

absl::StatusOr<std::int64_t> PercentOfBill(const Calculation& c, const AmountInput& input) {
  if (input.bill_fen <= 0) return BadInput("bill_fen", "must be positive");
  return Narrow(HalfUp(Wide{input.bill_fen} * c.percent_bp, 10000));
}

absl::StatusOr<std::int64_t> ProRata(const Calculation& c, const AmountInput& input) {
  if (input.quantity < 1 || input.quantity > 12) return BadInput("quantity", "1 to 12 months");
  return Narrow(HalfUp(Wide{c.rate_fen} * input.quantity, 12));
}

absl::StatusOr<std::int64_t> Catalogue(const Calculation& c, const AmountInput& input) {
  YKT_ASSIGN_OR_RETURN(const std::int64_t sum, TierRate(c, input.tier));
  if (input.bill_fen <= 0) return BadInput("bill_fen", "must be positive");
  YKT_ASSIGN_OR_RETURN(const std::int64_t bound,
                       Narrow(Wide{input.bill_fen} * c.percent_bp / 10000));
  return std::min(sum, bound);
}

absl::StatusOr<std::int64_t> Assessed(const Calculation& c, const AmountInput& input) {
  if (input.assessed_fen <= 0)
    return Refused(Reason::kAmountInvalid, "assessed_fen", "must be positive");
  if (c.min_fen > 0 && input.assessed_fen < c.min_fen) {
    return Refused(Reason::kAmountNotStandard, "assessed_fen",
                   "is below the least that one row may get");
  }
  if (c.cap_fen > 0 && input.assessed_fen > c.cap_fen) {
    return Refused(Reason::kAmountNotStandard, "assessed_fen",
                   "is above the most that one row may get");
  }
  return input.assessed_fen;
}

absl::StatusOr<std::int64_t> Computed(const Calculation& c, const AmountInput& input,
                                      std::int32_t district) {
  switch (c.type) {
    case CalculationType::kFixed:
      return Fixed(c.rate_fen, input);
    case CalculationType::kFixedByDistrict: {
      YKT_ASSIGN_OR_RETURN(const std::int64_t rate, DistrictRateOf(c, district));
      return Fixed(rate, input);
    }
    case CalculationType::kTopUp:
      return TopUp(c, input);
    case CalculationType::kTiered:
      return TierRate(c, input.tier);
    case CalculationType::kTieredAge:
      return AgeTierRate(c, input.age);
    case CalculationType::kPerArea: {
      YKT_ASSIGN_OR_RETURN(const std::int64_t area, PositiveQuantity(input));
      return Narrow(HalfUp(Wide{c.rate_fen} * area, 100));
    }
    case CalculationType::kPerUnitCap: {
      YKT_ASSIGN_OR_RETURN(const std::int64_t units, PositiveQuantity(input));
      return Narrow(Wide{c.rate_fen} * std::min(units, c.cap_quantity));
    }
    case CalculationType::kPercentCap:
    case CalculationType::kPercent:
      return PercentOfBill(c, input);
    case CalculationType::kProRata:
      return ProRata(c, input);
    case CalculationType::kPerServiceYear: {
      YKT_ASSIGN_OR_RETURN(const std::int64_t years, PositiveQuantity(input));
      return Narrow(Wide{c.rate_fen} *
                    (c.cap_quantity > 0 ? std::min(years, c.cap_quantity) : years));
    }
    case CalculationType::kPerMonthCount: {
      YKT_ASSIGN_OR_RETURN(const std::int64_t months, PositiveQuantity(input));
      return Narrow(Wide{c.rate_fen} * months);
    }
    case CalculationType::kCatalog:
      return Catalogue(c, input);
    case CalculationType::kAssessed:
      return Assessed(c, input);
  }
  return status::Invariant("a calculation type that no version can have");
}

}  // namespace

absl::StatusOr<std::int64_t> AmountFen(const Calculation& calculation, const AmountInput& input,
                                       std::int32_t district) {
  YKT_ASSIGN_OR_RETURN(const std::int64_t amount, Computed(calculation, input, district));
  return calculation.cap_fen > 0 ? std::min(amount, calculation.cap_fen) : amount;
}

int PaymentsIn(Cadence cadence, const base::Period& period) {
  return cadence == Cadence::kMonthly && period.kind() == base::Period::Kind::kQuarter ? 3 : 1;
}

absl::StatusOr<std::int64_t> AmountForPeriodFen(const PolicyRule& rule, const AmountInput& input,
                                                std::int32_t district, const base::Period& period) {
  YKT_ASSIGN_OR_RETURN(const std::int64_t amount, AmountFen(rule.calculation, input, district));
  switch (rule.calculation.type) {
    case CalculationType::kFixed:
    case CalculationType::kFixedByDistrict:
    case CalculationType::kTopUp:
    case CalculationType::kTiered:
    case CalculationType::kTieredAge:
      return Narrow(Wide{amount} * PaymentsIn(rule.cadence, period));
    default:
      return amount;
  }
}

absl::StatusOr<std::vector<SourceAmount>> SplitSources(std::int64_t amount_fen,
                                                       const std::vector<FundingShare>& shares) {
  YKT_RETURN_IF_ERROR(CheckFunding(shares));
  if (amount_fen < 0) return Refused(Reason::kAmountInvalid, "amount_fen", "must not be negative");
  std::vector<SourceAmount> parts(shares.size());
  std::int64_t others = 0;
  for (std::size_t i = 1; i < shares.size(); ++i) {
    parts[i] = {shares[i].source,
                static_cast<std::int64_t>(Wide{amount_fen} * shares[i].share_bp / 10000)};
    others += parts[i].amount_fen;
  }
  parts[0] = {shares[0].source, amount_fen - others};
  return parts;
}

}  // namespace yikatong::policy
