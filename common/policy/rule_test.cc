#include "common/policy/rule.h"

#include <string>

#include "common/status/status.h"
#include "gtest/gtest.h"

namespace yikatong::policy {
namespace {

using base::Period;
using base::SlotUnit;
using status::Reason;

// The field that a refused calculation names, or "" where it is accepted.
std::string FaultOf(const Calculation& c) {
  const absl::Status checked = CheckCalculation(c);
  if (checked.ok()) return "";
  EXPECT_EQ(status::ReasonOf(checked), Reason::kPolicyInvalid) << checked;
  return status::MetadataOf(checked)["field"];
}

Calculation Make(CalculationType type) {
  Calculation c;
  c.type = type;
  c.unit = "person";
  return c;
}

TEST(RuleTest, EveryNameReadsBackAsItself) {
  for (int i = 0; i < 14; ++i) {
    const auto type = static_cast<CalculationType>(i);
    EXPECT_EQ(ParseCalculationType(CalculationTypeName(type)), type);
  }
  for (int i = 0; i < 5; ++i) {
    const auto kind = static_cast<KeyKind>(i);
    EXPECT_EQ(ParseKeyKind(KeyKindName(kind)), kind);
  }
  for (int i = 0; i < 4; ++i) {
    const auto cadence = static_cast<Cadence>(i);
    EXPECT_EQ(ParseCadence(CadenceName(cadence)), cadence);
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ParseResidenceRule(ResidenceRuleName(static_cast<ResidenceRule>(i))),
              static_cast<ResidenceRule>(i));
    EXPECT_EQ(ParsePayeeRule(PayeeRuleName(static_cast<PayeeRule>(i))), static_cast<PayeeRule>(i));
  }
  EXPECT_EQ(ParseCalculationType("CASE"), std::nullopt);
  EXPECT_EQ(ParseKeyKind("person"), std::nullopt);
}

TEST(RuleTest, AnEdgeIsKeyedByTheCoarserKindAndUnlikeKindsHaveNone) {
  EXPECT_EQ(CoarserKey(KeyKind::kPerson, KeyKind::kPerson), KeyKind::kPerson);
  EXPECT_EQ(CoarserKey(KeyKind::kPerson, KeyKind::kHousehold), KeyKind::kHousehold);
  EXPECT_EQ(CoarserKey(KeyKind::kChild, KeyKind::kPerson), KeyKind::kPerson);
  EXPECT_EQ(CoarserKey(KeyKind::kChild, KeyKind::kHousehold), KeyKind::kHousehold);
  EXPECT_EQ(CoarserKey(KeyKind::kPlot, KeyKind::kPlot), KeyKind::kPlot);
  EXPECT_EQ(CoarserKey(KeyKind::kPlot, KeyKind::kPerson), std::nullopt);
  EXPECT_EQ(CoarserKey(KeyKind::kHousehold, KeyKind::kMachine), std::nullopt);
  EXPECT_EQ(ExclusionId("P003", "P001"), "P001~P003");
}

TEST(RuleTest, AFigureThatTheTypeNeedsMustBeThere) {
  EXPECT_EQ(FaultOf(Make(CalculationType::kFixed)), "calculation.rate_fen");
  EXPECT_EQ(FaultOf(Make(CalculationType::kTiered)), "calculation.tiers");
  EXPECT_EQ(FaultOf(Make(CalculationType::kFixedByDistrict)), "calculation.district_rates");
  EXPECT_EQ(FaultOf(Make(CalculationType::kPercent)), "calculation.percent_bp");
  Calculation c = Make(CalculationType::kPercentCap);
  c.percent_bp = 6000;
  EXPECT_EQ(FaultOf(c), "calculation.cap_fen");
  c = Make(CalculationType::kPerUnitCap);
  c.rate_fen = 20;
  EXPECT_EQ(FaultOf(c), "calculation.cap_quantity");
  EXPECT_EQ(FaultOf(Make(CalculationType::kAssessed)), "");
  c = Make(CalculationType::kFixed);
  c.rate_fen = 1;
  c.unit.clear();
  EXPECT_EQ(FaultOf(c), "calculation.unit");
}

TEST(RuleTest, AFigureThatTheTypeDoesNotReadMustBeAbsent) {
  Calculation c = Make(CalculationType::kFixed);
  c.rate_fen = 100;
  EXPECT_EQ(FaultOf(c), "");
  c.percent_bp = 1;
  EXPECT_EQ(FaultOf(c), "calculation.percent_bp");
  c.percent_bp = 0;
  c.cap_fen = 1;
  EXPECT_EQ(FaultOf(c), "calculation.cap_fen");
  c.cap_fen = 0;
  c.tiers = {{"a", 0, 1}};
  EXPECT_EQ(FaultOf(c), "calculation.tiers");
}

TEST(RuleTest, NegativeFiguresAreRefused) {
  Calculation c = Make(CalculationType::kFixed);
  c.rate_fen = -1;
  EXPECT_EQ(FaultOf(c), "calculation.rate_fen");
  c = Make(CalculationType::kAssessed);
  c.min_fen = -1;
  EXPECT_EQ(FaultOf(c), "calculation.min_fen");
  c.min_fen = 10;
  c.cap_fen = 9;
  EXPECT_EQ(FaultOf(c), "calculation.min_fen");
}

TEST(RuleTest, TiersMustRiseByAgeAndDifferByName) {
  Calculation c = Make(CalculationType::kTieredAge);
  c.tiers = {{"", 80, 1}, {"", 80, 2}};
  EXPECT_EQ(FaultOf(c), "calculation.tiers.min_age");
  c.tiers = {{"", 80, 1}, {"", 70, 2}};
  EXPECT_EQ(FaultOf(c), "calculation.tiers.min_age");
  c.tiers = {{"", 70, 1}, {"", 80, 0}};
  EXPECT_EQ(FaultOf(c), "calculation.tiers.rate_fen");
  c = Make(CalculationType::kTiered);
  c.tiers = {{"a", 0, 1}, {"a", 0, 2}};
  EXPECT_EQ(FaultOf(c), "calculation.tiers.tier");
}

TEST(RuleTest, FundingSharesAddUpAndEachSourceStandsOnce) {
  EXPECT_TRUE(CheckFunding({{"city", 6000}, {"district", 4000}}).ok());
  EXPECT_EQ(status::ReasonOf(CheckFunding({})), Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckFunding({{"city", 9999}})), Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckFunding({{"city", 5000}, {"city", 5000}})),
            Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckFunding({{"lottery", 10000}})), Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckFunding({{"city", 11000}, {"district", -1000}})),
            Reason::kPolicyInvalid);
}

