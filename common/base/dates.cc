#include "common/base/dates.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/string_view.h"

namespace yikatong::base {
namespace {

constexpr int kFirstYear = 1800;
constexpr int kLastYear = 2199;

// The number that `text` spells in ASCII digits; -1 where it holds anything else.
int Digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<absl::CivilDay> MakeDate(int year, int month, int day) {
  if (year < kFirstYear || year > kLastYear || month < 1 || month > 12 || day < 1 || day > 31) {
    return std::nullopt;
  }
  const absl::CivilDay result(year, month, day);
  // CivilDay carries February 30 over into March; a date that comes back changed was none.
  if (result.month() != month || result.day() != day) return std::nullopt;
  return result;
}

std::optional<absl::CivilDay> ParseDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  return MakeDate(Digits(text.substr(0, 4)), Digits(text.substr(5, 2)), Digits(text.substr(8, 2)));
}

std::optional<absl::CivilDay> ParseCompactDate(std::string_view text) {
  if (text.size() != 8) return std::nullopt;
  return MakeDate(Digits(text.substr(0, 4)), Digits(text.substr(4, 2)), Digits(text.substr(6, 2)));
}

std::string FormatDate(absl::CivilDay day) {
  char buffer[32];
  const int size = std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02d",
                                 static_cast<int>(day.year()), day.month(), day.day());
  return std::string(buffer, static_cast<std::size_t>(size));
}

std::string FormatCompactDate(absl::CivilDay day) {
  char buffer[32];
  const int size = std::snprintf(buffer, sizeof buffer, "%04d%02d%02d",
                                 static_cast<int>(day.year()), day.month(), day.day());
  return std::string(buffer, static_cast<std::size_t>(size));
}

std::string FormatTimestamp(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::optional<absl::Time> ParseTimestamp(std::string_view text) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, absl::string_view(text.data(), text.size()), &time,
                       nullptr)) {
    return std::nullopt;
  }
  return time;
}

int AgeAt(absl::CivilDay birth, absl::CivilDay date) {
  const int years = static_cast<int>(date.year() - birth.year());
  const bool birthday_passed =
      date.month() > birth.month() || (date.month() == birth.month() && date.day() >= birth.day());
  return birthday_passed ? years : years - 1;
}

absl::CivilDay AddMonths(absl::CivilDay day, int months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return absl::CivilDay(month.year(), month.month(), std::min(day.day(), last.day()));
}

absl::CivilDay LastOfMonth(absl::CivilDay day) {
  return absl::CivilDay(absl::CivilMonth(day) + 1) - 1;
}

}  // namespace yikatong::base
