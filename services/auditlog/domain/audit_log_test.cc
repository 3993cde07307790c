#include "services/auditlog/domain/audit_log.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "common/crypto/testing/seeded_random.h"
#include "common/status/status.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

using identity::Role;
using status::Reason;

class AuditLogTest : public testing::Test {
 protected:
  absl::StatusOr<Appended> Append(std::string_view producer, std::int64_t first,
                                  std::vector<std::string> bodies, int epoch = 1) {
    return log_.Append(ServiceCaller(producer),
                       {{std::string(producer), epoch}, first, std::move(bodies)});
  }
  static std::string Body(std::string_view subject, int district = 120105,
                          std::string_view service = "dispatch") {
    return BodyOf(service, "batch.sealed", district, subject);
  }
  // Entries 1 to `count` of dispatch, one by one and in runs.
  void Fill(int count) {
    for (int i = 1; i <= count;) {
      std::vector<std::string> bodies;
      const int run = 1 + i % 5;
      for (int k = 0; k < run && i + k <= count; ++k) {
        bodies.push_back(Body("batches/" + std::to_string(i + k), k % 2 == 0 ? 120105 : 120106));
      }
      ASSERT_TRUE(Append("dispatch", i, bodies).ok());
      i += static_cast<int>(bodies.size());
    }
  }

  crypto::SeededRandom random_{1};
  crypto::NoteSigner signer_ =
      crypto::NoteSigner::Make("audit.test", crypto::Ed25519PrivateKey::Generate(random_)).value();
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  MemoryStore store_;
  Integrity integrity_;
  MemoryCheckpoint memory_;
  AuditLog log_{store_, integrity_, &memory_, signer_, clock_};
};

TEST_F(AuditLogTest, TakesTheNextNumbersOfEachProducerAndEpoch) {
  EXPECT_EQ(Append("dispatch", 1, {Body("a"), Body("b")})->next_number, 3);
  EXPECT_EQ(Append("registry", 1, {Body("c", 120105, "registry")})->next_number, 2);
  const auto appended = Append("dispatch", 3, {Body("d")});
  ASSERT_TRUE(appended.ok());
  EXPECT_EQ(appended->next_number, 4);
  EXPECT_EQ(appended->tree_size, 4u);
  EXPECT_EQ(log_.NextNumber(ServiceCaller("dispatch"), {"dispatch", 1}).value(), 4);
  EXPECT_EQ(log_.NextNumber(ServiceCaller("dispatch"), {"dispatch", 2}).value(), 1);
}

TEST_F(AuditLogTest, AcknowledgesWhatItHasAndTakesTheRest) {
  ASSERT_TRUE(Append("dispatch", 1, {Body("a"), Body("b")}).ok());
  const auto again = Append("dispatch", 1, {Body("a"), Body("b")});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->added, 0);
  EXPECT_EQ(again->next_number, 3);
  const auto overlapping = Append("dispatch", 2, {Body("b"), Body("c")});
  ASSERT_TRUE(overlapping.ok()) << overlapping.status();
  EXPECT_EQ(overlapping->added, 1);
  EXPECT_EQ(store_.entries.size(), 3u);
  EXPECT_EQ(Append("dispatch", 1, {Body("a")})->next_number, 4)
      << "the next number is the log's, however little was repeated";
}

TEST_F(AuditLogTest, RefusesOtherContentUnderATakenNumberAndAppendsNothing) {
  ASSERT_TRUE(Append("dispatch", 1, {Body("a"), Body("b")}).ok());
  const auto refused = Append("dispatch", 2, {Body("other"), Body("c")});
  EXPECT_EQ(status::ReasonOf(refused.status()), Reason::kAuditEntryDiffers);
  EXPECT_EQ(status::MetadataOf(refused.status())["number"], "2");
  EXPECT_EQ(store_.entries.size(), 2u);
}

TEST_F(AuditLogTest, RefusesAGapAndSaysWhatIsNext) {
  ASSERT_TRUE(Append("dispatch", 1, {Body("a")}).ok());
  const auto refused = Append("dispatch", 3, {Body("c")});
  EXPECT_EQ(status::ReasonOf(refused.status()), Reason::kAuditNumberWrong);
  EXPECT_EQ(status::MetadataOf(refused.status())["next_number"], "2");
}

