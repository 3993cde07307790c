#include "common/codes/credit_code.h"

#include <gtest/gtest.h>

#include <random>

#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

TEST(CreditCodeTest, CodesOfEveryKindOfOrganisationAreRead) {
  for (const char* text : {"111200000000001QX3", "111201050000002Q6Y", "121201150000003Q2L",
                           "91120116MA0000A00R", "93120115MA0000B15B", "54120115ME0000D39E",
                           "52120105MJ0000E41B", "911201010000005R3M", "N2120115MF0000C28B"}) {
    const absl::StatusOr<CreditCode> code = ParseCreditCode(text);
    ASSERT_TRUE(code.ok()) << text << code.status();
    EXPECT_EQ(code->Text(), text);
    EXPECT_TRUE(code->organisation_check_fits());
  }
  EXPECT_EQ(ParseCreditCode("91120116MA0000A00R")->OrganisationCode(), "MA0000A00");
}

TEST(CreditCodeTest, WhatIsNoCreditCodeIsRefused) {
  for (const char* text :
       {"111201050000002Q6X", "N2120115MF0000C82B", "91120116MA0000AO0R", "91120116MA0000A00",
        "91120116MA0000A00RR", "52120105MJ0000E41b", "I1120105MJ0000E41B", "111201050000002Q5U", "",
        "911201A6MA0000A00R", "000000000000000001"}) {
    EXPECT_EQ(status::ReasonOf(ParseCreditCode(text).status()), Reason::kCreditCodeInvalid) << text;
  }
}

TEST(CreditCodeTest, ABrokenOrganisationCheckCanBeTakenWithANote) {
  const absl::StatusOr<CreditCode> code =
      ParseCreditCode("111201050000002Q5U", OrganisationCheck::kNoted);
  ASSERT_TRUE(code.ok());
  EXPECT_FALSE(code->organisation_check_fits());
  EXPECT_FALSE(ParseCreditCode("111201050000002Q6X", OrganisationCheck::kNoted).ok());
}

TEST(CreditCodeTest, EveryOtherCharacterInAnyPlaceIsFound) {
  const std::string alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  const std::string good = "93120115MA0000B15B";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char c : alphabet) {
      std::string code = good;
      code[at] = c;
      EXPECT_EQ(ParseCreditCode(code, OrganisationCheck::kNoted).ok(), code == good) << code;
    }
  }
}

TEST(CreditCodeTest, RandomTextNeverCrashes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random());
    (void)ParseCreditCode(text, OrganisationCheck::kNoted);
  }
}

}  // namespace
}  // namespace yikatong::codes
