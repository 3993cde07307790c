// Banks' own codes and words, and the stable reasons that they become: one table, after
// domain.md 4.1.
#pragma once

#include <string_view>

#include "common/status/reason.h"

namespace yikatong::bankgateway {

// Of a row that failed or came back. A code that no table knows is BANK_OTHER.
status::Reason ReasonOfReturnCode(std::string_view code);

// "The bank has had this reference": never a failure by itself.
inline constexpr std::string_view kDuplicateCode = "3051";

// Of a file that was refused whole. A word that is not known is BANK_FILE_REFUSED.
status::Reason ReasonOfRefusal(std::string_view word);

}  // namespace yikatong::bankgateway
