#include "common/base/ids.h"

#include <gtest/gtest.h>

#include <set>

#include "common/base/hex.h"

namespace yikatong::base {
namespace {

TEST(IdsTest, RandomIdsAreUniqueAndHaveTheShapeOfVersionFour) {
  RandomIdSource source;
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = source.NewId();
    ASSERT_TRUE(IsId(id)) << id;
    ASSERT_EQ(id[12], '4');
    ASSERT_NE(std::string_view("89ab").find(id[16]), std::string_view::npos);
    ASSERT_TRUE(seen.insert(id).second) << id;
  }
}

TEST(IdsTest, SequentialIdsAreTheSameEachTime) {
  SequentialIdSource source(0xabc);
  EXPECT_EQ(source.NewId(), "00000abc000040008000000000000001");
  EXPECT_EQ(source.NewId(), "00000abc000040008000000000000002");
  EXPECT_TRUE(IsId(source.NewId()));
}

TEST(IdsTest, AnIdIsThirtyTwoLowerCaseHexadecimalDigits) {
  EXPECT_FALSE(IsId(""));
  EXPECT_FALSE(IsId("00000ABC000040008000000000000001"));
  EXPECT_FALSE(IsId("00000abc00004000800000000000000"));
  EXPECT_FALSE(IsId("00000abc-0000-4000-8000-00000000"));
}

TEST(HexTest, BytesComeBackFromTheirText) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(FromHex(ToHex(bytes)), bytes);
  EXPECT_EQ(ToHex("\x01\xff"), "01ff");
  EXPECT_EQ(FromHex("01FF"), "\x01\xff");
  EXPECT_EQ(FromHex("0"), std::nullopt);
  EXPECT_EQ(FromHex("0g"), std::nullopt);
  EXPECT_EQ(FromHex(""), "");
}

}  // namespace
}  // namespace yikatong::base
