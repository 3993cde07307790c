#include "common/policy/rule.h"

#include <algorithm>
#include <array>
#include <set>

#include "common/status/status.h"
#include "fmt/format.h"

namespace yikatong::policy {
namespace {

using status::Reason;

constexpr std::array<std::string_view, 5> kKeyKinds = {"PERSON", "HOUSEHOLD", "PLOT", "MACHINE",
                                                       "CHILD"};
constexpr std::array<std::string_view, 4> kCadences = {"monthly", "quarterly", "yearly", "once"};
constexpr std::array<std::string_view, 14> kTypes = {
    "FIXED",      "FIXED_BY_DISTRICT", "TOP_UP",           "TIERED",
    "TIERED_AGE", "PER_AREA",          "PER_UNIT_CAP",     "PERCENT_CAP",
    "PERCENT",    "PRO_RATA",          "PER_SERVICE_YEAR", "PER_MONTH_COUNT",
    "CATALOG",    "ASSESSED"};
constexpr std::array<std::string_view, 3> kResidences = {"ANY", "CITY", "DISTRICT"};
constexpr std::array<std::string_view, 3> kPayees = {"SELF", "HEAD_OF_HOUSEHOLD", "GUARDIAN"};

template <typename E, std::size_t N>
std::optional<E> Find(const std::array<std::string_view, N>& names, std::string_view text) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) return std::nullopt;
  return static_cast<E>(at - names.begin());
}

template <typename E, std::size_t N>
std::string_view Name(const std::array<std::string_view, N>& names, E value) {
  return names.at(static_cast<std::size_t>(value));
}

absl::Status Invalid(std::string_view field, std::string_view why) {
  return status::Refuse(Reason::kPolicyInvalid, fmt::format("calculation.{}: {}", field, why),
                        {{"field", fmt::format("calculation.{}", field)}});
}

absl::Status BadField(std::string_view field, std::string_view why) {
  return status::Refuse(Reason::kPolicyInvalid, fmt::format("{}: {}", field, why),
                        {{"field", std::string(field)}});
}

// Which figures a type reads: a figure that it does not read must be absent, since whoever wrote it
// meant something.
struct Uses {
  bool rate = false;
  bool tiers = false;
  bool districts = false;
  bool cap_fen = false;
  bool min_fen = false;
  bool cap_quantity = false;
  bool percent = false;
};

Uses UsesOf(CalculationType type) {
  switch (type) {
    case CalculationType::kFixed:
    case CalculationType::kTopUp:
    case CalculationType::kPerArea:
    case CalculationType::kProRata:
      return {.rate = true};
    case CalculationType::kFixedByDistrict:
      return {.rate = true, .districts = true};
    case CalculationType::kTiered:
    case CalculationType::kTieredAge:
      return {.tiers = true};
    case CalculationType::kPerUnitCap:
    case CalculationType::kPerServiceYear:
      return {.rate = true, .cap_quantity = true};
    case CalculationType::kPercentCap:
      return {.cap_fen = true, .percent = true};
    case CalculationType::kPercent:
      return {.percent = true};
    case CalculationType::kPerMonthCount:
      return {.rate = true, .cap_fen = true};
    case CalculationType::kCatalog:
      return {.tiers = true, .cap_fen = true, .percent = true};
    case CalculationType::kAssessed:
      return {.cap_fen = true, .min_fen = true};
  }
  return {};
}

