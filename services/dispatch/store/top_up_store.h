// Batches of missed amounts over PostgreSQL: a batch of their own, of which everything behind the
// review is what it is for any batch. Thread safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/random.h"
#include "services/dispatch/domain/intake.h"
#include "services/dispatch/domain/top_up.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

class TopUpStore {
 public:
  TopUpStore(const StoreContext& context, crypto::RandomSource& random)
      : context_(context), random_(random) {}

  // Opens the batch with all its items, in review. `rows` by item, each once; `content_hash` of the
  // request stands for the roster's. ITEM_UNKNOWN, and what CheckTopUp refuses.
  absl::StatusOr<BatchRow> Create(postgres::Transaction& tx, const identity::Caller& caller,
                                  std::int64_t batch_id, const PinnedRule& pinned,
                                  const std::vector<TopUpRow>& rows, std::string_view reason,
                                  std::string_view request_id, std::string_view content_hash);

 private:
  const StoreContext context_;
  crypto::RandomSource& random_;
};

}  // namespace yikatong::dispatch
