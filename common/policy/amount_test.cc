#include "common/policy/amount.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yikatong::policy {
namespace {

using status::Reason;
using testing::ElementsAre;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kHebei = 120105;

Calculation Rate(CalculationType type, std::int64_t rate_fen) {
  Calculation c;
  c.type = type;
  c.rate_fen = rate_fen;
  c.unit = "person";
  return c;
}

std::int64_t Amount(const Calculation& c, const AmountInput& input,
                    std::int32_t district = kHebei) {
  EXPECT_TRUE(CheckCalculation(c).ok()) << CheckCalculation(c);
  const absl::StatusOr<std::int64_t> fen = AmountFen(c, input, district);
  EXPECT_TRUE(fen.ok()) << fen.status();
  return fen.value_or(-1);
}

// The reason of a refused input and the field that it names.
std::string BadField(const Calculation& c, const AmountInput& input,
                     std::int32_t district = kHebei) {
  const absl::StatusOr<std::int64_t> fen = AmountFen(c, input, district);
  return status::ReasonNameOf(fen.status()) + " " + status::MetadataOf(fen.status())["field"];
}

Calculation Dibao() { return Rate(CalculationType::kTopUp, 104500); }

Calculation Binhai() {
  Calculation c;
  c.type = CalculationType::kTieredAge;
  c.tiers = {{"", 80, 13500}, {"", 90, 50000}, {"", 95, 100000}, {"", 100, 350000}};
  c.unit = "person";
  return c;
}

Calculation CoalToPower() {
  Calculation c = Rate(CalculationType::kPerUnitCap, 20);
  c.cap_quantity = 8000;
  return c;
}

Calculation HeatBill() {
  Calculation c;
  c.type = CalculationType::kPercentCap;
  c.percent_bp = 6000;
  c.cap_fen = 125000;
  c.unit = "household";
  return c;
}

Calculation Machines() {
  Calculation c;
  c.type = CalculationType::kCatalog;
  c.tiers = {{"tractor-50hp", 0, 1200000}, {"harvester", 0, 5000000}};
  c.percent_bp = 3000;
  c.cap_fen = 5000000;
  c.unit = "machine";
  return c;
}

TEST(AmountTest, FixedIsTheRateForEachUnitAndOneUnitWhereNoneIsGiven) {
  EXPECT_EQ(Amount(Rate(CalculationType::kFixed, 31400), {}), 31400);
  EXPECT_EQ(Amount(Rate(CalculationType::kFixed, 31400), {.quantity = 3}), 94200);
}

TEST(AmountTest, TheSurestRatesOfTheCityAreFixed) {
  for (const std::int64_t rate :
       {31400, 187000, 153000, 173000, 169000, 30000, 16000, 20000, 30700}) {
    EXPECT_EQ(Amount(Rate(CalculationType::kFixed, rate), {}), rate);
  }
}

TEST(AmountTest, RateByDistrictFallsBackToTheDefault) {
  Calculation c = Rate(CalculationType::kFixedByDistrict, 50000);
  c.district_rates = {{120116, 350000}, {120105, 80000}};
  EXPECT_EQ(Amount(c, {}, 120116), 350000);
  EXPECT_EQ(Amount(c, {}, 120105), 80000);
  EXPECT_EQ(Amount(c, {}, 120119), 50000);
  c.rate_fen = 0;
  EXPECT_EQ(BadField(c, {}, 120119), "STANDARD_MISSING district");
}

TEST(AmountTest, TopUpPaysWhatIsMissingToTheHouseholdsLine) {
  EXPECT_EQ(Amount(Dibao(), {.members = 3, .income_fen = 180000}), 133500);
  EXPECT_EQ(Amount(Dibao(), {.members = 1}), 104500);
  EXPECT_EQ(Amount(Dibao(), {.members = 2, .income_fen = 209000}), 0);
  EXPECT_EQ(Amount(Dibao(), {.members = 2, .income_fen = 208999}), 1);
  EXPECT_EQ(Amount(Dibao(), {.members = 2, .income_fen = kMax}), 0);
}

TEST(AmountTest, TopUpNeedsMembersAndNoNegativeIncome) {
  EXPECT_EQ(BadField(Dibao(), {}), "QUANTITY_INVALID members");
  EXPECT_EQ(BadField(Dibao(), {.members = -1}), "QUANTITY_INVALID members");
  EXPECT_EQ(BadField(Dibao(), {.members = 1, .income_fen = -1}), "QUANTITY_INVALID income_fen");
}

TEST(AmountTest, TieredByAgeTakesTheLastTierReached) {
  EXPECT_EQ(Amount(Binhai(), {.age = 80}), 13500);
  EXPECT_EQ(Amount(Binhai(), {.age = 89}), 13500);
  EXPECT_EQ(Amount(Binhai(), {.age = 90}), 50000);
  EXPECT_EQ(Amount(Binhai(), {.age = 94}), 50000);
  EXPECT_EQ(Amount(Binhai(), {.age = 95}), 100000);
  EXPECT_EQ(Amount(Binhai(), {.age = 100}), 350000);
  EXPECT_EQ(Amount(Binhai(), {.age = 111}), 350000);
  EXPECT_EQ(BadField(Binhai(), {.age = 79}), "STANDARD_MISSING age");

  Calculation aged;
  aged.type = CalculationType::kTieredAge;
  aged.tiers = {{"", 60, 12500}, {"", 70, 13500}, {"", 80, 14500}};
  EXPECT_EQ(Amount(
                [&] {
                  aged.unit = "person";
                  return aged;
                }(),
                {.age = 69}),
            12500);
  EXPECT_EQ(Amount(aged, {.age = 70}), 13500);
  EXPECT_EQ(Amount(aged, {.age = 80}), 14500);
}

TEST(AmountTest, TieredTakesTheTierThatTheRowNames) {
  Calculation c;
  c.type = CalculationType::kTiered;
  c.tiers = {{"light", 0, 20000}, {"medium", 0, 40000}, {"heavy", 0, 60000}};
  c.unit = "person";
  EXPECT_EQ(Amount(c, {.tier = "medium"}), 40000);
  EXPECT_EQ(BadField(c, {.tier = "Medium"}), "STANDARD_MISSING tier");
  EXPECT_EQ(BadField(c, {}), "STANDARD_MISSING tier");
}

TEST(AmountTest, AreaIsRoundedHalfUpOnce) {
  struct Case {
    std::int64_t rate_fen, centi_mu, fen;
  };
  // The last but one is 24142.5 before rounding; 0.01 mu of 69.95 yuan is 69.95 fen.
  for (const Case& c : {Case{13142, 327, 42974}, Case{562, 1234, 6935}, Case{9453, 1005, 95003},
                        Case{7250, 333, 24143}, Case{6995, 1, 70}, Case{15600, 100, 15600},
                        Case{1, 49, 0}, Case{1, 50, 1}}) {
    EXPECT_EQ(Amount(Rate(CalculationType::kPerArea, c.rate_fen), {.quantity = c.centi_mu}), c.fen)
        << c.rate_fen << " x " << c.centi_mu;
  }
  EXPECT_EQ(BadField(Rate(CalculationType::kPerArea, 9500), {.quantity = 0}),
            "QUANTITY_INVALID quantity");
  EXPECT_EQ(BadField(Rate(CalculationType::kPerArea, 9500), {.quantity = -5}),
            "QUANTITY_INVALID quantity");
}

TEST(AmountTest, UnitsAboveTheCapDoNotCount) {
  EXPECT_EQ(Amount(CoalToPower(), {.quantity = 9000}), 160000);
  EXPECT_EQ(Amount(CoalToPower(), {.quantity = 8000}), 160000);
  EXPECT_EQ(Amount(CoalToPower(), {.quantity = 7999}), 159980);
  Calculation gas = Rate(CalculationType::kPerUnitCap, 120);
  gas.cap_quantity = 1000;
  EXPECT_EQ(Amount(gas, {.quantity = 1001}), 120000);
  EXPECT_EQ(Amount(gas, {.quantity = kMax}), 120000);
}

TEST(AmountTest, PercentOfTheBillStopsAtTheCap) {
  EXPECT_EQ(Amount(HeatBill(), {.bill_fen = 240000}), 125000);
  EXPECT_EQ(Amount(HeatBill(), {.bill_fen = 200000}), 120000);
  EXPECT_EQ(Amount(HeatBill(), {.bill_fen = 1}), 1);  // 0.6 fen, half up
  EXPECT_EQ(BadField(HeatBill(), {}), "QUANTITY_INVALID bill_fen");
}

TEST(AmountTest, PercentIsRoundedHalfUp) {
  Calculation c;
  c.type = CalculationType::kPercent;
  c.percent_bp = 5000;
  c.unit = "person";
  EXPECT_EQ(Amount(c, {.bill_fen = 101}), 51);
  c.percent_bp = 7500;
  EXPECT_EQ(Amount(c, {.bill_fen = 90000}), 67500);
}

TEST(AmountTest, ProRataGivesTwelfthsOfTheYear) {
  const Calculation c = Rate(CalculationType::kProRata, 360000);
  EXPECT_EQ(Amount(c, {.quantity = 1}), 30000);
  EXPECT_EQ(Amount(c, {.quantity = 7}), 210000);
  EXPECT_EQ(Amount(c, {.quantity = 12}), 360000);
  EXPECT_EQ(Amount(Rate(CalculationType::kProRata, 100), {.quantity = 5}), 42);  // 41.67
  EXPECT_EQ(Amount(Rate(CalculationType::kProRata, 6), {.quantity = 1}), 1);     // 0.5
  EXPECT_EQ(BadField(c, {.quantity = 0}), "QUANTITY_INVALID quantity");
  EXPECT_EQ(BadField(c, {.quantity = 13}), "QUANTITY_INVALID quantity");
}

TEST(AmountTest, YearsOfServiceMultiplyTheRate) {
  EXPECT_EQ(Amount(Rate(CalculationType::kPerServiceYear, 68800), {.quantity = 5}), 344000);
  EXPECT_EQ(BadField(Rate(CalculationType::kPerServiceYear, 68800), {}),
            "QUANTITY_INVALID quantity");
}

TEST(AmountTest, MonthsOfEntitlementStopAtTheCap) {
  Calculation c = Rate(CalculationType::kPerMonthCount, 100800);
  c.cap_fen = 1209600;
  EXPECT_EQ(Amount(c, {.quantity = 1}), 100800);
  EXPECT_EQ(Amount(c, {.quantity = 12}), 1209600);
  EXPECT_EQ(Amount(c, {.quantity = 24}), 1209600);
}

TEST(AmountTest, CatalogueSumIsBoundByThePriceRoundedDown) {
  EXPECT_EQ(Amount(Machines(), {.bill_fen = 10000000, .tier = "tractor-50hp"}), 1200000);
  EXPECT_EQ(Amount(Machines(), {.bill_fen = 3000000, .tier = "tractor-50hp"}), 900000);
  EXPECT_EQ(Amount(Machines(), {.bill_fen = 123455, .tier = "harvester"}), 37036);  // 37036.5
  EXPECT_EQ(BadField(Machines(), {.bill_fen = 3000000, .tier = "plough"}), "STANDARD_MISSING tier");
  EXPECT_EQ(BadField(Machines(), {.tier = "harvester"}), "QUANTITY_INVALID bill_fen");
}

TEST(AmountTest, AssessedMustLieWithinItsBounds) {
  Calculation c;
  c.type = CalculationType::kAssessed;
  c.min_fen = 10000;
  c.cap_fen = 627000;
  c.unit = "household";
  EXPECT_EQ(Amount(c, {.assessed_fen = 10000}), 10000);
  EXPECT_EQ(Amount(c, {.assessed_fen = 627000}), 627000);
  EXPECT_EQ(BadField(c, {.assessed_fen = 9999}), "AMOUNT_NOT_STANDARD assessed_fen");
  EXPECT_EQ(BadField(c, {.assessed_fen = 627001}), "AMOUNT_NOT_STANDARD assessed_fen");
  EXPECT_EQ(BadField(c, {}), "AMOUNT_INVALID assessed_fen");
}

TEST(AmountTest, WhatInt64CannotHoldIsRefusedAndNeverWraps) {
  EXPECT_EQ(BadField(Rate(CalculationType::kFixed, 2), {.quantity = kMax}),
            "AMOUNT_TOO_LARGE amount");
  EXPECT_EQ(BadField(Rate(CalculationType::kPerServiceYear, kMax), {.quantity = kMax}),
            "AMOUNT_TOO_LARGE amount");
  EXPECT_EQ(BadField(Rate(CalculationType::kTopUp, kMax), {.members = 2}),
            "AMOUNT_TOO_LARGE amount");
  EXPECT_EQ(BadField(Rate(CalculationType::kPerArea, kMax), {.quantity = 101}),
            "AMOUNT_TOO_LARGE amount");
  EXPECT_EQ(Amount(Rate(CalculationType::kPerArea, kMax), {.quantity = 100}), kMax);
  EXPECT_EQ(BadField(Rate(CalculationType::kFixed, 1), {.quantity = -1}),
            "QUANTITY_INVALID quantity");
}

TEST(AmountTest, AQuarterOfAMonthlyPolicyIsThreePayments) {
  PolicyRule rule;
  rule.cadence = Cadence::kMonthly;
  rule.calculation = Dibao();
  const AmountInput input{.members = 3, .income_fen = 180000};
  EXPECT_EQ(AmountForPeriodFen(rule, input, kHebei, base::Period::Month(2026, 3)).value(), 133500);
  EXPECT_EQ(AmountForPeriodFen(rule, input, kHebei, base::Period::Quarter(2026, 1)).value(),
            400500);
  rule.calculation = Rate(CalculationType::kFixed, kMax);
  EXPECT_EQ(status::ReasonOf(
                AmountForPeriodFen(rule, {}, kHebei, base::Period::Quarter(2026, 1)).status()),
            Reason::kAmountTooLarge);
  rule.calculation = HeatBill();
  EXPECT_EQ(AmountForPeriodFen(rule, {.bill_fen = 200000}, kHebei, base::Period::Quarter(2026, 1))
                .value(),
            120000);
}

std::vector<SourceAmount> Split(std::int64_t fen, const std::vector<FundingShare>& shares) {
  absl::StatusOr<std::vector<SourceAmount>> parts = SplitSources(fen, shares);
  EXPECT_TRUE(parts.ok()) << parts.status();
  return parts.ok() ? *std::move(parts) : std::vector<SourceAmount>();
}

TEST(SplitSourcesTest, TheRemainderGoesToTheFirstSource) {
  const std::vector<FundingShare> cotton = {{"city", 6000}, {"district", 4000}};
  EXPECT_THAT(Split(15601, cotton),
              ElementsAre(SourceAmount{"city", 9361}, SourceAmount{"district", 6240}));
  EXPECT_THAT(Split(1, cotton), ElementsAre(SourceAmount{"city", 1}, SourceAmount{"district", 0}));
  const std::vector<FundingShare> power = {{"city", 4000}, {"district", 6000}};
  EXPECT_THAT(Split(160000, power),
              ElementsAre(SourceAmount{"city", 64000}, SourceAmount{"district", 96000}));
}

TEST(SplitSourcesTest, TheSumsAgreeToTheFenForEveryAmount) {
  const std::vector<FundingShare> shares = {{"central", 3333}, {"city", 3333}, {"district", 3334}};
  for (std::int64_t fen = 0; fen < 20000; ++fen) {
    std::int64_t sum = 0;
    for (const SourceAmount& part : Split(fen, shares)) {
      EXPECT_GE(part.amount_fen, 0);
      sum += part.amount_fen;
    }
    ASSERT_EQ(sum, fen);
  }
  std::int64_t sum = 0;
  for (const SourceAmount& part : Split(kMax, shares)) sum += part.amount_fen;
  EXPECT_EQ(sum, kMax);
}

TEST(SplitSourcesTest, SharesThatDoNotAddUpAreRefused) {
  EXPECT_EQ(status::ReasonOf(SplitSources(100, {{"city", 6000}, {"district", 3999}}).status()),
            Reason::kPolicyInvalid);
  EXPECT_EQ(status::ReasonOf(SplitSources(-1, {{"city", 10000}}).status()), Reason::kAmountInvalid);
}

}  // namespace
}  // namespace yikatong::policy
