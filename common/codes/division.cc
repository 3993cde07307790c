#include "common/codes/division.h"

#include <array>
#include <cstdio>
#include <optional>

#include "common/codes/id_number.h"
#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

constexpr std::array<District, 16> kDistricts = {{{120101, "和平区"},
                                                  {120102, "河东区"},
                                                  {120103, "河西区"},
                                                  {120104, "南开区"},
                                                  {120105, "河北区"},
                                                  {120106, "红桥区"},
                                                  {120110, "东丽区"},
                                                  {120111, "西青区"},
                                                  {120112, "津南区"},
                                                  {120113, "北辰区"},
                                                  {120114, "武清区"},
                                                  {120115, "宝坻区"},
                                                  {120116, "滨海新区"},
                                                  {120117, "宁河区"},
                                                  {120118, "静海区"},
                                                  {120119, "蓟州区"}}};

struct Former {
  int code;
  int successor;
};

// 塘沽, 汉沽 and 大港 became 滨海新区 in 2009; the counties became districts. All of them still
// begin ID numbers.
constexpr std::array<Former, 8> kFormer = {{{120107, 120116},
                                            {120108, 120116},
                                            {120109, 120116},
                                            {120221, 120117},
                                            {120222, 120114},
                                            {120223, 120118},
                                            {120224, 120115},
                                            {120225, 120119}}};

std::optional<DivisionKind> TownKind(int segment) {
  if (segment < 1 || segment > 599) return std::nullopt;
  if (segment < 100) return DivisionKind::kStreet;
  if (segment < 200) return DivisionKind::kTown;
  return segment < 400 ? DivisionKind::kTownship : DivisionKind::kTownUnit;
}

std::optional<DivisionKind> VillageKind(int segment) {
  if (segment < 1 || segment > 599) return std::nullopt;
  if (segment < 200) return DivisionKind::kResidentsCommittee;
  return segment < 400 ? DivisionKind::kVillagersCommittee : DivisionKind::kVillageUnit;
}

DivisionLevel LevelOf(std::int64_t number) {
  if (number % 1'000 != 0) return DivisionLevel::kVillage;
  if (number % 1'000'000 != 0) return DivisionLevel::kTown;
  if (number % 100'000'000 != 0) return DivisionLevel::kDistrict;
  if (number % 10'000'000'000 != 0) return DivisionLevel::kCity;
  return DivisionLevel::kProvince;
}

}  // namespace

// Gives a Division its number, level and kind.
class DivisionReader {
 public:
  static std::optional<Reason> Read(std::int64_t number, Division& out) {
    const int province = static_cast<int>(number / 10'000'000'000);
    const int district = static_cast<int>(number / 1'000'000);
    const int town = static_cast<int>(number / 1'000 % 1'000);
    const int village = static_cast<int>(number % 1'000);
    if ((town == 0 && village != 0) || (district % 100 == 0 && town != 0) ||
        (district % 10000 != 0 && district / 100 % 100 == 0)) {
      return Reason::kDivisionCodeInvalid;
    }
    if (!IsProvinceCode(province)) return Reason::kDivisionUnknown;
    const bool is_city = district % 100 == 0;
    if (province == kTianjin / 10000 && !is_city && TianjinDistrictName(district).empty()) {
      return Reason::kDivisionUnknown;
    }
    out.number_ = number;
    out.level_ = LevelOf(number);
    out.kind_ = DivisionKind::kNone;
    if (town == 0) return std::nullopt;
    const std::optional<DivisionKind> town_kind = TownKind(town);
    const std::optional<DivisionKind> kind = village == 0 ? town_kind : VillageKind(village);
    if (!town_kind || !kind) return Reason::kDivisionUnknown;
    out.kind_ = *kind;
    return std::nullopt;
  }
};

std::string Division::Text() const {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%012lld", static_cast<long long>(number_));
  return std::string(text, static_cast<std::size_t>(size));
}

Division Division::Parent() const {
  constexpr std::array<std::int64_t, 5> kUnits = {10'000'000'000, 10'000'000'000, 100'000'000,
                                                  1'000'000, 1'000};
  const std::int64_t unit = kUnits[static_cast<std::size_t>(level_)];
  Division parent;
  // The parent of a good code is good.
  DivisionReader::Read(number_ / unit * unit, parent);
  return parent;
}

bool Division::IsWithin(const Division& other) const {
  constexpr std::array<std::int64_t, 5> kUnits = {10'000'000'000, 100'000'000, 1'000'000, 1'000, 1};
  const std::int64_t unit = kUnits[static_cast<std::size_t>(other.level_)];
  return number_ / unit == other.number_ / unit;
}

absl::StatusOr<Division> ParseDivision(std::string_view text) {
  std::int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || text.size() > 12) return status::Refuse(Reason::kDivisionCodeInvalid);
    number = number * 10 + (c - '0');
  }
  if (text.size() == 6) {
    number *= 1'000'000;
  } else if (text.size() == 9) {
    number *= 1'000;
  } else if (text.size() != 12) {
    return status::Refuse(Reason::kDivisionCodeInvalid);
  }
  Division division;
  if (const std::optional<Reason> fault = DivisionReader::Read(number, division)) {
    return status::Refuse(*fault, "", {{"division", std::string(text)}});
  }
  return division;
}

std::span<const District> TianjinDistricts() { return kDistricts; }

std::string_view TianjinDistrictName(int code) {
  for (const District& district : kDistricts) {
    if (district.code == code) return district.name;
  }
  return {};
}

AreaStanding StandingOfArea(int area) {
  if (area / 10000 != kTianjin / 10000) return AreaStanding::kElsewhere;
  if (!TianjinDistrictName(area).empty()) return AreaStanding::kCurrent;
  return SuccessorOfArea(area) != area ? AreaStanding::kHistoric : AreaStanding::kUnknown;
}

int SuccessorOfArea(int area) {
  for (const Former& former : kFormer) {
    if (former.code == area) return former.successor;
  }
  return area;
}

}  // namespace yikatong::codes
