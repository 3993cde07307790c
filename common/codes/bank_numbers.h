// Numbers of bank cards, of other accounts, and of banks (CNAPS). Parsing never allocates where it
// succeeds, and no number is ever in a message.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/codes/fixed_text.h"

namespace yikatong::codes {

// Whether the last digit is the Luhn check of the others. `digits` must be ASCII digits, at least
// two.
bool LuhnFits(std::string_view digits);
// The Luhn check digit to stand behind `digits`.
char LuhnDigit(std::string_view digits);

// `text` without blanks and dashes between and around its characters: people write card numbers in
// groups.
std::string WithoutSeparators(std::string_view text);

// A UnionPay card: 16 to 19 digits that begin with 62 and end in the Luhn digit.
class CardNumber {
 public:
  std::string_view Text() const { return text_.view(); }
  std::string_view LastFour() const { return Text().substr(Text().size() - 4); }
  friend bool operator==(const CardNumber&, const CardNumber&) = default;

 private:
  friend absl::StatusOr<CardNumber> ParseCardNumber(std::string_view text);
  FixedText<19> text_;
};

// Takes no separators: see WithoutSeparators. CARD_NUMBER_INVALID, CARD_NUMBER_CHECK_DIGIT_WRONG.
absl::StatusOr<CardNumber> ParseCardNumber(std::string_view text);

enum class AccountKind { kCard, kPassbook };

std::string_view AccountKindName(AccountKind kind);  // CARD, PASSBOOK
std::optional<AccountKind> ParseAccountKind(std::string_view text);

// A card by the rules above; a passbook by form only, 8 to 32 digits, since its number has no
// public check digit (ACCOUNT_NUMBER_INVALID).
absl::Status CheckAccountNumber(AccountKind kind, std::string_view text);

// A bank or branch in the payment system (支付系统行号): 3 digits bank, 4 city, 4 branch, and the
// check digit of ISO 7064 MOD 11,10.
class BankCode {
 public:
  std::string_view Text() const { return text_.view(); }
  std::string_view Bank() const { return Text().substr(0, 3); }  // 102 is ICBC
  std::string_view City() const { return Text().substr(3, 4); }  // 1100 is Tianjin
  friend bool operator==(const BankCode&, const BankCode&) = default;

 private:
  friend absl::StatusOr<BankCode> ParseBankCode(std::string_view text);
  FixedText<12> text_;
};

// BANK_CODE_INVALID.
absl::StatusOr<BankCode> ParseBankCode(std::string_view text);

// The check digit behind 11 digits; nothing for anything else.
std::optional<char> BankCodeCheckDigit(std::string_view first_11);

}  // namespace yikatong::codes
