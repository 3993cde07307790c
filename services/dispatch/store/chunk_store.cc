#include "services/dispatch/store/chunk_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "common/base/failpoint.h"
#include "common/crypto/merkle.h"
#include "common/outbox/outbox.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/domain/item_leaf.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

postgres::Param ItemList(const TakenChunk& chunk) {
  return chunk.item_ids.empty() ? postgres::Param(nullptr) : postgres::Param(chunk.item_ids);
}

std::string_view StageName(ChunkStage stage) {
  switch (stage) {
    case ChunkStage::kWaiting:
      return "waiting";
    case ChunkStage::kRoute:
      return "route";
    case ChunkStage::kSubmit:
      return "submit";
    case ChunkStage::kSend:
      return "send";
    case ChunkStage::kDone:
      return "done";
    case ChunkStage::kSetAside:
      return "set_aside";
  }
  return "unknown";
}

absl::Status InsertSubmissions(postgres::Transaction& tx, const TakenChunk& chunk,
                               absl::CivilDay sent_on, const std::string& audit_id,
                               const std::vector<NewSubmission>& submissions) {
  std::vector<std::int16_t> numbers;
  std::vector<std::string> request_ids, agreements;
  std::vector<std::int32_t> rows;
  std::vector<std::int64_t> fen;
  std::vector<std::string_view> bytes;
  for (const NewSubmission& submission : submissions) {
    numbers.push_back(submission.submission_no);
    request_ids.push_back(submission.request_id);
    agreements.push_back(submission.agreement_no);
    rows.push_back(static_cast<std::int32_t>(submission.rows));
    fen.push_back(submission.amount_fen);
    bytes.push_back(submission.bytes);
  }
  postgres::Columns columns;
  columns.Scalar(chunk.district).Scalar(chunk.batch_id).Scalar(chunk.chunk);
  columns.Scalar(sent_on).Scalar(audit_id);
  columns.Int16s(numbers).Texts(request_ids).Texts(agreements).Int32s(rows).Int64s(fen);
  columns.ByteStrings(bytes);
  return tx.RunColumns(sql::kSubmissionInsert, columns).status();
}

}  // namespace

const identity::Caller& OwnCaller() {
  static const identity::Caller caller{.service = "dispatch"};
  return caller;
}

absl::StatusOr<BatchFunding> ReadFunding(postgres::Transaction& tx, const BatchRow& batch,
                                         const policy::PolicyRule& rule) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kReservationRead, batch.district, batch.batch_id));
  YKT_INVARIANT(static_cast<std::size_t>(rows.size()) == rule.funding.size(),
                "a batch is paid from other lines than its version's sources");
  BatchFunding funding;
  funding.shares = rule.funding;
  for (const postgres::Row row : rows) {
    funding.line_ids.push_back(row.Int64(0));
    funding.year = row.Int(2);
    funding.closed.push_back(row.MaybeDate(3).has_value());
  }
  return funding;
}

absl::Status WritePosting(postgres::Transaction& tx, const StoreContext& context,
                          std::int32_t district, const Posting& posting) {
  const std::vector<LedgerRow> rows = posting.Rows();
  if (rows.empty()) return absl::OkStatus();
  std::vector<std::int64_t> lines, batches, fen;
  std::vector<std::string> ids, steps, reasons;
  std::vector<std::int32_t> chunks;
  std::vector<std::int16_t> debits, credits;
  for (const LedgerRow& row : rows) {
    lines.push_back(row.line_id);
    ids.push_back(context.ids.NewId());
    batches.push_back(row.batch_id);
    chunks.push_back(row.chunk);
    steps.push_back(row.step);
    reasons.push_back(row.reason);
    debits.push_back(static_cast<std::int16_t>(row.debit));
    credits.push_back(static_cast<std::int16_t>(row.credit));
    fen.push_back(row.amount_fen);
  }
  postgres::Columns columns;
  columns.Scalar(district)
      .Scalar(context.business.Today())
      .Int64s(lines)
      .Uuids(ids)
      .Int64s(batches)
      .Int32s(chunks);
  columns.Texts(steps).Texts(reasons).Int16s(debits).Int16s(credits).Int64s(fen);
  YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kLedgerInsert, columns).status());
  // In the order of the lines, so that two steps never wait for each other crosswise.
  for (const auto& [line_id, change] : posting.AvailableChanges()) {
    if (change == 0) continue;
    YKT_ASSIGN_OR_RETURN(const postgres::Rows changed,
                         tx.Run(sql::kBudgetLineAdd, district, line_id, change));
    YKT_INVARIANT(changed.size() == 1, "a ledger row names a budget line that there is none of");
  }
  return absl::OkStatus();
}

