// The few checks of single fields that all use cases share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace yikatong::catalogue {

// FIELD_INVALID with the field in the metadata.
absl::Status BadField(std::string_view field, std::string_view why);

// 1 to `most` bytes of UTF-8 without the byte 0.
bool IsText(std::string_view text, std::size_t most);
// The same, or empty.
bool IsTextOrEmpty(std::string_view text, std::size_t most);

// A field of subsidies: AGRI, CIVIL …; 1 to 32 letters, digits and '_'.
bool IsFieldName(std::string_view text);

// Six digits.
bool IsDistrict(std::int32_t district);

}  // namespace yikatong::catalogue
