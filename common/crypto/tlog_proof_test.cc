#include "common/crypto/tlog_proof.h"

#include <gtest/gtest.h>

#include "common/crypto/merkle.h"
#include "common/crypto/testing/seeded_random.h"

namespace yikatong::crypto {
namespace {

// A log of `size` entries "entry 0" …, and the proof of one of them.
struct Log {
  explicit Log(std::uint64_t size, std::uint64_t index) {
    std::vector<Digest> leaves;
    for (std::uint64_t i = 0; i < size; ++i)
      leaves.push_back(LeafHash("entry " + std::to_string(i)));
    const NoteSigner signer = *NoteSigner::Make("audit.example", key);
    Checkpoint head;
    head.origin = "audit.example";
    head.size = size;
    head.root = RootOf(leaves);
    proof.index = index;
    proof.path = *InclusionPath(leaves, index);
    proof.extra = "entry " + std::to_string(index);
    proof.checkpoint = *SignCheckpoint(head, signer);
  }
  SeededRandom random{7};
  Ed25519PrivateKey key = Ed25519PrivateKey::Generate(random);
  TlogProof proof;
};

TEST(TlogProof, ComesBackFromItsTextAndHoldsTheEntryItIsAbout) {
  for (const auto& [size, index] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {1, 0}, {2, 1}, {7, 3}, {64, 63}, {65, 64}}) {
    const Log log(size, index);
    const std::string text = FormatTlogProof(log.proof);
    EXPECT_TRUE(text.starts_with("c2sp.org/tlog-proof@v1\nextra "));
    const absl::StatusOr<TlogProof> read = ParseTlogProof(text);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, log.proof);
    const absl::StatusOr<Checkpoint> head =
        VerifyTlogProof(*read, log.proof.extra, log.key.PublicKey());
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(head->size, size);
  }
}

TEST(TlogProof, HoldsNoOtherEntryPlaceOrKey) {
  const Log log(7, 3);
  const Ed25519PublicKey key = log.key.PublicKey();
  EXPECT_EQ(VerifyTlogProof(log.proof, "entry 4", key).status().code(),
            absl::StatusCode::kDataLoss);
  TlogProof moved = log.proof;
  moved.index = 4;
  EXPECT_EQ(VerifyTlogProof(moved, log.proof.extra, key).status().code(),
            absl::StatusCode::kDataLoss);
  TlogProof shorter = log.proof;
  shorter.path.pop_back();
  EXPECT_EQ(VerifyTlogProof(shorter, log.proof.extra, key).status().code(),
            absl::StatusCode::kDataLoss);
  SeededRandom random{8};
  const auto other = Ed25519PrivateKey::Generate(random);
  EXPECT_EQ(VerifyTlogProof(log.proof, log.proof.extra, other.PublicKey()).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(TlogProof, RefusesEveryOtherSpelling) {
  const std::string text = FormatTlogProof(Log(7, 3).proof);
  const std::size_t note = text.find("\n\n") + 2;
  // The checkpoint is a note, and has its own signature; what stands before it is read strictly.
  for (std::size_t i = 0; i < note; ++i) {
    std::string shorter = text;
    shorter.erase(i, 1);
    const absl::StatusOr<TlogProof> read = ParseTlogProof(shorter);
    if (read.ok()) {
      EXPECT_NE(FormatTlogProof(*read), text);
    }
    EXPECT_FALSE(ParseTlogProof(text.substr(0, i)).ok());
  }
  for (const char* bad :
       {"", "c2sp.org/tlog-proof@v2\nindex 0\n\nnote", "index 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nnote", "c2sp.org/tlog-proof@v1\nindex -1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nnote"}) {
    EXPECT_FALSE(ParseTlogProof(bad).ok()) << bad;
  }
  EXPECT_TRUE(ParseTlogProof("c2sp.org/tlog-proof@v1\nindex 0\n\nnote").ok());
  EXPECT_FALSE(ParseTlogProof(std::string(kMaxTlogProofBytes + 1, 'x')).ok());
}

}  // namespace
}  // namespace yikatong::crypto
