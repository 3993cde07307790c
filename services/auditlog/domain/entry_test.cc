#include "services/auditlog/domain/entry.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status/status.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(EntryFacts, AreReadFromACanonicalBody) {
  const auto facts = ReadFacts(BodyOf("dispatch", "batch.sealed", 120105, "batches/7"));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->service, "dispatch");
  EXPECT_EQ(facts->kind, "batch.sealed");
  EXPECT_EQ(facts->district, 120105);
  EXPECT_EQ(facts->subject, "batches/7");
  EXPECT_FALSE(facts->subtree_root.has_value());
}

TEST(EntryFacts, HoldTheSubtreeRootWhereThereIsOne) {
  const std::string root(64, 'a');
  const auto facts = ReadFacts(BodyOf("dispatch", "chunk.sent", 120105, "batches/7") +
                               "root: " + root + "\nleaves: 1000\ndetail.count: 1000\n");
  ASSERT_TRUE(facts.ok()) << facts.status();
  ASSERT_TRUE(facts->subtree_root.has_value());
  EXPECT_EQ(crypto::HexOf(*facts->subtree_root), root);
}

TEST(EntryFacts, AreRefusedForAnythingElse) {
  const std::string good = BodyOf("dispatch", "batch.sealed", 120105, "batches/7");
  for (const std::string& bad : {
           std::string(),
           std::string("yikatong-audit-entry/v1\n"),
           good.substr(0, good.size() - 1),
           Replaced(good, "/v1", "/v2"),
           Replaced(good, "kind: batch.sealed\n", ""),
           Replaced(good, "service: dispatch\nkind: batch.sealed",
                    "kind: batch.sealed\nservice: dispatch"),
           Replaced(good, "120105", "12010"),
           Replaced(good, "120105", "020105"),
           Replaced(good, "120105", "12010x"),
           Replaced(good, "batch.sealed", ""),
           Replaced(good, "batch.sealed", "Batch Sealed"),
           Replaced(good, "batches/7", "batches\t7"),
           Replaced(good, "batches/7", "batches\xff"),
           Replaced(good, "subject: ", "subject:"),
           good + "root: abc\nleaves: 1\n",
           good + "root: " + std::string(64, 'a') + "\n",
           good + "something: else\n",
           good + "detail.: empty key\n",
           good + "detail.note: " + std::string(kMaxBodyBytes, 'x') + "\n",
       }) {
    EXPECT_EQ(status::ReasonOf(ReadFacts(bad).status()), Reason::kAuditEntryMalformed)
        << bad.substr(0, 200);
  }
}

TEST(EntryFacts, HoldTheBeginningOfALongSubjectCutBetweenCharacters) {
  const std::string subject = std::string(510, 'b') + "村委会";
  const auto facts = ReadFacts(BodyOf("dispatch", "batch.sealed", 120105, subject));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->subject, std::string(510, 'b'));
}

}  // namespace
}  // namespace yikatong::auditlog