absl::Status CheckTiers(const Calculation& c) {
  if (c.tiers.empty()) return Invalid("tiers", "this type needs at least one");
  if (c.tiers.size() > kMaxTiers) return Invalid("tiers", fmt::format("more than {}", kMaxTiers));
  std::set<std::string> names;
  for (std::size_t i = 0; i < c.tiers.size(); ++i) {
    const Tier& tier = c.tiers[i];
    if (tier.rate_fen <= 0) return Invalid("tiers.rate_fen", "must be positive");
    if (c.type == CalculationType::kTieredAge) {
      if (tier.min_age < 0 || tier.min_age > kMaxAge) return Invalid("tiers.min_age", "no age");
      if (i > 0 && tier.min_age <= c.tiers[i - 1].min_age) {
        return Invalid("tiers.min_age", "must rise from tier to tier");
      }
    } else if (tier.tier.empty() || !names.insert(tier.tier).second) {
      return Invalid("tiers.tier", "each needs a name of its own");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDistrictRates(const Calculation& c) {
  if (c.district_rates.empty()) return Invalid("district_rates", "this type needs at least one");
  std::set<std::int32_t> seen;
  for (const DistrictRate& rate : c.district_rates) {
    if (rate.rate_fen <= 0) return Invalid("district_rates.rate_fen", "must be positive");
    if (rate.district < 100000 || rate.district > 999999 || !seen.insert(rate.district).second) {
      return Invalid("district_rates.district", "each needs six digits of its own");
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view KeyKindName(KeyKind kind) { return Name(kKeyKinds, kind); }
std::optional<KeyKind> ParseKeyKind(std::string_view text) {
  return Find<KeyKind>(kKeyKinds, text);
}

std::optional<KeyKind> CoarserKey(KeyKind a, KeyKind b) {
  if (a == b) return a;
  const auto is_human = [](KeyKind kind) {
    return kind == KeyKind::kPerson || kind == KeyKind::kChild || kind == KeyKind::kHousehold;
  };
  if (!is_human(a) || !is_human(b)) return std::nullopt;
  if (a == KeyKind::kHousehold || b == KeyKind::kHousehold) return KeyKind::kHousehold;
  return KeyKind::kPerson;
}

std::string_view CadenceName(Cadence cadence) { return Name(kCadences, cadence); }
std::optional<Cadence> ParseCadence(std::string_view text) {
  return Find<Cadence>(kCadences, text);
}

std::string_view CalculationTypeName(CalculationType type) { return Name(kTypes, type); }
std::optional<CalculationType> ParseCalculationType(std::string_view text) {
  return Find<CalculationType>(kTypes, text);
}

std::string_view ResidenceRuleName(ResidenceRule rule) { return Name(kResidences, rule); }
std::optional<ResidenceRule> ParseResidenceRule(std::string_view text) {
  return Find<ResidenceRule>(kResidences, text);
}

std::string_view PayeeRuleName(PayeeRule rule) { return Name(kPayees, rule); }
std::optional<PayeeRule> ParsePayeeRule(std::string_view text) {
  return Find<PayeeRule>(kPayees, text);
}

std::string ExclusionId(std::string_view a, std::string_view b) {
  return a < b ? fmt::format("{}~{}", a, b) : fmt::format("{}~{}", b, a);
}

absl::Status CheckCalculation(const Calculation& c) {
  const Uses uses = UsesOf(c.type);
  // A rate by district may leave out the default: districts without one then have no such payment.
  const bool rate_may_be_absent = c.type == CalculationType::kFixedByDistrict;
  if (uses.rate ? (c.rate_fen < 0 || (c.rate_fen == 0 && !rate_may_be_absent)) : c.rate_fen != 0) {
    return Invalid("rate_fen", uses.rate ? "must be positive" : "is not used by this type");
  }
  if (uses.tiers) {
    YKT_RETURN_IF_ERROR(CheckTiers(c));
  } else if (!c.tiers.empty()) {
    return Invalid("tiers", "are not used by this type");
  }
  if (uses.districts) {
    YKT_RETURN_IF_ERROR(CheckDistrictRates(c));
  } else if (!c.district_rates.empty()) {
    return Invalid("district_rates", "are not used by this type");
  }
  if (c.cap_fen < 0 || (!uses.cap_fen && c.cap_fen != 0)) {
    return Invalid("cap_fen", uses.cap_fen ? "must not be negative" : "is not used by this type");
  }
  if (c.type == CalculationType::kPercentCap && c.cap_fen == 0) {
    return Invalid("cap_fen", "must be positive");
  }
  if (c.min_fen < 0 || (!uses.min_fen && c.min_fen != 0)) {
    return Invalid("min_fen", uses.min_fen ? "must not be negative" : "is not used by this type");
  }
  if (c.cap_fen != 0 && c.min_fen > c.cap_fen) return Invalid("min_fen", "is above cap_fen");
  if (c.cap_quantity < 0 || (!uses.cap_quantity && c.cap_quantity != 0)) {
    return Invalid("cap_quantity",
                   uses.cap_quantity ? "must not be negative" : "is not used by this type");
  }
  if (c.type == CalculationType::kPerUnitCap && c.cap_quantity == 0) {
    return Invalid("cap_quantity", "must be positive");
  }
  if (uses.percent ? (c.percent_bp < 1 || c.percent_bp > 10000) : c.percent_bp != 0) {
    return Invalid("percent_bp", uses.percent ? "must be 1 to 10000" : "is not used by this type");
  }
  if (c.unit.empty() || c.unit.size() > 32) return Invalid("unit", "needs 1 to 32 characters");
  return absl::OkStatus();
}

absl::Status CheckFunding(const std::vector<FundingShare>& funding) {
  constexpr std::array<std::string_view, 4> kSources = {"central", "city", "district", "fund"};
  std::int64_t sum = 0;
  std::set<std::string_view> seen;
  for (const FundingShare& share : funding) {
    const bool known = std::find(kSources.begin(), kSources.end(), share.source) != kSources.end();
    if (!known || !seen.insert(share.source).second || share.share_bp < 1) {
      return BadField(
          "funding",
          "each source is central, city, district or fund, stands once, and is positive");
    }
    sum += share.share_bp;
  }
  if (sum != 10000) {
    return BadField("funding", fmt::format("the shares add up to {}, not 10000", sum));
  }
  return absl::OkStatus();
}

absl::Status CheckEligibility(const Eligibility& e) {
  const auto absurd = [](std::optional<std::int32_t> age) {
    return age.has_value() && (*age < 0 || *age > kMaxAge);
  };
  if (absurd(e.min_age)) return BadField("eligibility.min_age", "no age");
  if (absurd(e.max_age)) return BadField("eligibility.max_age", "no age");
  if (e.min_age.has_value() && e.max_age.has_value() && *e.min_age > *e.max_age) {
    return BadField("eligibility.min_age", "is above max_age");
  }
  if (e.death_grace_months < 0 || e.death_grace_months > kMaxDeathGraceMonths) {
    return BadField("eligibility.death_grace_months", fmt::format("0 to {}", kMaxDeathGraceMonths));
  }
  return absl::OkStatus();
}

absl::Status CheckNotice(const NoticeRule& notice) {
  if (notice.calendar_days < 1 || notice.calendar_days > kMaxNoticeDays) {
    return BadField("notice.calendar_days", fmt::format("1 to {}", kMaxNoticeDays));
  }
  return absl::OkStatus();
}

absl::Status CheckReviewSteps(const std::vector<ReviewStep>& steps) {
  if (steps.empty() || steps.size() > kMaxReviewSteps) {
    return BadField("review_steps", fmt::format("1 to {}", kMaxReviewSteps));
  }
  std::set<std::string_view> seen;
  for (const ReviewStep& step : steps) {
    if (step.step.empty() || step.step.size() > 64 || !seen.insert(step.step).second) {
      return BadField("review_steps.step", "each needs a name of its own");
    }
    if (step.role.empty() || step.role.size() > 64) {
      return BadField("review_steps.role", "is missing");
    }
    if (step.within_working_days < 1 || step.within_working_days > 250) {
      return BadField("review_steps.within_working_days", "1 to 250");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPeriod(Cadence cadence, base::SlotUnit slot_unit, const base::Period& period) {
  using Kind = base::Period::Kind;
  const Kind kind = period.kind();
  bool fits = false;
  switch (cadence) {
    case Cadence::kMonthly:
      fits = kind == Kind::kMonth || kind == Kind::kQuarter;
      break;
    case Cadence::kQuarterly:
      fits = kind == Kind::kQuarter;
      break;
    case Cadence::kYearly:
      fits = kind == Kind::kYear;
      break;
    case Cadence::kOnce:
      switch (slot_unit) {
        case base::SlotUnit::kLife:
          fits = kind == Kind::kLife;
          break;
        case base::SlotUnit::kYear:
          fits = kind == Kind::kYear;
          break;
        case base::SlotUnit::kMonth:
          fits = kind == Kind::kMonth;
          break;
      }
      break;
  }
  if (fits) return absl::OkStatus();
  return status::Refuse(Reason::kPeriodInvalid,
                        fmt::format("a policy that pays {} and counts by {} has no such period",
                                    CadenceName(cadence), base::SlotUnitName(slot_unit)),
                        {{"period", period.Text()}});
}

}  // namespace yikatong::policy