absl::Status ChunkStore::Lock(postgres::Transaction& tx, const TakenChunk& chunk) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kChunkLock, chunk.district,
                                                         chunk.batch_id, chunk.chunk, chunk.fence));
  if (rows.empty()) return status::Refuse(Reason::kLeaseLost);
  return absl::OkStatus();
}

absl::Status ChunkStore::AdvanceChunk(postgres::Transaction& tx, const TakenChunk& chunk,
                                      ChunkStage from, ChunkStage to) {
  base::failpoint::Note("chunk", StageName(from), StageName(to));
  return tx
      .Run(sql::kChunkAdvance, chunk.district, chunk.batch_id, chunk.chunk, chunk.fence,
           static_cast<int>(to))
      .status();
}

absl::StatusOr<std::optional<TakenChunk>> ChunkStore::Take(const std::string& worker, int slot,
                                                           std::span<const std::string> dead) {
  const std::string holder = fmt::format("{}/{}", worker, slot);
  std::optional<TakenChunk> taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("take_chunk", [&](postgres::Transaction& tx) -> absl::Status {
        taken.reset();
        postgres::Columns columns;
        columns.Scalar(holder).Texts(dead).Lone();
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.RunColumns(sql::kChunkTake, columns));
        if (rows.empty()) return absl::OkStatus();
        const postgres::Row row = rows[0];
        TakenChunk chunk;
        chunk.district = row.Int(0);
        chunk.batch_id = row.Int64(1);
        chunk.chunk = row.Int(2);
        chunk.repair = row.Bool(3);
        chunk.first_item = row.Int64(4);
        chunk.last_item = row.Int64(5);
        chunk.item_ids = row.MaybeText(6).value_or("");
        chunk.stage = static_cast<ChunkStage>(row.Int(7));
        chunk.fence = row.Int64(8);
        chunk.taken = row.Int(9);
        chunk.why = row.Text(10);
        taken = chunk;
        return absl::OkStatus();
      }));
  return taken;
}

absl::StatusOr<ChunkContent> ChunkStore::Load(const TakenChunk& chunk) {
  ChunkContent content;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("load_chunk", [&](postgres::Transaction& tx) -> absl::Status {
        content = {};
        YKT_ASSIGN_OR_RETURN(content.batch, FindBatch(tx, OwnCaller(), chunk.batch_id));
        YKT_ASSIGN_OR_RETURN(content.rule, codec_.Decode(content.batch.rule));
        YKT_ASSIGN_OR_RETURN(content.funding, ReadFunding(tx, content.batch, content.rule));
        postgres::Columns columns;
        columns.Scalar(chunk.district)
            .Scalar(chunk.batch_id)
            .Scalar(chunk.first_item)
            .Scalar(chunk.last_item);
        columns.Scalar(ItemList(chunk)).Scalar(chunk.repair);
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.RunColumns(sql::kChunkItems, columns));
        content.items.reserve(static_cast<std::size_t>(rows.size()));
        for (const postgres::Row row : rows) {
          content.items.push_back({row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3),
                                   row.Int64(4), row.Text(5), 0});
        }
        if (!chunk.repair || content.items.empty()) return absl::OkStatus();
        std::vector<std::int64_t> ids;
        for (const ChunkItem& item : content.items) ids.push_back(item.item_id);
        postgres::Columns repaired;
        repaired.Scalar(chunk.district).Int64s(ids);
        YKT_ASSIGN_OR_RETURN(const postgres::Rows tries,
                             tx.RunColumns(sql::kChunkLastAttempts, repaired));
        std::unordered_map<std::int64_t, int> attempts;
        for (const postgres::Row row : tries) {
          const auto state = static_cast<AttemptState>(row.Int(2));
          YKT_INVARIANT(chunk.stage == ChunkStage::kSend || state == AttemptState::kFailed ||
                            state == AttemptState::kReturned,
                        "an item is to be sent again, and its last attempt may still be paid");
          attempts[row.Int64(0)] = row.Int(1);
        }
        for (ChunkItem& item : content.items) item.attempts = attempts[item.item_id];
        return absl::OkStatus();
      }));
  return content;
}

