#include "common/money/money.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "common/status/status.h"

namespace yikatong::money {
namespace {

using status::Reason;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(MoneyTest, WrittenAmountsAreReadExactly) {
  const std::pair<const char*, std::int64_t> rows[] = {
      {"0.01", 1},      {"1045.00", 104500},
      {"1045", 104500}, {"5.6", 560},
      {"19.99", 1999},  {"0.1", 10},
      {"10", 1000},     {"99999999.99", 9'999'999'999},
      {"1.00", 100},    {"92233720368547758.07", kMost}};
  for (const auto& [text, fen] : rows) {
    const absl::StatusOr<std::int64_t> parsed = ParseYuan(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, fen) << text;
  }
}

TEST(MoneyTest, WhatIsNoAmountIsRefused) {
  for (const char* text :
       {"",    "-1.00", "1,045.00", "1045.001", "壹仟", " 1045", "1045 ", "1e3", "0.00",
        "0",   "0.0",   "+5",       "١٢",       "１０", ".5",    "5.",    ".",   "1.2.3",
        "007", "00",    "0x10",     "1.005",    "1.-1", "NaN",   "1\n"}) {
    EXPECT_EQ(status::ReasonOf(ParseYuan(text).status()), Reason::kAmountInvalid) << text;
  }
  for (const char* text :
       {"92233720368547758.08", "92233720368547759", "99999999999999999999999999"}) {
    EXPECT_EQ(status::ReasonOf(ParseYuan(text).status()), Reason::kAmountTooLarge) << text;
  }
}

TEST(MoneyTest, AnAmountIsWrittenWithTwoDecimals) {
  EXPECT_EQ(FormatYuan(104500), "1045.00");
  EXPECT_EQ(FormatYuan(1), "0.01");
  EXPECT_EQ(FormatYuan(0), "0.00");
  EXPECT_EQ(FormatYuan(-5), "-0.05");
  EXPECT_EQ(FormatYuan(std::numeric_limits<std::int64_t>::min()), "-92233720368547758.08");
}

TEST(MoneyTest, EveryAmountComesBackFromItsText) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto fen = static_cast<std::int64_t>(random() >> (1 + random() % 60));
    if (fen == 0) continue;
    ASSERT_EQ(*ParseYuan(FormatYuan(fen)), fen);
  }
}

TEST(MoneyTest, OneRowHasABound) {
  EXPECT_TRUE(CheckRowAmount(1).ok());
  EXPECT_TRUE(CheckRowAmount(kMaxRowFen).ok());
  EXPECT_EQ(status::ReasonOf(CheckRowAmount(0)), Reason::kAmountInvalid);
  EXPECT_EQ(status::ReasonOf(CheckRowAmount(-1)), Reason::kAmountInvalid);
  EXPECT_EQ(status::ReasonOf(CheckRowAmount(kMaxRowFen + 1)), Reason::kAmountTooLarge);
}

TEST(MoneyTest, NothingOverflowsInSilence) {
  EXPECT_EQ(*Add(1, 2), 3);
  EXPECT_EQ(*Subtract(1, 2), -1);
  EXPECT_EQ(*Multiply(-3, 4), -12);
  EXPECT_EQ(status::ReasonOf(Add(kMost, 1).status()), Reason::kAmountTooLarge);
  EXPECT_EQ(status::ReasonOf(Subtract(-2, kMost).status()), Reason::kAmountTooLarge);
  EXPECT_EQ(status::ReasonOf(Multiply(kMost / 2, 3).status()), Reason::kAmountTooLarge);
  EXPECT_EQ(status::ReasonOf(MultiplyDivide(kMost, kMost, 100).status()), Reason::kAmountTooLarge);
  EXPECT_EQ(*MultiplyDivide(kMost, 100, 100), kMost);
}

TEST(MoneyTest, AreaTimesRateIsRoundedHalfUpOnce) {
  // The golden figures of the domain: rate in fen per mu, area in 0.01 mu.
  const std::int64_t rows[][3] = {{13142, 327, 42974}, {562, 1234, 6935}, {9453, 1005, 95003},
                                  {7250, 333, 24143},  {6995, 1, 70},     {50, 1, 1},
                                  {49, 1, 0},          {0, 500, 0}};
  for (const auto& [rate, area, expected] : rows)
    EXPECT_EQ(*MultiplyDivide(rate, area, 100), expected);
  EXPECT_EQ(*MultiplyDivide(360000, 7, 12), 210000);
  EXPECT_EQ(*MultiplyDivide(1, 1, 3), 0);
  EXPECT_EQ(*MultiplyDivide(1, 2, 3), 1);
  EXPECT_FALSE(MultiplyDivide(-1, 1, 100).ok());
  EXPECT_FALSE(MultiplyDivide(1, -1, 100).ok());
  EXPECT_FALSE(MultiplyDivide(1, 1, 0).ok());
}

TEST(MoneyTest, TwoSourcesGetTheirSharesAndTheFirstTheRemainder) {
  EXPECT_EQ(*SplitTwoSources(100, 60), (TwoSources{60, 40}));
  EXPECT_EQ(*SplitTwoSources(101, 60), (TwoSources{61, 40}));
  EXPECT_EQ(*SplitTwoSources(1, 60), (TwoSources{1, 0}));
  EXPECT_EQ(*SplitTwoSources(99, 40), (TwoSources{40, 59}));
  EXPECT_EQ(*SplitTwoSources(7, 100), (TwoSources{7, 0}));
  EXPECT_EQ(*SplitTwoSources(7, 0), (TwoSources{0, 7}));
  EXPECT_EQ(*SplitTwoSources(kMost, 60), (TwoSources{5534023222112865485, 3689348814741910322}));
  EXPECT_FALSE(SplitTwoSources(-1, 60).ok());
  EXPECT_FALSE(SplitTwoSources(1, 101).ok());
}

TEST(MoneyTest, ASplitAlwaysAddsUpAndIsWithinOneFenOfItsShare) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto amount =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(kMaxBatchFen));
    const int percent = static_cast<int>(random() % 101);
    const TwoSources split = *SplitTwoSources(amount, percent);
    ASSERT_EQ(split.first_fen + split.second_fen, amount);
    ASSERT_GE(split.first_fen * 100, amount * percent);
    ASSERT_LT(split.first_fen * 100, amount * percent + 100);
    ASSERT_GE(split.second_fen, 0);
  }
}

}  // namespace
}  // namespace yikatong::money
