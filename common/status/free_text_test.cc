#include "common/status/free_text.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status/status.h"

namespace yikatong::status {
namespace {

TEST(FreeText, IsOneLineOfCharactersWhateverTheirBytes) {
  EXPECT_TRUE(CheckFreeText("津财〔2026〕7号", "document").ok());
  std::string text;
  for (int i = 0; i < 200; ++i) text += "\U0002CC56";  // 𬱖, four bytes
  EXPECT_TRUE(CheckFreeText(text, "document", 200).ok());
  EXPECT_FALSE(CheckFreeText(text, "document", 199).ok());
  EXPECT_TRUE(CheckFreeText("paid twice, see 1050000000000101", "reason").ok()) << "a reference";
}

TEST(FreeText, WhatWouldBreakALineOrShowSomebodysNumberIsRefused) {
  for (const char* bad : {"", "two\nlines", "tab\there", "\x7f", "\xc2\x85", "\u2028", "\xff",
                          "ask 11010519491231002X", "call 13800138000", "to 6222021234567890123"}) {
    const absl::Status status = CheckFreeText(bad, "reason");
    EXPECT_EQ(ReasonOf(status), Reason::kFieldInvalid) << bad;
    EXPECT_NE(status.message().find("one line"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace yikatong::status
