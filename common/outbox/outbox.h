// What a service did, on its way to the audit log: a row written in the same transaction as the
// deed.
//
// A service puts the tables into its own migrations by
//   -- include common/postgres/sql/worker_heartbeat_v1.sql
//   -- include common/outbox/sql/outbox_v1.sql
// appends entries as it works, and runs one Relay (relay.h) in every replica.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/outbox/entry.h"
#include "common/postgres/database.h"

namespace yikatong::outbox {

// Appends one entry in the caller's transaction. `outbox_id`: 32 hex digits, from the caller's id
// source; the same id twice is DUPLICATE_KEY. Within an rpc::CallScope the entry gets the detail
// `trace_id`. An entry that CanonicalBody refuses is INVARIANT_BROKEN.
absl::Status Append(postgres::Transaction& tx, std::string_view outbox_id, const Entry& entry);

// How far the log is behind. The age is told by the database's own clock.
struct Lag {
  int64_t entries = 0;  // written and not yet acknowledged by the log
  int64_t oldest_age_seconds = 0;
};
absl::StatusOr<Lag> ReadLag(postgres::Transaction& tx);

}  // namespace yikatong::outbox
