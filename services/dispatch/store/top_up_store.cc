#include "services/dispatch/store/top_up_store.h"

#include <algorithm>

#include "common/crypto/merkle.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/item_leaf.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/claim_store.h"
#include "services/dispatch/store/new_batch.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr int kChunk = 1;  // a batch of missed amounts is one chunk

// One item to be written, with what it is copied from.
struct Target {
  std::int64_t of_item = 0;
  std::int64_t person_id = 0;
  std::int64_t village = 0;
  std::string masked_name;
  std::int32_t ordinal = 0;
  std::int64_t amount_fen = 0;
};

absl::StatusOr<std::vector<Target>> CheckedTargets(postgres::Transaction& tx, const BatchRow& of,
                                                   const policy::PolicyRule& rule,
                                                   const std::vector<TopUpRow>& rows) {
  const std::optional<base::Period> period = base::Period::Parse(of.period);
  YKT_INVARIANT(period.has_value(), "a batch has a period that is none");
  std::vector<std::int64_t> ids;
  ids.reserve(rows.size());
  for (const TopUpRow& row : rows) ids.push_back(row.item_id);
  postgres::Columns columns;
  columns.Scalar(of.district).Scalar(of.batch_id).Int64s(ids).Lone();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows found, tx.RunColumns(sql::kTopUpTargets, columns));
  if (found.size() != static_cast<std::int64_t>(rows.size()))
    return status::Refuse(Reason::kItemUnknown);
  std::vector<Target> targets;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const postgres::Row row = found[static_cast<std::int64_t>(i)];
    TopUpFacts facts;
    facts.amount_fen = row.Int64(4);
    facts.paid = static_cast<AttemptState>(row.Int(6)) == AttemptState::kPaid;
    facts.given_up = row.Bool(7);
    facts.recovery_open = row.Bool(8);
    facts.recovered_fen = row.Int64(9);
    facts.topped_up_fen = row.Int64(10);
    YKT_RETURN_IF_ERROR(CheckTopUp(rule, of.district, *period, rows[i], facts));
    targets.push_back({row.Int64(0), row.Int64(1), row.Int64(3), row.Text(5), row.Int(11) + 1,
                       rows[i].amount_fen});
  }
  return targets;
}

// The root over the items' leaves, as collection makes it.
std::string RootOf(const BatchRow& batch, const std::vector<Target>& targets) {
  crypto::MerkleAccumulator tree;
  std::string leaf;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = targets[i];
    const std::int64_t item_id = batch.first_item + static_cast<std::int64_t>(i);
    WriteItemLeaf(
        {"collect", item_id, batch.batch_id, target.person_id, target.village, batch.policy_id,
         batch.period, target.amount_fen, "accepted", target.masked_name},
        ItemSalt(batch.salt_key, item_id), leaf);
    tree.Add(crypto::LeafHash(leaf));
  }
  return crypto::StringOf(tree.Root());
}

absl::StatusOr<std::vector<std::string>> TakeClaims(postgres::Transaction& tx,
                                                    const BatchRow& batch,
                                                    const std::vector<Target>& targets) {
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    claims.push_back(
        {TopUpClaim(batch.policy_id, batch.period, targets[i].of_item, targets[i].ordinal),
         batch.first_item + static_cast<std::int64_t>(i)});
  }
  std::sort(claims.begin(), claims.end(),
            [](const Claim& a, const Claim& b) { return a.key < b.key; });
  YKT_ASSIGN_OR_RETURN(const std::vector<LostClaim> lost, PgClaimTable(tx).Take(claims));
  YKT_INVARIANT(lost.empty(), "the slot of a missed amount is taken");
  std::vector<std::string> keys;
  keys.reserve(claims.size());
  for (const Claim& claim : claims) keys.push_back(UuidOf(claim.key));
  return keys;
}

absl::Status InsertItems(postgres::Transaction& tx, const BatchRow& batch, std::int64_t of_batch,
                         const std::vector<Target>& targets) {
  std::vector<std::int64_t> items, of_items, fen;
  std::vector<std::int32_t> ordinals;
  for (const Target& target : targets) {
    items.push_back(batch.first_item + static_cast<std::int64_t>(items.size()));
    of_items.push_back(target.of_item);
    ordinals.push_back(target.ordinal);
    fen.push_back(target.amount_fen);
  }
  postgres::Columns columns;
  columns.Scalar(batch.district).Scalar(batch.batch_id).Scalar(of_batch);
  columns.Int64s(items).Int64s(of_items).Int32s(ordinals).Int64s(fen);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows made, tx.RunColumns(sql::kTopUpItemsInsert, columns));
  YKT_INVARIANT(made.affected() == static_cast<std::int64_t>(targets.size()),
                "an item that is topped up went away");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BatchRow> TopUpStore::Create(postgres::Transaction& tx,
                                            const identity::Caller& caller, std::int64_t batch_id,
                                            const PinnedRule& pinned,
                                            const std::vector<TopUpRow>& rows,
                                            std::string_view reason, std::string_view request_id,
                                            std::string_view content_hash) {
  // Under the lock of the batch that is topped up: two calls see each other's amounts.
  YKT_ASSIGN_OR_RETURN(const BatchRow of, LockBatch(tx, caller, batch_id));
  YKT_ASSIGN_OR_RETURN(const std::vector<Target> targets,
                       CheckedTargets(tx, of, pinned.rule, rows));
  CountAndFen sum;
  for (const Target& target : targets) {
    ++sum.items;
    sum.fen += target.amount_fen;
  }
  const NewBatch wanted{of.district, of.department_id, of.policy_id, of.period,
                        sum.items,   sum.fen,          std::nullopt};
  YKT_ASSIGN_OR_RETURN(BatchRow batch,
                       InsertBatch(tx, context_, random_, caller, request_id, wanted, pinned));
  YKT_RETURN_IF_ERROR(InsertOrigin(tx, batch, {BatchOrigin::Kind::kTopsUp, of.batch_id}));
  YKT_ASSIGN_OR_RETURN(const std::vector<std::string> keys, TakeClaims(tx, batch, targets));
  YKT_RETURN_IF_ERROR(InsertItems(tx, batch, of.batch_id, targets));
  postgres::Columns upload;
  upload.Scalar(batch.district).Scalar(batch.batch_id).Scalar(kChunk);
  upload.Scalar(postgres::Bytes{content_hash})
      .Scalar(sum.items)
      .Scalar(sum.fen)
      .Scalar(sum.items)
      .Scalar(sum.fen)
      .Scalar(1)
      .Scalar(sum.items)
      .Scalar(batch.first_item)
      .Scalar(batch.last_item());
  upload.Uuids(keys).Lone().Uuids(std::vector<std::string>()).Lone();
  upload.Int32s(std::vector<std::int32_t>()).Lone();
  YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kUploadInsert, upload).status());
  YKT_RETURN_IF_ERROR(
      AppendMovements(tx, context_, batch, {{Bucket::kNowhere, Bucket::kWaiting, "", sum}}));
  YKT_RETURN_IF_ERROR(tx.Run(sql::kChunksSeal, batch.district, batch.batch_id).status());
  YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kTopUp, reason));
  if (pinned.rule.review_steps.empty())
    YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kFinishReview));
  YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                            {.kind = "batch.topped_up",
                             .request_id = std::string(request_id),
                             .root = RootOf(batch, targets),
                             .leaves = sum.items,
                             .details = {{"of_batch", std::to_string(of.batch_id)},
                                         {"amount_fen", std::to_string(sum.fen)}}})
                          .status());
  return batch;
}

}  // namespace yikatong::dispatch
