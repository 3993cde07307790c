// Deaths that are told after somebody was paid, over PostgreSQL: which payments they make wrong,
// and the cases that they open. Thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/domain/change_feed.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/peer_cursor.h"

namespace yikatong::dispatch {

// A payment for a period in which the beneficiary was dead, and the policy's grace over.
struct WrongPayment {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::int64_t item_id = 0;
  std::int64_t amount_fen = 0;
  std::int64_t person_id = 0;      // of the change
  std::int64_t change_number = 0;  // that told the death
  absl::CivilDay died_on;
};

// What one page of changes did.
struct AppliedChanges {
  std::int64_t deaths = 0;
  std::int64_t cases = 0;  // opened by it
  std::int64_t recoveries = 0;
};

class DeathStore {
 public:
  DeathStore(const StoreContext& context, const RuleCodec& codec)
      : context_(context), codec_(codec) {}

  // See TakePeerCursor.
  absl::StatusOr<std::optional<PeerCursor>> TakeCursor(std::string_view peer,
                                                       const std::string& worker,
                                                       std::span<const std::string> dead) {
    return TakePeerCursor(context_, peer, worker, dead);
  }

  // The payments that these changes make wrong. Looks through the batches of the months after each
  // death, one after the other, each once for all of the page: no lock, no long transaction.
  absl::StatusOr<std::vector<WrongPayment>> FindWrong(std::span<const PersonChange> changes);

  // Applies the next page: cases with their recoveries, each PROPOSED, the merged people, the
  // cursor. LEASE_LOST where the cursor is somebody else's now; INVARIANT_BROKEN for numbers that
  // do not ascend behind it.
  absl::StatusOr<AppliedChanges> Apply(std::string_view peer, const PeerCursor& cursor,
                                       std::span<const PersonChange> changes,
                                       const std::vector<WrongPayment>& wrong);

 private:
  // One case for the person and district, the one of an earlier word of the death where there is.
  absl::Status OpenCase(postgres::Transaction& tx, std::span<const WrongPayment> wrong,
                        AppliedChanges& applied);

  const StoreContext context_;
  const RuleCodec& codec_;
};

}  // namespace yikatong::dispatch
