// Money is int64 fen everywhere: 1 yuan is 100 fen. No floating point, no sum without an overflow
// check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace yikatong::money {

// The most that one row and one batch may have.
inline constexpr std::int64_t kMaxRowFen = 1'000'000'000;
inline constexpr std::int64_t kMaxBatchFen = 10'000'000'000'000;

// Reads an amount in yuan as files and people write it: ASCII digits, at most two decimals, above
// zero, nothing else
// ("1045", "1045.00", "5.6"; not "-1.00", "1,045.00", " 1045", "1e3", "0.00", "007", ".5", "5.").
// AMOUNT_INVALID, or AMOUNT_TOO_LARGE where it does not fit in int64 fen. Does not check
// kMaxRowFen.
absl::StatusOr<std::int64_t> ParseYuan(std::string_view text);

// Always two decimals: 104500 -> "1045.00", -5 -> "-0.05".
std::string FormatYuan(std::int64_t fen);

// An amount of one row: above zero and at most kMaxRowFen, else AMOUNT_INVALID or AMOUNT_TOO_LARGE.
absl::Status CheckRowAmount(std::int64_t fen);

// Sum, difference and product; AMOUNT_TOO_LARGE where the result does not fit.
absl::StatusOr<std::int64_t> Add(std::int64_t a, std::int64_t b);
absl::StatusOr<std::int64_t> Subtract(std::int64_t a, std::int64_t b);
absl::StatusOr<std::int64_t> Multiply(std::int64_t a, std::int64_t b);

// a × b ÷ divisor, rounded half up once: the area of a row in 0.01 mu at a rate per mu is
// MultiplyDivide(rate, area, 100). `a` and `b` must not be negative, `divisor` must be above zero:
// AMOUNT_INVALID.
absl::StatusOr<std::int64_t> MultiplyDivide(std::int64_t a, std::int64_t b, std::int64_t divisor);

struct TwoSources {
  std::int64_t first_fen = 0;
  std::int64_t second_fen = 0;
  friend bool operator==(const TwoSources&, const TwoSources&) = default;
};

// Splits an amount between two sources of money: the second gets its percentage rounded down, the
// first all the rest, so that the two add up to the fen. `first_percent` from 0 to 100,
// `amount_fen` not negative: else AMOUNT_INVALID.
absl::StatusOr<TwoSources> SplitTwoSources(std::int64_t amount_fen, int first_percent);

}  // namespace yikatong::money
