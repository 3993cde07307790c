// What collection asks of other services. Fakes are in clients/testing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/policy/rule.h"

namespace yikatong::dispatch {

// A rule with the bytes that a batch is pinned to.
struct PinnedRule {
  policy::PolicyRule rule;
  std::string bytes;
};

// The catalogue. Thread safe; calls block, with a deadline of their own.
class Catalogue {
 public:
  virtual ~Catalogue() = default;
  // The version that a new batch of this department must be pinned to. POLICY_UNKNOWN,
  // PERIOD_INVALID, NO_VERSION_IN_FORCE, POLICY_VERSION_NOT_APPROVED, POLICY_PUBLICATION_OVERDUE,
  // DISTRICT_FOREIGN, DEPARTMENT_UNKNOWN, FIELD_INVALID (the department is not of that district, or
  // not responsible for the policy's field); PEER_UNAVAILABLE.
  virtual absl::StatusOr<PinnedRule> PayableVersion(std::string_view policy_id,
                                                    std::string_view period, std::int32_t district,
                                                    std::string_view department_id) = 0;
};

struct PersonLookup {
  std::string id_no;  // normal form of common/codes
  std::string name;
};

// What collection must know of a person.
struct ResolvedPerson {
  std::int64_t person_id = 0;  // 0: unknown; the rest is then empty
  bool name_matches = false;
  absl::CivilDay born_on;
  std::optional<absl::CivilDay> died_on;
  std::int64_t village = 0;
  std::int64_t household_id = 0;        // 0: none
  std::int64_t head_person_id = 0;      // 0: none, or not asked for
  std::int64_t guardian_person_id = 0;  // 0: none
  std::vector<std::int64_t> aliases;    // other ids that were merged with this person
};

// The registry. Thread safe; calls block, with a deadline of their own.
class People {
 public:
  virtual ~People() = default;
  // One answer for each look-up, in their order; at most kMaxLookups of them; with the head of the
  // household only where `with_head`. PEER_UNAVAILABLE.
  virtual absl::StatusOr<std::vector<ResolvedPerson>> Resolve(std::span<const PersonLookup> lookups,
                                                              bool with_head) = 0;
};
inline constexpr std::size_t kMaxLookups = 4'000;

}  // namespace yikatong::dispatch
