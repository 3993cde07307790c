#include "common/calendar/calendar.h"

#include <gtest/gtest.h>

#include <random>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::calendar {
namespace {

using absl::CivilDay;
using status::Reason;

CivilDay Day(std::string_view text) { return *base::ParseDate(text); }

class CalendarTest : public testing::Test {
 protected:
  bool Works(std::string_view day) const { return *calendar_.IsWorkingDay(Day(day)); }

  const Calendar calendar_ = Calendar::BuiltIn();
};

TEST_F(CalendarTest, TheBuiltInYearsNameTheirNotices) {
  EXPECT_EQ(calendar_.Years(), (std::vector<int>{2021, 2022, 2023, 2024, 2025, 2026}));
  EXPECT_EQ(calendar_.Notice(2026), "国办发明电〔2025〕7号");
  EXPECT_EQ(calendar_.Notice(2030), "");
}

TEST_F(CalendarTest, HolidaysAreOffAndShiftedWeekendsAreWorked) {
  // Spring Festival 2026: February 15 to 23, worked on Saturdays 14 and 28.
  EXPECT_TRUE(Works("2026-02-13"));
  EXPECT_TRUE(Works("2026-02-14"));
  for (CivilDay day = Day("2026-02-15"); day <= Day("2026-02-23"); ++day) {
    EXPECT_FALSE(*calendar_.IsWorkingDay(day)) << day;
  }
  EXPECT_TRUE(Works("2026-02-24"));
  EXPECT_TRUE(Works("2026-02-28"));
  EXPECT_FALSE(Works("2026-03-01"));
  EXPECT_TRUE(Works("2026-01-04"));
  EXPECT_FALSE(Works("2026-01-02"));
  EXPECT_TRUE(Works("2026-09-20"));
  EXPECT_TRUE(Works("2026-10-10"));
  EXPECT_FALSE(Works("2026-10-11"));
  EXPECT_TRUE(Works("2023-06-25"));
  EXPECT_FALSE(Works("2023-10-06"));
}

TEST_F(CalendarTest, AnOrdinaryWeekGoesByTheWeek) {
  EXPECT_TRUE(Works("2026-03-02"));
  EXPECT_TRUE(Works("2026-03-06"));
  EXPECT_FALSE(Works("2026-03-07"));
  EXPECT_FALSE(Works("2026-03-08"));
}

TEST_F(CalendarTest, EveryYearHasTheLegalHolidaysAndAPlausibleNumberOfWorkingDays) {
  // 11 legal holidays until 2024, 13 from 2025; 365 days less 104 or so of weekends less those.
  for (const int year : calendar_.Years()) {
    const int count = *calendar_.WorkingDaysBetween(CivilDay(year, 1, 1), CivilDay(year, 12, 31)) +
                      (*calendar_.IsWorkingDay(CivilDay(year, 1, 1)) ? 1 : 0);
    EXPECT_GE(count, 247) << year;
    EXPECT_LE(count, 252) << year;
    EXPECT_FALSE(*calendar_.IsWorkingDay(CivilDay(year, 1, 1))) << year;
    EXPECT_FALSE(*calendar_.IsWorkingDay(CivilDay(year, 5, 1))) << year;
    for (int day = 1; day <= 3; ++day)
      EXPECT_FALSE(*calendar_.IsWorkingDay(CivilDay(year, 10, day))) << year;
  }
}

TEST_F(CalendarTest, AShiftBringsAsManyWorkedWeekendDaysAsFreeWeekdaysBeyondTheLegalHolidays) {
  for (const int year : calendar_.Years()) {
    int worked_weekends = 0;
    int free_weekdays = 0;
    for (CivilDay day(year, 1, 1); day < CivilDay(year + 1, 1, 1); ++day) {
      const absl::Weekday weekday = absl::GetWeekday(day);
      const bool weekend = weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
      const bool works = *calendar_.IsWorkingDay(day);
      worked_weekends += weekend && works ? 1 : 0;
      free_weekdays += !weekend && !works ? 1 : 0;
    }
    // Each legal holiday takes one weekday away for good, those on a weekend by the exchange of a
    // weekday.
    const int legal = year <= 2024 ? 11 : 13;
    EXPECT_LE(free_weekdays - worked_weekends, legal) << year;
    EXPECT_GE(free_weekdays - worked_weekends, legal - 2) << year;
  }
}

TEST_F(CalendarTest, ATimeLimitCountsFromTheNextDay) {
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-03-02"), 0), Day("2026-03-02"));
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-03-02"), 1), Day("2026-03-03"));
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-03-02"), 5), Day("2026-03-09"));
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-03-07"), 1), Day("2026-03-09"));
  // Over the Spring Festival with its two worked Saturdays.
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-02-12"), 3), Day("2026-02-24"));
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-02-12"), 7), Day("2026-02-28"));
  // Over the new year.
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2025-12-31"), 1), Day("2026-01-04"));
}

TEST_F(CalendarTest, CalendarDaysCountEveryDay) {
  EXPECT_EQ(AddCalendarDays(Day("2026-02-12"), 10), Day("2026-02-22"));
  EXPECT_EQ(AddCalendarDays(Day("2030-12-31"), 1), Day("2031-01-01"));
}

TEST_F(CalendarTest, TheNextWorkingDayIsTheDayItselfOrTheFirstAfterTheHoliday) {
  EXPECT_EQ(*calendar_.WorkingDayFrom(Day("2026-10-08")), Day("2026-10-08"));
  EXPECT_EQ(*calendar_.WorkingDayFrom(Day("2026-10-01")), Day("2026-10-08"));
  EXPECT_EQ(*calendar_.WorkingDayFrom(Day("2026-01-03")), Day("2026-01-04"));
}

TEST_F(CalendarTest, AYearWithoutItsNoticeIsAnErrorAndNeverAGuess) {
  for (const char* day : {"2020-12-31", "2027-01-01", "2027-03-02"}) {
    const absl::Status status = calendar_.IsWorkingDay(Day(day)).status();
    EXPECT_EQ(status::ReasonOf(status), Reason::kCalendarYearUnknown) << day;
    EXPECT_EQ(status::MetadataOf(status).at("year"), std::string(day).substr(0, 4));
  }
  EXPECT_EQ(status::ReasonOf(calendar_.AddWorkingDays(Day("2026-12-30"), 5).status()),
            Reason::kCalendarYearUnknown);
  EXPECT_EQ(
      status::ReasonOf(calendar_.WorkingDaysBetween(Day("2020-12-01"), Day("2021-01-08")).status()),
      Reason::kCalendarYearUnknown);
  EXPECT_EQ(*calendar_.AddWorkingDays(Day("2026-12-30"), 1), Day("2026-12-31"));
}

TEST_F(CalendarTest, ANegativeOrBoundlessLimitIsRefused) {
  EXPECT_EQ(status::ReasonOf(calendar_.AddWorkingDays(Day("2026-01-05"), -1).status()),
            Reason::kFieldInvalid);
  EXPECT_EQ(status::ReasonOf(calendar_.AddWorkingDays(Day("2026-01-05"), 1'000'000).status()),
            Reason::kFieldInvalid);
  EXPECT_EQ(status::ReasonOf(
                calendar_.WorkingDaysBetween(CivilDay(1800, 1, 1), CivilDay(2199, 1, 1)).status()),
            Reason::kFieldInvalid);
  EXPECT_EQ(*calendar_.WorkingDaysBetween(Day("2026-03-05"), Day("2026-03-02")), 0);
}

TEST_F(CalendarTest, AddingAndCountingWorkingDaysAgree) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const CivilDay from = CivilDay(2021, 1, 1) + static_cast<int>(random() % 1800);
    const int days = 1 + static_cast<int>(random() % 120);
    const CivilDay to = *calendar_.AddWorkingDays(from, days);
    ASSERT_TRUE(*calendar_.IsWorkingDay(to));
    ASSERT_EQ(*calendar_.WorkingDaysBetween(from, to), days);
    ASSERT_EQ(*calendar_.WorkingDaysBetween(from, to - 1), days - 1);
  }
}

