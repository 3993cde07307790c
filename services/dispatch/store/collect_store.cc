// Collection: opening a batch, taking its chunks.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/crypto/merkle.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/domain/item_leaf.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/claim_store.h"
#include "services/dispatch/store/intake_store.h"
#include "services/dispatch/store/new_batch.h"
#include "services/dispatch/store/once.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

struct RowRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// The rows of this chunk that another chunk brought already.
absl::StatusOr<std::vector<RowRange>> OverlapsOf(postgres::Transaction& tx, const BatchRow& batch,
                                                 const ChunkDraft& draft) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kUploadOverlaps, batch.district, batch.batch_id, draft.first_row,
                              draft.last_row));
  std::vector<RowRange> overlaps;
  for (const postgres::Row row : rows) overlaps.push_back({row.Int64(0), row.Int64(1)});
  return overlaps;
}

bool IsIn(std::int64_t row, const std::vector<RowRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const RowRange& r) { return row >= r.first && row <= r.last; });
}

// The details of claims that were lost: which row of this batch, which other batch, or which other
// policy has them.
absl::Status ExplainLosses(postgres::Transaction& tx, const Roster& roster,
                           const std::vector<Candidate>& candidates,
                           const std::vector<ClaimVerdict>& verdicts,
                           std::vector<Rejection>& rejections) {
  std::set<std::int64_t> foreign;
  for (const ClaimVerdict& verdict : verdicts) {
    if (verdict.refused == Reason::kAlreadyClaimed && verdict.holder > 0)
      foreign.insert(verdict.holder);
  }
  const std::vector<std::int64_t> holders(foreign.begin(), foreign.end());
  YKT_ASSIGN_OR_RETURN(const auto batches, BatchesOfItems(tx, holders));
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const ClaimVerdict& verdict = verdicts[i];
    if (!verdict.refused) continue;
    std::string detail;
    if (*verdict.refused == Reason::kDuplicateInBatch) {
      detail = fmt::format("row={}", roster.batch.RowOfItem(verdict.holder));
    } else if (*verdict.refused == Reason::kExcludedByPolicy) {
      detail = "policy=" + roster.edges[verdict.edge_no].other_policy;
    } else if (const auto batch = batches.find(verdict.holder); batch != batches.end()) {
      detail = fmt::format("batch={}", batch->second);
    }
    rejections.push_back({candidates[i].row, std::string(status::ReasonName(*verdict.refused)),
                          std::move(detail), candidates[i].amount_fen});
  }
  return absl::OkStatus();
}

// Stores the items and gives the RFC 6962 root over their leaves.
absl::StatusOr<std::string> StoreItems(postgres::Transaction& tx, const Roster& roster,
                                       std::int32_t chunk,
                                       const std::vector<const Candidate*>& items) {
  const BatchRow& batch = roster.batch;
  YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                       postgres::BinaryCopy::Start(tx, sql::kItemCopy, 9));
  crypto::MerkleAccumulator tree;
  std::string leaf;
  for (const Candidate* item : items) {
    copy.Int32(batch.district);
    copy.Int64(item->item_id);
    copy.Int64(batch.batch_id);
    copy.Int32(chunk);
    copy.Int64(item->person_id);
    copy.Int64(item->payee_id);
    copy.Int64(item->village);
    copy.Int64(item->amount_fen);
    copy.Text(item->masked_name);
    YKT_RETURN_IF_ERROR(copy.EndRow());
    WriteItemLeaf({"collect", item->item_id, batch.batch_id, item->person_id, item->village,
                   batch.policy_id, batch.period, item->amount_fen, "accepted", item->masked_name},
                  ItemSalt(batch.salt_key, item->item_id), leaf);
    tree.Add(crypto::LeafHash(leaf));
  }
  YKT_ASSIGN_OR_RETURN(const std::int64_t stored, copy.Finish());
  YKT_INVARIANT(stored == static_cast<std::int64_t>(items.size()),
                "COPY stored another number of items");
  return crypto::StringOf(tree.Root());
}

absl::Status StoreRejections(postgres::Transaction& tx, const BatchRow& batch,
                             const ChunkAnswer& answer) {
  if (answer.rejections.empty()) return absl::OkStatus();
  std::vector<std::int64_t> rows, amounts;
  std::vector<std::string> reasons, details;
  for (const Rejection& rejection : answer.rejections) {
    rows.push_back(rejection.row);
    reasons.push_back(rejection.reason);
    details.push_back(rejection.detail);
    amounts.push_back(rejection.amount_fen);
  }
  postgres::Columns columns;
  columns.Scalar(batch.district).Scalar(batch.batch_id).Scalar(answer.chunk);
  columns.Int64s(rows).Texts(reasons).Texts(details).Int64s(amounts);
  return tx.RunColumns(sql::kRejectionInsert, columns).status();
}

