// What both halves of the service do with a batch's row, inside a transaction that somebody else
// opened. Stateless; thread safe as the transaction is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/identity/caller.h"
#include "common/postgres/database.h"
#include "services/dispatch/domain/batch.h"

namespace yikatong::dispatch {

// What every store of this service works with. Everything outlives the stores.
struct StoreContext {
  postgres::Database& database;
  const base::Clock& clock;
  const base::BusinessClock& business;
  base::IdSource& ids;
};

// One batch within the caller's districts and fields. BATCH_UNKNOWN for any other: what is foreign
// does not exist.
absl::StatusOr<BatchRow> FindBatch(postgres::Transaction& tx, const identity::Caller& caller,
                                   std::int64_t batch_id);
// The same, with its row locked. Never while items are inserted: an upload locks no batch row.
absl::StatusOr<BatchRow> LockBatch(postgres::Transaction& tx, const identity::Caller& caller,
                                   std::int64_t batch_id);

// Batches of the caller's districts and fields that match, the newest first, behind (created,
// batch_id). `district` 0, `policy_id` empty and `state` 0 match all.
absl::StatusOr<std::vector<BatchRow>> BatchesBehind(
    postgres::Transaction& tx, const identity::Caller& caller, std::int32_t district,
    std::string_view policy_id, int state, absl::Time created, std::int64_t batch_id, int limit);

// The totals of one batch: sums over its movements and its uploaded chunks.
absl::StatusOr<Totals> ReadTotals(postgres::Transaction& tx, const BatchRow& batch);
// `row` with totals, reviews, attachments and departures.
absl::StatusOr<Batch> ReadBatch(postgres::Transaction& tx, const BatchRow& row);

// Takes `event` and writes the new state (and the reason, for a return or a cancellation) into row
// and database. The row must be locked. BATCH_STATE where the table does not have it.
absl::Status Advance(postgres::Transaction& tx, const StoreContext& context, BatchRow& batch,
                     BatchEvent event, std::string_view reason = {});

struct Movement {
  Bucket from = Bucket::kNowhere;
  Bucket to = Bucket::kWaiting;
  std::string reason;
  CountAndFen moved;
};
// Appends movements; those of no items are left out.
absl::Status AppendMovements(postgres::Transaction& tx, const StoreContext& context,
                             const BatchRow& batch, const std::vector<Movement>& movements);

struct AuditFacts {
  std::string kind = {};  // batch.sealed
  std::string request_id = {};
  std::string root = {};  // 32 bytes, or empty
  std::int64_t leaves = 0;
  std::map<std::string, std::string> details = {};
  std::string subject_tail = {};  // behind the batch's name: "/objections/3"
};
// Appends an outbox entry about a batch, in this transaction. Returns its outbox id.
absl::StatusOr<std::string> Audit(postgres::Transaction& tx, const StoreContext& context,
                                  const identity::Caller& caller, const BatchRow& batch,
                                  const AuditFacts& facts);

// "batches/120105/10500000001", as audit entries name it.
std::string BatchSubject(const BatchRow& batch);

}  // namespace yikatong::dispatch
