// What people write into forms: reasons, comments, notes, names of documents.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace yikatong::status {

inline constexpr std::size_t kMaxFreeText = 500;

// FIELD_INVALID, with the field and what is wanted, unless `text` is one line of UTF-8 of 1 to
// `most` code points without a number that may be somebody's ID, account or phone. It is shown in
// lists and stands in audit entries, which have lines and never hold such numbers; a payment
// reference may stand there.
absl::Status CheckFreeText(std::string_view text, std::string_view field,
                           std::size_t most = kMaxFreeText);

}  // namespace yikatong::status
