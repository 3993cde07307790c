#include "common/codes/bank_numbers.h"

#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;
using status::Refuse;

bool AllDigits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

// The Luhn sum of `digits`, of which the last counts twice where `double_last`.
int LuhnSum(std::string_view digits, bool double_last) {
  int sum = 0;
  bool twice = double_last;
  for (std::size_t i = digits.size(); i-- > 0; twice = !twice) {
    int value = digits[i] - '0';
    if (twice && (value *= 2) > 9) value -= 9;
    sum += value;
  }
  return sum;
}

}  // namespace

bool LuhnFits(std::string_view digits) { return LuhnSum(digits, false) % 10 == 0; }

char LuhnDigit(std::string_view digits) {
  return static_cast<char>('0' + (10 - LuhnSum(digits, true) % 10) % 10);
}

std::string WithoutSeparators(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c != ' ' && c != '-' && c != '\t') out.push_back(c);
  }
  return out;
}

absl::StatusOr<CardNumber> ParseCardNumber(std::string_view text) {
  if (text.size() < 16 || text.size() > 19 || !AllDigits(text) || !text.starts_with("62")) {
    return Refuse(Reason::kCardNumberInvalid);
  }
  if (!LuhnFits(text)) return Refuse(Reason::kCardNumberCheckDigitWrong);
  CardNumber number;
  for (const char c : text) number.text_.Append(c);
  return number;
}

std::string_view AccountKindName(AccountKind kind) {
  return kind == AccountKind::kCard ? "CARD" : "PASSBOOK";
}

std::optional<AccountKind> ParseAccountKind(std::string_view text) {
  if (text == "CARD") return AccountKind::kCard;
  if (text == "PASSBOOK") return AccountKind::kPassbook;
  return std::nullopt;
}

absl::Status CheckAccountNumber(AccountKind kind, std::string_view text) {
  if (kind == AccountKind::kCard) return ParseCardNumber(text).status();
  if (text.size() < 8 || text.size() > 32 || !AllDigits(text)) {
    return Refuse(Reason::kAccountNumberInvalid);
  }
  return absl::OkStatus();
}

std::optional<char> BankCodeCheckDigit(std::string_view first_11) {
  if (first_11.size() != 11 || !AllDigits(first_11)) return std::nullopt;
  int product = 10;
  for (const char c : first_11) {
    int sum = (product + (c - '0')) % 10;
    if (sum == 0) sum = 10;
    product = sum * 2 % 11;
  }
  return static_cast<char>('0' + (11 - product) % 10);
}

absl::StatusOr<BankCode> ParseBankCode(std::string_view text) {
  if (text.size() != 12 || !AllDigits(text) || BankCodeCheckDigit(text.substr(0, 11)) != text[11]) {
    return Refuse(Reason::kBankCodeInvalid);
  }
  BankCode code;
  for (const char c : text) code.text_.Append(c);
  return code;
}

}  // namespace yikatong::codes
