#include "common/base/clock.h"

#include <chrono>

#include "absl/time/clock.h"
#include "common/base/failpoint.h"

namespace yikatong::base {

absl::Time SystemClock::Now() const {
  const std::int64_t shift_s = failpoint::ClockShiftSeconds();
  return shift_s == 0 ? absl::Now() : absl::Now() + absl::Seconds(shift_s);
}

std::int64_t SystemClock::MonotonicMillis() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

absl::Time ManualClock::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::int64_t ManualClock::MonotonicMillis() const {
  const std::lock_guard lock(mutex_);
  return monotonic_ms_;
}

void ManualClock::Advance(absl::Duration step) {
  const std::lock_guard lock(mutex_);
  now_ += step;
  monotonic_ms_ += absl::ToInt64Milliseconds(step);
}

void ManualClock::JumpWallClock(absl::Duration step) {
  const std::lock_guard lock(mutex_);
  now_ += step;
}

absl::TimeZone BeijingTime() { return absl::FixedTimeZone(8 * 60 * 60); }

absl::CivilDay BeijingDate(absl::Time time) { return absl::ToCivilDay(time, BeijingTime()); }

absl::Time BeijingStartOf(absl::CivilDay day) { return absl::FromCivil(day, BeijingTime()); }

absl::CivilDay ManualBusinessClock::Today() const {
  const std::lock_guard lock(mutex_);
  return today_;
}

void ManualBusinessClock::MoveTo(absl::CivilDay day) {
  const std::lock_guard lock(mutex_);
  if (day > today_) today_ = day;
}

}  // namespace yikatong::base
