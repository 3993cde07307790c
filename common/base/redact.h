// The last guard before text leaves a process as a log line or an error message: whatever looks
// like an ID number, a bank account or a mobile number is replaced. Code must not put such values
// there in the first place.
#pragma once

#include <string>
#include <string_view>

namespace yikatong::base {

inline constexpr std::string_view kRedacted = "[redacted]";

enum class References {
  kHidden,  // a run of 16 digits is taken for an account
  kShown,   // a run of 16 digits that does not begin with 62 is a payment reference and stays
};

// `text` with every run of digits replaced that may be an ID number (17 digits and a digit or X, or
// the old 15 with a possible province and birth date), an account (16 to 19 digits, also in groups
// of four), or a mobile number (11 digits that begin 13 to 19, also behind 86). Tokens of 32 or
// more hexadecimal digits are ids or hashes and stay, and so do UUIDs.
std::string RedactSensitive(std::string_view text, References references = References::kHidden);

// Whether RedactSensitive would change `text`. Does not allocate.
bool LooksSensitive(std::string_view text, References references = References::kHidden);

}  // namespace yikatong::base
