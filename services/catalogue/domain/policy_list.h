// The bytes that a published list is hashed over: one line for each entry, so that anybody can
// recompute the hash from the list itself.
//
//   yikatong-policy-list/v1
//   120000|42
//   P001|6|最低生活保障金|CIVIL|civil.120000|2025-09-01|TOP_UP|104500|0|0|0|0|person|||monthly|city:5000,district:5000|7|…
//
// Fields are parted by `|`; in texts `\`, `|` and line breaks stand as `\\`, `\p`, `\n`. Lines end
// in `\n`.
#pragma once

#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

// One entry's line, without the line end.
std::string CanonicalEntry(const Policy& policy, const PolicyVersion& version);

// The SHA-256, 32 bytes, over the head `district|count` and the lines in their order. The day is
// not in it: two editions with the same entries have the same hash, which is how an unchanged list
// is known.
std::string ListHash(std::int32_t district, const std::vector<std::string>& lines);

}  // namespace yikatong::catalogue
