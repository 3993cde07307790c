#include "common/base/names.h"

#include <algorithm>

#include "common/base/utf8.h"

namespace yikatong::base {
namespace {

constexpr char32_t kDot = 0x00b7;

bool IsBlank(char32_t c) {
  return c == ' ' || c == '\t' || c == 0x00a0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x202f || c == 0x205f;
}

bool IsLatin(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= 0x00c0 && c <= 0x024f && c != 0x00d7 && c != 0x00f7);
}

bool IsDotLookAlike(char32_t c) {
  return c == 0x2022 || c == 0x30fb || c == 0xff65 || c == 0x2027 || c == 0x22c5 || c == 0xff0e;
}

// Characters that no name holds: they would be invisible, ambiguous to a bank, or break a text
// file.
bool IsForbidden(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= '0' && c <= '9') ||
         (c >= 0xff10 && c <= 0xff19) || c == '|' || c == ',' || c == ';' || c == '"' || c == '*' ||
         c == '<' || c == '>' || c == '&' || c == '\\' || c == '/' ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xfffd ||
         (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000;
}

std::u32string Stars(std::size_t count) {
  return std::u32string(std::min<std::size_t>(count, 3), U'*');
}

}  // namespace

std::optional<std::string> NormaliseName(std::string_view name) {
  const std::optional<std::u32string> points = DecodeUtf8(name);
  if (!points) return std::nullopt;
  std::u32string out;
  bool blank = false;
  for (const char32_t point : *points) {
    if (IsBlank(point)) {
      blank = true;
      continue;
    }
    if (IsForbidden(point)) return std::nullopt;
    const bool full_stop = point == '.' && (out.empty() || !IsLatin(out.back()));
    const char32_t c = IsDotLookAlike(point) || full_stop ? kDot : point;
    // A blank means something only between Latin words ("ANNA MARIA", "A. SMITH").
    if (blank && !out.empty() && (IsLatin(out.back()) || out.back() == '.') && IsLatin(c)) {
      out.push_back(' ');
    }
    blank = false;
    if (c == kDot && !out.empty() && out.back() == kDot) return std::nullopt;
    out.push_back(c);
  }
  if (out.empty() || out.size() > kMaxNameCodePoints) return std::nullopt;
  if (out.front() == kDot || out.back() == kDot) return std::nullopt;
  return EncodeUtf8(out);
}

std::string MaskName(std::string_view name, MaskStyle style) {
  const std::optional<std::string> normal = NormaliseName(name);
  const std::optional<std::u32string> points =
      DecodeUtf8(normal ? std::string_view(*normal) : name);
  if (!points || points->size() < 2) return "*";
  const std::u32string& all = *points;
  const std::size_t dot = all.find(kDot);
  if (dot != std::u32string::npos) {
    return EncodeUtf8(all.substr(0, dot + 1) + Stars(all.size() - dot - 1));
  }
  if (style == MaskStyle::kWeb || all.size() == 2) {
    return EncodeUtf8(all.substr(0, 1) + Stars(all.size() - 1));
  }
  return EncodeUtf8(all.substr(0, 1) + Stars(all.size() - 2) + all.substr(all.size() - 1));
}

}  // namespace yikatong::base
