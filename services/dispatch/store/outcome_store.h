// Outcomes over PostgreSQL: the gateway's chunks are applied in order, each once, under one cursor
// that one replica holds. Thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/domain/posting.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/peer_cursor.h"

namespace yikatong::dispatch {

// A hold on the cursor; `applied` is the number of the last chunk that was applied.
using OutcomeCursor = PeerCursor;

// What one chunk of outcomes did.
struct AppliedOutcomes {
  std::int64_t applied = 0;   // outcomes that changed an item
  std::int64_t repeated = 0;  // known already
  std::int64_t contradicting =
      0;                     // cannot follow what is known, or another amount: changed nothing
  std::int64_t unknown = 0;  // references that this service never made
  // Decided to be paid after all, when the item had been sent again or given up: the person may
  // have the money twice, and a recovery is proposed. Counted among the contradicting too.
  std::int64_t paid_besides = 0;
  std::int64_t paid_besides_fen = 0;
};

class OutcomeStore {
 public:
  OutcomeStore(const StoreContext& context, const RuleCodec& codec)
      : context_(context), codec_(codec) {}

  // Takes the cursor of `gateway`, from nobody, from ourselves, or from a dead worker; nothing
  // where a living one holds it.
  absl::StatusOr<std::optional<OutcomeCursor>> TakeCursor(std::string_view gateway,
                                                          const std::string& worker,
                                                          std::span<const std::string> dead);

  // Applies the next chunk: outcomes, movements, ledger, audit entry and cursor in one transaction.
  // LEASE_LOST where the cursor is somebody else's now; INVARIANT_BROKEN for any number but the
  // next.
  absl::StatusOr<AppliedOutcomes> Apply(std::string_view gateway, const OutcomeCursor& cursor,
                                        const OutcomeChunk& chunk);

 private:
  absl::Status ApplyIn(postgres::Transaction& tx, const OutcomeChunk& chunk,
                       AppliedOutcomes& result);

  const StoreContext context_;
  const RuleCodec& codec_;
};

}  // namespace yikatong::dispatch
