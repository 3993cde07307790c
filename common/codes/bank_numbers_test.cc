#include "common/codes/bank_numbers.h"

#include <gtest/gtest.h>

#include <random>

#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

TEST(CardNumberTest, CardsOfEveryLengthAreRead) {
  for (const char* text :
       {"6200000000000013", "62000012010500002", "620000120115000003", "620000000000000005",
        "6200001201050000010", "6200001201150000027", "6299990000000000038"}) {
    const absl::StatusOr<CardNumber> card = ParseCardNumber(text);
    ASSERT_TRUE(card.ok()) << text;
    EXPECT_EQ(card->Text(), text);
    EXPECT_EQ(card->LastFour(), std::string_view(text).substr(std::string_view(text).size() - 4));
  }
}

TEST(CardNumberTest, WhatIsNoCardIsRefused) {
  const std::pair<const char*, Reason> rows[] = {
      {"6200000000000014", Reason::kCardNumberCheckDigitWrong},
      {"6200001201050000001", Reason::kCardNumberCheckDigitWrong},
      {"620000120105", Reason::kCardNumberInvalid},
      {"62000012010500000100", Reason::kCardNumberInvalid},
      {"62000012O1050000010", Reason::kCardNumberInvalid},
      {"4200001201050000010", Reason::kCardNumberInvalid},
      {"6200 0012 0105 0000 010", Reason::kCardNumberInvalid},
      {"", Reason::kCardNumberInvalid},
      {"６200000000000013", Reason::kCardNumberInvalid}};
  for (const auto& [text, reason] : rows) {
    const absl::Status status = ParseCardNumber(text).status();
    EXPECT_EQ(status::ReasonOf(status), reason) << text;
    EXPECT_EQ(std::string(status.message()).find("0000"), std::string::npos);
  }
}

TEST(CardNumberTest, SeparatorsAreTakenOutFirst) {
  EXPECT_EQ(ParseCardNumber(WithoutSeparators("6200 0012 0105 0000 010"))->Text(),
            "6200001201050000010");
  EXPECT_EQ(WithoutSeparators(" 6200-0000\t0000-0013 "), "6200000000000013");
}

TEST(CardNumberTest, TheCheckDigitOfARandomCardFitsAndNoOtherDoes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    std::string digits = "62";
    const std::size_t size = 15 + random() % 4;
    while (digits.size() < size) digits.push_back(static_cast<char>('0' + random() % 10));
    const char check = LuhnDigit(digits);
    for (char c = '0'; c <= '9'; ++c) {
      ASSERT_EQ(LuhnFits(digits + c), c == check) << digits;
      ASSERT_EQ(ParseCardNumber(digits + c).ok(), c == check) << digits;
    }
  }
}

TEST(AccountTest, APassbookIsTakenByItsFormAndACardByItsCheckDigit) {
  EXPECT_TRUE(CheckAccountNumber(AccountKind::kPassbook, "6200000000000014").ok());
  EXPECT_TRUE(CheckAccountNumber(AccountKind::kPassbook, "02090101040012345").ok());
  EXPECT_FALSE(CheckAccountNumber(AccountKind::kCard, "6200000000000014").ok());
  EXPECT_TRUE(CheckAccountNumber(AccountKind::kCard, "6200000000000013").ok());
  for (const char* text : {"", "1234567", "12345678a", "123456789012345678901234567890123"}) {
    EXPECT_EQ(status::ReasonOf(CheckAccountNumber(AccountKind::kPassbook, text)),
              Reason::kAccountNumberInvalid);
  }
  EXPECT_EQ(ParseAccountKind("CARD"), AccountKind::kCard);
  EXPECT_EQ(ParseAccountKind(AccountKindName(AccountKind::kPassbook)), AccountKind::kPassbook);
  EXPECT_EQ(ParseAccountKind("card"), std::nullopt);
}

TEST(BankCodeTest, RealAndSyntheticCodesAreRead) {
  for (const char* text :
       {"102100099996", "103100000026", "104100000004", "105100000017", "301290000007",
        "308584000013", "403100000004", "313110000017", "317110010019", "318110000014",
        "999110000015", "999110000023", "999110010512", "999110011511", "999110110020"}) {
    const absl::StatusOr<BankCode> code = ParseBankCode(text);
    ASSERT_TRUE(code.ok()) << text;
    EXPECT_EQ(code->Text(), text);
    EXPECT_EQ(code->Bank(), std::string_view(text).substr(0, 3));
  }
  EXPECT_EQ(ParseBankCode("313110000017")->City(), "1100");
}

TEST(BankCodeTest, WhatIsNoBankCodeIsRefused) {
  for (const char* text : {"102100099997", "103100000062", "10210009999", "1021000999960",
                           "10210009999A", "201100099996", "", "１02100099996"}) {
    EXPECT_EQ(status::ReasonOf(ParseBankCode(text).status()), Reason::kBankCodeInvalid) << text;
  }
}

TEST(BankCodeTest, EveryWrongDigitIsFound) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 5'000; ++i) {
    std::string code;
    while (code.size() < 11) code.push_back(static_cast<char>('0' + random() % 10));
    code.push_back(*BankCodeCheckDigit(code));
    ASSERT_TRUE(ParseBankCode(code).ok()) << code;
    const std::size_t at = random() % 12;
    code[at] = static_cast<char>('0' + (code[at] - '0' + 1 + static_cast<int>(random() % 9)) % 10);
    ASSERT_FALSE(ParseBankCode(code).ok()) << code;
  }
  EXPECT_EQ(BankCodeCheckDigit("1021000999"), std::nullopt);
}

}  // namespace
}  // namespace yikatong::codes
