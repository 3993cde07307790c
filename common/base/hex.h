// Bytes as lower-case hexadecimal text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace yikatong::base {

std::string ToHex(std::string_view bytes);

// Reads lower or upper case; nothing for an odd length or another character.
std::optional<std::string> FromHex(std::string_view text);

}  // namespace yikatong::base
