#include "common/base/dates.h"

#include <gtest/gtest.h>

namespace yikatong::base {
namespace {

using absl::CivilDay;

TEST(DatesTest, ADateIsReadAndWrittenInOneForm) {
  EXPECT_EQ(ParseDate("2026-03-01"), CivilDay(2026, 3, 1));
  EXPECT_EQ(ParseDate("2024-02-29"), CivilDay(2024, 2, 29));
  EXPECT_EQ(ParseCompactDate("19850615"), CivilDay(1985, 6, 15));
  EXPECT_EQ(FormatDate(CivilDay(2026, 3, 1)), "2026-03-01");
  EXPECT_EQ(FormatCompactDate(CivilDay(1985, 6, 15)), "19850615");
}

TEST(DatesTest, WhatIsNoDateIsRefused) {
  for (const char* text :
       {"", "2026-3-1", "2026/03/01", "2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10",
        "2026-01-00", "2026-01-32", "26-01-01", "2026-01-01 ", " 2026-01-01", "2026-01-0a",
        "2026--1-01", "+026-01-01", "1799-12-31", "2200-01-01", "２026-01-01"}) {
    EXPECT_EQ(ParseDate(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseCompactDate("20260230"), std::nullopt);
  EXPECT_EQ(ParseCompactDate("2026010"), std::nullopt);
}

TEST(DatesTest, EveryDayOfFourYearsComesBackFromItsText) {
  for (CivilDay day(2023, 1, 1); day < CivilDay(2027, 1, 1); ++day) {
    ASSERT_EQ(ParseDate(FormatDate(day)), day);
    ASSERT_EQ(ParseCompactDate(FormatCompactDate(day)), day);
  }
}

TEST(DatesTest, APersonBecomesOlderOnTheBirthday) {
  EXPECT_EQ(AgeAt(CivilDay(1960, 6, 15), CivilDay(2020, 6, 14)), 59);
  EXPECT_EQ(AgeAt(CivilDay(1960, 6, 15), CivilDay(2020, 6, 15)), 60);
  EXPECT_EQ(AgeAt(CivilDay(2020, 6, 15), CivilDay(2020, 6, 15)), 0);
  EXPECT_EQ(AgeAt(CivilDay(2020, 6, 15), CivilDay(2020, 6, 14)), -1);
}

TEST(DatesTest, WhoWasBornOnTheLeapDayBecomesOlderOnTheFirstOfMarchInACommonYear) {
  const CivilDay birth(1964, 2, 29);
  EXPECT_EQ(AgeAt(birth, CivilDay(2026, 2, 28)), 61);
  EXPECT_EQ(AgeAt(birth, CivilDay(2026, 3, 1)), 62);
  EXPECT_EQ(AgeAt(birth, CivilDay(2024, 2, 28)), 59);
  EXPECT_EQ(AgeAt(birth, CivilDay(2024, 2, 29)), 60);
  EXPECT_EQ(AgeAt(birth, CivilDay(2100, 3, 1)), 136);
}

TEST(DatesTest, MonthsAreAddedWithoutLeavingTheMonth) {
  EXPECT_EQ(AddMonths(CivilDay(2026, 1, 31), 1), CivilDay(2026, 2, 28));
  EXPECT_EQ(AddMonths(CivilDay(2024, 1, 31), 1), CivilDay(2024, 2, 29));
  EXPECT_EQ(AddMonths(CivilDay(2026, 11, 15), 6), CivilDay(2027, 5, 15));
  EXPECT_EQ(AddMonths(CivilDay(2026, 3, 31), -1), CivilDay(2026, 2, 28));
  EXPECT_EQ(LastOfMonth(CivilDay(2026, 12, 3)), CivilDay(2026, 12, 31));
}

TEST(DatesTest, AnInstantIsWrittenInUtcWithMilliseconds) {
  const absl::Time time =
      absl::FromCivil(CivilDay(2026, 3, 1), absl::UTCTimeZone()) + absl::Milliseconds(7);
  EXPECT_EQ(FormatTimestamp(time), "2026-03-01T00:00:00.007Z");
  EXPECT_EQ(ParseTimestamp("2026-03-01T08:00:00.007+08:00"), time);
  EXPECT_EQ(ParseTimestamp("yesterday"), std::nullopt);
}

}  // namespace
}  // namespace yikatong::base
