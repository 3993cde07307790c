#include "common/base/names.h"

#include <gtest/gtest.h>

#include "common/base/utf8.h"

namespace yikatong::base {
namespace {

TEST(NamesTest, LookAlikesOfTheMiddleDotBecomeTheMiddleDot) {
  for (const char* name :
       {"买买提·艾力", "买买提•艾力", "买买提・艾力", "买买提.艾力", "买买提．艾力", "买买提･艾力",
        "买买提‧艾力", "买买提⋅艾力", " 买买提 · 艾力 ", "买买提 . 艾力"}) {
    EXPECT_EQ(NormaliseName(name), "买买提·艾力") << name;
  }
}

TEST(NamesTest, BlanksAroundAndBetweenHanCharactersGo) {
  EXPECT_EQ(NormaliseName("  张 三 "), "张三");
  EXPECT_EQ(NormaliseName("张\u3000三\u3000"), "张三");
  EXPECT_EQ(NormaliseName("\u00a0欧阳晓明\t"), "欧阳晓明");
}

TEST(NamesTest, LatinNamesKeepOneBlankAndTheirFullStops) {
  EXPECT_EQ(NormaliseName(" ANNA   MARIA  SMITH "), "ANNA MARIA SMITH");
  EXPECT_EQ(NormaliseName("John A. Smith"), "John A. Smith");
}

TEST(NamesTest, RareCharactersStay) {
  EXPECT_EQ(NormaliseName("张䶮"), "张䶮");
  EXPECT_EQ(NormaliseName("王𬱖"), "王𬱖");
  EXPECT_EQ(NormaliseName("李㛃"), "李㛃");
}

TEST(NamesTest, WhatIsNoNameIsRefused) {
  const std::string long_name = [] {
    std::string text;
    for (int i = 0; i <= kMaxNameCodePoints; ++i) text += "张";
    return text;
  }();
  for (const std::string& name :
       {std::string(), std::string("   "), std::string("张3"), std::string("张\n三"),
        std::string("张|三"), std::string("·三"), std::string("张·"), std::string("张··三"),
        std::string("张\xe4\xb8"), std::string("\xff\xfe"), std::string("张\u200b三"),
        std::string("\ue001三"), std::string("张*"), std::string("张\0三", 7), long_name}) {
    EXPECT_EQ(NormaliseName(name), std::nullopt) << name;
  }
}

struct Masked {
  const char* name;
  const char* web;
  const char* board;
};

TEST(NamesTest, NamesAreMaskedByCodePointsInBothStyles) {
  for (const Masked& row :
       {Masked{"测试", "测*", "测*"}, Masked{"张三明", "张**", "张*明"},
        Masked{"欧阳晓明", "欧***", "欧**明"}, Masked{"欧阳晓", "欧**", "欧*晓"},
        Masked{"王𬱖", "王*", "王*"}, Masked{"王𬱖玉", "王**", "王*玉"},
        Masked{"玉𬱖𬱖", "玉**", "玉*𬱖"}, Masked{"𬱖三", "𬱖*", "𬱖*"},
        Masked{"买买提·艾力", "买买提·**", "买买提·**"},
        Masked{"买买提•艾力", "买买提·**", "买买提·**"},
        Masked{"阿·卜杜拉·买买提江", "阿·***", "阿·***"}, Masked{"JOHN SMITH", "J***", "J***H"},
        Masked{"张", "*", "*"}, Masked{"", "*", "*"}, Masked{"\xff\xff\xff", "*", "*"}}) {
    EXPECT_EQ(MaskName(row.name, MaskStyle::kWeb), row.web) << row.name;
    EXPECT_EQ(MaskName(row.name, MaskStyle::kBoard), row.board) << row.name;
  }
}

TEST(NamesTest, AMaskDoesNotTellHowLongALongNameIs) {
  EXPECT_EQ(MaskName("司马相如之子孙", MaskStyle::kWeb), MaskName("司马相如", MaskStyle::kWeb));
  EXPECT_EQ(MaskName("司马相如之子孙", MaskStyle::kBoard), "司***孙");
}

TEST(Utf8Test, CodePointsComeBackFromTheirText) {
  const std::string text = "aé中𬱖\U0010ffff";
  EXPECT_EQ(EncodeUtf8(*DecodeUtf8(text)), text);
  EXPECT_EQ(DecodeUtf8("𬱖")->size(), 1u);
  EXPECT_EQ(DecodeUtf8("𬱖")->front(), U'\U0002cc56');
}

TEST(Utf8Test, MalformedTextIsRefused) {
  for (const char* text :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80", "a\xe4\xb8", "\xe4\x41\x42"}) {
    EXPECT_FALSE(IsUtf8(text));
    EXPECT_EQ(DecodeUtf8(text), std::nullopt);
  }
  EXPECT_TRUE(IsUtf8(""));
}

}  // namespace
}  // namespace yikatong::base
