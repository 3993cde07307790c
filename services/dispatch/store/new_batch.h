// Opening a batch inside a transaction: for a roster that will come, for one that corrects another,
// for missed amounts.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/random.h"
#include "services/dispatch/domain/intake.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// Takes the numbers of the batch and of all its rows, writes it as COLLECTING with its audit entry.
// INVARIANT_BROKEN where the district has no numbers left.
absl::StatusOr<BatchRow> InsertBatch(postgres::Transaction& tx, const StoreContext& context,
                                     crypto::RandomSource& random, const identity::Caller& caller,
                                     std::string_view request_id, const NewBatch& wanted,
                                     const PinnedRule& pinned);

// Says which earlier batch this one goes back to.
absl::Status InsertOrigin(postgres::Transaction& tx, const BatchRow& batch,
                          const BatchOrigin& origin);

}  // namespace yikatong::dispatch
