// Merkle trees as in RFC 6962 and RFC 9162, over SHA-256.
//
// A node (level, index) is the complete subtree over the leaves [index << level, (index + 1) <<
// level); level 0 are the leaf hashes. A complete node never changes, so a log stores them once and
// any root or proof is a fold of at most 2·log2(n) of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"

namespace yikatong::crypto {

// SHA-256(0x00 ‖ data).
Digest LeafHash(std::string_view data);
// SHA-256(0x01 ‖ left ‖ right).
Digest NodeHash(const Digest& left, const Digest& right);
// The root of no leaves: SHA-256 of nothing.
Digest EmptyRoot();

struct NodeId {
  int level = 0;
  std::uint64_t index = 0;

  bool operator==(const NodeId&) const = default;
  bool operator<(const NodeId& other) const {
    return level != other.level ? level < other.level : index < other.index;
  }
};

// A tree that only grows, holding log2(n) hashes. Not thread safe.
class MerkleAccumulator {
 public:
  // Called for each node that becomes complete, leaf first, in the order of their completion.
  using NodeSink = std::function<void(NodeId, const Digest&)>;

  MerkleAccumulator() = default;
  // Goes on where a stored tree ended: its frontier is one hash for each set bit of `size`, the
  // largest subtree first. InvalidArgument where the count does not fit the size.
  static absl::StatusOr<MerkleAccumulator> Resume(std::uint64_t size, std::vector<Digest> frontier);

  void Add(const Digest& leaf_hash);
  void Add(const Digest& leaf_hash, const NodeSink& sink);

  std::uint64_t size() const { return size_; }
  const std::vector<Digest>& frontier() const { return frontier_; }
  Digest Root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> frontier_;
};

// The ids of a frontier's nodes, the largest subtree first.
std::vector<NodeId> FrontierNodes(std::uint64_t size);

// The root over leaf hashes, with log2(n) hashes of memory beside them.
Digest RootOf(std::span<const Digest> leaf_hashes);
// The proof that leaf `index` is under RootOf(leaf_hashes). OutOfRange where there is no such leaf.
absl::StatusOr<std::vector<Digest>> InclusionPath(std::span<const Digest> leaf_hashes,
                                                  std::uint64_t index);

// Where complete nodes are read from. Implementations answer in the order asked, or with an error;
// they are never asked for a node that reaches past the tree's size.
class NodeReader {
 public:
  virtual ~NodeReader() = default;
  virtual absl::StatusOr<std::vector<Digest>> Nodes(std::span<const NodeId> ids) = 0;
};

// Each reads its nodes in one call. OutOfRange for index >= size, or first > second.
absl::StatusOr<Digest> RootAt(NodeReader& reader, std::uint64_t size);
absl::StatusOr<std::vector<Digest>> InclusionProof(NodeReader& reader, std::uint64_t index,
                                                   std::uint64_t size);
// Empty for first == 0 (anything extends nothing) and for first == second.
absl::StatusOr<std::vector<Digest>> ConsistencyProof(NodeReader& reader, std::uint64_t first,
                                                     std::uint64_t second);

// RFC 9162, 2.1.3.2: whether the leaf is at `index` of the tree of `size` leaves with that root.
[[nodiscard]] bool VerifyInclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                                   std::span<const Digest> path, const Digest& root);
// RFC 9162, 2.1.4.2: whether the second tree begins with all leaves of the first.
[[nodiscard]] bool VerifyConsistency(std::uint64_t first, std::uint64_t second,
                                     const Digest& first_root, const Digest& second_root,
                                     std::span<const Digest> proof);

}  // namespace yikatong::crypto
