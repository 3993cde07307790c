#include "common/base/redact.h"

#include <gtest/gtest.h>

namespace yikatong::base {
namespace {

TEST(RedactTest, NumbersOfPersonsAccountsAndPhonesGo) {
  for (const char* secret :
       {"120105198506159993", "12011019920318998X", "12011019920318998x", "912840198501010010",
        "120105850615999", "6200000000000013", "62000012010500002", "620000000000000005",
        "6200001201050000010", "13800000001", "19912345678", "8613800000001",
        "6200 0012 0105 0000 010", "6200-0000-0000-0013"}) {
    EXPECT_TRUE(LooksSensitive(secret)) << secret;
    EXPECT_EQ(RedactSensitive(secret), "[redacted]");
    EXPECT_EQ(RedactSensitive(std::string("row 3: ") + secret + ", refused"),
              "row 3: [redacted], refused");
    EXPECT_EQ(RedactSensitive(std::string("身份证") + secret + "无效"), "身份证[redacted]无效");
    EXPECT_EQ(RedactSensitive(std::string("id=") + secret), "id=[redacted]");
  }
}

TEST(RedactTest, SeveralInOneTextAllGo) {
  EXPECT_EQ(RedactSensitive("13800000001/120105198506159993/13900000002"),
            "[redacted]/[redacted]/[redacted]");
}

TEST(RedactTest, OrdinaryNumbersStay) {
  for (const char* text :
       {"", "0", "12345", "2026-03-01T08:00:00.123Z", "1045.00", "120105", "120105001001",
        "12000000000", "20 000 5000", "2026-01 2026-02 2026-03", "10500000000101",
        "127.0.0.1:50051", "01050000000001", "00000abc000040008000000000000001",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "99999999999999999999999999999999", "fecf1175-2643-5890-8606-c86cf9a46567",
        "load 0a1b1175-2643-5890-8606-c86cf9a46567, row 2",
        "00000000-0000-4000-8000-c13800000001"}) {
    EXPECT_FALSE(LooksSensitive(text)) << text;
    EXPECT_EQ(RedactSensitive(text), text);
  }
}

TEST(RedactTest, WhatOnlyBeginsAsAUuidDoesNotStay) {
  for (const char* text :
       {"fecf1175-2643-5890-8606-c86cf9a4656", "ecf1175-2643-5890-8606-c86cf9a46567",
        "0fecf1175-2643-5890-8606-c86cf9a46567", "fecf1175-2643-5890-8606"}) {
    EXPECT_TRUE(LooksSensitive(text)) << text;
  }
}

TEST(RedactTest, AReferenceStaysOnlyWhereReferencesMayStand) {
  EXPECT_EQ(RedactSensitive("0105000000000101", References::kShown), "0105000000000101");
  EXPECT_EQ(RedactSensitive("0105000000000101", References::kHidden), "[redacted]");
  EXPECT_EQ(RedactSensitive("6200000000000013", References::kShown), "[redacted]");
  EXPECT_EQ(RedactSensitive("120105198506159993", References::kShown), "[redacted]");
}

}  // namespace
}  // namespace yikatong::base