absl::Status ChunkStore::SaveStrays(postgres::Transaction& tx, const TakenChunk& chunk,
                                    const ChunkContent& content,
                                    const std::vector<StrayItem>& strays) {
  if (strays.empty()) return absl::OkStatus();
  std::unordered_map<std::int64_t, std::int64_t> amounts;
  for (const ChunkItem& item : content.items) amounts[item.item_id] = item.amount_fen;
  std::vector<std::int64_t> ids;
  std::vector<std::int16_t> buckets;
  std::vector<std::string> reasons;
  std::map<std::pair<Bucket, std::string>, CountAndFen> moved;
  Posting posting;
  for (const StrayItem& stray : strays) {
    const Bucket bucket = stray.stopped ? Bucket::kStopped : Bucket::kUnroutable;
    const auto amount = amounts.find(stray.item_id);
    YKT_INVARIANT(amount != amounts.end(), "an item leaves a chunk that does not hold it");
    const std::int64_t fen = amount->second;
    ids.push_back(stray.item_id);
    buckets.push_back(static_cast<std::int16_t>(bucket));
    reasons.push_back(stray.reason);
    CountAndFen& sum = moved[{bucket, stray.reason}];
    ++sum.items;
    sum.fen += fen;
    if (stray.stopped) {
      YKT_RETURN_IF_ERROR(posting.Move(content.funding, chunk.batch_id, chunk.chunk, "release",
                                       stray.reason, Account::kAvailable, Account::kReserved, fen));
    }
  }
  postgres::Columns columns;
  columns.Scalar(chunk.district).Scalar(chunk.batch_id).Int64s(ids).Int16s(buckets).Texts(reasons);
  columns.Scalar(context_.business.Today());
  YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kExceptionInsert, columns).status());
  std::vector<Movement> movements;
  movements.reserve(moved.size());
  for (const auto& [key, sum] : moved)
    movements.push_back({Bucket::kWaiting, key.first, key.second, sum});
  YKT_RETURN_IF_ERROR(AppendMovements(tx, context_, content.batch, movements));
  return WritePosting(tx, context_, chunk.district, posting);
}

absl::Status ChunkStore::SaveRouting(const TakenChunk& chunk, const ChunkContent& content,
                                     const std::vector<StrayItem>& strays) {
  const std::size_t left = content.items.size() - strays.size();
  return context_.database.Transact("save_routing", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_RETURN_IF_ERROR(Lock(tx, chunk));
    YKT_RETURN_IF_ERROR(SaveStrays(tx, chunk, content, strays));
    YKT_RETURN_IF_ERROR(Audit(tx, context_, OwnCaller(), content.batch,
                              {.kind = "chunk.routed",
                               .details = {{"chunk", std::to_string(chunk.chunk)},
                                           {"routed", std::to_string(left)},
                                           {"strays", std::to_string(strays.size())}},
                               .subject_tail = fmt::format("/chunks/{}", chunk.chunk)})
                            .status());
    return AdvanceChunk(tx, chunk, chunk.stage,
                        left == 0 ? ChunkStage::kDone : ChunkStage::kSubmit);
  });
}

