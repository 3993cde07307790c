// What an item occupies so that nobody is paid twice, and who of a chunk gets it.
//
// An item holds one claim for each (scope, slot, kind, key): the scope is its policy, or one
// exclusion edge between its policy and another; the slot a month, a year or LIFE; the key a
// person, household, plot, machine or child. A claim on a policy has one owner, the item. A claim
// on an edge is owned by one of the two policies, and counts the items of that policy that hold it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/reason.h"

namespace yikatong::dispatch {

// The first sixteen bytes of SHA-256 over "claim/v1", scope, slot, kind and key, each on a line.
// Ordered by its bytes, as PostgreSQL orders a uuid.
using ClaimKey = std::array<std::uint8_t, 16>;

struct ClaimKeyHash {
  std::size_t operator()(const ClaimKey& key) const {
    std::size_t value;
    std::memcpy(&value, key.data(), sizeof value);
    return value;
  }
};

ClaimKey MakeClaimKey(std::string_view scope, std::string_view slot, std::string_view kind,
                      std::string_view key);

std::string PolicyScope(std::string_view policy_id);   // policy:P001
std::string EdgeScope(std::string_view exclusion_id);  // edge:P001~P002

// The owner that stands in an edge's claim for a policy: negative, so that it is never an item's;
// made from the policy's id, and the two policies of one edge have the same number once in 2^62.
std::int64_t EdgeOwner(std::string_view policy_id);

struct Claim {
  ClaimKey key;
  std::int64_t owner = 0;  // item id
};
struct EdgeClaim {
  ClaimKey key;
  std::int32_t holders = 0;
};
struct LostClaim {
  ClaimKey key;
  std::int64_t owner = 0;  // item that has it; 0 where it went away meanwhile
};

// The table of claims, inside one transaction. Each span is sorted by key and holds each key once.
class ClaimTable {
 public:
  virtual ~ClaimTable() = default;
  // Takes what is free, waiting for whoever is taking the same; returns what another item has.
  virtual absl::StatusOr<std::vector<LostClaim>> Take(std::span<const Claim> claims) = 0;
  virtual absl::Status Release(std::span<const Claim> claims) = 0;
  // Takes, or adds to what this policy holds; returns the keys that the edge's other policy holds.
  virtual absl::StatusOr<std::vector<ClaimKey>> TakeEdges(std::int64_t owner,
                                                          std::span<const EdgeClaim> claims) = 0;
  virtual absl::Status ReleaseEdges(std::int64_t owner, std::span<const EdgeClaim> claims) = 0;
};

// One row that could become an item, in ascending order of rows.
struct Claimant {
  std::int64_t item_id = 0;
  std::vector<ClaimKey> own;           // each once
  std::vector<ClaimKey> edges;         // each once
  std::vector<std::uint16_t> edge_no;  // which edge each of `edges` belongs to
};

struct ClaimVerdict {
  std::optional<status::Reason>
      refused;  // DUPLICATE_IN_BATCH, ALREADY_CLAIMED, EXCLUDED_BY_POLICY; nothing: it has all
  std::int64_t holder = 0;    // the item that has the claim, where that is known
  std::uint16_t edge_no = 0;  // for EXCLUDED_BY_POLICY
};

struct ClaimsTaken {
  std::vector<ClaimVerdict> verdicts;  // one for each claimant
  std::vector<Claim> own;              // of those that were not refused, by key
  std::vector<EdgeClaim> edges;
};

// Takes the claims of one chunk. Of two rows that want the same the first gets it, unless it is
// refused for another reason; who is refused gives back all that it took. `first_item` and
// `last_item` bound the batch's items, so that a claim of the same batch is told from another's.
absl::StatusOr<ClaimsTaken> SettleClaims(ClaimTable& table, std::span<const Claimant> claimants,
                                         std::int64_t edge_owner, std::int64_t first_item,
                                         std::int64_t last_item);

}  // namespace yikatong::dispatch
