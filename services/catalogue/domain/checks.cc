#include "services/catalogue/domain/checks.h"

#include <algorithm>
#include <string>

#include "common/base/utf8.h"
#include "common/status/status.h"
#include "fmt/format.h"

namespace yikatong::catalogue {

absl::Status BadField(std::string_view field, std::string_view why) {
  return status::Refuse(status::Reason::kFieldInvalid, fmt::format("{}: {}", field, why),
                        {{"field", std::string(field)}});
}

bool IsTextOrEmpty(std::string_view text, std::size_t most) {
  return text.size() <= most && text.find('\0') == std::string_view::npos && base::IsUtf8(text);
}

bool IsText(std::string_view text, std::size_t most) {
  return !text.empty() && IsTextOrEmpty(text, most);
}

bool IsFieldName(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool IsDistrict(std::int32_t district) { return district >= 100000 && district <= 999999; }

}  // namespace yikatong::catalogue
