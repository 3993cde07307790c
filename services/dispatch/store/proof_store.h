// What proves one item in the audit log: its leaf and its place under a root that a log entry
// holds. Thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

struct ItemProof {
  std::string leaf;
  std::int64_t leaf_index = 0;
  std::int64_t leaves = 0;
  std::vector<std::string> path;  // 32 bytes each
  std::string root;               // 32 bytes
  std::int64_t entry_number = 0;  // among this service's entries; 0 while the log has none
};

class ProofStore {
 public:
  explicit ProofStore(const StoreContext& context) : context_(context) {}

  // Step `submit`: the newest attempt; `outcome`: the newest outcome. ITEM_UNKNOWN for an item
  // outside of the caller's scope, NOT_FOUND where the step has not happened, FIELD_INVALID for
  // another step.
  absl::StatusOr<ItemProof> Prove(const identity::Caller& caller, std::int64_t item_id,
                                  std::string_view step);

 private:
  const StoreContext context_;
};

}  // namespace yikatong::dispatch
