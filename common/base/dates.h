// Dates as text, ages and month arithmetic. Dates are `absl::CivilDay`, always in Beijing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::base {

// The day of year, month and day, or nothing where the calendar has no such day or the year is
// outside 1800–2199.
std::optional<absl::CivilDay> MakeDate(int year, int month, int day);

// Reads exactly `YYYY-MM-DD`.
std::optional<absl::CivilDay> ParseDate(std::string_view text);

// Reads exactly `YYYYMMDD`, as it stands in ID numbers and bank files.
std::optional<absl::CivilDay> ParseCompactDate(std::string_view text);

std::string FormatDate(absl::CivilDay day);         // 2026-03-01
std::string FormatCompactDate(absl::CivilDay day);  // 20260301

// An instant as RFC 3339 with milliseconds, in UTC: 2026-03-01T00:00:00.000Z.
std::string FormatTimestamp(absl::Time time);
// Reads RFC 3339 with any offset.
std::optional<absl::Time> ParseTimestamp(std::string_view text);

// Full years of age on `date`; negative before birth.
//
// A person becomes a year older at the start of the birthday. Who was born on February 29 becomes
// older on March 1 in a common year: a full year has passed only then, and it is never to the
// disadvantage of an upper age bound to wait one day. The choice is ours; national practice knows
// both.
int AgeAt(absl::CivilDay birth, absl::CivilDay date);

// The same day `months` later (earlier, if negative); a day that the month lacks becomes its last
// one.
absl::CivilDay AddMonths(absl::CivilDay day, int months);

// The last day of the month that `day` is in.
absl::CivilDay LastOfMonth(absl::CivilDay day);

}  // namespace yikatong::base
