// What a payment is for: a year, a quarter, a month, or once in a life; and the slots that its
// claim occupies.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"

namespace yikatong::base {

// The unit in which a policy, or an exclusion edge between two policies, counts its claims. It
// belongs to the policy for ever. The order is from fine to coarse: an edge takes the coarser unit
// of its two policies.
enum class SlotUnit { kMonth = 0, kYear = 1, kLife = 2 };

inline SlotUnit Coarser(SlotUnit a, SlotUnit b) { return a < b ? b : a; }

std::string_view SlotUnitName(SlotUnit unit);  // MONTH, YEAR, LIFE
std::optional<SlotUnit> ParseSlotUnit(std::string_view text);

// A value type; cheap to copy.
class Period {
 public:
  enum class Kind { kYear, kQuarter, kMonth, kLife };

  // Reads `2026`, `2026-Q1`, `2026-03` or `LIFE`, exactly so. Years from 1949 to 2199.
  static std::optional<Period> Parse(std::string_view text);

  static Period Year(int year) { return Period(Kind::kYear, year, 1); }
  static Period Quarter(int year, int quarter) { return Period(Kind::kQuarter, year, quarter); }
  static Period Month(int year, int month) { return Period(Kind::kMonth, year, month); }
  static Period Life() { return Period(Kind::kLife, 0, 0); }

  Kind kind() const { return kind_; }
  // The calendar year; 0 for LIFE.
  int year() const { return year_; }
  // 1–4 for a quarter, 1–12 for a month, else 1 (0 for LIFE).
  int number() const { return number_; }

  std::string Text() const;

  // First and last day; none for LIFE, which has no end.
  std::optional<absl::CivilDay> FirstDay() const;
  std::optional<absl::CivilDay> LastDay() const;
  bool Contains(absl::CivilDay day) const;

  // The period of the same kind just before or after; none for LIFE.
  std::optional<Period> Previous() const;
  std::optional<Period> Next() const;

  // How many months it holds; 0 for LIFE.
  int Months() const;

  // The slots that a payment for this period occupies when claims are counted in `unit`, in
  // ascending order: a quarter in months "2026-01" "2026-02" "2026-03", any part of a year in years
  // "2026", anything in lives "LIFE". LIFE in a finer unit gives "LIFE".
  std::vector<std::string> Slots(SlotUnit unit) const;

  // The finest unit that keeps two different periods of this kind apart: a month for months and
  // quarters.
  SlotUnit NaturalUnit() const;

  friend bool operator==(const Period&, const Period&) = default;
  // By kind, then by time.
  friend auto operator<=>(const Period&, const Period&) = default;

 private:
  Period(Kind kind, int year, int number) : kind_(kind), year_(year), number_(number) {}
  int FirstMonth() const;

  Kind kind_;
  int year_;
  int number_;
};

}  // namespace yikatong::base
