// Working days (工作日) in China: the week, the public holidays, and the Saturdays and Sundays that
// are worked in exchange for longer holidays (调休). Which days these are is announced year by
// year; a year without its notice is unknown and never guessed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

namespace yikatong::calendar {

// Calendar days (自然日): weekends and holidays count.
inline absl::CivilDay AddCalendarDays(absl::CivilDay from, int days) { return from + days; }

// Immutable after it is made; thread safe. Every question answers CALENDAR_YEAR_UNKNOWN, with the
// year in the metadata, where the answer would need a year that has no notice here.
class Calendar {
 public:
  // The notices that are built in (state_council_holidays.txt).
  static Calendar BuiltIn();

  // Reads notices in the form of state_council_holidays.txt. CONFIG_INVALID with the line of the
  // first fault.
  static absl::StatusOr<Calendar> Parse(std::string_view text);

  // These notices, and those of `newer` in place of or beside them: how an installation adds a year
  // without a new build.
  Calendar With(const Calendar& newer) const;

  absl::StatusOr<bool> IsWorkingDay(absl::CivilDay day) const;

  // The first working day on or after `day`.
  absl::StatusOr<absl::CivilDay> WorkingDayFrom(absl::CivilDay day) const;

  // The working day that ends a time limit of `days` working days that begins on `from`: the day
  // after `from` is the first that counts. 0 gives `from` itself. `days` must not be negative
  // (FIELD_INVALID).
  absl::StatusOr<absl::CivilDay> AddWorkingDays(absl::CivilDay from, int days) const;

  // How many working days are after `from` and not after `to`; 0 where `to` is not after `from`.
  absl::StatusOr<int> WorkingDaysBetween(absl::CivilDay from, absl::CivilDay to) const;

  // The years that are known, ascending, and the notice of one (empty for an unknown year).
  std::vector<int> Years() const;
  std::string Notice(int year) const;

 private:
  struct Year {
    std::string notice;
    // Days that are not what the week makes of them: true for worked weekends, false for holidays.
    std::map<absl::CivilDay, bool> exceptions;
  };

  std::map<int, Year> years_;
};

}  // namespace yikatong::calendar
