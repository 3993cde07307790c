// IntakeStore over PostgreSQL.
//
// Locks, in this order: the request (once.h); the batch's advisory lock (shared by uploads, alone
// for sealing and cancelling); the batch's row; claims of policies, by key; claims of edges, by
// key. An upload never locks a batch's row.
#pragma once

#include "common/calendar/calendar.h"
#include "common/crypto/random.h"
#include "services/dispatch/domain/intake.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/money_port.h"

namespace yikatong::dispatch {

struct IntakeOptions {
  int notice_page = 5'000;   // items read at once while a list is frozen
  int list_window = 20'000;  // items looked at in one statement for a rare state
  int list_windows = 10;     // such statements in one call
};

// Tells watchers of other replicas that a batch changed. May lose messages.
using BatchChanged = std::function<void(std::int64_t batch_id)>;

// Thread safe. What it is given outlives it.
class PgIntakeStore final : public IntakeStore {
 public:
  PgIntakeStore(const StoreContext& context, const RuleCodec& rules,
                const calendar::Calendar& calendar, crypto::RandomSource& random, MoneyPort& money,
                IntakeOptions options = {}, BatchChanged changed = {})
      : context_(context),
        rules_(rules),
        calendar_(calendar),
        random_(random),
        money_(money),
        options_(options),
        changed_(std::move(changed)) {}

  absl::StatusOr<std::optional<std::string>> FindAnswer(const identity::Caller& caller,
                                                        const Request& request) override;
  absl::StatusOr<std::string> CreateBatch(const identity::Caller& caller, const Request& request,
                                          const NewBatch& batch, const PinnedRule& rule,
                                          const Encode<Batch>& encode) override;
  absl::StatusOr<BatchRow> FindBatch(const identity::Caller& caller,
                                     std::int64_t batch_id) override;
  absl::StatusOr<std::optional<ChunkAnswer>> FindChunk(const BatchRow& batch, std::int32_t chunk,
                                                       std::string_view content_hash) override;
  absl::StatusOr<ChunkAnswer> TakeChunk(const identity::Caller& caller, const Roster& roster,
                                        const ChunkDraft& draft) override;
  absl::StatusOr<std::string> SealBatch(const identity::Caller& caller, const Request& request,
                                        std::int64_t batch_id,
                                        const Encode<Batch>& encode) override;
  absl::StatusOr<std::string> ExplainDepartures(const identity::Caller& caller,
                                                const Request& request, std::int64_t batch_id,
                                                const std::vector<std::int64_t>& person_ids,
                                                std::string_view reason,
                                                const Encode<DeparturesExplained>& encode) override;
  absl::StatusOr<std::string> CancelBatch(const identity::Caller& caller, const Request& request,
                                          std::int64_t batch_id, std::string_view reason,
                                          const Encode<Batch>& encode) override;
  absl::StatusOr<std::string> CorrectBatch(const identity::Caller& caller, const Request& request,
                                           std::int64_t batch_id, std::int64_t declared_count,
                                           std::int64_t declared_fen, std::string_view reason,
                                           const Encode<Batch>& encode) override;
  absl::StatusOr<std::string> AddAttachment(const identity::Caller& caller, const Request& request,
                                            std::int64_t batch_id, const Attachment& attachment,
                                            const Encode<Batch>& encode) override;

  absl::StatusOr<std::string> PublishNotice(const identity::Caller& caller, const Request& request,
                                            std::int64_t batch_id,
                                            const Encode<Notice>& encode) override;
  absl::StatusOr<std::string> RaiseObjection(const identity::Caller& caller, const Request& request,
                                             std::int64_t batch_id, std::int64_t item_id,
                                             std::string_view text,
                                             const Encode<Objection>& encode) override;
  absl::StatusOr<std::string> DecideObjection(const identity::Caller& caller,
                                              const Request& request, std::int64_t batch_id,
                                              std::int64_t objection_id, ObjectionState decision,
                                              std::string_view reason,
                                              const Encode<Objection>& encode) override;
  absl::StatusOr<std::string> CloseNotice(const identity::Caller& caller, const Request& request,
                                          std::int64_t batch_id,
                                          const Encode<Batch>& encode) override;
  absl::StatusOr<std::string> ReviewBatch(const identity::Caller& caller, const Request& request,
                                          std::int64_t batch_id, std::string_view step,
                                          bool approve, std::string_view comment,
                                          const Encode<Batch>& encode) override;

  absl::StatusOr<Batch> GetBatch(const identity::Caller& caller, std::int64_t batch_id) override;
  absl::StatusOr<Listed<BatchRow>> ListBatches(const identity::Caller& caller,
                                               const BatchFilter& filter,
                                               const Page& page) override;
  absl::StatusOr<Listed<Departure>> ListDepartures(const identity::Caller& caller,
                                                   std::int64_t batch_id, bool unexplained_only,
                                                   const Page& page) override;
  absl::StatusOr<Listed<Rejection>> ListRejections(const identity::Caller& caller,
                                                   std::int64_t batch_id,
                                                   const Page& page) override;
  absl::StatusOr<Listed<ItemView>> ListItems(const identity::Caller& caller, std::int64_t batch_id,
                                             std::string_view state, const Page& page) override;
  absl::StatusOr<NoticePage> ListNoticeLines(const identity::Caller& caller, std::int64_t batch_id,
                                             const Page& page) override;
  absl::StatusOr<BatchProgress> Progress(std::int64_t batch_id) override;

 private:
  using Step =
      std::function<absl::StatusOr<std::string>(postgres::Transaction& tx, BatchRow& batch)>;
  // A mutation of one batch: once, with the batch's row locked. `alone`: no upload may be under
  // way.
  absl::StatusOr<std::string> OnBatch(std::string_view name, const identity::Caller& caller,
                                      const Request& request, std::int64_t batch_id, bool alone,
                                      const Step& step);
  absl::StatusOr<std::string> Answer(postgres::Transaction& tx, const BatchRow& batch,
                                     const Encode<Batch>& encode);

  absl::StatusOr<std::optional<ChunkAnswer>> FindChunkIn(postgres::Transaction& tx,
                                                         const BatchRow& batch, std::int32_t chunk,
                                                         std::string_view content_hash,
                                                         BatchState& state);
  absl::StatusOr<ChunkAnswer> TakeChunkIn(postgres::Transaction& tx, const identity::Caller& caller,
                                          const Roster& roster, const ChunkDraft& draft);
  absl::Status FreezeList(postgres::Transaction& tx, const BatchRow& batch, Notice& notice);
  // Ends a batch that pays nothing any more: its claims, its reserved money, its items.
  absl::Status EndBatch(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                        BatchEvent event, std::string_view reason, std::string_view request_id);
  absl::Status ReleaseClaims(postgres::Transaction& tx, const BatchRow& batch);

  const StoreContext context_;
  const RuleCodec& rules_;
  const calendar::Calendar& calendar_;
  crypto::RandomSource& random_;
  MoneyPort& money_;
  const IntakeOptions options_;
  const BatchChanged changed_;
};

}  // namespace yikatong::dispatch
