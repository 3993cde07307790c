#include "services/dispatch/store/proof_store.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/merkle.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/domain/item_leaf.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

// One leaf of a subtree as it is read back.
struct LeafRow {
  std::int64_t reference = 0;
  std::int64_t person_id = 0;
  std::int64_t village = 0;
  std::int64_t amount_fen = 0;
  std::string masked_name;
  std::string state;
  std::int64_t batch_id = 0;
};

struct Subtree {
  std::string audit_id;
  std::vector<LeafRow> rows;
};

absl::StatusOr<Subtree> ReadSubmitted(postgres::Transaction& tx, const BatchRow& batch,
                                      std::int64_t item_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows found,
                       tx.Run(sql::kProofAttempt, batch.district, item_id));
  if (found.empty()) return status::Refuse(Reason::kNotFound, "the item was not submitted");
  const int chunk = found[0].Int(1);
  Subtree subtree;
  subtree.audit_id = found[0].Text(2);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows bounds,
                       tx.Run(sql::kChunkBounds, batch.district, batch.batch_id, chunk));
  YKT_INVARIANT(bounds.size() == 1, "an attempt names a chunk that there is none of");
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kProofChunkLeaves, batch.district, batch.batch_id, chunk,
                              bounds[0].Int64(0), bounds[0].Int64(1)));
  for (const postgres::Row row : rows) {
    subtree.rows.push_back({row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Text(4),
                            "sent", batch.batch_id});
  }
  return subtree;
}

absl::StatusOr<Subtree> ReadApplied(postgres::Transaction& tx, const BatchRow& batch,
                                    std::int64_t item_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows found,
                       tx.Run(sql::kProofApplied, batch.district, item_id));
  if (found.empty()) return status::Refuse(Reason::kNotFound, "the item has no outcome");
  Subtree subtree;
  subtree.audit_id = found[0].Text(1);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kProofAppliedLeaves, batch.district, found[0].Int64(0)));
  for (const postgres::Row row : rows) {
    subtree.rows.push_back({row.Int64(0), row.Int64(1), row.Int64(2), row.Int64(3), row.Text(4),
                            AttemptStateName(static_cast<AttemptState>(row.Int(5))), row.Int64(6)});
  }
  return subtree;
}

std::vector<std::string> StringsOf(const std::vector<crypto::Digest>& path) {
  std::vector<std::string> bytes(path.size());
  std::transform(path.begin(), path.end(), bytes.begin(), crypto::StringOf);
  return bytes;
}

}  // namespace

absl::StatusOr<ItemProof> ProofStore::Prove(const identity::Caller& caller, std::int64_t item_id,
                                            std::string_view step) {
  if (step != "submit" && step != "outcome") {
    return status::Refuse(Reason::kFieldInvalid, "step is `submit` or `outcome`",
                          {{"field", "step"}});
  }
  ItemProof proof;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("prove_item", [&](postgres::Transaction& tx) -> absl::Status {
        proof = {};
        YKT_ASSIGN_OR_RETURN(const postgres::Rows item,
                             tx.Run(sql::kProofItem, DistrictOfItem(item_id), item_id));
        if (item.empty()) return status::Refuse(Reason::kItemUnknown);
        const absl::StatusOr<BatchRow> batch = FindBatch(tx, caller, item[0].Int64(0));
        if (!batch.ok()) {
          return status::ReasonOf(batch.status()) == Reason::kBatchUnknown
                     ? status::Refuse(Reason::kItemUnknown)
                     : batch.status();
        }
        YKT_ASSIGN_OR_RETURN(const Subtree subtree, step == "submit"
                                                        ? ReadSubmitted(tx, *batch, item_id)
                                                        : ReadApplied(tx, *batch, item_id));
        // A chunk of outcomes can hold several batches, each with its own salts.
        std::map<std::int64_t, BatchRow> batches;
        std::vector<crypto::Digest> hashes;
        std::optional<std::size_t> index;
        std::string leaf;
        for (const LeafRow& row : subtree.rows) {
          auto known = batches.find(row.batch_id);
          if (known == batches.end()) {
            YKT_ASSIGN_OR_RETURN(
                BatchRow other,
                FindBatch(tx, identity::Caller{.service = "dispatch"}, row.batch_id));
            known = batches.emplace(row.batch_id, std::move(other)).first;
          }
          const BatchRow& own = known->second;
          const std::int64_t leaf_item = ItemOfReference(row.reference);
          WriteItemLeaf({step, leaf_item, row.batch_id, row.person_id, row.village, own.policy_id,
                         own.period, row.amount_fen, row.state, row.masked_name},
                        ItemSalt(own.salt_key, leaf_item), leaf);
          if (leaf_item == item_id) {
            // The last one counts: paid, and returned right after, stand in one chunk at times.
            index = hashes.size();
            proof.leaf = leaf;
          }
          hashes.push_back(crypto::LeafHash(leaf));
        }
        YKT_INVARIANT(index.has_value(), "an item is not under the root that was made over it");
        YKT_ASSIGN_OR_RETURN(const std::vector<crypto::Digest> path,
                             crypto::InclusionPath(hashes, *index));
        proof.path = StringsOf(path);
        proof.leaf_index = static_cast<std::int64_t>(*index);
        proof.leaves = static_cast<std::int64_t>(hashes.size());
        proof.root = crypto::StringOf(crypto::RootOf(hashes));
        YKT_ASSIGN_OR_RETURN(const postgres::Rows number,
                             tx.Run(sql::kProofEntryNumber, subtree.audit_id));
        proof.entry_number = number.empty() ? 0 : number[0].Int64(0);
        return absl::OkStatus();
      }));
  return proof;
}

}  // namespace yikatong::dispatch