absl::Status ChunkStore::SaveAttempts(const TakenChunk& chunk, const ChunkContent& content,
                                      const std::vector<NewAttempt>& unordered,
                                      const std::vector<NewSubmission>& submissions,
                                      const std::vector<StrayItem>& strays) {
  // Everything that can be computed before the transaction is: it holds the chunk's row.
  // The leaves of the audit entry stand in the order of references, since a proof reads them back
  // so.
  std::vector<NewAttempt> attempts = unordered;
  std::sort(attempts.begin(), attempts.end(),
            [](const NewAttempt& a, const NewAttempt& b) { return a.reference < b.reference; });
  Posting posting;
  CountAndFen sent, not_converted;
  crypto::MerkleAccumulator tree;
  std::string leaf;
  for (const NewAttempt& attempt : attempts) {
    const ChunkItem& item = *attempt.item;
    ++sent.items;
    sent.fen += item.amount_fen;
    // The memo counts items, and a reissued one was counted with its first attempt.
    if (!attempt.social_card && AttemptOfReference(attempt.reference) == 1) {
      ++not_converted.items;
      not_converted.fen += item.amount_fen;
    }
    YKT_RETURN_IF_ERROR(posting.Move(content.funding, chunk.batch_id, chunk.chunk, "submit", "",
                                     Account::kInTransit, Account::kReserved, item.amount_fen));
    WriteItemLeaf(
        {"submit", item.item_id, chunk.batch_id, item.person_id, item.village,
         content.batch.policy_id, content.batch.period, item.amount_fen, "sent", item.masked_name},
        ItemSalt(content.batch.salt_key, item.item_id), leaf);
    tree.Add(crypto::LeafHash(leaf));
  }
  return context_.database.Transact(
      "save_attempts", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_RETURN_IF_ERROR(Lock(tx, chunk));
        YKT_RETURN_IF_ERROR(SaveStrays(tx, chunk, content, strays));
        if (attempts.empty()) return AdvanceChunk(tx, chunk, chunk.stage, ChunkStage::kDone);
        YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                             postgres::BinaryCopy::Start(tx, sql::kAttemptCopy, 9));
        for (const NewAttempt& attempt : attempts) {
          copy.Int32(chunk.district);
          copy.Int64(attempt.reference);
          copy.Int64(chunk.batch_id);
          copy.Int32(chunk.chunk);
          copy.Int16(attempt.submission_no);
          copy.Int64(attempt.item->amount_fen);
          copy.Int64(attempt.bank_code);
          copy.Int64(attempt.account_version);
          copy.Bool(attempt.social_card);
          YKT_RETURN_IF_ERROR(copy.EndRow());
        }
        YKT_RETURN_IF_ERROR(copy.Finish().status());
        YKT_ASSIGN_OR_RETURN(
            const std::string audit_id,
            Audit(tx, context_, OwnCaller(), content.batch,
                  {.kind = "chunk.submitted",
                   .root = crypto::StringOf(tree.Root()),
                   .leaves = static_cast<std::int64_t>(tree.size()),
                   .details = {{"chunk", std::to_string(chunk.chunk)},
                               {"amount_fen", std::to_string(sent.fen)},
                               {"submissions", std::to_string(submissions.size())}},
                   .subject_tail = fmt::format("/chunks/{}", chunk.chunk)}));
        YKT_RETURN_IF_ERROR(
            InsertSubmissions(tx, chunk, context_.business.Today(), audit_id, submissions));
        YKT_RETURN_IF_ERROR(
            AppendMovements(tx, context_, content.batch,
                            {{Bucket::kWaiting, Bucket::kInTransit, "", sent},
                             {Bucket::kNowhere, Bucket::kNotConverted, "", not_converted}}));
        YKT_RETURN_IF_ERROR(WritePosting(tx, context_, chunk.district, posting));
        return AdvanceChunk(tx, chunk, chunk.stage, ChunkStage::kSend);
      });
}

