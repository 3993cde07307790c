#include "common/codes/credit_code.h"

#include <array>

#include "common/status/status.h"

namespace yikatong::codes {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
// Powers of 3 modulo 31.
constexpr std::array<int, 17> kWeights = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                          29, 25, 13, 8,  24, 10, 30, 28};
constexpr std::array<int, 8> kOrganisationWeights = {3, 7, 9, 10, 5, 8, 4, 2};

// The organisation code counts A as 10 to Z as 35, without gaps.
int OrganisationValue(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

bool OrganisationCheckFits(std::string_view code) {
  int sum = 0;
  for (std::size_t i = 0; i < kOrganisationWeights.size(); ++i) {
    sum += OrganisationValue(code[i]) * kOrganisationWeights[i];
  }
  const int check = 11 - sum % 11;
  const char expected = check == 10 ? 'X' : check == 11 ? '0' : static_cast<char>('0' + check);
  return code[8] == expected;
}

}  // namespace

absl::StatusOr<CreditCode> ParseCreditCode(std::string_view text, OrganisationCheck check) {
  const auto invalid = [](std::string_view what) {
    return status::Refuse(status::Reason::kCreditCodeInvalid, what);
  };
  if (text.size() != 18) return invalid("not 18 characters");
  CreditCode code;
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) return invalid("a character outside the alphabet");
    if (i >= 2 && i < 8 && value > 9) return invalid("an area that is not digits");
    if (i < kWeights.size()) sum += static_cast<int>(value) * kWeights[i];
    code.text_.Append(text[i]);
  }
  if (kAlphabet[static_cast<std::size_t>((31 - sum % 31) % 31)] != text[17]) {
    return invalid("the check character does not fit");
  }
  code.organisation_check_fits_ = OrganisationCheckFits(code.OrganisationCode());
  if (!code.organisation_check_fits_ && check == OrganisationCheck::kDemanded) {
    return invalid("the check character of the organisation code does not fit");
  }
  return code;
}

}  // namespace yikatong::codes
