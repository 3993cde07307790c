#include "common/codes/division.h"

#include <gtest/gtest.h>

#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

struct Row {
  const char* text;
  const char* full;
  DivisionLevel level;
  DivisionKind kind;
};

TEST(DivisionTest, CodesOfEveryLevelAreRead) {
  using L = DivisionLevel;
  using K = DivisionKind;
  const Row rows[] = {{"120000", "120000000000", L::kProvince, K::kNone},
                      {"120100", "120100000000", L::kCity, K::kNone},
                      {"120105", "120105000000", L::kDistrict, K::kNone},
                      {"131081", "131081000000", L::kDistrict, K::kNone},
                      {"120105001", "120105001000", L::kTown, K::kStreet},
                      {"120105001000", "120105001000", L::kTown, K::kStreet},
                      {"120105001001", "120105001001", L::kVillage, K::kResidentsCommittee},
                      {"120115001000", "120115001000", L::kTown, K::kStreet},
                      {"120115101000", "120115101000", L::kTown, K::kTown},
                      {"120115101201", "120115101201", L::kVillage, K::kVillagersCommittee},
                      {"120115001004", "120115001004", L::kVillage, K::kResidentsCommittee},
                      {"120101001000", "120101001000", L::kTown, K::kStreet},
                      {"120119203000", "120119203000", L::kTown, K::kTownship},
                      {"120116400000", "120116400000", L::kTown, K::kTownUnit},
                      {"120116400498", "120116400498", L::kVillage, K::kVillageUnit}};
  for (const Row& row : rows) {
    const absl::StatusOr<Division> division = ParseDivision(row.text);
    ASSERT_TRUE(division.ok()) << row.text << division.status();
    EXPECT_EQ(division->Text(), row.full);
    EXPECT_EQ(division->level(), row.level) << row.text;
    EXPECT_EQ(division->kind(), row.kind) << row.text;
  }
}

TEST(DivisionTest, WhatIsNoDivisionIsRefused) {
  const std::pair<const char*, Reason> rows[] = {
      {"12010500100", Reason::kDivisionCodeInvalid},
      {"12011510120A", Reason::kDivisionCodeInvalid},
      {"120105000001", Reason::kDivisionCodeInvalid},
      {"", Reason::kDivisionCodeInvalid},
      {"1201", Reason::kDivisionCodeInvalid},
      {"1201050010010", Reason::kDivisionCodeInvalid},
      {"99999999999999999999999999", Reason::kDivisionCodeInvalid},
      {"１20105", Reason::kDivisionCodeInvalid},
      {"120000001000", Reason::kDivisionCodeInvalid},
      {"120005", Reason::kDivisionCodeInvalid},
      {"120199001000", Reason::kDivisionUnknown},
      {"120225", Reason::kDivisionUnknown},
      {"120105999000", Reason::kDivisionUnknown},
      {"120115101999", Reason::kDivisionUnknown},
      {"990101001000", Reason::kDivisionUnknown},
      {"000000", Reason::kDivisionUnknown}};
  for (const auto& [text, reason] : rows) {
    EXPECT_EQ(status::ReasonOf(ParseDivision(text).status()), reason) << text;
  }
}

TEST(DivisionTest, AVillageLiesInItsTownDistrictAndCity) {
  const Division village = *ParseDivision("120115101201");
  EXPECT_EQ(village.district(), 120115);
  EXPECT_EQ(village.Parent().Text(), "120115101000");
  EXPECT_EQ(village.Parent().Parent().Text(), "120115000000");
  EXPECT_EQ(village.Parent().Parent().Parent().Text(), "120100000000");
  EXPECT_EQ(village.Parent().Parent().Parent().Parent().Text(), "120000000000");
  EXPECT_EQ(ParseDivision("120000")->Parent().Text(), "120000000000");
  for (Division up = village; up.level() != DivisionLevel::kProvince; up = up.Parent()) {
    EXPECT_TRUE(village.IsWithin(up));
    EXPECT_TRUE(village.IsWithin(up.Parent()));
  }
  EXPECT_FALSE(village.IsWithin(*ParseDivision("120105")));
  EXPECT_FALSE(village.IsWithin(*ParseDivision("120115102")));
  EXPECT_FALSE(ParseDivision("120115")->IsWithin(village));
}

TEST(DivisionTest, TianjinHasSixteenDistricts) {
  EXPECT_EQ(TianjinDistricts().size(), 16u);
  for (const District& district : TianjinDistricts()) {
    EXPECT_TRUE(ParseDivision(std::to_string(district.code)).ok());
    EXPECT_EQ(TianjinDistrictName(district.code), district.name);
  }
  EXPECT_EQ(TianjinDistrictName(120105), "河北区");
  EXPECT_EQ(TianjinDistrictName(120107), "");
}

}  // namespace
}  // namespace yikatong::codes