absl::StatusOr<std::vector<PendingSubmission>> ChunkStore::Pending(const TakenChunk& chunk) {
  std::vector<PendingSubmission> pending;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("pending_submissions", [&](postgres::Transaction& tx) -> absl::Status {
        pending.clear();
        postgres::Columns columns;
        columns.Scalar(chunk.district).Scalar(chunk.batch_id).Scalar(chunk.chunk);
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.RunColumns(sql::kSubmissionPending, columns));
        for (const postgres::Row row : rows) {
          pending.push_back({static_cast<std::int16_t>(row.Int(0)), row.Int64(1), row.Bytes(2)});
        }
        return absl::OkStatus();
      }));
  return pending;
}

absl::Status ChunkStore::Acknowledge(const TakenChunk& chunk, std::int16_t submission_no) {
  return context_.database.Transact("acknowledge_submission",
                                    [&](postgres::Transaction& tx) -> absl::Status {
                                      YKT_RETURN_IF_ERROR(Lock(tx, chunk));
                                      return tx
                                          .Run(sql::kSubmissionAcknowledge, chunk.district,
                                               chunk.batch_id, chunk.chunk, submission_no)
                                          .status();
                                    });
}

absl::Status ChunkStore::Refuse(const TakenChunk& chunk, const ChunkContent& content,
                                std::int16_t submission_no, std::string_view reason) {
  return context_.database.Transact(
      "refuse_submission", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_RETURN_IF_ERROR(Lock(tx, chunk));
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kSubmissionAttempts, chunk.district, chunk.batch_id,
                                    chunk.chunk, submission_no, chunk.first_item, chunk.last_item));
        Posting posting;
        CountAndFen failed;
        std::vector<std::pair<std::int64_t, std::int64_t>> references;
        for (const postgres::Row row : rows) {
          references.emplace_back(row.Int64(0), row.Int64(1));
          ++failed.items;
          failed.fen += row.Int64(1);
          YKT_RETURN_IF_ERROR(posting.Move(content.funding, chunk.batch_id, chunk.chunk, "failed",
                                           reason, Account::kReserved, Account::kInTransit,
                                           row.Int64(1)));
        }
        YKT_ASSIGN_OR_RETURN(postgres::BinaryCopy copy,
                             postgres::BinaryCopy::Start(tx, sql::kOutcomeCopy, 8));
        for (const auto& [reference, fen] : references) {
          copy.Int32(chunk.district);
          copy.Int64(reference);
          // Before all numbers of the gateway: should it report on this reference after all, that
          // is no repetition but a contradiction, and is seen.
          copy.Int16(0);
          copy.Int16(static_cast<std::int16_t>(AttemptState::kFailed));
          copy.Text(reason);
          copy.Null();
          copy.Int64(fen);
          copy.Int64(0);
          YKT_RETURN_IF_ERROR(copy.EndRow());
        }
        YKT_RETURN_IF_ERROR(copy.Finish().status());
        YKT_RETURN_IF_ERROR(tx.Run(sql::kSubmissionRefuse, chunk.district, chunk.batch_id,
                                   chunk.chunk, submission_no, reason)
                                .status());
        YKT_RETURN_IF_ERROR(
            AppendMovements(tx, context_, content.batch,
                            {{Bucket::kInTransit, Bucket::kFailed, std::string(reason), failed}}));
        YKT_RETURN_IF_ERROR(Audit(tx, context_, OwnCaller(), content.batch,
                                  {.kind = "submission.refused",
                                   .details = {{"chunk", std::to_string(chunk.chunk)},
                                               {"items", std::to_string(failed.items)},
                                               {"reason", std::string(reason)}},
                                   .subject_tail = fmt::format("/chunks/{}", chunk.chunk)})
                                .status());
        return WritePosting(tx, context_, chunk.district, posting);
      });
}

