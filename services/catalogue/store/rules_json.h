// The rules of a version as JSON: the form in which they are stored and cached. Keys are sorted and
// figures are integers, so equal rules have equal bytes. Dates of force are columns, not part of
// it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

std::string RulesToJson(const Rules& rules);
// INVARIANT_BROKEN for bytes that RulesToJson did not write; a key that is not there has its
// default.
absl::StatusOr<Rules> RulesFromJson(std::string_view json);

// What hangs on one policy, for the cache: all its versions, the newest first, and its exclusions.
struct PolicyBundle {
  std::vector<PolicyVersion> versions;
  std::vector<policy::Exclusion> exclusions;
};
std::string BundleToJson(const PolicyBundle& bundle);
// Nothing for anything else, such as the form of another release: a cache entry may always be
// dropped.
std::optional<PolicyBundle> BundleFromJson(std::string_view json);

}  // namespace yikatong::catalogue
