// Chunks of work over PostgreSQL: taken under a fence, brought from stage to stage, each step whole
// or not at all.
//
// Every writing method begins by locking the chunk's row with the fence it was taken under:
// LEASE_LOST where somebody else holds it now, and then nothing is written. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/domain/posting.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// Stages of a chunk; the numbers stand in the table.
enum class ChunkStage : std::int16_t {
  kWaiting = 0,
  kRoute = 1,
  kSubmit = 2,
  kSend = 3,
  kDone = 4,
  kSetAside = 9
};

// A chunk as it was taken.
struct TakenChunk {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::int32_t chunk = 0;
  std::int64_t first_item = 0;
  std::int64_t last_item = 0;
  bool repair = false;
  std::string item_ids;  // a repair chunk's list as an array literal; empty for the range
  ChunkStage stage = ChunkStage::kRoute;
  std::int64_t fence = 0;
  int taken = 0;    // times in this stage, this one included
  std::string why;  // why it was given back the last time; empty where whoever had it never did
};

struct ChunkItem {
  std::int64_t item_id = 0;
  std::int64_t person_id = 0;
  std::int64_t payee_id = 0;
  std::int64_t village = 0;
  std::int64_t amount_fen = 0;
  std::string masked_name;
  int attempts = 0;  // it has had before
};

// What a step must know of its chunk.
struct ChunkContent {
  BatchRow batch;
  policy::PolicyRule rule;
  BatchFunding funding;
  std::vector<ChunkItem> items;  // by item id, without those that an open exception keeps
};

// One attempt to be written.
struct NewAttempt {
  const ChunkItem* item = nullptr;
  std::int64_t reference = 0;
  std::int16_t submission_no = 0;
  std::int64_t bank_code = 0;
  std::int64_t account_version = 0;
  bool social_card = false;
};

// One submission to be written, with the bytes that will be sent.
struct NewSubmission {
  std::int16_t submission_no = 0;
  std::string request_id;
  std::string agreement_no;
  std::int64_t rows = 0;
  std::int64_t amount_fen = 0;
  std::string bytes;
};

struct PendingSubmission {
  std::int16_t submission_no = 0;
  std::int64_t rows = 0;
  std::string bytes;
};

class ChunkStore {
 public:
  // `codec` outlives the store.
  ChunkStore(const StoreContext& context, const RuleCodec& codec)
      : context_(context), codec_(codec) {}

  // A number for one worker thread of this process, so that it knows again what it took.
  int NewSlot() { return slots_++; }

  // Takes one chunk for slot `slot` of `worker`: one that nobody holds, or a worker among `dead`,
  // or this slot itself (it is not at work while it asks, so it lost sight of that one). Nothing
  // where there is none to do.
  absl::StatusOr<std::optional<TakenChunk>> Take(const std::string& worker, int slot,
                                                 std::span<const std::string> dead);
  // INVARIANT_BROKEN where a chunk that is not sent yet has an item whose last attempt may still be
  // paid.
  absl::StatusOr<ChunkContent> Load(const TakenChunk& chunk);

  // Ends the routing stage: the items that have nowhere to go leave; the others wait to be
  // submitted.
  absl::Status SaveRouting(const TakenChunk& chunk, const ChunkContent& content,
                           const std::vector<StrayItem>& strays);

  // Submits: attempts, ledger, movements, submissions and the audit entry, before
  // anything is sent.
  absl::Status SaveAttempts(const TakenChunk& chunk, const ChunkContent& content,
                            const std::vector<NewAttempt>& attempts,
                            const std::vector<NewSubmission>& submissions,
                            const std::vector<StrayItem>& strays);
  absl::StatusOr<std::vector<PendingSubmission>> Pending(const TakenChunk& chunk);
  absl::Status Acknowledge(const TakenChunk& chunk, std::int16_t submission_no);
  // The gateway refused a submission for good: nothing of it was sent, its items have failed with
  // that reason.
  absl::Status Refuse(const TakenChunk& chunk, const ChunkContent& content,
                      std::int16_t submission_no, std::string_view reason);
  absl::Status Finish(const TakenChunk& chunk);

  // Gives the chunk back for `delay`; `counts` where it was a failure of the chunk itself. It stays
  // due since when it was; with `due_in`, which is when sending is allowed again, from then on.
  absl::Status PutBack(const TakenChunk& chunk, absl::Duration delay, bool counts,
                       std::string_view why, std::optional<absl::Duration> due_in = {});
  absl::Status SetAside(const TakenChunk& chunk, std::string_view why);

  // AUDIT_BACKLOG where the oldest entry that the log has not taken is older than `limit`.
  absl::Status CheckAuditBacklog(absl::Duration limit);

  // Settles batches in which nothing moves any more. Returns how many.
  absl::StatusOr<int> SettleBatches();

 private:
  absl::Status Lock(postgres::Transaction& tx, const TakenChunk& chunk);
  // `from`: its stage by now; `chunk` says the one in which it was taken.
  absl::Status AdvanceChunk(postgres::Transaction& tx, const TakenChunk& chunk, ChunkStage from,
                            ChunkStage to);
  // Exceptions, movements and released money of items that leave the normal path.
  absl::Status SaveStrays(postgres::Transaction& tx, const TakenChunk& chunk,
                          const ChunkContent& content, const std::vector<StrayItem>& strays);

  const StoreContext context_;
  const RuleCodec& codec_;
  std::atomic<int> slots_{0};
};

// Writes ledger rows and what they change of the lines' available money.
absl::Status WritePosting(postgres::Transaction& tx, const StoreContext& context,
                          std::int32_t district, const Posting& posting);
// The lines of a batch in the order of its version's shares. INVARIANT_BROKEN where they do not
// match.
absl::StatusOr<BatchFunding> ReadFunding(postgres::Transaction& tx, const BatchRow& batch,
                                         const policy::PolicyRule& rule);
// This service as the caller of its own steps.
const identity::Caller& OwnCaller();

}  // namespace yikatong::dispatch
