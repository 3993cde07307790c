#include "common/policy/eligibility.h"

#include "common/status/status.h"
#include "gtest/gtest.h"

namespace yikatong::policy {
namespace {

using absl::CivilDay;
using base::Period;
using status::Reason;

const CivilDay kToday(2026, 3, 20);

std::optional<Reason> Age(const Eligibility& rule, CivilDay born, const Period& period) {
  return status::ReasonOf(CheckAge(rule, born, period, kToday));
}

std::optional<Reason> Alive(int grace, CivilDay died, const Period& period) {
  Eligibility rule;
  rule.death_grace_months = grace;
  return status::ReasonOf(CheckAlive(rule, died, period, kToday));
}

TEST(EligibilityTest, AgeIsTakenOnTheFirstDayOfThePeriod) {
  const Eligibility aged{.min_age = 80};
  EXPECT_EQ(Age(aged, CivilDay(1946, 3, 1), Period::Month(2026, 3)), std::nullopt);
  EXPECT_EQ(Age(aged, CivilDay(1946, 3, 2), Period::Month(2026, 3)), Reason::kAgeOutOfRange);
  EXPECT_EQ(Age(aged, CivilDay(1946, 3, 2), Period::Month(2026, 4)), std::nullopt);
  EXPECT_EQ(Age(aged, CivilDay(1946, 3, 2), Period::Year(2026)), Reason::kAgeOutOfRange);
}

TEST(EligibilityTest, OnceInALifeTakesTheDayOfCollection) {
  const Eligibility rule{.min_age = 18};
  EXPECT_EQ(Age(rule, CivilDay(2008, 3, 20), Period::Life()), std::nullopt);
  EXPECT_EQ(Age(rule, CivilDay(2008, 3, 21), Period::Life()), Reason::kAgeOutOfRange);
}

TEST(EligibilityTest, BothBoundsBelongToTheRange) {
  const Eligibility rule{.min_age = 16, .max_age = 24};
  EXPECT_EQ(Age(rule, CivilDay(2010, 3, 1), Period::Month(2026, 3)), std::nullopt);
  EXPECT_EQ(Age(rule, CivilDay(2001, 3, 2), Period::Month(2026, 3)), std::nullopt);
  EXPECT_EQ(Age(rule, CivilDay(2001, 3, 1), Period::Month(2026, 3)), Reason::kAgeOutOfRange);
  EXPECT_EQ(Age(rule, CivilDay(2010, 3, 2), Period::Month(2026, 3)), Reason::kAgeOutOfRange);
}

TEST(EligibilityTest, AChildBornWithinThePeriodCountsAndOneBornLaterDoesNot) {
  const Eligibility child{.max_age = 2};
  EXPECT_EQ(Age(child, CivilDay(2026, 5, 1), Period::Year(2026)), std::nullopt);
  EXPECT_EQ(Age(child, CivilDay(2027, 1, 1), Period::Year(2026)), Reason::kAgeOutOfRange);
  EXPECT_EQ(Age(child, CivilDay(2023, 6, 1), Period::Year(2026)), std::nullopt);
  EXPECT_EQ(Age(child, CivilDay(2023, 1, 1), Period::Year(2026)), Reason::kAgeOutOfRange);
}

TEST(EligibilityTest, ResidenceIsTheCityOrThePayingDistrict) {
  Eligibility rule;
  const auto check = [&](std::int32_t lives, std::int32_t pays) {
    return status::ReasonOf(CheckResidence(rule, lives, pays));
  };
  EXPECT_EQ(check(0, 120105), std::nullopt);
  rule.residence = ResidenceRule::kCity;
  EXPECT_EQ(check(120115, 120105), std::nullopt);
  EXPECT_EQ(check(131081, 120105), Reason::kResidenceOutside);
  EXPECT_EQ(check(0, 120105), Reason::kResidenceOutside);
  rule.residence = ResidenceRule::kDistrict;
  EXPECT_EQ(check(120105, 120105), std::nullopt);
  EXPECT_EQ(check(120115, 120105), Reason::kResidenceOutside);
  EXPECT_EQ(check(120115, kCityDivision), std::nullopt);
  EXPECT_EQ(check(131081, kCityDivision), Reason::kResidenceOutside);
}

TEST(EligibilityTest, TheMonthOfDeathIsPaidAndTheNextOneIsNot) {
  EXPECT_EQ(Alive(0, CivilDay(2026, 3, 1), Period::Month(2026, 3)), std::nullopt);
  EXPECT_EQ(Alive(0, CivilDay(2026, 2, 28), Period::Month(2026, 3)), Reason::kPersonDeceased);
  EXPECT_EQ(Alive(0, CivilDay(2026, 2, 1), Period::Quarter(2026, 1)), std::nullopt);
  EXPECT_EQ(Alive(0, CivilDay(2025, 12, 31), Period::Year(2026)), Reason::kPersonDeceased);
}

TEST(EligibilityTest, GraceMonthsFollowTheMonthOfDeath) {
  // 军人抚恤优待条例 (2024): six more months to the survivors' family, twelve after a disabled
  // ex-soldier.
  EXPECT_EQ(Alive(6, CivilDay(2025, 9, 30), Period::Month(2026, 3)), std::nullopt);
  EXPECT_EQ(Alive(6, CivilDay(2025, 9, 1), Period::Month(2026, 4)), Reason::kPersonDeceased);
  EXPECT_EQ(Alive(12, CivilDay(2025, 3, 1), Period::Month(2026, 3)), std::nullopt);
  EXPECT_EQ(Alive(12, CivilDay(2025, 2, 28), Period::Month(2026, 3)), Reason::kPersonDeceased);
}

TEST(EligibilityTest, OnceInALifeEndsWithTheDeath) {
  EXPECT_EQ(Alive(0, kToday, Period::Life()), Reason::kPersonDeceased);
  EXPECT_EQ(Alive(0, CivilDay(2026, 3, 1), Period::Life()), Reason::kPersonDeceased);
  EXPECT_EQ(Alive(1, CivilDay(2026, 2, 1), Period::Life()), std::nullopt);
  EXPECT_EQ(Alive(1, CivilDay(2026, 1, 31), Period::Life()), Reason::kPersonDeceased);
}

TEST(EligibilityTest, WhoeverDiesBeforeSendingIsNotPaidUnlessAGraceRuns) {
  Eligibility rule;
  const Period march = Period::Month(2026, 3);
  const auto check = [&](std::optional<CivilDay> died, const Period& period) {
    return status::ReasonOf(CheckAliveAtSending(rule, died, period, kToday));
  };
  EXPECT_EQ(check(std::nullopt, march), std::nullopt);
  EXPECT_EQ(check(CivilDay(2026, 3, 19), march), Reason::kPersonDeceased);
  EXPECT_EQ(check(CivilDay(2026, 3, 21), march),
            std::nullopt);  // not yet, on the business calendar
  rule.death_grace_months = 6;
  EXPECT_EQ(check(CivilDay(2026, 3, 19), march), std::nullopt);
  EXPECT_EQ(check(CivilDay(2025, 8, 31), march), Reason::kPersonDeceased);
}

TEST(EligibilityTest, AllChecksReportTheDeathFirst) {
  Eligibility rule{.min_age = 60, .residence = ResidenceRule::kCity};
  Person person{.born_on = CivilDay(2000, 1, 1), .died_on = CivilDay(2020, 1, 1), .district = 0};
  const auto check = [&] {
    return status::ReasonOf(CheckEligible(rule, person, Period::Month(2026, 3), 120105, kToday));
  };
  EXPECT_EQ(check(), Reason::kPersonDeceased);
  person.died_on.reset();
  EXPECT_EQ(check(), Reason::kAgeOutOfRange);
  person.born_on = CivilDay(1950, 1, 1);
  EXPECT_EQ(check(), Reason::kResidenceOutside);
  person.district = 120119;
  EXPECT_EQ(check(), std::nullopt);
}

TEST(EligibilityTest, ARefusalNamesTheLastMonthThatIsPaid) {
  Eligibility rule;
  rule.death_grace_months = 6;
  const absl::Status refused =
      CheckAlive(rule, CivilDay(2025, 8, 5), Period::Month(2026, 3), kToday);
  EXPECT_EQ(status::MetadataOf(refused)["last_payable_month"], "2026-02");
}

}  // namespace
}  // namespace yikatong::policy
