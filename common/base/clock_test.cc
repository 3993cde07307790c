#include "common/base/clock.h"

#include <gtest/gtest.h>

namespace yikatong::base {
namespace {

TEST(ClockTest, TheDateInBeijingChangesAtSixteenHoursUtc) {
  const absl::Time before =
      absl::FromCivil(absl::CivilSecond(2026, 2, 28, 15, 59, 59), absl::UTCTimeZone());
  EXPECT_EQ(BeijingDate(before), absl::CivilDay(2026, 2, 28));
  EXPECT_EQ(BeijingDate(before + absl::Seconds(1)), absl::CivilDay(2026, 3, 1));
  EXPECT_EQ(BeijingStartOf(absl::CivilDay(2026, 3, 1)), before + absl::Seconds(1));
}

TEST(ClockTest, BeijingHasNoDaylightSaving) {
  // The zone database knows daylight saving in China from 1986 to 1991; dates of the rules do not.
  const absl::Time summer =
      absl::FromCivil(absl::CivilSecond(1988, 7, 1, 15, 30, 0), absl::UTCTimeZone());
  EXPECT_EQ(BeijingDate(summer), absl::CivilDay(1988, 7, 1));
}

TEST(ClockTest, AJumpOfTheWallClockLeavesTheMonotonicOneAlone) {
  ManualClock clock(absl::UnixEpoch());
  const std::int64_t start = clock.MonotonicMillis();
  clock.JumpWallClock(-absl::Hours(1));
  EXPECT_EQ(clock.MonotonicMillis(), start);
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() - absl::Hours(1));
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(clock.MonotonicMillis(), start + 2000);
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() - absl::Hours(1) + absl::Seconds(2));
}

TEST(ClockTest, TheSystemClockGoesForward) {
  const SystemClock clock;
  const std::int64_t first = clock.MonotonicMillis();
  EXPECT_LE(first, clock.MonotonicMillis());
  EXPECT_GT(clock.Now(), absl::FromCivil(absl::CivilDay(2024, 1, 1), absl::UTCTimeZone()));
}

TEST(ClockTest, ABusinessDateNeverGoesBack) {
  ManualBusinessClock business(absl::CivilDay(2026, 3, 1));
  business.AdvanceDays(7);
  EXPECT_EQ(business.Today(), absl::CivilDay(2026, 3, 8));
  business.MoveTo(absl::CivilDay(2026, 3, 2));
  EXPECT_EQ(business.Today(), absl::CivilDay(2026, 3, 8));
}

TEST(ClockTest, AProductionBusinessDateIsTodayInBeijing) {
  const ManualClock clock(
      absl::FromCivil(absl::CivilSecond(2026, 12, 31, 16, 0, 0), absl::UTCTimeZone()));
  EXPECT_EQ(BeijingBusinessClock(clock).Today(), absl::CivilDay(2027, 1, 1));
}

}  // namespace
}  // namespace yikatong::base
