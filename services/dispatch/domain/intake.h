// Collection, notice and review of batches: what may be asked (IntakeStore, whose methods are one
// transaction each) and the use cases that need more than the record (Collection).
//
// Every method takes its caller: what lies outside of the caller's districts and fields is
// BATCH_UNKNOWN. Every mutation takes its Request and an encoder: the same request again gets the
// bytes of its first answer. A mutation that does anything appends an audit entry in the same
// transaction; one that is refused changes no row.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/base/clock.h"
#include "common/identity/caller.h"
#include "services/dispatch/domain/batch.h"
#include "services/dispatch/domain/notice.h"
#include "services/dispatch/domain/ports.h"
#include "services/dispatch/domain/request.h"
#include "services/dispatch/domain/roster.h"
#include "services/dispatch/domain/rule_codec.h"

namespace yikatong::dispatch {

template <typename T>
using Encode = std::function<absl::StatusOr<std::string>(const T&)>;

struct NewBatch {
  std::int32_t district = 0;
  std::string department_id;
  std::string policy_id;
  std::string period;
  std::int64_t declared_count = 0;
  std::int64_t declared_fen = 0;
  std::optional<absl::CivilDay> pay_on;
};

struct Departure {
  std::int64_t person_id = 0;
  std::string masked_name;
  std::int64_t amount_fen = 0;
  std::string reason;
};

struct DeparturesExplained {
  std::int64_t explained = 0;
  std::int64_t unexplained = 0;
};

// An item with what became of it.
struct ItemView {
  std::int64_t item_id = 0;
  std::int64_t row = 0;
  std::string masked_name;
  std::int64_t village = 0;
  std::int64_t amount_fen = 0;
  std::string state;
  std::string reason;
  int attempt = 0;
  std::int64_t reference = 0;
  std::int64_t person_id = 0;
};

// A page of a list: at most `size` rows behind `after`, which is empty at the beginning.
struct Page {
  int size = 100;
  std::string after;
};
template <typename T>
struct Listed {
  std::vector<T> rows;
  std::string next;  // `after` of the next page; empty at the end
};

struct BatchFilter {
  std::int32_t district = 0;  // 0: all of the caller's
  std::string policy_id;      // empty: all
  std::optional<BatchState> state;
};

struct BatchProgress {
  BatchState state = BatchState::kCollecting;
  std::string stage;
  std::int64_t done = 0;
  std::int64_t total = 0;
};

// Thread safe; blocks on the database.
class IntakeStore {
 public:
  virtual ~IntakeStore() = default;

  // --- Collection ---
  // The answer that is kept for this request; REQUEST_ID_REUSED for another content.
  virtual absl::StatusOr<std::optional<std::string>> FindAnswer(const identity::Caller& caller,
                                                                const Request& request) = 0;
  virtual absl::StatusOr<std::string> CreateBatch(const identity::Caller& caller,
                                                  const Request& request, const NewBatch& batch,
                                                  const PinnedRule& rule,
                                                  const Encode<Batch>& encode) = 0;
  virtual absl::StatusOr<BatchRow> FindBatch(const identity::Caller& caller,
                                             std::int64_t batch_id) = 0;
  // The first answer of a chunk that was taken before. REQUEST_ID_REUSED where it had other
  // content.
  virtual absl::StatusOr<std::optional<ChunkAnswer>> FindChunk(const BatchRow& batch,
                                                               std::int32_t chunk,
                                                               std::string_view content_hash) = 0;
  // Takes one chunk, all of it or nothing: claims, items, refused rows, the chunk itself, its
  // movement and its audit entry. BATCH_STATE once the batch is sealed.
  virtual absl::StatusOr<ChunkAnswer> TakeChunk(const identity::Caller& caller,
                                                const Roster& roster, const ChunkDraft& draft) = 0;
  // COUNT_DIFFERS, TOTAL_DIFFERS, BATCH_EMPTY.
  virtual absl::StatusOr<std::string> SealBatch(const identity::Caller& caller,
                                                const Request& request, std::int64_t batch_id,
                                                const Encode<Batch>& encode) = 0;
  // PERSON_UNKNOWN for a person who did not leave. No person named: everybody without a reason.
  virtual absl::StatusOr<std::string> ExplainDepartures(
      const identity::Caller& caller, const Request& request, std::int64_t batch_id,
      const std::vector<std::int64_t>& person_ids, std::string_view reason,
      const Encode<DeparturesExplained>& encode) = 0;
  virtual absl::StatusOr<std::string> CancelBatch(const identity::Caller& caller,
                                                  const Request& request, std::int64_t batch_id,
                                                  std::string_view reason,
                                                  const Encode<Batch>& encode) = 0;
  // Cancels a RETURNED batch and opens one of the same version in its place, in one transaction.
  virtual absl::StatusOr<std::string> CorrectBatch(const identity::Caller& caller,
                                                   const Request& request, std::int64_t batch_id,
                                                   std::int64_t declared_count,
                                                   std::int64_t declared_fen,
                                                   std::string_view reason,
                                                   const Encode<Batch>& encode) = 0;
  virtual absl::StatusOr<std::string> AddAttachment(const identity::Caller& caller,
                                                    const Request& request, std::int64_t batch_id,
                                                    const Attachment& attachment,
                                                    const Encode<Batch>& encode) = 0;

