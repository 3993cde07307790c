// Where something happens to a batch that belongs into its archive. Stateless.
#pragma once

#include "absl/status/status.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// A package of the batch is to be made once it is closed: its first one, or a further one where it
// has a sealed one. One that is being made begins again. In the caller's transaction; the batch's
// row need not be locked.
absl::Status MarkArchiveDue(postgres::Transaction& tx, const BatchRow& batch);

}  // namespace yikatong::dispatch