TEST_F(AuditLogTest, TakesNothingNewOfAnEpochThatIsOver) {
  ASSERT_TRUE(Append("dispatch", 1, {Body("a")}, 1).ok());
  ASSERT_TRUE(Append("dispatch", 1, {Body("b")}, 2).ok());
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 2, {Body("c")}, 1).status()),
            Reason::kAuditEpochOver);
  EXPECT_TRUE(Append("dispatch", 1, {Body("a")}, 1).ok()) << "what it has is acknowledged still";
}

TEST_F(AuditLogTest, TakesAFirstEntryOnlyAsTheFirst) {
  const std::string first = BodyOf("auditlog", "log.begun_anew", 120000, "logs/before.test");
  ASSERT_TRUE(log_.AppendFirst({"auditlog", 3}, first).ok());
  EXPECT_EQ(store_.entries.at(0).number, 1);
  EXPECT_EQ(store_.entries.at(0).source.restore_epoch, 3);
  const absl::Status again = log_.AppendFirst({"auditlog", 3}, first);
  EXPECT_EQ(status::ReasonOf(again), Reason::kAuditLogNotEmpty);
  EXPECT_EQ(status::MetadataOf(again)["tree_size"], "1");
  EXPECT_EQ(store_.entries.size(), 1u);
}

TEST_F(AuditLogTest, ThatFollowsAnotherOneWaitsForItsBreak) {
  AuditLog log(store_, integrity_, &memory_, signer_, clock_, Beginning::kBreak);
  const AppendRequest request{{"dispatch", 2}, 1, {Body("a")}};
  EXPECT_EQ(status::ReasonOf(log.Append(ServiceCaller("dispatch"), request).status()),
            Reason::kAuditLogNotBegun);
  EXPECT_TRUE(store_.entries.empty());
  ASSERT_TRUE(log.AppendFirst({"auditlog", 1},
                              BodyOf("auditlog", "log.begun_anew", 120000, "logs/before.test"))
                  .ok());
  EXPECT_TRUE(log.Append(ServiceCaller("dispatch"), request).ok());
}

TEST_F(AuditLogTest, LetsAServiceAppendForItselfOnly) {
  const AppendRequest request{{"dispatch", 1}, 1, {Body("a")}};
  EXPECT_EQ(status::ReasonOf(log_.Append(ServiceCaller("registry"), request).status()),
            Reason::kPermissionDenied);
  EXPECT_EQ(
      status::ReasonOf(log_.Append(PersonCaller({Role::kAuditor}, {120000}), request).status()),
      Reason::kPermissionDenied);
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 1, {Body("a", 120105, "registry")}).status()),
            Reason::kAuditEntryMalformed)
      << "nor in the name of another inside the body";
  EXPECT_EQ(status::ReasonOf(log_.NextNumber(ServiceCaller("registry"), {"dispatch", 1}).status()),
            Reason::kPermissionDenied);
}

TEST_F(AuditLogTest, RefusesAMalformedBodyByItsNumberAndAppendsNothing) {
  const auto refused = Append("dispatch", 1, {Body("a"), "not a body"});
  EXPECT_EQ(status::ReasonOf(refused.status()), Reason::kAuditEntryMalformed);
  EXPECT_EQ(status::MetadataOf(refused.status())["number"], "2");
  EXPECT_TRUE(store_.entries.empty());
}

TEST_F(AuditLogTest, HoldsToItsLimits) {
  EXPECT_FALSE(Append("dispatch", 1, {}).ok());
  EXPECT_FALSE(Append("dispatch", 0, {Body("a")}).ok());
  EXPECT_FALSE(Append("dispatch", std::numeric_limits<std::int64_t>::max(), {Body("a")}).ok());
  EXPECT_FALSE(Append("dispatch", 1, {Body("a")}, 10).ok());
  EXPECT_FALSE(Append("dispatch", 1, {Body("a")}, -1).ok());
  EXPECT_EQ(
      status::ReasonOf(Append("dispatch", 1, std::vector<std::string>(1001, Body("a"))).status()),
      Reason::kRowLimitExceeded);
  const std::string large = Body("a") + "detail.note: " + std::string(60'000, 'x') + "\n";
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 1, std::vector<std::string>(40, large)).status()),
            Reason::kMessageTooLarge);
  EXPECT_TRUE(store_.entries.empty());
}

