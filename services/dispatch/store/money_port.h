// What the intake half asks of the money half, inside its own transaction. The money half
// implements it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "common/identity/caller.h"
#include "common/postgres/database.h"
#include "services/dispatch/domain/batch.h"

namespace yikatong::dispatch {

// Thread safe. The batch's row is locked by the caller.
class MoneyPort {
 public:
  virtual ~MoneyPort() = default;

  // Gives back all that a FUNDED batch reserved; it is being cancelled.
  virtual absl::Status ReleaseReservation(postgres::Transaction& tx, const identity::Caller& caller,
                                          const BatchRow& batch) = 0;
  // An item of a batch that is FUNDED or later was stopped before it was sent: gives back its
  // reserved amount. Its exception row and movement are written already.
  virtual absl::Status ItemStopped(postgres::Transaction& tx, const identity::Caller& caller,
                                   const BatchRow& batch, std::int64_t item_id,
                                   std::int64_t amount_fen) = 0;
  // An item of a batch that is PAYING or SETTLED is not held any more: it goes on in a repair
  // chunk. Its movement to `waiting` is written already; a SETTLED batch becomes PAYING again.
  virtual absl::Status ItemFreed(postgres::Transaction& tx, const identity::Caller& caller,
                                 BatchRow& batch, std::int64_t item_id) = 0;
};

}  // namespace yikatong::dispatch
