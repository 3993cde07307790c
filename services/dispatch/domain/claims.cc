#include "services/dispatch/domain/claims.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "common/crypto/sha256.h"
#include "common/status/status.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

std::vector<EdgeClaim> CountByKey(std::vector<ClaimKey> keys) {
  std::sort(keys.begin(), keys.end());
  std::vector<EdgeClaim> counted;
  for (const ClaimKey& key : keys) {
    if (counted.empty() || counted.back().key != key) counted.push_back({key, 0});
    ++counted.back().holders;
  }
  return counted;
}

// The work of SettleClaims over one chunk. A round takes what the first claimant of each key wants;
// who stands behind another waits for that one's fate. Nearly every chunk has one round.
class Settlement {
 public:
  Settlement(ClaimTable& table, std::span<const Claimant> claimants, std::int64_t edge_owner,
             std::int64_t first_item, std::int64_t last_item)
      : table_(table),
        claimants_(claimants),
        edge_owner_(edge_owner),
        first_item_(first_item),
        last_item_(last_item) {
    taken_.verdicts.resize(claimants.size());
    std::size_t keys = 0;
    for (const Claimant& claimant : claimants) keys += claimant.own.size();
    holder_.reserve(keys);
  }

  absl::StatusOr<ClaimsTaken> Run() {
    std::vector<std::size_t> pending(claimants_.size());
    for (std::size_t i = 0; i < pending.size(); ++i) pending[i] = i;
    while (!pending.empty()) {
      std::vector<std::size_t> active, behind;
      for (const std::size_t i : pending) Place(i, active, behind);
      YKT_RETURN_IF_ERROR(TakeOwn(active));
      YKT_RETURN_IF_ERROR(TakeEdges(active));
      decided_.insert(active.begin(), active.end());
      pending = std::move(behind);
    }
    Collect();
    return std::move(taken_);
  }

 private:
  void Refuse(std::size_t i, Reason reason, std::int64_t holder, std::uint16_t edge_no = 0) {
    taken_.verdicts[i] = {reason, holder, edge_no};
  }

  void RefuseFor(std::size_t i, std::int64_t holder) {
    const bool same = holder >= first_item_ && holder <= last_item_;
    Refuse(i, same ? Reason::kDuplicateInBatch : Reason::kAlreadyClaimed, holder);
  }

  // Decides by what is known already, or lets `i` try in this round, or puts it behind another.
  void Place(std::size_t i, std::vector<std::size_t>& active, std::vector<std::size_t>& behind) {
    const Claimant& claimant = claimants_[i];
    if (!lost_.empty()) {
      for (const ClaimKey& key : claimant.own) {
        if (const auto lost = lost_.find(key); lost != lost_.end())
          return RefuseFor(i, lost->second);
      }
    }
    if (!lost_edges_.empty()) {
      for (std::size_t e = 0; e < claimant.edges.size(); ++e) {
        if (lost_edges_.contains(claimant.edges[e])) {
          return Refuse(i, Reason::kExcludedByPolicy, 0, claimant.edge_no[e]);
        }
      }
    }
    for (const ClaimKey& key : claimant.own) {
      const auto held = holder_.find(key);
      if (held == holder_.end()) continue;
      if (decided_.contains(held->second)) return RefuseFor(i, claimants_[held->second].item_id);
      behind.push_back(i);
      return;
    }
    for (const ClaimKey& key : claimant.own) holder_.emplace(key, i);
    active.push_back(i);
  }

  absl::Status TakeOwn(std::vector<std::size_t>& active) {
    std::vector<Claim> wanted;
    for (const std::size_t i : active) {
      for (const ClaimKey& key : claimants_[i].own) wanted.push_back({key, claimants_[i].item_id});
    }
    if (wanted.empty()) return absl::OkStatus();
    std::sort(wanted.begin(), wanted.end(),
              [](const Claim& a, const Claim& b) { return a.key < b.key; });
    YKT_ASSIGN_OR_RETURN(const std::vector<LostClaim> lost, table_.Take(wanted));
    if (lost.empty()) return absl::OkStatus();
    for (const LostClaim& claim : lost) lost_.emplace(claim.key, claim.owner);
    return Drop(active, [&](std::size_t i) {
      for (const ClaimKey& key : claimants_[i].own) {
        if (const auto found = lost_.find(key); found != lost_.end()) {
          RefuseFor(i, found->second);
          return true;
        }
      }
      return false;
    });
  }

