// The rules of one subsidy as plain values: who, how much, how often, from which sources, with what
// notice and which review. `catalogue` owns them, `dispatch` pins a batch to one and decides by it;
// both compute with amount.h and eligibility.h, so that a quote and a payment cannot differ.
//
// Everything here is a value: copy freely. Money is int64 fen, dates are business dates in Beijing,
// shares and percentages are hundredths of a percent (6000 = 60 %).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/base/period.h"

namespace yikatong::policy {

// The division code that stands for the city itself.
inline constexpr std::int32_t kCityDivision = 120000;

// What one claim of a policy is keyed by. It belongs to the policy for ever.
enum class KeyKind { kPerson, kHousehold, kPlot, kMachine, kChild };

std::string_view KeyKindName(KeyKind kind);  // PERSON, HOUSEHOLD, PLOT, MACHINE, CHILD
std::optional<KeyKind> ParseKeyKind(std::string_view text);

// The kind that claims of an exclusion edge between two policies are keyed by: the coarser of the
// two. A child is a person, a household holds persons; plots and machines compare with their own
// kind only. Nothing where two kinds have no key in common: such an edge could not be checked and
// must not be created.
std::optional<KeyKind> CoarserKey(KeyKind a, KeyKind b);

// How often a policy pays. It decides which periods a batch may name (CheckPeriod).
enum class Cadence { kMonthly, kQuarterly, kYearly, kOnce };

std::string_view CadenceName(Cadence cadence);  // monthly, quarterly, yearly, once
std::optional<Cadence> ParseCadence(std::string_view text);

enum class CalculationType {
  kFixed,            // rate × quantity (1 where none is given)
  kFixedByDistrict,  // the district's rate × quantity; the default rate where it has none
  kTopUp,            // max(0, rate × members − household income)
  kTiered,           // the rate of the tier that the row names
  kTieredAge,        // the rate of the tier that the age falls in
  kPerArea,          // rate × area in 0.01 mu, half up once
  kPerUnitCap,       // min(quantity, cap_quantity) × rate
  kPercentCap,       // min(bill × percent, cap), half up once
  kPercent,          // bill × percent, half up once
  kProRata,          // yearly rate × months / 12, half up once
  kPerServiceYear,   // rate × years of service
  kPerMonthCount,    // rate × months of entitlement, at most cap
  kCatalog,          // the sum of the machine model, at most a percentage of the price
  kAssessed,         // set by hand within min and cap
};

std::string_view CalculationTypeName(CalculationType type);  // FIXED, FIXED_BY_DISTRICT …
std::optional<CalculationType> ParseCalculationType(std::string_view text);

struct Tier {
  std::string tier = {};     // name, for TIERED and CATALOG
  std::int32_t min_age = 0;  // youngest age in full years, for TIERED_AGE
  std::int64_t rate_fen = 0;

  friend bool operator==(const Tier&, const Tier&) = default;
};

struct DistrictRate {
  std::int32_t district = 0;
  std::int64_t rate_fen = 0;

  friend bool operator==(const DistrictRate&, const DistrictRate&) = default;
};

struct Calculation {
  CalculationType type = CalculationType::kFixed;
  std::int64_t rate_fen = 0;  // rate for each unit, the line (TOP_UP), or the yearly sum (PRO_RATA)
  std::vector<Tier> tiers;
  std::vector<DistrictRate> district_rates;
  std::int64_t cap_fen = 0;       // most that one row may get; 0: no bound
  std::int64_t min_fen = 0;       // least that one row may get (ASSESSED); 0: no bound
  std::int64_t cap_quantity = 0;  // most units that count; 0: no bound
  std::int32_t percent_bp = 0;
  std::string unit = {};  // person, household, 0.01mu, kWh, m3, month, year, machine, child

  friend bool operator==(const Calculation&, const Calculation&) = default;
};

enum class ResidenceRule { kAny, kCity, kDistrict };

std::string_view ResidenceRuleName(ResidenceRule rule);  // ANY, CITY, DISTRICT
std::optional<ResidenceRule> ParseResidenceRule(std::string_view text);

struct Eligibility {
  std::optional<std::int32_t> min_age =
      {};  // full years at the reference date; both bounds belong to the range
  std::optional<std::int32_t> max_age = {};
  ResidenceRule residence = ResidenceRule::kAny;
  std::int32_t death_grace_months = 0;  // months after the month of death that are still paid

