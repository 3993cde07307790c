// Mobile numbers of mainland China: 11 digits that begin with 13 to 19.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace yikatong::codes {

// PHONE_INVALID. The number is never in the message.
absl::Status CheckPhone(std::string_view text);

}  // namespace yikatong::codes
