// Time as a parameter. Nothing in the tree asks the system for the time on its own: whoever needs
// it takes a `Clock` (real time: leases, tokens, deadlines) or a `BusinessClock` (business dates:
// periods, notices, ages).
#pragma once

#include <cstdint>
#include <mutex>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::base {

// Real time. Implementations are thread safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock. It may jump either way: never measure an interval with it.
  virtual absl::Time Now() const = 0;

  // Milliseconds from an unknown start. It never goes back; leases and deadlines are measured with
  // it.
  virtual std::int64_t MonotonicMillis() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  std::int64_t MonotonicMillis() const override;
};

// A clock that stands still until a test moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time now) : now_(now) {}

  absl::Time Now() const override;
  std::int64_t MonotonicMillis() const override;

  // Both clocks go on by `step`, as when time passes. `step` must not be negative.
  void Advance(absl::Duration step);

  // Only the wall clock moves, either way, as when somebody sets it.
  void JumpWallClock(absl::Duration step);

 private:
  mutable std::mutex mutex_;
  absl::Time now_;
  std::int64_t monotonic_ms_ = 1'000'000;
};

// Beijing time: UTC+8 all year, no daylight saving.
absl::TimeZone BeijingTime();

// The date in Beijing at `time`.
absl::CivilDay BeijingDate(absl::Time time);

// The first instant of `day` in Beijing.
absl::Time BeijingStartOf(absl::CivilDay day);

// The date that business rules go by. It never goes back within one process. Implementations are
// thread safe.
class BusinessClock {
 public:
  virtual ~BusinessClock() = default;
  virtual absl::CivilDay Today() const = 0;
};

// The business date of a production system: today in Beijing.
class BeijingBusinessClock final : public BusinessClock {
 public:
  // `clock` must outlive this object.
  explicit BeijingBusinessClock(const Clock& clock) : clock_(clock) {}
  absl::CivilDay Today() const override { return BeijingDate(clock_.Now()); }

 private:
  const Clock& clock_;
};

// A business date that a test, or a poller of the clock's owner, sets.
class ManualBusinessClock final : public BusinessClock {
 public:
  explicit ManualBusinessClock(absl::CivilDay today) : today_(today) {}

  absl::CivilDay Today() const override;

  // Moves to `day`; an earlier day than the present one changes nothing.
  void MoveTo(absl::CivilDay day);
  void AdvanceDays(int days) { MoveTo(Today() + days); }

 private:
  mutable std::mutex mutex_;
  absl::CivilDay today_;
};

}  // namespace yikatong::base