absl::Status StoreChunk(postgres::Transaction& tx, const BatchRow& batch, const ChunkDraft& draft,
                        const ChunkAnswer& answer, const std::vector<const Candidate*>& items,
                        const ClaimsTaken& taken) {
  std::vector<std::string> own, edges;
  std::vector<std::int32_t> holders;
  own.reserve(taken.own.size());
  for (const Claim& claim : taken.own) own.push_back(UuidOf(claim.key));
  for (const EdgeClaim& claim : taken.edges) {
    edges.push_back(UuidOf(claim.key));
    holders.push_back(claim.holders);
  }
  postgres::Columns columns;
  columns.Scalar(batch.district).Scalar(batch.batch_id).Scalar(draft.chunk);
  columns.Scalar(postgres::Bytes{draft.content_hash})
      .Scalar(draft.last_row - draft.first_row + 1)
      .Scalar(draft.rows_fen);
  columns.Scalar(answer.accepted)
      .Scalar(answer.accepted_fen)
      .Scalar(draft.first_row)
      .Scalar(draft.last_row);
  columns.Scalar(items.empty() ? std::int64_t{0} : items.front()->item_id);
  columns.Scalar(items.empty() ? std::int64_t{0} : items.back()->item_id);
  columns.Uuids(own).Lone().Uuids(edges).Lone().Int32s(holders).Lone();
  return tx.RunColumns(sql::kUploadInsert, columns).status();
}

}  // namespace

absl::StatusOr<std::optional<std::string>> PgIntakeStore::FindAnswer(const identity::Caller& caller,
                                                                     const Request& request) {
  std::optional<std::string> answer;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_answer", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(answer, KeptAnswer(tx, caller, request));
        return absl::OkStatus();
      }));
  return answer;
}

absl::StatusOr<std::string> PgIntakeStore::CreateBatch(const identity::Caller& caller,
                                                       const Request& request,
                                                       const NewBatch& wanted,
                                                       const PinnedRule& pinned,
                                                       const Encode<Batch>& encode) {
  return Mutate(context_.database, "create_batch", caller, request,
                [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                  YKT_ASSIGN_OR_RETURN(const BatchRow batch,
                                       InsertBatch(tx, context_, random_, caller,
                                                   request.request_id, wanted, pinned));
                  return Answer(tx, batch, encode);
                });
}

absl::StatusOr<BatchRow> PgIntakeStore::FindBatch(const identity::Caller& caller,
                                                  std::int64_t batch_id) {
  BatchRow batch;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_batch", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(batch, dispatch::FindBatch(tx, caller, batch_id));
        return absl::OkStatus();
      }));
  return batch;
}

absl::StatusOr<std::optional<ChunkAnswer>> PgIntakeStore::FindChunkIn(postgres::Transaction& tx,
                                                                      const BatchRow& batch,
                                                                      std::int32_t chunk,
                                                                      std::string_view content_hash,
                                                                      BatchState& state) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kUploadFind, batch.district, batch.batch_id, chunk));
  YKT_INVARIANT(rows.size() == 1, "a batch went away");
  state = static_cast<BatchState>(rows[0].Int(0));
  if (rows[0].IsNull(1)) return std::nullopt;
  if (rows[0].Bytes(1) != content_hash) {
    return status::Refuse(Reason::kRequestIdReused, "the chunk was sent before with other content",
                          {{"chunk", std::to_string(chunk)}});
  }
  ChunkAnswer answer;
  answer.chunk = chunk;
  answer.accepted = rows[0].Int(2);
  answer.accepted_fen = rows[0].Int64(3);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows refused,
                       tx.Run(sql::kRejectionsOfChunk, batch.district, batch.batch_id, chunk,
                              rows[0].Int64(4), rows[0].Int64(5)));
  for (const postgres::Row row : refused) {
    answer.rejections.push_back({row.Int64(0), row.Text(1), row.Text(2), row.Int64(3)});
  }
  return answer;
}

absl::StatusOr<std::optional<ChunkAnswer>> PgIntakeStore::FindChunk(const BatchRow& batch,
                                                                    std::int32_t chunk,
                                                                    std::string_view content_hash) {
  std::optional<ChunkAnswer> answer;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_chunk", [&](postgres::Transaction& tx) -> absl::Status {
        BatchState state;
        YKT_ASSIGN_OR_RETURN(answer, FindChunkIn(tx, batch, chunk, content_hash, state));
        // Said early, so that a stream to a sealed batch does not ask the registry first.
        if (!answer && state != BatchState::kCollecting)
          return Next(state, BatchEvent::kSeal).status();
        return absl::OkStatus();
      }));
  return answer;
}