TEST_F(AuditLogTest, BuildsTheTreeThatTheLeavesGive) {
  Fill(100);
  std::vector<crypto::Digest> leaves;
  for (const StoredEntry& entry : store_.entries) leaves.push_back(crypto::LeafHash(entry.body));
  const auto checkpoint = log_.NewestCheckpoint();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->checkpoint.size, 100u);
  EXPECT_EQ(checkpoint->checkpoint.root, crypto::RootOf(leaves));
  EXPECT_EQ(crypto::OpenCheckpoint(checkpoint->note, signer_.verifier()).value(),
            checkpoint->checkpoint);
  EXPECT_EQ(memory_.remembered, checkpoint->checkpoint) << "remembered before it is given out";
}

TEST_F(AuditLogTest, SignsTheEmptyTree) {
  const auto checkpoint = log_.NewestCheckpoint();
  ASSERT_TRUE(checkpoint.ok());
  EXPECT_EQ(checkpoint->checkpoint.size, 0u);
  EXPECT_EQ(checkpoint->checkpoint.root, crypto::EmptyRoot());
}

TEST_F(AuditLogTest, ProvesEveryEntryUnderEverySizeToAVerifierWithNothingButTheKey) {
  Fill(30);
  const auto newest = log_.NewestCheckpoint();
  for (std::uint64_t index = 0; index < 30; ++index) {
    const auto proof = log_.ProveInclusion(ByIndex{index}, std::nullopt);
    ASSERT_TRUE(proof.ok());
    const auto checkpoint = crypto::OpenCheckpoint(proof->checkpoint->note, signer_.verifier());
    ASSERT_TRUE(checkpoint.ok());
    EXPECT_TRUE(crypto::VerifyInclusion(crypto::LeafHash(store_.entries[index].body), proof->index,
                                        checkpoint->size, proof->path, checkpoint->root));
  }
  for (std::uint64_t size = 1; size <= 30; ++size) {
    const auto proof = log_.ProveConsistency(size, std::nullopt);
    ASSERT_TRUE(proof.ok());
    EXPECT_TRUE(crypto::VerifyConsistency(size, 30, crypto::RootAt(store_, size).value(),
                                          newest->checkpoint.root, proof->hashes));
  }
}

TEST_F(AuditLogTest, FindsAnEntryForAProofByNumberIndexHashAndSubtreeRoot) {
  const std::string body = Body("chunk") + "root: " + std::string(64, 'a') + "\nleaves: 3\n";
  ASSERT_TRUE(Append("dispatch", 1, {Body("a"), body}).ok());
  const crypto::Digest root = store_.entries[1].facts.subtree_root.value();
  for (const EntrySelector& selector :
       {EntrySelector(ByNumber{{"dispatch", 1}, 2}), EntrySelector(ByIndex{1}),
        EntrySelector(ByLeafHash{crypto::LeafHash(body)}), EntrySelector(BySubtreeRoot{root})}) {
    const auto proof = log_.ProveInclusion(selector, 2);
    ASSERT_TRUE(proof.ok());
    EXPECT_EQ(proof->index, 1u);
    EXPECT_FALSE(proof->checkpoint.has_value());
    EXPECT_EQ(status::ReasonOf(log_.ProveInclusion(selector, 1).status()), Reason::kNotFound)
        << "not under a tree that ended before it";
  }
  EXPECT_EQ(status::ReasonOf(log_.ProveInclusion(ByIndex{0}, 3).status()), Reason::kFieldInvalid);
  EXPECT_EQ(status::ReasonOf(log_.ProveConsistency(3, std::nullopt).status()),
            Reason::kFieldInvalid);
}

TEST_F(AuditLogTest, ShowsAuditorsTheirDistrictsAndNothingElse) {
  ASSERT_TRUE(Append("dispatch", 1, {Body("here", 120105), Body("there", 120106)}).ok());
  const auto auditor = PersonCaller({Role::kAuditor}, {120105});
  EXPECT_TRUE(log_.FindEntry(auditor, ByIndex{0}).ok());
  EXPECT_EQ(status::ReasonOf(log_.FindEntry(auditor, ByIndex{1}).status()), Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(log_.FindEntry(auditor, ByIndex{2}).status()), Reason::kNotFound);
  EXPECT_TRUE(log_.FindEntry(PersonCaller({Role::kAuditor}, {120000}), ByIndex{1}).ok());
  const auto page = log_.ListEntries(auditor, {});
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->entries[0].facts.subject, "here");
}

