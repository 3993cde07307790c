#include "common/base/redact.h"

#include <cstddef>

namespace yikatong::base {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

int Two(std::string_view digits, std::size_t at) {
  return (digits[at] - '0') * 10 + (digits[at + 1] - '0');
}

// AAAAAA YYMMDD SSS, the form of before 2013.
bool LooksLikeOldIdNumber(std::string_view digits) {
  const int province = Two(digits, 0);
  const int month = Two(digits, 8);
  const int day = Two(digits, 10);
  return province >= 11 && province <= 82 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool IsMobile(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

bool SensitiveDigits(std::string_view digits, References references) {
  if (digits.size() == 16 && references == References::kShown) return digits.starts_with("62");
  if (digits.size() >= 16 && digits.size() <= 19) return true;
  if (digits.size() == 15) return LooksLikeOldIdNumber(digits);
  if (digits.size() == 13 && digits.starts_with("86")) return IsMobile(digits.substr(2));
  return IsMobile(digits);
}

std::size_t DigitsFrom(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  return end;
}

// The end of a number written in groups of four from `at` (6200 0012 0105 0000 010), or `at` where
// there is none.
std::size_t GroupedNumberEnd(std::string_view text, std::size_t at) {
  std::size_t end = DigitsFrom(text, at);
  if (end - at != 4) return at;
  int digits = 4;
  while (end + 1 < text.size() && (text[end] == ' ' || text[end] == '-')) {
    const std::size_t next = DigitsFrom(text, end + 1);
    const std::size_t size = next - end - 1;
    if (size == 0 || size > 4) break;
    digits += static_cast<int>(size);
    end = next;
    if (size < 4) break;
  }
  return digits >= 16 && digits <= 19 ? end : at;
}

std::size_t HexFrom(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsHex(text[end])) ++end;
  return end;
}

// The end of a UUID that begins at `at`, or `at`. Groups of its digits would be taken for an
// account's, one in a thousand.
std::size_t UuidEnd(std::string_view text, std::size_t at) {
  if (at > 0 && IsHex(text[at - 1])) return at;
  std::size_t end = at;
  for (const std::size_t size : {8U, 4U, 4U, 4U, 12U}) {
    if (end != at && (end == text.size() || text[end++] != '-')) return at;
    const std::size_t next = HexFrom(text, end);
    if (next - end != size) return at;
    end = next;
  }
  return end;
}

// Calls visit(begin, end) for each sensitive part, in order; stops when it returns false.
template <typename Visit>
void Scan(std::string_view text, References references, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    if (!IsHex(text[at])) {
      ++at;
      continue;
    }
    if (const std::size_t end = UuidEnd(text, at); end != at) {
      at = end;
      continue;
    }
    const std::size_t hex_end = HexFrom(text, at);
    if (hex_end - at >= 32) {
      at = hex_end;
      continue;
    }
    if (!IsDigit(text[at])) {
      ++at;
      continue;
    }
    const std::size_t grouped = GroupedNumberEnd(text, at);
    std::size_t end = DigitsFrom(text, at);
    bool sensitive = false;
    if (grouped != at) {
      end = grouped;
      sensitive = true;
    } else if (end - at == 17 && end < text.size() && (text[end] == 'X' || text[end] == 'x')) {
      ++end;
      sensitive = true;
    } else {
      sensitive = SensitiveDigits(text.substr(at, end - at), references);
    }
    if (sensitive && !visit(at, end)) return;
    at = end;
  }
}

}  // namespace

std::string RedactSensitive(std::string_view text, References references) {
  std::string out;
  std::size_t copied = 0;
  Scan(text, references, [&](std::size_t begin, std::size_t end) {
    out.append(text.substr(copied, begin - copied));
    out.append(kRedacted);
    copied = end;
    return true;
  });
  out.append(text.substr(copied));
  return out;
}

bool LooksSensitive(std::string_view text, References references) {
  bool found = false;
  Scan(text, references, [&](std::size_t, std::size_t) {
    found = true;
    return false;
  });
  return found;
}

}  // namespace yikatong::base