  friend bool operator==(const Eligibility&, const Eligibility&) = default;
};

enum class PayeeRule { kSelf, kHeadOfHousehold, kGuardian };

std::string_view PayeeRuleName(PayeeRule rule);  // SELF, HEAD_OF_HOUSEHOLD, GUARDIAN
std::optional<PayeeRule> ParsePayeeRule(std::string_view text);

struct FundingShare {
  std::string source = {};  // central, city, district, fund
  std::int32_t share_bp = 0;

  friend bool operator==(const FundingShare&, const FundingShare&) = default;
};

struct NoticeRule {
  std::int32_t calendar_days = 7;
  bool aggregate_only = false;  // counts may be public, persons never

  friend bool operator==(const NoticeRule&, const NoticeRule&) = default;
};

struct ReviewStep {
  std::string step = {};  // town_review, department_review, finance_review …
  std::string role = {};  // role of the person who takes it
  std::int32_t within_working_days = 0;

  friend bool operator==(const ReviewStep&, const ReviewStep&) = default;
};

// Two policies that one key may not draw in one slot.
struct Exclusion {
  std::string exclusion_id;  // ExclusionId(policy_a, policy_b)
  std::string policy_a;      // the smaller identifier
  std::string policy_b;
  base::SlotUnit slot_unit = base::SlotUnit::kMonth;
  KeyKind key_kind = KeyKind::kPerson;
  std::string basis;

  friend bool operator==(const Exclusion&, const Exclusion&) = default;
};

// `<policy>~<policy>` with the smaller identifier first.
std::string ExclusionId(std::string_view a, std::string_view b);

// One version of one policy, with what belongs to the policy itself.
struct PolicyRule {
  std::string policy_id;
  std::string field;  // AGRI, CIVIL, HRSS …
  std::string department_id;
  std::int32_t district = kCityDivision;  // whose policy it is; kCityDivision for the city
  base::SlotUnit slot_unit = base::SlotUnit::kMonth;
  KeyKind key_kind = KeyKind::kPerson;

  std::int32_t version = 0;
  absl::CivilDay effective_from;
  std::optional<absl::CivilDay> effective_to;  // last day; none while nothing follows it
  Calculation calculation;
  Cadence cadence = Cadence::kMonthly;
  Eligibility eligibility;
  PayeeRule payee_rule = PayeeRule::kSelf;
  std::vector<FundingShare> funding;
  NoticeRule notice;
  std::vector<ReviewStep> review_steps;
  std::vector<Exclusion> exclusions;
};

// Limits on one version.
inline constexpr int kMaxTiers = 500;
inline constexpr int kMaxFundingShares = 8;
inline constexpr int kMaxReviewSteps = 8;
inline constexpr int kMaxNoticeDays = 90;
inline constexpr int kMaxDeathGraceMonths = 24;
inline constexpr int kMaxAge = 150;

// The checks of a version. Each refuses with POLICY_INVALID, and the field in the metadata.

// Whether the figures fit the type: those it needs are there and positive, those it does not read
// are absent, tiers are in order and unlike each other.
absl::Status CheckCalculation(const Calculation& calculation);

// Each share has its own source and is positive, and together they are 10000.
absl::Status CheckFunding(const std::vector<FundingShare>& funding);

// Ages, grace, notice and review lie within the limits.
absl::Status CheckEligibility(const Eligibility& eligibility);
absl::Status CheckNotice(const NoticeRule& notice);
absl::Status CheckReviewSteps(const std::vector<ReviewStep>& steps);

// PERIOD_INVALID unless a batch of a policy with this cadence may name `period`: a month or a
// quarter for monthly, a quarter for quarterly, a year for yearly; for once, what its slots are
// counted in: LIFE, a year, or a month.
absl::Status CheckPeriod(Cadence cadence, base::SlotUnit slot_unit, const base::Period& period);

}  // namespace yikatong::policy
