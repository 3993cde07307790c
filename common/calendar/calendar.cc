#include "common/calendar/calendar.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::calendar {

// Made from state_council_holidays.txt.
extern const std::string_view kStateCouncilHolidays;

namespace {

using status::Reason;
using status::Refuse;

// No limit of the domain is longer; it bounds the loops below.
constexpr int kMaxDays = 4000;
constexpr int kMaxSpanDays = 3 * kMaxDays;

bool IsWeekend(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
}

std::string_view NextWord(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return word;
}

absl::Status Fault(int line, std::string_view what) {
  return Refuse(Reason::kConfigInvalid,
                "holidays, line " + std::to_string(line) + ": " + std::string(what));
}

absl::Status TooManyDays() { return Refuse(Reason::kFieldInvalid, "days", {{"field", "days"}}); }

}  // namespace

Calendar Calendar::BuiltIn() {
  absl::StatusOr<Calendar> parsed = Parse(kStateCouncilHolidays);
  if (!parsed.ok()) {
    // The text is part of this program and has a test.
    std::fprintf(stderr, "%s\n", std::string(parsed.status().message()).c_str());
    std::abort();
  }
  return *std::move(parsed);
}

absl::StatusOr<Calendar> Calendar::Parse(std::string_view text) {
  Calendar result;
  Year* year = nullptr;
  int year_number = 0;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    const std::string_view word = NextWord(line);
    if (word == "year") {
      const std::optional<absl::CivilDay> first =
          base::ParseDate(std::string(NextWord(line)) + "-01-01");
      if (!first || line.empty()) return Fault(number, "no year and notice");
      year_number = static_cast<int>(first->year());
      const auto [at, is_new] = result.years_.emplace(year_number, Year{std::string(line), {}});
      if (!is_new) return Fault(number, "the year stands here twice");
      year = &at->second;
      continue;
    }
    if (word != "off" && word != "work") return Fault(number, "neither year nor off nor work");
    const bool work = word == "work";
    const std::optional<absl::CivilDay> first = base::ParseDate(NextWord(line));
    const std::optional<absl::CivilDay> last = work ? first : base::ParseDate(NextWord(line));
    if (!first || !last || *last < *first || line.empty() != work) {
      return Fault(number, "no such days, or too few or too many words");
    }
    if (year == nullptr || first->year() != year_number || last->year() != year_number) {
      return Fault(number, "a day outside its year");
    }
    for (absl::CivilDay day = *first; day <= *last; ++day) {
      if (work && !IsWeekend(day)) return Fault(number, "this day is worked anyway");
      if (!year->exceptions.emplace(day, work).second)
        return Fault(number, "a day stands here twice");
    }
  }
  return result;
}

Calendar Calendar::With(const Calendar& newer) const {
  Calendar result = *this;
  for (const auto& [number, year] : newer.years_) result.years_.insert_or_assign(number, year);
  return result;
}

absl::StatusOr<bool> Calendar::IsWorkingDay(absl::CivilDay day) const {
  const auto year = years_.find(static_cast<int>(day.year()));
  if (year == years_.end()) {
    return Refuse(Reason::kCalendarYearUnknown, std::to_string(day.year()),
                  {{"year", std::to_string(day.year())}});
  }
  const auto exception = year->second.exceptions.find(day);
  if (exception != year->second.exceptions.end()) return exception->second;
  return !IsWeekend(day);
}

absl::StatusOr<absl::CivilDay> Calendar::WorkingDayFrom(absl::CivilDay day) const {
  for (;; ++day) {
    YKT_ASSIGN_OR_RETURN(const bool works, IsWorkingDay(day));
    if (works) return day;
  }
}

absl::StatusOr<absl::CivilDay> Calendar::AddWorkingDays(absl::CivilDay from, int days) const {
  if (days < 0 || days > kMaxDays) return TooManyDays();
  absl::CivilDay day = from;
  for (int left = days; left > 0; --left) {
    YKT_ASSIGN_OR_RETURN(day, WorkingDayFrom(day + 1));
  }
  return day;
}

absl::StatusOr<int> Calendar::WorkingDaysBetween(absl::CivilDay from, absl::CivilDay to) const {
  if (to - from > kMaxSpanDays) return TooManyDays();
  int count = 0;
  for (absl::CivilDay day = from + 1; day <= to; ++day) {
    YKT_ASSIGN_OR_RETURN(const bool works, IsWorkingDay(day));
    if (works) ++count;
  }
  return count;
}

std::vector<int> Calendar::Years() const {
  std::vector<int> result;
  for (const auto& [number, year] : years_) result.push_back(number);
  return result;
}

std::string Calendar::Notice(int year) const {
  const auto found = years_.find(year);
  return found == years_.end() ? std::string() : found->second.notice;
}

}  // namespace yikatong::calendar
