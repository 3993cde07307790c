#include "common/money/money.h"

#include <limits>

#include "common/status/status.h"

namespace yikatong::money {
namespace {

using status::Reason;
using status::Refuse;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

absl::Status Invalid() { return Refuse(Reason::kAmountInvalid); }

absl::Status TooLarge() { return Refuse(Reason::kAmountTooLarge); }

}  // namespace

absl::StatusOr<std::int64_t> ParseYuan(std::string_view text) {
  const std::size_t dot = text.find('.');
  const std::string_view yuan = text.substr(0, dot);
  const std::string_view decimals =
      dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if (yuan.empty() || (yuan.size() > 1 && yuan.front() == '0')) return Invalid();
  if (dot != std::string_view::npos && (decimals.empty() || decimals.size() > 2)) return Invalid();
  for (const std::string_view part : {yuan, decimals}) {
    for (const char c : part) {
      if (!IsDigit(c)) return Invalid();
    }
  }
  std::int64_t fen = 0;
  const auto append = [&fen](int digit) {
    if (fen > (kMost - digit) / 10) return false;
    fen = fen * 10 + digit;
    return true;
  };
  for (const char c : yuan) {
    if (!append(c - '0')) return TooLarge();
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (!append(i < decimals.size() ? decimals[i] - '0' : 0)) return TooLarge();
  }
  if (fen == 0) return Invalid();
  return fen;
}

std::string FormatYuan(std::int64_t fen) {
  // Through unsigned, so that the least int64 has a magnitude.
  const std::uint64_t size =
      fen < 0 ? 0 - static_cast<std::uint64_t>(fen) : static_cast<std::uint64_t>(fen);
  const std::uint64_t rest = size % 100;
  std::string text = fen < 0 ? "-" : "";
  text += std::to_string(size / 100);
  text += '.';
  text += static_cast<char>('0' + rest / 10);
  text += static_cast<char>('0' + rest % 10);
  return text;
}

absl::Status CheckRowAmount(std::int64_t fen) {
  if (fen <= 0) return Refuse(Reason::kAmountInvalid);
  if (fen > kMaxRowFen) {
    return Refuse(Reason::kAmountTooLarge, "", {{"most_fen", std::to_string(kMaxRowFen)}});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> Add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return TooLarge();
  return result;
}

absl::StatusOr<std::int64_t> Subtract(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) return TooLarge();
  return result;
}

absl::StatusOr<std::int64_t> Multiply(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return TooLarge();
  return result;
}

absl::StatusOr<std::int64_t> MultiplyDivide(std::int64_t a, std::int64_t b, std::int64_t divisor) {
  if (a < 0 || b < 0 || divisor <= 0) return Refuse(Reason::kAmountInvalid);
  const unsigned __int128 product =
      static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b);
  const auto by = static_cast<unsigned __int128>(divisor);
  const unsigned __int128 quotient = product / by;
  // Half up without adding to the product, and for odd divisors too.
  const unsigned __int128 result = quotient + (product % by * 2 >= by ? 1 : 0);
  if (result > static_cast<unsigned __int128>(kMost)) return TooLarge();
  return static_cast<std::int64_t>(result);
}

absl::StatusOr<TwoSources> SplitTwoSources(std::int64_t amount_fen, int first_percent) {
  if (amount_fen < 0 || first_percent < 0 || first_percent > 100) {
    return Refuse(Reason::kAmountInvalid);
  }
  const std::int64_t second_percent = 100 - first_percent;
  const std::int64_t second =
      amount_fen / 100 * second_percent + amount_fen % 100 * second_percent / 100;
  return TwoSources{amount_fen - second, second};
}

}  // namespace yikatong::money
