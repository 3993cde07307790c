#include "services/auditlog/domain/integrity.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "common/crypto/testing/seeded_random.h"
#include "common/status/status.h"
#include "services/auditlog/domain/audit_log.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

class IntegrityTest : public testing::Test {
 protected:
  static constexpr int kEntries = 1500;  // more than a page of the walk

  void SetUp() override {
    crypto::SeededRandom random(1);
    const auto signer =
        crypto::NoteSigner::Make("audit.test", crypto::Ed25519PrivateKey::Generate(random)).value();
    const base::ManualClock clock(absl::FromUnixSeconds(1'790'000'000));
    Integrity integrity;
    AuditLog log(store_, integrity, &memory_, signer, clock);
    for (int i = 1; i <= kEntries;) {
      std::vector<std::string> bodies;
      for (int k = 0; k < 1 + i % 97 && i + k <= kEntries; ++k) {
        bodies.push_back(BodyOf("dispatch", "chunk.sent", 120105, std::to_string(i + k)));
      }
      ASSERT_TRUE(log.Append(ServiceCaller("dispatch"), {{"dispatch", 1}, i, bodies}).ok());
      i += static_cast<int>(bodies.size());
    }
    ASSERT_TRUE(log.NewestCheckpoint().ok());
  }

  VerifyReport Whole() { return VerifyWhole(store_, &memory_).value(); }
  VerifyReport EndsOnly() { return VerifyEnds(store_, &memory_).value(); }

  // What an attacker does who rewrites the whole tree behind an altered entry, with every hash
  // right.
  void RebuildTree() {
    crypto::MerkleAccumulator tree;
    store_.nodes.clear();
    auto head = store_.heads.begin();
    for (StoredEntry& entry : store_.entries) {
      entry.leaf_hash = crypto::LeafHash(entry.body);
      tree.Add(entry.leaf_hash, [this](crypto::NodeId id, const crypto::Digest& hash) {
        if (id.level > 0) store_.nodes[id] = hash;
      });
      if (head != store_.heads.end() && head->size == tree.size()) (head++)->root = tree.Root();
    }
  }

  MemoryStore store_;
  MemoryCheckpoint memory_;
};

TEST_F(IntegrityTest, FindsNothingInALogAsItWasWritten) {
  const VerifyReport report = Whole();
  EXPECT_TRUE(report.ok()) << report.findings.front().what;
  EXPECT_EQ(report.entries, static_cast<std::uint64_t>(kEntries));
  EXPECT_EQ(report.nodes, store_.nodes.size());
  EXPECT_EQ(report.heads, store_.heads.size());
  EXPECT_TRUE(EndsOnly().ok());
}

TEST_F(IntegrityTest, FindsNothingInAnEmptyLog) {
  MemoryStore empty;
  EXPECT_TRUE(VerifyWhole(empty, nullptr)->ok());
  EXPECT_TRUE(VerifyEnds(empty, nullptr)->ok());
}

TEST_F(IntegrityTest, NamesTheIndexOfAnAlteredBody) {
  store_.entries[1234].body[60] ^= 1;
  const VerifyReport report = Whole();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].index, 1234u);
}

TEST_F(IntegrityTest, NamesTheIndexOfAnAlteredColumn) {
  store_.entries[7].facts.district = 120106;
  const VerifyReport report = Whole();
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].index, 7u);
}

TEST_F(IntegrityTest, NamesTheLeavesWhereBodyAndLeafWereBothAltered) {
  StoredEntry& entry = store_.entries[501];
  entry.body = BodyOf("dispatch", "chunk.sent", 120105, "forged");
  entry.facts.subject = "forged";
  entry.leaf_hash = crypto::LeafHash(entry.body);
  const VerifyReport report = Whole();
  ASSERT_FALSE(report.ok());
  bool found = false;
  for (const Finding& finding : report.findings) found |= finding.index == 500u;
  EXPECT_TRUE(found) << "the pair of leaves 500 and 501";
}

