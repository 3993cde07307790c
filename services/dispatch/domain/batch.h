// A batch: its states and how one follows from another, where its items are, and all that is known
// of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::dispatch {

// Numbered as yikatong.dispatch.v1.BatchState.
enum class BatchState : std::int16_t {
  kCollecting = 1,
  kSealed = 2,
  kNoticed = 3,
  kInReview = 4,
  kApproved = 5,
  kFunded = 6,
  kPaying = 7,
  kSettled = 8,
  kClosed = 9,
  kReturned = 10,
  kCancelled = 11,
};

// What can happen to a batch, in both halves of the service.
enum class BatchEvent {
  kSeal,           // SealBatch
  kPublishNotice,  // PublishNotice
  kCloseNotice,    // CloseNotice
  kFinishReview,   // the last review step was approved
  kReturn,         // a reviewer sends it back
  kFund,           // FundBatch
  kRelease,        // ReleaseBatch
  kSettle,         // no item moves any more
  kReissue,        // items of a settled batch go out again
  kClose,          // CloseBatch
  kCancel,         // CancelBatch
  kCorrect,        // CorrectBatch: another batch takes the place of a returned one
  kReopen,         // a payment of a closed batch came back
  kTopUp,          // CreateTopUp: its list was public with the batch that it tops up
};

std::string_view BatchStateName(BatchState state);  // COLLECTING, SEALED …
std::string_view BatchEventName(BatchEvent event);  // seal, publish_notice …

// The state after `event`. BATCH_STATE for what the table does not have, with `state` and `step` in
// the metadata.
//
//   COLLECTING  seal → SEALED, top_up → IN_REVIEW, cancel → CANCELLED
//   SEALED      publish_notice → NOTICED, return → RETURNED, cancel → CANCELLED
//   NOTICED     close_notice → IN_REVIEW, return → RETURNED, cancel → CANCELLED
//   IN_REVIEW   finish_review → APPROVED, return → RETURNED, cancel → CANCELLED
//   APPROVED    fund → FUNDED, return → RETURNED, cancel → CANCELLED
//   FUNDED      release → PAYING, cancel → CANCELLED
//   PAYING      settle → SETTLED, reissue → PAYING
//   SETTLED     reissue → PAYING, close → CLOSED
//   CLOSED      reopen → SETTLED
//   RETURNED    correct → CANCELLED, cancel → CANCELLED
//   CANCELLED   cancel → CANCELLED
absl::StatusOr<BatchState> Next(BatchState from, BatchEvent event);

// Where an item is. A step moves items between buckets and appends the movement, so that a batch's
// totals are sums over a few rows for each chunk. The numbers stand in the table `movement`.
enum class Bucket : std::int16_t {
  kNowhere = 0,  // items come into being from here; memo counts too
  kWaiting = 1,
  kHeld = 2,
  kStopped = 3,
  kUnroutable = 4,
  kInTransit = 5,
  kPaid = 6,
  kFailed = 7,
  kUnknown = 8,
  kReturnedOpen = 9,
  kCancelled = 10,
  // Memo buckets count and hold nothing.
  kReturned = 21,
  kReissuedPaid = 22,
  kNotConverted = 23,
};
inline constexpr int kBuckets = 24;

struct CountAndFen {
  std::int64_t items = 0;
  std::int64_t fen = 0;

  friend bool operator==(const CountAndFen&, const CountAndFen&) = default;
};

// How many items, and how much, each bucket holds now.
struct Totals {
  std::array<CountAndFen, kBuckets> in{};
  CountAndFen accepted;       // everything that ever came from kNowhere into a bucket that holds
  std::int64_t uploaded = 0;  // rows, refused ones included
  std::int64_t uploaded_fen = 0;

  const CountAndFen& Of(Bucket bucket) const { return in[static_cast<std::size_t>(bucket)]; }
  std::int64_t rejected() const { return uploaded - accepted.items; }
};

// One review step that was taken.
struct Review {
  std::string step;
  std::string person;
  absl::Time at;
  absl::CivilDay on;  // business date
  bool approved = false;
  std::string comment;
  bool late = false;
};

// Evidence that is kept elsewhere and bound by its hash.
struct Attachment {
  std::string kind;
  std::string sha256;  // 32 bytes
  std::int64_t byte_size = 0;
  std::string uri;
  std::string media_type;
};

// ATTACHMENT_INVALID, with the field, for an unknown kind, a hash that is not 32 bytes, a length
// outside 1 byte to 1 GiB, a place that is empty or longer than 512 characters, or a malformed
// media type.
absl::Status CheckAttachment(const Attachment& attachment);

// The row of a batch.
struct BatchRow {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::string department_id;
  std::string field;
  std::string policy_id;
  std::int32_t policy_version = 0;
  std::string period;
  std::string rule;  // pinned, in the wire form of the catalogue; read by RuleCodec
  BatchState state = BatchState::kCollecting;
  std::int64_t declared_count = 0;
  std::int64_t declared_fen = 0;
  std::int64_t first_item = 0;  // item id of row 1
  std::string salt_key;         // 32 bytes, secret
  std::string created_org;
  std::string created_by;  // the person
  absl::Time created_at;
  absl::CivilDay created_on;
  std::optional<absl::CivilDay> pay_on;
  absl::CivilDay state_since_on;
  std::string released_by;
  std::string reason;

  std::int64_t ItemOfRow(std::int64_t row) const { return first_item + row - 1; }
  std::int64_t RowOfItem(std::int64_t item_id) const { return item_id - first_item + 1; }
  std::int64_t last_item() const { return first_item + declared_count - 1; }
};

// Which earlier batch a batch goes back to. The numbers of `kind` stand in the table
// `batch_origin`.
struct BatchOrigin {
  enum class Kind : std::int16_t { kNone = 0, kCorrects = 1, kTopsUp = 2 };
  Kind kind = Kind::kNone;
  std::int64_t of_batch = 0;
};

// A batch with everything that its resource shows.
struct Batch : BatchRow {
  Totals totals;
  std::vector<Review> reviews;
  std::vector<Attachment> attachments;
  std::int64_t unexplained_departures = 0;
  BatchOrigin origin;
};

}  // namespace yikatong::dispatch
