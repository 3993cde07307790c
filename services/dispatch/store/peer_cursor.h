// How far this service has followed what another one tells by dense numbers: the gateway's
// outcomes, the registry's changes. One replica at a time holds a cursor; it moves in the
// transaction that applies what was told. Stateless.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// A hold on a cursor.
struct PeerCursor {
  std::int64_t applied = 0;  // the last number that was applied
  std::int64_t fence = 0;
};

// Takes the cursor of `peer`, from nobody, from ourselves, or from a dead worker; nothing where a
// living one holds it.
absl::StatusOr<std::optional<PeerCursor>> TakePeerCursor(const StoreContext& context,
                                                         std::string_view peer,
                                                         const std::string& worker,
                                                         std::span<const std::string> dead);

// Applying begins here: the number that was applied last. LEASE_LOST where the cursor is somebody
// else's now.
absl::StatusOr<std::int64_t> LockPeerCursor(postgres::Transaction& tx, std::string_view peer,
                                            const PeerCursor& cursor);
absl::Status AdvancePeerCursor(postgres::Transaction& tx, std::string_view peer,
                               const PeerCursor& cursor, std::int64_t applied);

}  // namespace yikatong::dispatch