TEST(RuleTest, NoticeReviewAndEligibilityHaveLimits) {
  EXPECT_TRUE(CheckNotice({.calendar_days = 7}).ok());
  EXPECT_EQ(status::ReasonOf(CheckNotice({.calendar_days = 0})), Reason::kPolicyInvalid);
  EXPECT_TRUE(CheckReviewSteps({{"town_review", "town_reviewer", 3}}).ok());
  EXPECT_EQ(status::ReasonOf(CheckReviewSteps({})), Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckReviewSteps({{"a", "x", 3}, {"a", "y", 3}})),
            Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckReviewSteps({{"a", "x", 0}})), Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckEligibility({.min_age = 70, .max_age = 60})),
            Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(CheckEligibility({.min_age = -1})), Reason::kPolicyInvalid);
}

TEST(RuleTest, ABatchNamesOnlyPeriodsOfItsCadence) {
  const auto fits = [](Cadence cadence, SlotUnit unit, const char* period) {
    return CheckPeriod(cadence, unit, *Period::Parse(period)).ok();
  };
  EXPECT_TRUE(fits(Cadence::kMonthly, SlotUnit::kMonth, "2026-03"));
  EXPECT_TRUE(fits(Cadence::kMonthly, SlotUnit::kMonth, "2026-Q1"));
  EXPECT_FALSE(fits(Cadence::kMonthly, SlotUnit::kMonth, "2026"));
  EXPECT_TRUE(fits(Cadence::kQuarterly, SlotUnit::kMonth, "2026-Q1"));
  EXPECT_FALSE(fits(Cadence::kQuarterly, SlotUnit::kMonth, "2026-01"));
  EXPECT_TRUE(fits(Cadence::kYearly, SlotUnit::kYear, "2026"));
  EXPECT_FALSE(fits(Cadence::kYearly, SlotUnit::kYear, "LIFE"));
  EXPECT_TRUE(fits(Cadence::kOnce, SlotUnit::kLife, "LIFE"));
  EXPECT_FALSE(fits(Cadence::kOnce, SlotUnit::kLife, "2026"));
  EXPECT_TRUE(fits(Cadence::kOnce, SlotUnit::kYear, "2026"));
  EXPECT_TRUE(fits(Cadence::kOnce, SlotUnit::kMonth, "2026-03"));
}

}  // namespace
}  // namespace yikatong::policy