TEST_F(CalendarTest, AnInstallationCanAddAYear) {
  const absl::StatusOr<Calendar> next = Calendar::Parse(
      "# made up\nyear 2027 试〔2026〕1号\noff 2027-01-01 2027-01-02 元旦\nwork 2027-01-03\n");
  ASSERT_TRUE(next.ok()) << next.status();
  const Calendar both = calendar_.With(*next);
  EXPECT_EQ(*both.AddWorkingDays(Day("2026-12-31"), 1), Day("2027-01-03"));
  EXPECT_EQ(both.Years().size(), 7u);
  EXPECT_FALSE(calendar_.IsWorkingDay(Day("2027-01-03")).ok());
}

TEST_F(CalendarTest, FaultyNoticesAreRefusedWithTheirLine) {
  for (const char* text :
       {"off 2026-01-01 2026-01-02 x\n", "year 2026\n", "year 26 n\n", "year 2026 n\nyear 2026 n\n",
        "year 2026 n\noff 2026-01-02 2026-01-01 x\n", "year 2026 n\noff 2026-01-01 2026-01-02\n",
        "year 2026 n\noff 2025-12-31 2026-01-02 x\n", "year 2026 n\nwork 2026-01-05\n",
        "year 2026 n\nwork 2026-01-04 x\n", "year 2026 n\noff 2026-02-30 2026-03-01 x\n",
        "year 2026 n\nholiday 2026-01-01\n",
        "year 2026 n\noff 2026-01-01 2026-01-04 x\nwork 2026-01-04\n"}) {
    const absl::Status status = Calendar::Parse(text).status();
    EXPECT_EQ(status::ReasonOf(status), Reason::kConfigInvalid) << text;
    EXPECT_NE(std::string(status.message()).find("line "), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace yikatong::calendar
