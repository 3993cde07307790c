// What the two halves of the bank share: how days, serial numbers and files are named.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "common/base/dates.h"

namespace yikatong::banksim {

// Days are kept as numbers from here on.
inline constexpr absl::CivilDay kDayZero(2000, 1, 1);
// The code of money that came back (退票).
inline constexpr int kReturned = 3056;

inline std::uint16_t DayNumber(absl::CivilDay day) {
  return static_cast<std::uint16_t>(day - kDayZero);
}

inline std::string DayText(std::uint16_t day) { return base::FormatDate(kDayZero + day); }

inline std::string Serial(char kind, std::uint32_t row) {
  char text[24];
  std::snprintf(text, sizeof text, "%c%012u", kind, row + 1);
  return text;
}

inline std::string FileKey(std::string_view caller, std::string_view file_id) {
  return std::string(caller) + "|" + std::string(file_id);
}

}  // namespace yikatong::banksim