TEST_F(IntegrityTest, FindsARewrittenTreeByTheRememberedCheckpoint) {
  store_.entries[3].body = BodyOf("dispatch", "chunk.sent", 120105, "forged");
  store_.entries[3].facts.subject = "forged";
  RebuildTree();
  EXPECT_TRUE(VerifyWhole(store_, nullptr)->ok()) << "it fits itself";
  EXPECT_FALSE(Whole().ok());
  EXPECT_FALSE(EndsOnly().ok()) << "within seconds, without reading all of it";
}

TEST_F(IntegrityTest, FindsALogThatWasCutShort) {
  store_.entries.pop_back();
  EXPECT_FALSE(EndsOnly().ok());
  EXPECT_EQ(Whole().findings[0].index, static_cast<std::uint64_t>(kEntries - 1));
}

TEST_F(IntegrityTest, FindsALogThatWasPutBackFromABackup) {
  store_.heads.pop_back();
  store_.entries.resize(store_.heads.back().size);
  RebuildTree();
  EXPECT_TRUE(VerifyWhole(store_, nullptr)->ok()) << "it fits itself";
  EXPECT_FALSE(EndsOnly().ok());
  EXPECT_FALSE(Whole().ok());
}

TEST_F(IntegrityTest, FindsADeletedEntryInTheMiddle) {
  store_.entries.erase(store_.entries.begin() + 800);
  const VerifyReport report = Whole();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].index, 800u);
}

TEST_F(IntegrityTest, FindsAlteredMissingAndStrangeNodesAndHeads) {
  const auto spoilt = [this](const std::function<void()>& spoil) {
    const auto nodes = store_.nodes;
    const auto heads = store_.heads;
    spoil();
    const bool found = !Whole().ok();
    store_.nodes = nodes;
    store_.heads = heads;
    return found;
  };
  EXPECT_TRUE(spoilt([this] { store_.nodes[{3, 10}][0] ^= 1; }));
  EXPECT_TRUE(spoilt([this] { store_.nodes.erase({3, 10}); }));
  EXPECT_TRUE(spoilt([this] { store_.nodes.erase({10, 0}); }));
  EXPECT_TRUE(spoilt([this] { store_.heads[2].root[0] ^= 1; }));
  EXPECT_TRUE(spoilt([this] { store_.heads.back().root[0] ^= 1; }));
  EXPECT_TRUE(spoilt([this] { store_.heads.pop_back(); }));
  EXPECT_TRUE(Whole().ok()) << "the test puts things back";
}

TEST_F(IntegrityTest, FindsNumbersWithAGap) {
  store_.entries[40].number += 1;
  const VerifyReport report = Whole();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].index, 40u);
}

TEST_F(IntegrityTest, SeesANewestEntryThatWasAlteredWithoutReadingTheRest) {
  store_.entries[kEntries - 2].body[60] ^= 1;
  const VerifyReport report = EndsOnly();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].index, static_cast<std::uint64_t>(kEntries - 2));
  EXPECT_LE(report.entries, 256u);
}

TEST_F(IntegrityTest, ReportsABoundedNumberOfFindings) {
  for (StoredEntry& entry : store_.entries) entry.body[60] ^= 1;
  EXPECT_EQ(Whole().findings.size(), kMaxFindings);
}

TEST_F(IntegrityTest, StopsWhenItIsTold) {
  const auto stopped =
      VerifyWhole(store_, &memory_, [](std::uint64_t, std::uint64_t) { return false; });
  EXPECT_EQ(stopped.status().code(), absl::StatusCode::kCancelled);
}

TEST(IntegrityState, KeepsTheFirstFinding) {
  Integrity integrity;
  EXPECT_TRUE(integrity.Check().ok());
  EXPECT_EQ(status::ReasonOf(integrity.MarkAltered("first")), Reason::kAuditLogAltered);
  EXPECT_EQ(status::ReasonOf(integrity.MarkAltered("second")), Reason::kAuditLogAltered);
  EXPECT_NE(std::string(integrity.Check().message()).find("first"), std::string::npos);
}

}  // namespace
}  // namespace yikatong::auditlog
