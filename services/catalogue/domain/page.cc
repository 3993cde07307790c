#include "services/catalogue/domain/page.h"

#include <algorithm>

#include "common/base/utf8.h"
#include "common/status/status.h"

namespace yikatong::catalogue {

absl::StatusOr<PageRequest> ReadPage(std::string_view list, std::int32_t size,
                                     std::string_view token) {
  if (size < 0) {
    return status::Refuse(status::Reason::kFieldInvalid, "page_size: must not be negative",
                          {{"field", "page_size"}});
  }
  PageRequest page;
  page.size = size == 0 ? kDefaultPageSize : std::min<int>(size, kMaxPageSize);
  if (token.empty()) return page;
  if (token.size() > 200 || !base::IsUtf8(token) || token.find('\0') != std::string_view::npos ||
      token.size() <= list.size() + 1 || !token.starts_with(list) || token[list.size()] != '/') {
    return status::Refuse(status::Reason::kPageTokenInvalid);
  }
  page.after = std::string(token.substr(list.size() + 1));
  return page;
}

std::string PageToken(std::string_view list, std::string_view key) {
  std::string token(list);
  token += '/';
  token += key;
  return token;
}

}  // namespace yikatong::catalogue
