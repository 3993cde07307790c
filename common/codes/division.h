// Codes of divisions: GB/T 2260 for province, city and district (6 digits), and the 12-digit
// statistical code (统计用区划代码) for towns and villages below. There is no check digit: only the
// list of the catalogue proves that a town or village exists. What can be told from the code alone,
// and the 16 districts of Tianjin, is here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace yikatong::codes {

enum class DivisionLevel { kProvince, kCity, kDistrict, kTown, kVillage };

// What the segments say of the kind of a town or village; kNone above them.
enum class DivisionKind {
  kNone,
  kStreet,              // 街道, town 001–099
  kTown,                // 镇, 100–199
  kTownship,            // 乡, 200–399
  kTownUnit,            // development zones and farms, 400–599
  kResidentsCommittee,  // 居委会, village 001–199
  kVillagersCommittee,  // 村委会, 200–399
  kVillageUnit,         // units like a committee or village, 400–599
};

// The whole city or province of Tianjin; a payer of city level has it for a district.
inline constexpr int kTianjin = 120000;

// A value type of 16 bytes.
class Division {
 public:
  DivisionLevel level() const { return level_; }
  DivisionKind kind() const { return kind_; }

  // All 12 digits as a number; the tail is zeros above the village.
  std::int64_t number() const { return number_; }
  // The 6 digits: 120105.
  int district() const { return static_cast<int>(number_ / 1'000'000); }
  std::string Text() const;  // 12 digits

  // The town of a village, the district of a town, … ; a province is its own parent.
  Division Parent() const;
  // Whether this is `other` or lies in it.
  bool IsWithin(const Division& other) const;

  friend bool operator==(const Division& a, const Division& b) { return a.number_ == b.number_; }

 private:
  friend absl::StatusOr<Division> ParseDivision(std::string_view text);
  friend class DivisionReader;
  std::int64_t number_ = 0;
  DivisionLevel level_ = DivisionLevel::kProvince;
  DivisionKind kind_ = DivisionKind::kNone;
};

// Reads 6, 9 or 12 digits. DIVISION_CODE_INVALID for another form (also a village in no town),
// DIVISION_UNKNOWN for a province that does not exist, for a district that Tianjin does not have
// today, and for segments that no town or village has.
absl::StatusOr<Division> ParseDivision(std::string_view text);

struct District {
  int code;
  std::string_view name;
};

// The 16 districts of Tianjin, by code.
std::span<const District> TianjinDistricts();
// Empty for a code that is none of them.
std::string_view TianjinDistrictName(int code);

// What is known of the area in an ID number. Only a hint: an ID number stays valid when its area is
// abolished.
enum class AreaStanding {
  kCurrent,    // a district of Tianjin today
  kHistoric,   // was a district or county of Tianjin
  kUnknown,    // begins with 12 and never was one
  kElsewhere,  // another province, whose list we do not have
};
AreaStanding StandingOfArea(int area);

// The present district in which an abolished area of Tianjin lies (120225 -> 120119); `area` itself
// for any other.
int SuccessorOfArea(int area);

}  // namespace yikatong::codes