TEST_F(AuditLogTest, ShowsOthersOnlyWhatTheyHoldTheHashOf) {
  ASSERT_TRUE(Append("dispatch", 1, {Body("here", 120105)}).ok());
  const auto officer = PersonCaller({Role::kDepartmentOperator}, {120105});
  const ByLeafHash by_hash{crypto::LeafHash(Body("here", 120105))};
  EXPECT_TRUE(log_.FindEntry(officer, by_hash).ok());
  EXPECT_EQ(status::ReasonOf(log_.FindEntry(officer, ByIndex{0}).status()), Reason::kNotFound);
  EXPECT_EQ(
      status::ReasonOf(
          log_.FindEntry(PersonCaller({Role::kDepartmentOperator}, {120106}), by_hash).status()),
      Reason::kNotFound);
  EXPECT_EQ(status::ReasonOf(log_.ListEntries(officer, {}).status()), Reason::kPermissionDenied);
}

TEST_F(AuditLogTest, ListsPageByPageWithoutLosingOrRepeating) {
  Fill(23);
  const auto auditor = PersonCaller({Role::kAuditor}, {120105});
  ListRequest request;
  request.page_size = 4;
  std::vector<std::uint64_t> seen;
  do {
    const auto page = log_.ListEntries(auditor, request);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_LE(page->entries.size(), 4u);
    for (const StoredEntry& entry : page->entries) seen.push_back(entry.index);
    request.page_token = page->next_page_token;
  } while (!request.page_token.empty());
  std::vector<std::uint64_t> expected;
  for (const StoredEntry& entry : store_.entries) {
    if (entry.facts.district == 120105) expected.push_back(entry.index);
  }
  EXPECT_EQ(seen, expected);
}

TEST_F(AuditLogTest, TakesAPageTokenOnlyWithItsOwnFilter) {
  Fill(10);
  const auto auditor = PersonCaller({Role::kAuditor}, {120000});
  ListRequest request;
  request.page_size = 2;
  const std::string token = log_.ListEntries(auditor, request)->next_page_token;
  ASSERT_FALSE(token.empty());
  request.page_token = token;
  EXPECT_TRUE(log_.ListEntries(auditor, request).ok());
  request.filter.kind = "batch.sealed";
  EXPECT_EQ(status::ReasonOf(log_.ListEntries(auditor, request).status()),
            Reason::kPageTokenInvalid);
  for (const char* forged : {"3", "x", "3-0000000000000000", "-1-0000000000000000"}) {
    request.page_token = forged;
    EXPECT_EQ(status::ReasonOf(log_.ListEntries(auditor, request).status()),
              Reason::kPageTokenInvalid);
  }
  request.page_token.clear();
  request.page_size = 501;
  EXPECT_EQ(status::ReasonOf(log_.ListEntries(auditor, request).status()), Reason::kFieldInvalid);
}

TEST_F(AuditLogTest, EndsAPageWhereItsBodiesReachTheLimit) {
  const std::string large = Body("large") + "detail.note: " + std::string(60'000, 'x') + "\n";
  ASSERT_TRUE(Append("dispatch", 1, std::vector<std::string>(30, large)).ok());
  const auto page = log_.ListEntries(PersonCaller({Role::kAuditor}, {120000}), {});
  ASSERT_TRUE(page.ok());
  EXPECT_LT(page->entries.size(), 30u);
  EXPECT_LE(page->entries.size() * large.size(), kMaxPageBytes);
  EXPECT_FALSE(page->next_page_token.empty());
}

TEST_F(AuditLogTest, GivesTilesAndBundlesThatRebuildTheRoot) {
  Fill(300);
  const std::string tile = log_.ReadTile({1, 0, 1}).value();
  const std::string partial = log_.ReadTile({0, 1, 44}).value();
  crypto::MerkleAccumulator tail;
  for (std::size_t i = 0; i < partial.size(); i += 32) {
    tail.Add(crypto::DigestOf(partial.substr(i, 32)).value());
  }
  EXPECT_EQ(crypto::NodeHash(crypto::DigestOf(tile).value(), tail.Root()),
            log_.NewestCheckpoint()->checkpoint.root);
  const auto bundle = log_.ReadBundle(PersonCaller({Role::kAuditor}, {120000}), 1, 44);
  ASSERT_TRUE(bundle.ok());
  std::string expected;
  for (std::size_t i = 256; i < 300; ++i) AppendToBundle(expected, store_.entries[i].body);
  EXPECT_EQ(*bundle, expected);
  EXPECT_EQ(
      status::ReasonOf(log_.ReadBundle(PersonCaller({Role::kAuditor}, {120105}), 1, 44).status()),
      Reason::kPermissionDenied);
}

TEST_F(AuditLogTest, NeitherAppendsNorSignsOverATreeThatDoesNotFitItsHead) {
  Fill(10);
  store_.heads.back().root[0] ^= 1;
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 11, {Body("x")}).status()),
            Reason::kAuditLogAltered);
  EXPECT_FALSE(integrity_.intact());
  store_.heads.back().root[0] ^= 1;
  EXPECT_EQ(status::ReasonOf(log_.NewestCheckpoint().status()), Reason::kAuditLogAltered)
      << "once found altered it stays so until people have looked";
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 11, {Body("x")}).status()),
            Reason::kAuditLogAltered);
  EXPECT_EQ(store_.entries.size(), 10u);
  EXPECT_TRUE(log_.FindEntry(PersonCaller({Role::kAuditor}, {120000}), ByIndex{3}).ok())
      << "reading goes on, for those who look";
}

