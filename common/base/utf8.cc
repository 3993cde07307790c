#include "common/base/utf8.h"

#include <cstdint>

namespace yikatong::base {
namespace {

// Reads one code point at `at` and moves behind it; false where none is well formed.
bool Next(std::string_view text, std::size_t& at, char32_t& point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) {
    point = first;
    ++at;
    return true;
  }
  int more = 0;
  char32_t value = 0;
  char32_t least = 0;
  if ((first & 0xe0) == 0xc0) {
    more = 1, value = first & 0x1f, least = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    more = 2, value = first & 0x0f, least = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    more = 3, value = first & 0x07, least = 0x10000;
  } else {
    return false;
  }
  if (at + static_cast<std::size_t>(more) >= text.size()) return false;
  for (int i = 1; i <= more; ++i) {
    const unsigned char next = byte(at + static_cast<std::size_t>(i));
    if ((next & 0xc0) != 0x80) return false;
    value = (value << 6) | (next & 0x3f);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return false;
  at += static_cast<std::size_t>(more) + 1;
  point = value;
  return true;
}

}  // namespace

std::optional<std::u32string> DecodeUtf8(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    char32_t point = 0;
    if (!Next(text, at, point)) return std::nullopt;
    points.push_back(point);
  }
  return points;
}

bool IsUtf8(std::string_view text) {
  char32_t point = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!Next(text, at, point)) return false;
  }
  return true;
}

std::string EncodeUtf8(std::u32string_view points) {
  std::string text;
  text.reserve(points.size() * 3);
  for (const char32_t point : points) {
    const auto put = [&](char32_t value) { text.push_back(static_cast<char>(value)); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | (point >> 6));
      put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      put(0xe0 | (point >> 12));
      put(0x80 | ((point >> 6) & 0x3f));
      put(0x80 | (point & 0x3f));
    } else {
      put(0xf0 | (point >> 18));
      put(0x80 | ((point >> 12) & 0x3f));
      put(0x80 | ((point >> 6) & 0x3f));
      put(0x80 | (point & 0x3f));
    }
  }
  return text;
}

bool IsLine(std::string_view text) {
  if (!IsUtf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    if (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    if (text.substr(i, 3) == "\u2028" || text.substr(i, 3) == "\u2029") return false;
  }
  return true;
}

}  // namespace yikatong::base
