// What dispatch follows of the registry: deaths, and records that were merged.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::dispatch {

struct PersonChange {
  // Only what concerns payments that were made; cards and moves are asked for when they matter.
  enum class Kind { kOther, kDeath, kMerged };

  std::int64_t number = 0;
  Kind kind = Kind::kOther;
  std::int64_t person_id = 0;
  absl::CivilDay happened_on;
  std::int64_t other_person_id = 0;  // for kMerged
  absl::Time recorded_at;
};

// What comes next in the feed.
struct ChangePage {
  std::vector<PersonChange> changes;
  std::int64_t head = 0;  // the highest number that there is
};

// The registry's feed. Thread safe; calls block, with a deadline of their own.
class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  // What comes behind number `after`, in order; none where there is nothing new.
  virtual absl::StatusOr<ChangePage> ListChanges(std::int64_t after, int max_changes) = 0;
};

}  // namespace yikatong::dispatch
