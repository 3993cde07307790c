#include "common/base/period.h"

#include <cstdio>

namespace yikatong::base {
namespace {

constexpr int kFirstYear = 1949;
constexpr int kLastYear = 2199;

std::string MonthSlot(int year, int month) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%04d-%02d", year, month);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

std::string_view SlotUnitName(SlotUnit unit) {
  switch (unit) {
    case SlotUnit::kMonth:
      return "MONTH";
    case SlotUnit::kYear:
      return "YEAR";
    case SlotUnit::kLife:
      break;
  }
  return "LIFE";
}

std::optional<SlotUnit> ParseSlotUnit(std::string_view text) {
  for (const SlotUnit unit : {SlotUnit::kMonth, SlotUnit::kYear, SlotUnit::kLife}) {
    if (SlotUnitName(unit) == text) return unit;
  }
  return std::nullopt;
}

std::optional<Period> Period::Parse(std::string_view text) {
  if (text == "LIFE") return Life();
  if (text.size() != 4 && text.size() != 7) return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  int year = 0;
  for (const char c : text.substr(0, 4)) {
    if (!is_digit(c)) return std::nullopt;
    year = year * 10 + (c - '0');
  }
  if (year < kFirstYear || year > kLastYear) return std::nullopt;
  if (text.size() == 4) return Year(year);
  if (text[4] != '-' || !is_digit(text[6])) return std::nullopt;
  const int last = text[6] - '0';
  if (text[5] == 'Q') {
    if (last < 1 || last > 4) return std::nullopt;
    return Quarter(year, last);
  }
  if (!is_digit(text[5])) return std::nullopt;
  const int month = (text[5] - '0') * 10 + last;
  if (month < 1 || month > 12) return std::nullopt;
  return Month(year, month);
}

std::string Period::Text() const {
  switch (kind_) {
    case Kind::kYear:
      return std::to_string(year_);
    case Kind::kQuarter:
      return std::to_string(year_) + "-Q" + std::to_string(number_);
    case Kind::kMonth:
      return MonthSlot(year_, number_);
    case Kind::kLife:
      break;
  }
  return "LIFE";
}

int Period::FirstMonth() const {
  switch (kind_) {
    case Kind::kQuarter:
      return (number_ - 1) * 3 + 1;
    case Kind::kMonth:
      return number_;
    case Kind::kYear:
    case Kind::kLife:
      break;
  }
  return 1;
}

int Period::Months() const {
  switch (kind_) {
    case Kind::kYear:
      return 12;
    case Kind::kQuarter:
      return 3;
    case Kind::kMonth:
      return 1;
    case Kind::kLife:
      break;
  }
  return 0;
}

std::optional<absl::CivilDay> Period::FirstDay() const {
  if (kind_ == Kind::kLife) return std::nullopt;
  return absl::CivilDay(year_, FirstMonth(), 1);
}

std::optional<absl::CivilDay> Period::LastDay() const {
  if (kind_ == Kind::kLife) return std::nullopt;
  return absl::CivilDay(absl::CivilMonth(year_, FirstMonth()) + Months()) - 1;
}

bool Period::Contains(absl::CivilDay day) const {
  if (kind_ == Kind::kLife) return true;
  return *FirstDay() <= day && day <= *LastDay();
}

std::optional<Period> Period::Previous() const {
  switch (kind_) {
    case Kind::kYear:
      return Year(year_ - 1);
    case Kind::kQuarter:
      return number_ > 1 ? Quarter(year_, number_ - 1) : Quarter(year_ - 1, 4);
    case Kind::kMonth:
      return number_ > 1 ? Month(year_, number_ - 1) : Month(year_ - 1, 12);
    case Kind::kLife:
      break;
  }
  return std::nullopt;
}

std::optional<Period> Period::Next() const {
  switch (kind_) {
    case Kind::kYear:
      return Year(year_ + 1);
    case Kind::kQuarter:
      return number_ < 4 ? Quarter(year_, number_ + 1) : Quarter(year_ + 1, 1);
    case Kind::kMonth:
      return number_ < 12 ? Month(year_, number_ + 1) : Month(year_ + 1, 1);
    case Kind::kLife:
      break;
  }
  return std::nullopt;
}

std::vector<std::string> Period::Slots(SlotUnit unit) const {
  if (unit == SlotUnit::kLife || kind_ == Kind::kLife) return {"LIFE"};
  if (unit == SlotUnit::kYear) return {std::to_string(year_)};
  std::vector<std::string> slots;
  slots.reserve(static_cast<std::size_t>(Months()));
  for (int i = 0; i < Months(); ++i) slots.push_back(MonthSlot(year_, FirstMonth() + i));
  return slots;
}

SlotUnit Period::NaturalUnit() const {
  switch (kind_) {
    case Kind::kYear:
      return SlotUnit::kYear;
    case Kind::kQuarter:
    case Kind::kMonth:
      return SlotUnit::kMonth;
    case Kind::kLife:
      break;
  }
  return SlotUnit::kLife;
}

}  // namespace yikatong::base
