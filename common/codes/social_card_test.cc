#include "common/codes/social_card.h"

#include <gtest/gtest.h>

#include "common/codes/phone.h"
#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

TEST(SocialCardTest, NumbersOfEightOrNineCharactersAreTaken) {
  for (const char* text : {"A12345678", "012345678", "12345678", "Z1234567"}) {
    EXPECT_TRUE(CheckSocialCardNumber(text).ok()) << text;
  }
  for (const char* text :
       {"", "1234567", "a12345678", "AB1234567", "A1234567X", "A123456789", "120105198506159993"}) {
    EXPECT_EQ(status::ReasonOf(CheckSocialCardNumber(text)), Reason::kSocialCardNumberInvalid)
        << text;
  }
}

TEST(SocialCardTest, OnlyAnActiveCardIsPayable) {
  int payable = 0;
  for (const char* code : {"00", "10", "20", "21", "22", "24", "25", "30", "40", "99"}) {
    const absl::StatusOr<SocialCardState> state = ParseSocialCardState(code);
    ASSERT_TRUE(state.ok()) << code;
    EXPECT_EQ(SocialCardStateCode(*state), code);
    EXPECT_EQ(IsPayable(*state), std::string_view(code) == "10");
    EXPECT_EQ(IsLost(*state), code[0] == '2');
    payable += IsPayable(*state) ? 1 : 0;
  }
  EXPECT_EQ(payable, 1);
  for (const char* code : {"", "1", "0", "23", "11", "010", "1O"}) {
    EXPECT_EQ(status::ReasonOf(ParseSocialCardState(code).status()),
              Reason::kSocialCardStateUnknown)
        << code;
  }
}

TEST(SocialCardTest, AnIdentificationCodeBeginsWithTheIssuersArea) {
  EXPECT_TRUE(CheckCardIdentification("120000D156000005A1B2C3D4E5F60718").ok());
  EXPECT_TRUE(CheckCardIdentification("120000d156000005a1b2c3d4e5f60718").ok());
  for (const char* text :
       {"", "120000D156000005A1B2C3D4E5F6071", "990000D156000005A1B2C3D4E5F60718",
        "12000GD156000005A1B2C3D4E5F60718", "1200A0D156000005A1B2C3D4E5F60718"}) {
    EXPECT_FALSE(CheckCardIdentification(text).ok()) << text;
  }
}

TEST(PhoneTest, AMobileNumberHasElevenDigitsFromThirteenToNineteen) {
  for (const char* text : {"13800000001", "19912345678", "15000000000"})
    EXPECT_TRUE(CheckPhone(text).ok()) << text;
  for (const char* text : {"", "12800000001", "1380000000", "138000000012", "23800000001",
                           "1380000000a", "+8613800000001", "138 0000 0001", "022-12345678"}) {
    EXPECT_EQ(status::ReasonOf(CheckPhone(text)), Reason::kPhoneInvalid) << text;
  }
}

}  // namespace
}  // namespace yikatong::codes