absl::StatusOr<ChunkAnswer> PgIntakeStore::TakeChunk(const identity::Caller& caller,
                                                     const Roster& roster,
                                                     const ChunkDraft& draft) {
  ChunkAnswer answer;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("take_chunk", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(answer, TakeChunkIn(tx, caller, roster, draft));
        return absl::OkStatus();
      }));
  if (changed_) changed_(roster.batch.batch_id);
  return answer;
}

absl::StatusOr<ChunkAnswer> PgIntakeStore::TakeChunkIn(postgres::Transaction& tx,
                                                       const identity::Caller& caller,
                                                       const Roster& roster,
                                                       const ChunkDraft& draft) {
  const BatchRow& batch = roster.batch;
  YKT_RETURN_IF_ERROR(tx.Run(sql::kUploadLock, batch.batch_id, draft.chunk,
                             draft.first_row / static_cast<std::int64_t>(kMaxChunkRows),
                             draft.last_row / static_cast<std::int64_t>(kMaxChunkRows))
                          .status());
  BatchState state;
  YKT_ASSIGN_OR_RETURN(std::optional<ChunkAnswer> before,
                       FindChunkIn(tx, batch, draft.chunk, draft.content_hash, state));
  if (before) return *std::move(before);
  if (state != BatchState::kCollecting) return Next(state, BatchEvent::kSeal).status();

  ChunkAnswer answer;
  answer.chunk = draft.chunk;
  answer.rejections = draft.rejections;
  std::vector<Candidate> candidates = draft.candidates;
  std::vector<Claimant> claimants = draft.claimants;
  YKT_ASSIGN_OR_RETURN(const std::vector<RowRange> overlaps, OverlapsOf(tx, batch, draft));
  if (!overlaps.empty()) {
    std::vector<Candidate> fresh;
    std::vector<Claimant> fresh_claimants;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (IsIn(candidates[i].row, overlaps)) {
        answer.rejections.push_back({candidates[i].row,
                                     std::string(status::ReasonName(Reason::kRowNumberRepeated)),
                                     "", candidates[i].amount_fen});
      } else {
        fresh.push_back(std::move(candidates[i]));
        fresh_claimants.push_back(std::move(claimants[i]));
      }
    }
    candidates = std::move(fresh);
    claimants = std::move(fresh_claimants);
  }

  PgClaimTable table(tx);
  YKT_ASSIGN_OR_RETURN(const ClaimsTaken taken, SettleClaims(table, claimants, roster.edge_owner,
                                                             batch.first_item, batch.last_item()));
  YKT_RETURN_IF_ERROR(ExplainLosses(tx, roster, candidates, taken.verdicts, answer.rejections));
  std::sort(answer.rejections.begin(), answer.rejections.end(),
            [](const Rejection& a, const Rejection& b) { return a.row < b.row; });
  std::vector<const Candidate*> items;
  items.reserve(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (taken.verdicts[i].refused) continue;
    items.push_back(&candidates[i]);
    answer.accepted_fen += candidates[i].amount_fen;
  }
  answer.accepted = static_cast<std::int32_t>(items.size());

  std::string root;
  if (!items.empty()) {
    YKT_ASSIGN_OR_RETURN(root, StoreItems(tx, roster, draft.chunk, items));
  }
  YKT_RETURN_IF_ERROR(StoreRejections(tx, batch, answer));
  YKT_RETURN_IF_ERROR(StoreChunk(tx, batch, draft, answer, items, taken));
  YKT_RETURN_IF_ERROR(AppendMovements(
      tx, context_, batch,
      {{Bucket::kNowhere, Bucket::kWaiting, "", {answer.accepted, answer.accepted_fen}}}));
  YKT_RETURN_IF_ERROR(
      Audit(tx, context_, caller, batch,
            {"items.collected",
             "",
             root,
             answer.accepted,
             {{"chunk", std::to_string(draft.chunk)},
              {"content_sha256", crypto::HexOf(*crypto::DigestOf(draft.content_hash))},
              {"accepted_fen", std::to_string(answer.accepted_fen)},
              {"rejected", std::to_string(answer.rejections.size())}},
             fmt::format("/chunks/{}", draft.chunk)})
          .status());
  return answer;
}

}  // namespace yikatong::dispatch