  // --- Notice and review ---
  virtual absl::StatusOr<std::string> PublishNotice(const identity::Caller& caller,
                                                    const Request& request, std::int64_t batch_id,
                                                    const Encode<Notice>& encode) = 0;
  virtual absl::StatusOr<std::string> RaiseObjection(const identity::Caller& caller,
                                                     const Request& request, std::int64_t batch_id,
                                                     std::int64_t item_id, std::string_view text,
                                                     const Encode<Objection>& encode) = 0;
  virtual absl::StatusOr<std::string> DecideObjection(const identity::Caller& caller,
                                                      const Request& request, std::int64_t batch_id,
                                                      std::int64_t objection_id,
                                                      ObjectionState decision,
                                                      std::string_view reason,
                                                      const Encode<Objection>& encode) = 0;
  virtual absl::StatusOr<std::string> CloseNotice(const identity::Caller& caller,
                                                  const Request& request, std::int64_t batch_id,
                                                  const Encode<Batch>& encode) = 0;
  virtual absl::StatusOr<std::string> ReviewBatch(const identity::Caller& caller,
                                                  const Request& request, std::int64_t batch_id,
                                                  std::string_view step, bool approve,
                                                  std::string_view comment,
                                                  const Encode<Batch>& encode) = 0;

  // --- Reads. PAGE_TOKEN_INVALID for a token of another list. ---
  virtual absl::StatusOr<Batch> GetBatch(const identity::Caller& caller, std::int64_t batch_id) = 0;
  virtual absl::StatusOr<Listed<BatchRow>> ListBatches(const identity::Caller& caller,
                                                       const BatchFilter& filter,
                                                       const Page& page) = 0;
  virtual absl::StatusOr<Listed<Departure>> ListDepartures(const identity::Caller& caller,
                                                           std::int64_t batch_id,
                                                           bool unexplained_only,
                                                           const Page& page) = 0;
  virtual absl::StatusOr<Listed<Rejection>> ListRejections(const identity::Caller& caller,
                                                           std::int64_t batch_id,
                                                           const Page& page) = 0;
  // A page can be short of its size, or empty, and yet have a next one: a rare state is looked for
  // in bounded steps.
  virtual absl::StatusOr<Listed<ItemView>> ListItems(const identity::Caller& caller,
                                                     std::int64_t batch_id, std::string_view state,
                                                     const Page& page) = 0;
  struct NoticePage {
    Notice notice;
    Listed<NoticeLine> lines;
  };
  // BATCH_STATE before the notice was published.
  virtual absl::StatusOr<NoticePage> ListNoticeLines(const identity::Caller& caller,
                                                     std::int64_t batch_id, const Page& page) = 0;
  virtual absl::StatusOr<BatchProgress> Progress(std::int64_t batch_id) = 0;
};

// BATCH_EMPTY, BATCH_TOO_LARGE, or FIELD_INVALID for a declaration that no batch may have.
absl::Status CheckDeclared(std::int64_t count, std::int64_t fen);

// What collection does beside the record: it asks catalogue and registry. Thread safe; what it is
// given outlives it.
class Collection {
 public:
  Collection(IntakeStore& store, Catalogue& catalogue, People& people, const RuleCodec& rules,
             const base::BusinessClock& business)
      : store_(store), catalogue_(catalogue), people_(people), rules_(rules), business_(business) {}

  // Opens a batch. Also DISTRICT_FOREIGN (the district is not the caller's), POLICY_UNKNOWN (a
  // field that is not), BATCH_EMPTY, BATCH_TOO_LARGE, PAY_DATE_PAST.
  absl::StatusOr<std::string> Create(const identity::Caller& caller, const Request& request,
                                     const NewBatch& batch, const Encode<Batch>& encode);

  // Reads once what every chunk of a stream needs.
  absl::StatusOr<std::shared_ptr<const Roster>> Open(const identity::Caller& caller,
                                                     std::int64_t batch_id);

  // Takes one chunk: its first answer where it was taken before, else checked, resolved by one
  // call, and stored.
  absl::StatusOr<ChunkAnswer> Take(const identity::Caller& caller, const Roster& roster,
                                   std::int32_t chunk, std::string content_hash,
                                   std::span<const RosterRow> rows);

 private:
  IntakeStore& store_;
  Catalogue& catalogue_;
  People& people_;
  const RuleCodec& rules_;
  const base::BusinessClock& business_;
};

}  // namespace yikatong::dispatch
