#include "common/codes/mask.h"

#include <gtest/gtest.h>

namespace yikatong::codes {
namespace {

TEST(MaskTest, AnIdNumberShowsFourDigitsAtEachEnd) {
  EXPECT_EQ(MaskIdNumber("120105198506159993"), "1201**********9993");
  EXPECT_EQ(MaskIdNumber("12011019920318998X"), "1201**********998X");
  EXPECT_EQ(MaskIdNumber("12010519850"), "***********");
  EXPECT_EQ(MaskIdNumber(""), "");
}

TEST(MaskTest, AnAccountShowsItsLastFour) {
  EXPECT_EQ(MaskAccount("6200001201050000010"), "***************0010");
  EXPECT_EQ(MaskAccount("1234567"), "*******");
  EXPECT_EQ(LastFour("6200001201050000010"), "0010");
  EXPECT_EQ(LastFour("1234567"), "");
}

TEST(MaskTest, APhoneShowsThreeAndFour) {
  EXPECT_EQ(MaskPhone("13800000001"), "138****0001");
  EXPECT_EQ(MaskPhone("1380000"), "*******");
}

}  // namespace
}  // namespace yikatong::codes