  absl::Status TakeEdges(std::vector<std::size_t>& active) {
    std::vector<ClaimKey> wanted;
    for (const std::size_t i : active) {
      wanted.insert(wanted.end(), claimants_[i].edges.begin(), claimants_[i].edges.end());
    }
    if (wanted.empty()) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(const std::vector<ClaimKey> lost,
                         table_.TakeEdges(edge_owner_, CountByKey(std::move(wanted))));
    if (lost.empty()) return absl::OkStatus();
    lost_edges_.insert(lost.begin(), lost.end());
    std::vector<ClaimKey> back;
    YKT_RETURN_IF_ERROR(Drop(active, [&](std::size_t i) {
      const Claimant& claimant = claimants_[i];
      for (std::size_t e = 0; e < claimant.edges.size(); ++e) {
        if (!lost_edges_.contains(claimant.edges[e])) continue;
        Refuse(i, Reason::kExcludedByPolicy, 0, claimant.edge_no[e]);
        for (const ClaimKey& key : claimant.edges) {
          if (!lost_edges_.contains(key)) back.push_back(key);
        }
        return true;
      }
      return false;
    }));
    return back.empty() ? absl::OkStatus()
                        : table_.ReleaseEdges(edge_owner_, CountByKey(std::move(back)));
  }

  // Takes those for whom `refused` is true out of the round, and gives back what they took.
  template <typename Refused>
  absl::Status Drop(std::vector<std::size_t>& active, const Refused& refused) {
    std::vector<std::size_t> left;
    std::vector<Claim> back;
    for (const std::size_t i : active) {
      if (!refused(i)) {
        left.push_back(i);
        continue;
      }
      for (const ClaimKey& key : claimants_[i].own) {
        holder_.erase(key);
        if (!lost_.contains(key)) back.push_back({key, claimants_[i].item_id});
      }
    }
    active = std::move(left);
    if (back.empty()) return absl::OkStatus();
    std::sort(back.begin(), back.end(),
              [](const Claim& a, const Claim& b) { return a.key < b.key; });
    return table_.Release(back);
  }

  void Collect() {
    std::vector<ClaimKey> edges;
    for (std::size_t i = 0; i < claimants_.size(); ++i) {
      if (taken_.verdicts[i].refused) continue;
      for (const ClaimKey& key : claimants_[i].own)
        taken_.own.push_back({key, claimants_[i].item_id});
      edges.insert(edges.end(), claimants_[i].edges.begin(), claimants_[i].edges.end());
    }
    std::sort(taken_.own.begin(), taken_.own.end(),
              [](const Claim& a, const Claim& b) { return a.key < b.key; });
    taken_.edges = CountByKey(std::move(edges));
  }

  ClaimTable& table_;
  const std::span<const Claimant> claimants_;
  const std::int64_t edge_owner_;
  const std::int64_t first_item_;
  const std::int64_t last_item_;

  std::unordered_map<ClaimKey, std::size_t, ClaimKeyHash>
      holder_;  // key -> who of the chunk tries for it or has it
  std::unordered_map<ClaimKey, std::int64_t, ClaimKeyHash>
      lost_;  // key -> item outside of the chunk that has it
  std::unordered_set<ClaimKey, ClaimKeyHash> lost_edges_;
  std::unordered_set<std::size_t> decided_;  // claimants that have all they want
  ClaimsTaken taken_;
};

}  // namespace

ClaimKey MakeClaimKey(std::string_view scope, std::string_view slot, std::string_view kind,
                      std::string_view key) {
  const crypto::Digest digest =
      crypto::Sha256({"claim/v1\n", scope, "\n", slot, "\n", kind, "\n", key});
  ClaimKey made;
  std::copy_n(digest.begin(), made.size(), made.begin());
  return made;
}

std::string PolicyScope(std::string_view policy_id) { return "policy:" + std::string(policy_id); }
std::string EdgeScope(std::string_view exclusion_id) { return "edge:" + std::string(exclusion_id); }

std::int64_t EdgeOwner(std::string_view policy_id) {
  const crypto::Digest digest = crypto::Sha256({"edge-owner/v1\n", policy_id});
  std::uint64_t number;
  std::memcpy(&number, digest.data(), sizeof number);
  return -static_cast<std::int64_t>((number & 0x3fff'ffff'ffff'ffffULL) + 1);
}

absl::StatusOr<ClaimsTaken> SettleClaims(ClaimTable& table, std::span<const Claimant> claimants,
                                         std::int64_t edge_owner, std::int64_t first_item,
                                         std::int64_t last_item) {
  return Settlement(table, claimants, edge_owner, first_item, last_item).Run();
}

}  // namespace yikatong::dispatch
