// Unified social credit codes (统一社会信用代码, GB 32100) of organisations: departments, banks,
// cooperatives, village collectives.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "common/codes/fixed_text.h"

namespace yikatong::codes {

enum class OrganisationCheck {
  kDemanded,  // the check character of the inner organisation code (GB 11714) must fit
  kNoted,     // it need not: some codes that were really given out break it
};

// 1 registering department, 1 kind, 6 area, 9 organisation code, 1 check.
class CreditCode {
 public:
  std::string_view Text() const { return text_.view(); }
  std::string_view OrganisationCode() const { return Text().substr(8, 9); }
  bool organisation_check_fits() const { return organisation_check_fits_; }
  friend bool operator==(const CreditCode& a, const CreditCode& b) { return a.text_ == b.text_; }

 private:
  friend absl::StatusOr<CreditCode> ParseCreditCode(std::string_view text, OrganisationCheck check);
  FixedText<18> text_;
  bool organisation_check_fits_ = true;
};

// CREDIT_CODE_INVALID. Capital letters only; I, O, S, V and Z are not in the alphabet.
absl::StatusOr<CreditCode> ParseCreditCode(std::string_view text,
                                           OrganisationCheck check = OrganisationCheck::kDemanded);

}  // namespace yikatong::codes