TEST_F(AuditLogTest, DoesNotSignATreeThatForgotACheckpointItGaveOut) {
  Fill(10);
  ASSERT_TRUE(log_.NewestCheckpoint().ok());
  // Put back from a backup of seven entries.
  MemoryStore older;
  Integrity integrity;
  AuditLog restored(older, integrity, &memory_, signer_, clock_);
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(
        restored
            .Append(ServiceCaller("dispatch"), {{"dispatch", 1}, i + 1, {store_.entries[i].body}})
            .ok());
  }
  EXPECT_EQ(status::ReasonOf(restored.NewestCheckpoint().status()), Reason::kAuditLogAltered);
}

TEST_F(AuditLogTest, DoesNotSignATreeThatTookAnotherCourse) {
  Fill(10);
  ASSERT_TRUE(log_.NewestCheckpoint().ok());
  MemoryStore other;
  Integrity integrity;
  AuditLog forked(other, integrity, &memory_, signer_, clock_);
  for (int i = 1; i <= 12; ++i) {
    ASSERT_TRUE(
        forked.Append(ServiceCaller("dispatch"), {{"dispatch", 1}, i, {Body("fork")}}).ok());
  }
  EXPECT_EQ(status::ReasonOf(forked.NewestCheckpoint().status()), Reason::kAuditLogAltered);
}

TEST_F(AuditLogTest, PassesOnThatACommitsOutcomeIsUnknown) {
  store_.commit = status::Refuse(Reason::kCommitUnknown);
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 1, {Body("a")}).status()), Reason::kCommitUnknown);
  store_.commit = absl::OkStatus();
  EXPECT_EQ(log_.NextNumber(ServiceCaller("dispatch"), {"dispatch", 1}).value(), 2)
      << "the producer asks, and learns that it was done";
}

TEST_F(AuditLogTest, NumbersItsOwnEntries) {
  ASSERT_TRUE(log_.AppendOwn({"auditlog", 1}, Body("a", 120000, "auditlog")).ok());
  ASSERT_TRUE(log_.AppendOwn({"auditlog", 1}, Body("b", 120000, "auditlog")).ok());
  ASSERT_EQ(store_.entries.size(), 2u);
  EXPECT_EQ(store_.entries[1].number, 2);
}

TEST_F(AuditLogTest, KeepsOneTreeThoughManyAppendAtOnce) {
  std::vector<std::thread> producers;
  for (const char* name : {"dispatch", "registry", "catalogue", "bankgateway"}) {
    producers.emplace_back([this, name] {
      for (int i = 1; i <= 25; ++i) {
        ASSERT_TRUE(Append(name, i, {Body(std::to_string(i), 120105, name)}).ok());
      }
    });
  }
  for (std::thread& producer : producers) producer.join();
  const auto report = VerifyWhole(store_, &memory_);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->ok()) << report->findings.front().what;
  EXPECT_EQ(report->size, 100u);
}

}  // namespace
}  // namespace yikatong::auditlog
