#include "common/crypto/merkle.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"

namespace yikatong::crypto {
namespace {

Digest FromHex(const std::string& hex) { return DigestOf(absl::HexStringToBytes(hex)).value(); }

// The eight leaves that implementations of certificate transparency test themselves with.
std::vector<Digest> ReferenceLeaves() {
  std::vector<Digest> leaves;
  leaves.reserve(8);
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(LeafHash(absl::HexStringToBytes(hex)));
  }
  return leaves;
}

constexpr const char* kReferenceRoots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

// The definitions of RFC 9162 as they stand there, for comparison.
std::size_t SplitNaively(std::size_t n) {
  std::size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

Digest RootNaively(std::span<const Digest> leaves) {
  if (leaves.empty()) return Sha256("");
  if (leaves.size() == 1) return leaves[0];
  const std::size_t k = SplitNaively(leaves.size());
  return NodeHash(RootNaively(leaves.first(k)), RootNaively(leaves.subspan(k)));
}

std::vector<Digest> PathNaively(std::size_t index, std::span<const Digest> leaves) {
  if (leaves.size() == 1) return {};
  const std::size_t k = SplitNaively(leaves.size());
  std::vector<Digest> path =
      index < k ? PathNaively(index, leaves.first(k)) : PathNaively(index - k, leaves.subspan(k));
  path.push_back(RootNaively(index < k ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

std::vector<Digest> SubproofNaively(std::size_t old_size, std::span<const Digest> leaves,
                                    bool whole) {
  if (old_size == leaves.size()) {
    return whole ? std::vector<Digest>() : std::vector<Digest>{RootNaively(leaves)};
  }
  const std::size_t k = SplitNaively(leaves.size());
  std::vector<Digest> proof = old_size <= k
                                  ? SubproofNaively(old_size, leaves.first(k), whole)
                                  : SubproofNaively(old_size - k, leaves.subspan(k), false);
  proof.push_back(RootNaively(old_size <= k ? leaves.subspan(k) : leaves.first(k)));
  return proof;
}

// Complete nodes as the accumulator reports them; anything else is an error, as from a database.
class StoredNodes : public NodeReader {
 public:
  void Grow(std::span<const Digest> leaves) {
    for (const Digest& leaf : leaves) {
      accumulator.Add(leaf, [this](NodeId id, const Digest& hash) {
        EXPECT_TRUE(nodes_.emplace(id, hash).second) << "a node is complete once";
      });
    }
  }

  absl::StatusOr<std::vector<Digest>> Nodes(std::span<const NodeId> ids) override {
    ++calls;
    std::vector<Digest> found;
    found.reserve(ids.size());
    for (const NodeId& id : ids) {
      const auto node = nodes_.find(id);
      if (node == nodes_.end()) {
        return absl::NotFoundError(fmt::format("no node {}/{}", id.level, id.index));
      }
      found.push_back(node->second);
    }
    return found;
  }

  MerkleAccumulator accumulator;
  int calls = 0;

 private:
  std::map<NodeId, Digest> nodes_;
};

std::uint64_t Seed() {
  const char* given = std::getenv("YIKATONG_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

std::vector<Digest> RandomLeaves(std::mt19937_64& random, std::size_t count) {
  std::vector<Digest> leaves;
  leaves.reserve(count);
  for (std::size_t i = 0; i < count; ++i) leaves.push_back(LeafHash(std::to_string(random())));
  return leaves;
}

TEST(Merkle, GivesTheReferenceRoots) {
  const std::vector<Digest> leaves = ReferenceLeaves();
  MerkleAccumulator accumulator;
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    EXPECT_EQ(HexOf(RootOf(std::span(leaves).first(size))), kReferenceRoots[size]);
    EXPECT_EQ(HexOf(accumulator.Root()), kReferenceRoots[size]);
    if (size < leaves.size()) accumulator.Add(leaves[size]);
  }
}

TEST(Merkle, GivesTheReferenceProofs) {
  StoredNodes nodes;
  nodes.Grow(ReferenceLeaves());
  EXPECT_EQ(InclusionProof(nodes, 0, 8).value(),
            (std::vector<Digest>{
                FromHex("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
                FromHex("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
                FromHex("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4")}));
  EXPECT_EQ(ConsistencyProof(nodes, 6, 8).value(),
            (std::vector<Digest>{
                FromHex("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"),
                FromHex("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
                FromHex("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")}));
}

TEST(Merkle, ProvesEveryLeafOfEverySmallTree) {
  std::mt19937_64 random(1);
  const std::vector<Digest> leaves = RandomLeaves(random, 70);
  StoredNodes nodes;
  nodes.Grow(leaves);
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    const std::span<const Digest> tree = std::span(leaves).first(size);
    const Digest root = RootNaively(tree);
    ASSERT_EQ(RootAt(nodes, size).value(), root);
    for (std::size_t index = 0; index < size; ++index) {
      const std::vector<Digest> path = InclusionProof(nodes, index, size).value();
      ASSERT_EQ(path, PathNaively(index, tree));
      ASSERT_EQ(path, InclusionPath(tree, index).value());
      ASSERT_TRUE(VerifyInclusion(leaves[index], index, size, path, root));
      ASSERT_FALSE(VerifyInclusion(leaves[index], index + 1, size, path, root));
      ASSERT_FALSE(VerifyInclusion(LeafHash("another"), index, size, path, root));
    }
  }
}

TEST(Merkle, ProvesEverySmallTreeToExtendEveryEarlierOne) {
  std::mt19937_64 random(2);
  const std::vector<Digest> leaves = RandomLeaves(random, 70);
  StoredNodes nodes;
  nodes.Grow(leaves);
  for (std::size_t second = 1; second <= leaves.size(); ++second) {
    const Digest new_root = RootOf(std::span(leaves).first(second));
    for (std::size_t first = 1; first <= second; ++first) {
      const Digest old_root = RootOf(std::span(leaves).first(first));
      const std::vector<Digest> proof = ConsistencyProof(nodes, first, second).value();
      ASSERT_EQ(proof, SubproofNaively(first, std::span(leaves).first(second), true));
      ASSERT_TRUE(VerifyConsistency(first, second, old_root, new_root, proof));
      ASSERT_FALSE(VerifyConsistency(first, second, LeafHash("x"), new_root, proof));
      ASSERT_FALSE(VerifyConsistency(first, second, old_root, LeafHash("x"), proof));
    }
  }
}

TEST(Merkle, AgreesWithTheDefinitionOnRandomTreesAndRefusesEveryAlteration) {
  const std::uint64_t seed = Seed();
  SCOPED_TRACE(fmt::format("YIKATONG_TEST_SEED={}", seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    const std::vector<Digest> leaves = RandomLeaves(random, 2 + random() % 1500);
    StoredNodes nodes;
    nodes.Grow(leaves);
    const std::uint64_t size = leaves.size();
    const std::uint64_t index = random() % size;
    const Digest root = RootNaively(leaves);
    ASSERT_EQ(nodes.accumulator.Root(), root);
    std::vector<Digest> path = InclusionProof(nodes, index, size).value();
    ASSERT_EQ(path, PathNaively(index, leaves));
    ASSERT_TRUE(VerifyInclusion(leaves[index], index, size, path, root));
    const std::uint64_t first = 1 + random() % (size - 1);
    const Digest first_root = RootNaively(std::span(leaves).first(first));
    std::vector<Digest> proof = ConsistencyProof(nodes, first, size).value();
    ASSERT_EQ(proof, SubproofNaively(first, leaves, true));
    ASSERT_TRUE(VerifyConsistency(first, size, first_root, root, proof));

    path[random() % path.size()][random() % 32] ^= 1;
    ASSERT_FALSE(VerifyInclusion(leaves[index], index, size, path, root));
    proof[random() % proof.size()][random() % 32] ^= 1;
    ASSERT_FALSE(VerifyConsistency(first, size, first_root, root, proof));
    proof.pop_back();
    ASSERT_FALSE(VerifyConsistency(first, size, first_root, root, proof));
  }
}

TEST(Merkle, RefusesProofsThatAreTooShortOrTooLong) {
  const std::vector<Digest> leaves = ReferenceLeaves();
  const Digest root = RootOf(leaves);
  std::vector<Digest> path = InclusionPath(leaves, 3).value();
  path.push_back(leaves[0]);
  EXPECT_FALSE(VerifyInclusion(leaves[3], 3, 8, path, root));
  path.resize(2);
  EXPECT_FALSE(VerifyInclusion(leaves[3], 3, 8, path, root));
  EXPECT_FALSE(VerifyInclusion(leaves[3], 3, 0, {}, root));
  EXPECT_FALSE(VerifyConsistency(3, 8, RootOf(std::span(leaves).first(3)), root, {}));
  EXPECT_FALSE(VerifyConsistency(8, 3, root, RootOf(std::span(leaves).first(3)), {}));
}

TEST(Merkle, LetsAnythingExtendTheEmptyTree) {
  const std::vector<Digest> leaves = ReferenceLeaves();
  StoredNodes nodes;
  nodes.Grow(leaves);
  EXPECT_TRUE(ConsistencyProof(nodes, 0, 8)->empty());
  EXPECT_TRUE(VerifyConsistency(0, 8, EmptyRoot(), RootOf(leaves), {}));
  EXPECT_FALSE(VerifyConsistency(0, 8, leaves[0], RootOf(leaves), {}));
}

TEST(Merkle, AnswersOutOfRangeForLeavesAndTreesThatAreNotThere) {
  StoredNodes nodes;
  nodes.Grow(ReferenceLeaves());
  EXPECT_EQ(InclusionProof(nodes, 8, 8).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ConsistencyProof(nodes, 5, 4).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(InclusionPath(ReferenceLeaves(), 8).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(InclusionProof(nodes, 0, 9).status().code(), absl::StatusCode::kNotFound)
      << "the reader's own error reaches the caller";
}

TEST(Merkle, GoesOnFromAStoredFrontier) {
  std::mt19937_64 random(3);
  const std::vector<Digest> leaves = RandomLeaves(random, 100);
  StoredNodes nodes;
  nodes.Grow(std::span(leaves).first(77));
  const std::vector<NodeId> ids = FrontierNodes(77);
  auto resumed = MerkleAccumulator::Resume(77, nodes.Nodes(ids).value());
  ASSERT_TRUE(resumed.ok());
  for (std::size_t i = 77; i < leaves.size(); ++i) resumed->Add(leaves[i]);
  EXPECT_EQ(resumed->size(), 100u);
  EXPECT_EQ(resumed->Root(), RootNaively(leaves));
  EXPECT_FALSE(MerkleAccumulator::Resume(77, {leaves[0]}).ok());
}

TEST(Merkle, ReadsAllNodesOfAProofInOneCall) {
  std::mt19937_64 random(4);
  StoredNodes nodes;
  nodes.Grow(RandomLeaves(random, 1001));
  ASSERT_TRUE(InclusionProof(nodes, 500, 1001).ok());
  EXPECT_EQ(nodes.calls, 1);
}

}  // namespace
}  // namespace yikatong::crypto
