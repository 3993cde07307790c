// Reads the pinned rule of a batch. The bytes are the catalogue's own answer, kept as they came, so
// that a later reader can compare them with the catalogue; only the adapter knows their form.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "common/policy/rule.h"

namespace yikatong::dispatch {

// Thread safe.
class RuleCodec {
 public:
  virtual ~RuleCodec() = default;
  // INVARIANT_BROKEN for bytes that no catalogue has sent.
  virtual absl::StatusOr<policy::PolicyRule> Decode(std::string_view bytes) const = 0;
};

}  // namespace yikatong::dispatch
