// Pages of a list: how many rows, and where the next page begins. A token is `<list>/<key>`: it is
// opaque to callers, and one of another list is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace yikatong::catalogue {

inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 1000;

struct PageRequest {
  int size = kDefaultPageSize;
  std::string after;  // key of the last row seen; empty at the start
};

// Reads what a caller asked for: 0 is the default, more than the most is the most. FIELD_INVALID
// for a negative size, PAGE_TOKEN_INVALID for a token that is not of `list`.
absl::StatusOr<PageRequest> ReadPage(std::string_view list, std::int32_t size,
                                     std::string_view token);

std::string PageToken(std::string_view list, std::string_view key);

// Rows are asked for one more than the page holds: the surplus says that another page follows. Cuts
// `rows` to `size` and returns the token of the next page, or "".
template <typename Row, typename KeyOf>
std::string CutPage(std::string_view list, const PageRequest& page, std::vector<Row>& rows,
                    KeyOf key_of) {
  if (rows.size() <= static_cast<std::size_t>(page.size)) return "";
  rows.resize(static_cast<std::size_t>(page.size));
  return PageToken(list, key_of(rows.back()));
}

}  // namespace yikatong::catalogue
