#include "common/crypto/merkle.h"

#include <fmt/core.h>

#include <bit>
#include <utility>

namespace yikatong::crypto {
namespace {

constexpr std::string_view kLeafPrefix{"\0", 1};
constexpr std::string_view kNodePrefix{"\1", 1};

// Leaves [first, last) whose root is an element of a proof. `first` is always a multiple of the
// power of two that reaches the range's length, as the splits of RFC 9162 make it.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

// The largest power of two below n, for n > 1.
std::uint64_t SplitOf(std::uint64_t n) { return std::bit_floor(n - 1); }

// The complete subtrees of a range, the largest first: one for each set bit of its length.
void AppendNodes(Range range, std::vector<NodeId>& ids) {
  std::uint64_t start = range.first;
  for (std::uint64_t left = range.last - range.first; left > 0;) {
    const std::uint64_t width = std::bit_floor(left);
    const int level = std::bit_width(width) - 1;
    ids.push_back({level, start >> level});
    start += width;
    left -= width;
  }
}

// The root over complete subtrees of falling size.
Digest Fold(std::span<const Digest> subtrees) {
  if (subtrees.empty()) return EmptyRoot();
  Digest root = subtrees.back();
  for (std::size_t i = subtrees.size() - 1; i > 0; --i) root = NodeHash(subtrees[i - 1], root);
  return root;
}

// Reads the roots of all ranges in one call.
absl::StatusOr<std::vector<Digest>> ReadRanges(NodeReader& reader, std::span<const Range> ranges) {
  if (ranges.empty()) return std::vector<Digest>();
  std::vector<NodeId> ids;
  std::vector<std::size_t> ends;
  ends.reserve(ranges.size());
  for (const Range& range : ranges) {
    AppendNodes(range, ids);
    ends.push_back(ids.size());
  }
  absl::StatusOr<std::vector<Digest>> nodes = reader.Nodes(ids);
  if (!nodes.ok()) return nodes.status();
  if (nodes->size() != ids.size()) {
    return absl::InternalError("a node reader answered with another number of nodes");
  }
  std::vector<Digest> roots;
  roots.reserve(ranges.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    roots.push_back(Fold(std::span(*nodes).subspan(begin, end - begin)));
    begin = end;
  }
  return roots;
}

// PATH of RFC 9162, 2.1.3.1, from the leaf up.
void InclusionRanges(std::uint64_t index, Range tree, std::vector<Range>& ranges) {
  if (tree.last - tree.first == 1) return;
  const std::uint64_t middle = tree.first + SplitOf(tree.last - tree.first);
  if (index < middle) {
    InclusionRanges(index, {tree.first, middle}, ranges);
    ranges.push_back({middle, tree.last});
  } else {
    InclusionRanges(index, {middle, tree.last}, ranges);
    ranges.push_back({tree.first, middle});
  }
}

// SUBPROOF of RFC 9162, 2.1.4.1. `whole` says that the old tree's root is known to the verifier.
void ConsistencyRanges(std::uint64_t old_end, Range tree, bool whole, std::vector<Range>& ranges) {
  if (old_end == tree.last) {
    if (!whole) ranges.push_back(tree);
    return;
  }
  const std::uint64_t middle = tree.first + SplitOf(tree.last - tree.first);
  if (old_end <= middle) {
    ConsistencyRanges(old_end, {tree.first, middle}, whole, ranges);
    ranges.push_back({middle, tree.last});
  } else {
    ConsistencyRanges(old_end, {middle, tree.last}, false, ranges);
    ranges.push_back({tree.first, middle});
  }
}

}  // namespace

Digest LeafHash(std::string_view data) { return Sha256({kLeafPrefix, data}); }

Digest NodeHash(const Digest& left, const Digest& right) {
  return Sha256({kNodePrefix, BytesOf(left), BytesOf(right)});
}

Digest EmptyRoot() { return Sha256(""); }

absl::StatusOr<MerkleAccumulator> MerkleAccumulator::Resume(std::uint64_t size,
                                                            std::vector<Digest> frontier) {
  if (frontier.size() != static_cast<std::size_t>(std::popcount(size))) {
    return absl::InvalidArgumentError(
        fmt::format("a tree of {} leaves has a frontier of {} nodes, not of {}", size,
                    std::popcount(size), frontier.size()));
  }
  MerkleAccumulator accumulator;
  accumulator.size_ = size;
  accumulator.frontier_ = std::move(frontier);
  return accumulator;
}

void MerkleAccumulator::Add(const Digest& leaf_hash) { Add(leaf_hash, nullptr); }

void MerkleAccumulator::Add(const Digest& leaf_hash, const NodeSink& sink) {
  Digest node = leaf_hash;
  int level = 0;
  if (sink) sink({0, size_}, node);
  // Each trailing one of the size is a subtree that the new leaf completes to the next level.
  for (std::uint64_t size = size_; (size & 1) != 0; size >>= 1) {
    node = NodeHash(frontier_.back(), node);
    frontier_.pop_back();
    ++level;
    if (sink) sink({level, size_ >> level}, node);
  }
  frontier_.push_back(node);
  ++size_;
}

Digest MerkleAccumulator::Root() const { return Fold(frontier_); }

std::vector<NodeId> FrontierNodes(std::uint64_t size) {
  std::vector<NodeId> ids;
  AppendNodes({0, size}, ids);
  return ids;
}

Digest RootOf(std::span<const Digest> leaf_hashes) {
  MerkleAccumulator accumulator;
  for (const Digest& leaf_hash : leaf_hashes) accumulator.Add(leaf_hash);
  return accumulator.Root();
}

absl::StatusOr<std::vector<Digest>> InclusionPath(std::span<const Digest> leaf_hashes,
                                                  std::uint64_t index) {
  if (index >= leaf_hashes.size()) {
    return absl::OutOfRangeError(
        fmt::format("there is no leaf {} among {}", index, leaf_hashes.size()));
  }
  std::vector<Range> ranges;
  InclusionRanges(index, {0, leaf_hashes.size()}, ranges);
  std::vector<Digest> path;
  path.reserve(ranges.size());
  for (const Range& range : ranges) {
    path.push_back(RootOf(leaf_hashes.subspan(range.first, range.last - range.first)));
  }
  return path;
}

absl::StatusOr<Digest> RootAt(NodeReader& reader, std::uint64_t size) {
  if (size == 0) return EmptyRoot();
  const Range whole{0, size};
  const absl::StatusOr<std::vector<Digest>> roots = ReadRanges(reader, {&whole, 1});
  if (!roots.ok()) return roots.status();
  return roots->front();
}

absl::StatusOr<std::vector<Digest>> InclusionProof(NodeReader& reader, std::uint64_t index,
                                                   std::uint64_t size) {
  if (index >= size) {
    return absl::OutOfRangeError(fmt::format("a tree of {} leaves has no leaf {}", size, index));
  }
  std::vector<Range> ranges;
  InclusionRanges(index, {0, size}, ranges);
  return ReadRanges(reader, ranges);
}

absl::StatusOr<std::vector<Digest>> ConsistencyProof(NodeReader& reader, std::uint64_t first,
                                                     std::uint64_t second) {
  if (first > second) {
    return absl::OutOfRangeError(
        fmt::format("a tree of {} leaves does not extend one of {}", second, first));
  }
  std::vector<Range> ranges;
  if (first > 0) ConsistencyRanges(first, {0, second}, true, ranges);
  return ReadRanges(reader, ranges);
}

bool VerifyInclusion(const Digest& leaf_hash, std::uint64_t index, std::uint64_t size,
                     std::span<const Digest> path, const Digest& root) {
  if (index >= size) return false;
  std::uint64_t place = index;
  std::uint64_t last = size - 1;
  Digest hash = leaf_hash;
  for (const Digest& sibling : path) {
    if (last == 0) return false;
    if ((place & 1) != 0 || place == last) {
      hash = NodeHash(sibling, hash);
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool VerifyConsistency(std::uint64_t first, std::uint64_t second, const Digest& first_root,
                       const Digest& second_root, std::span<const Digest> proof) {
  if (first > second) return false;
  if (first == second) return proof.empty() && first_root == second_root;
  if (first == 0) return proof.empty() && first_root == EmptyRoot();
  const bool complete = std::has_single_bit(first);  // then the old root is the first node itself
  if (!complete && proof.empty()) return false;
  std::uint64_t place = first - 1;
  std::uint64_t last = second - 1;
  while ((place & 1) != 0) {
    place >>= 1;
    last >>= 1;
  }
  Digest old_hash = complete ? first_root : proof.front();
  Digest new_hash = old_hash;
  for (const Digest& node : complete ? proof : proof.subspan(1)) {
    if (last == 0) return false;
    if ((place & 1) != 0 || place == last) {
      old_hash = NodeHash(node, old_hash);
      new_hash = NodeHash(node, new_hash);
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = NodeHash(new_hash, node);
    }
    place >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == first_root && new_hash == second_root;
}

}  // namespace yikatong::crypto
