// Text by code points. Names hold characters of four bytes (𬱖 is U+2CC56), so nothing here
// counts bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace yikatong::base {

// The code points of `text`, or nothing where it is not well-formed UTF-8 (overlong forms,
// surrogates and numbers above U+10FFFF are not).
std::optional<std::u32string> DecodeUtf8(std::string_view text);

// `points` must be valid code points.
std::string EncodeUtf8(std::u32string_view points);

bool IsUtf8(std::string_view text);

// Whether `text` is one line: valid UTF-8 with no control character (C0, DEL, C1, or a line break
// of Unicode).
bool IsLine(std::string_view text);

}  // namespace yikatong::base