absl::Status ChunkStore::Finish(const TakenChunk& chunk) {
  return context_.database.Transact("finish_chunk", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_RETURN_IF_ERROR(Lock(tx, chunk));
    // Whoever took it may have brought it to this stage himself.
    return AdvanceChunk(tx, chunk, ChunkStage::kSend, ChunkStage::kDone);
  });
}

absl::Status ChunkStore::PutBack(const TakenChunk& chunk, absl::Duration delay, bool counts,
                                 std::string_view why, std::optional<absl::Duration> due_in) {
  std::optional<std::int64_t> due_in_seconds;
  if (due_in.has_value()) due_in_seconds = absl::ToInt64Seconds(*due_in);
  return context_.database.Transact(
      "put_chunk_back", [&](postgres::Transaction& tx) -> absl::Status {
        return tx
            .Run(sql::kChunkPutBack, chunk.district, chunk.batch_id, chunk.chunk, chunk.fence,
                 absl::ToInt64Seconds(delay), counts, why, due_in_seconds)
            .status();
      });
}

absl::Status ChunkStore::SetAside(const TakenChunk& chunk, std::string_view why) {
  return context_.database.Transact(
      "set_chunk_aside", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_RETURN_IF_ERROR(Lock(tx, chunk));
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, FindBatch(tx, OwnCaller(), chunk.batch_id));
        YKT_RETURN_IF_ERROR(Audit(tx, context_, OwnCaller(), batch,
                                  {.kind = "chunk.set_aside",
                                   .details = {{"chunk", std::to_string(chunk.chunk)},
                                               {"reason", std::string(why)}},
                                   .subject_tail = fmt::format("/chunks/{}", chunk.chunk)})
                                .status());
        return tx
            .Run(sql::kChunkSetAside, chunk.district, chunk.batch_id, chunk.chunk, chunk.fence, why,
                 context_.business.Today())
            .status();
      });
}

absl::Status ChunkStore::CheckAuditBacklog(absl::Duration limit) {
  return context_.database.Read("audit_backlog", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const outbox::Lag lag, outbox::ReadLag(tx));
    if (absl::Seconds(lag.oldest_age_seconds) <= limit) return absl::OkStatus();
    return status::Refuse(Reason::kAuditBacklog);
  });
}

absl::StatusOr<int> ChunkStore::SettleBatches() {
  std::vector<std::int64_t> candidates;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("settle_candidates", [&](postgres::Transaction& tx) -> absl::Status {
        candidates.clear();
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kSettleCandidates));
        for (const postgres::Row row : rows) candidates.push_back(row.Int64(1));
        return absl::OkStatus();
      }));
  int settled = 0;
  for (const std::int64_t batch_id : candidates) {
    bool done = false;
    YKT_RETURN_IF_ERROR(
        context_.database.Transact("settle_batch", [&](postgres::Transaction& tx) -> absl::Status {
          done = false;
          YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, OwnCaller(), batch_id));
          if (batch.state != BatchState::kPaying) return absl::OkStatus();
          // Read again under the lock: a reissue may have come in between.
          YKT_ASSIGN_OR_RETURN(const postgres::Rows open,
                               tx.Run(sql::kBatchOpenWork, batch.district, batch_id));
          if (open[0].Int64(0) != 0) return absl::OkStatus();
          YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kSettle));
          YKT_RETURN_IF_ERROR(
              Audit(tx, context_, OwnCaller(), batch, {.kind = "batch.settled"}).status());
          done = true;
          return absl::OkStatus();
        }));
    if (done) ++settled;
  }
  return settled;
}

}  // namespace yikatong::dispatch
