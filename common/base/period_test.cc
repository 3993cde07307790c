#include "common/base/period.h"

#include <gtest/gtest.h>

namespace yikatong::base {
namespace {

using absl::CivilDay;
using Slots = std::vector<std::string>;

Period P(std::string_view text) { return *Period::Parse(text); }

TEST(PeriodTest, EveryFormIsReadAndWrittenBack) {
  for (const char* text : {"2026", "2026-Q1", "2026-Q4", "2026-01", "2026-12", "LIFE"}) {
    ASSERT_TRUE(Period::Parse(text).has_value()) << text;
    EXPECT_EQ(P(text).Text(), text);
  }
}

TEST(PeriodTest, WhatIsNoPeriodIsRefused) {
  for (const char* text :
       {"", "26", "2026-", "2026-1", "2026-00", "2026-13", "2026-Q0", "2026-Q5", "2026-q1",
        "2026Q1", "life", "2026-Q", "1948", "2200", "2026-001", " 2026", "２026", "2026/03"}) {
    EXPECT_EQ(Period::Parse(text), std::nullopt) << text;
  }
}

TEST(PeriodTest, FirstAndLastDay) {
  EXPECT_EQ(P("2026").FirstDay(), CivilDay(2026, 1, 1));
  EXPECT_EQ(P("2026").LastDay(), CivilDay(2026, 12, 31));
  EXPECT_EQ(P("2026-Q2").FirstDay(), CivilDay(2026, 4, 1));
  EXPECT_EQ(P("2026-Q2").LastDay(), CivilDay(2026, 6, 30));
  EXPECT_EQ(P("2024-02").LastDay(), CivilDay(2024, 2, 29));
  EXPECT_EQ(P("LIFE").FirstDay(), std::nullopt);
  EXPECT_TRUE(P("2026-03").Contains(CivilDay(2026, 3, 31)));
  EXPECT_FALSE(P("2026-03").Contains(CivilDay(2026, 4, 1)));
  EXPECT_TRUE(P("LIFE").Contains(CivilDay(2026, 4, 1)));
}

TEST(PeriodTest, PreviousAndNextCrossTheYear) {
  EXPECT_EQ(P("2026-01").Previous(), P("2025-12"));
  EXPECT_EQ(P("2026-03").Previous(), P("2026-02"));
  EXPECT_EQ(P("2026-Q1").Previous(), P("2025-Q4"));
  EXPECT_EQ(P("2026").Previous(), P("2025"));
  EXPECT_EQ(P("LIFE").Previous(), std::nullopt);
  for (const char* text : {"2026", "2026-Q4", "2026-Q2", "2026-12", "2026-05"}) {
    EXPECT_EQ(P(text).Next()->Previous(), P(text));
    EXPECT_EQ(*P(text).LastDay() + 1, *P(text).Next()->FirstDay());
  }
}

TEST(PeriodTest, AQuarterHoldsThreeMonthSlots) {
  EXPECT_EQ(P("2026-Q1").Slots(SlotUnit::kMonth), (Slots{"2026-01", "2026-02", "2026-03"}));
  EXPECT_EQ(P("2026-Q4").Slots(SlotUnit::kMonth), (Slots{"2026-10", "2026-11", "2026-12"}));
  EXPECT_EQ(P("2026-03").Slots(SlotUnit::kMonth), (Slots{"2026-03"}));
  EXPECT_EQ(P("2026").Slots(SlotUnit::kMonth).size(), 12u);
}

TEST(PeriodTest, ACoarserUnitGivesOneSlot) {
  for (const char* text : {"2026", "2026-Q3", "2026-07"}) {
    EXPECT_EQ(P(text).Slots(SlotUnit::kYear), (Slots{"2026"}));
    EXPECT_EQ(P(text).Slots(SlotUnit::kLife), (Slots{"LIFE"}));
  }
  EXPECT_EQ(P("LIFE").Slots(SlotUnit::kLife), (Slots{"LIFE"}));
  EXPECT_EQ(P("LIFE").Slots(SlotUnit::kMonth), (Slots{"LIFE"}));
}

TEST(PeriodTest, AQuarterAndEachOfItsMonthsShareASlotAndOtherMonthsDoNot) {
  for (int quarter = 1; quarter <= 4; ++quarter) {
    const Slots slots = Period::Quarter(2026, quarter).Slots(SlotUnit::kMonth);
    for (int month = 1; month <= 12; ++month) {
      const std::string slot = Period::Month(2026, month).Slots(SlotUnit::kMonth).front();
      const bool shared = std::find(slots.begin(), slots.end(), slot) != slots.end();
      EXPECT_EQ(shared, (month - 1) / 3 + 1 == quarter);
    }
  }
}

TEST(PeriodTest, UnitsHaveNamesAndAnOrder) {
  for (const SlotUnit unit : {SlotUnit::kMonth, SlotUnit::kYear, SlotUnit::kLife}) {
    EXPECT_EQ(ParseSlotUnit(SlotUnitName(unit)), unit);
  }
  EXPECT_EQ(ParseSlotUnit("WEEK"), std::nullopt);
  EXPECT_EQ(Coarser(SlotUnit::kMonth, SlotUnit::kYear), SlotUnit::kYear);
  EXPECT_EQ(Coarser(SlotUnit::kLife, SlotUnit::kMonth), SlotUnit::kLife);
  EXPECT_EQ(P("2026-Q1").NaturalUnit(), SlotUnit::kMonth);
  EXPECT_EQ(P("2026").NaturalUnit(), SlotUnit::kYear);
  EXPECT_EQ(P("LIFE").NaturalUnit(), SlotUnit::kLife);
}

}  // namespace
}  // namespace yikatong::base
