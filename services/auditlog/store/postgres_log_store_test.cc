#include "services/auditlog/store/postgres_log_store.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/testing/seeded_random.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "services/auditlog/domain/audit_log.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

using identity::Role;
using status::Reason;

class PostgresLogStoreTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    pg_ = postgres::PgFixture::Start({.service = "auditlog", .migrations = LogMigrations()});
  }
  static void TearDownTestSuite() { pg_.reset(); }
  void SetUp() override {
    db_ = pg_->FreshDatabase();
    store_.emplace(db_->database());
    log_.emplace(*store_, integrity_, &memory_, signer_, clock_);
  }

  absl::StatusOr<Appended> Append(std::string_view producer, std::int64_t first,
                                  std::vector<std::string> bodies, int epoch = 1) {
    return log_->Append(ServiceCaller(producer),
                        {{std::string(producer), epoch}, first, std::move(bodies)});
  }
  static std::string Body(std::string_view subject, int district = 120105,
                          std::string_view kind = "batch.sealed") {
    return BodyOf("dispatch", kind, district, subject);
  }
  void Fill(int count) {
    for (int i = 1; i <= count;) {
      std::vector<std::string> bodies;
      for (int k = 0; k < 50 && i + k <= count; ++k) {
        bodies.push_back(Body(fmt::format("batches/{}", i + k), 120105 + (i + k) % 3));
      }
      const auto appended = Append("dispatch", i, bodies);
      ASSERT_TRUE(appended.ok()) << appended.status();
      i += static_cast<int>(bodies.size());
    }
  }
  std::string WholeSays() {
    const auto report = VerifyWhole(*store_, &memory_);
    if (!report.ok()) return report.status().ToString();
    if (report->ok()) return "good";
    const Finding& first = report->findings.front();
    return first.index ? fmt::format("index {}", *first.index) : first.what;
  }

  static inline std::unique_ptr<postgres::PgFixture> pg_;
  std::unique_ptr<postgres::TestDatabase> db_;
  crypto::SeededRandom random_{1};
  crypto::NoteSigner signer_ =
      crypto::NoteSigner::Make("audit.test", crypto::Ed25519PrivateKey::Generate(random_)).value();
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  Integrity integrity_;
  MemoryCheckpoint memory_;
  std::optional<PostgresLogStore> store_;
  std::optional<AuditLog> log_;
};

TEST_F(PostgresLogStoreTest, GivesBackWhatWasAppended) {
  const std::string body = Body("a") + "root: " + std::string(64, 'b') + "\nleaves: 3\n";
  ASSERT_TRUE(Append("dispatch", 1, {Body("first"), body}).ok());
  for (const EntrySelector& selector :
       {EntrySelector(ByNumber{{"dispatch", 1}, 2}), EntrySelector(ByIndex{1}),
        EntrySelector(ByLeafHash{crypto::LeafHash(body)}),
        EntrySelector(BySubtreeRoot{ReadFacts(body)->subtree_root.value()})}) {
    const auto entry = store_->Find(selector);
    ASSERT_TRUE(entry.ok() && entry->has_value());
    EXPECT_EQ((*entry)->index, 1u);
    EXPECT_EQ((*entry)->body, body);
    EXPECT_EQ((*entry)->facts, ReadFacts(body).value());
    EXPECT_EQ((*entry)->appended_at, clock_.Now());
  }
  EXPECT_FALSE(store_->Find(ByIndex{2})->has_value());
  EXPECT_FALSE(store_->Find(ByNumber{{"dispatch", 2}, 1})->has_value());
}

TEST_F(PostgresLogStoreTest, HasTheTreeOfTheLeaves) {
  EXPECT_EQ(store_->ReadEnds()->head.root, crypto::EmptyRoot());
  Fill(333);
  const auto entries = store_->Range(0, 1000);
  ASSERT_TRUE(entries.ok()) << entries.status();
  std::vector<crypto::Digest> leaves;
  for (const StoredEntry& entry : *entries) {
    leaves.push_back(crypto::LeafHash(entry.body));
  }
  ASSERT_EQ(leaves.size(), 333u);
  EXPECT_EQ(store_->ReadEnds()->head.root, crypto::RootOf(leaves));
  for (const std::uint64_t size : {1, 2, 100, 256, 333}) {
    EXPECT_EQ(crypto::RootAt(*store_, size).value(), crypto::RootOf(std::span(leaves).first(size)));
  }
  EXPECT_EQ(WholeSays(), "good");
}

TEST_F(PostgresLogStoreTest, AnswersRepeatedNumbersFromWhatIsStored) {
  Fill(60);
  EXPECT_EQ(Append("dispatch", 1, {Body("batches/1", 120106)})->added, 0);
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 1, {Body("other")}).status()),
            Reason::kAuditEntryDiffers);
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 62, {Body("late")}).status()),
            Reason::kAuditNumberWrong);
  EXPECT_EQ(store_->StateOf({"dispatch", 1})->next_number, 61);
  ASSERT_TRUE(Append("dispatch", 1, {Body("after restore")}, 3).ok());
  EXPECT_EQ(store_->StateOf({"dispatch", 1})->newest_epoch, 3);
  EXPECT_EQ(store_->StateOf({"registry", 1})->next_number, 1);
}

TEST_F(PostgresLogStoreTest, LeavesNothingOfAnAppendThatFails) {
  Fill(10);
  const absl::Status failed = store_->Append([&](AppendSession& session) -> absl::Status {
    StoredEntry entry = store_->Find(ByIndex{3})->value();
    entry.index = 10;
    entry.number = 11;
    TreeHead head = session.Head().value();
    head.size = 11;
    YKT_RETURN_IF_ERROR(session.Write({&entry, 1}, {}, head));
    return absl::AbortedError("changed our mind");
  });
  EXPECT_EQ(failed.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_->ReadEnds()->entries, 10u);
  EXPECT_EQ(WholeSays(), "good");
}

TEST_F(PostgresLogStoreTest, RefusesATakenIndexOrNumberByItsKeys) {
  Fill(10);
  const auto write = [&](std::uint64_t index, std::int64_t number) {
    return store_->Append([&](AppendSession& session) -> absl::Status {
      StoredEntry entry;
      entry.source = {"dispatch", 1};
      entry.index = index;
      entry.number = number;
      entry.body = Body("x");
      entry.leaf_hash = crypto::LeafHash(entry.body);
      entry.facts = ReadFacts(entry.body).value();
      TreeHead head = session.Head().value();
      head.size = 11;
      return session.Write({&entry, 1}, {}, head);
    });
  };
  EXPECT_EQ(status::ReasonOf(write(9, 11)), Reason::kDuplicateKey);
  EXPECT_EQ(status::ReasonOf(write(10, 10)), Reason::kDuplicateKey);
}

TEST_F(PostgresLogStoreTest, KeepsOneTreeThoughManyAppendAtOnce) {
  std::vector<std::thread> producers;
  for (const char* name : {"dispatch", "registry", "catalogue", "bankgateway"}) {
    producers.emplace_back([this, name] {
      for (int i = 1; i <= 20; ++i) {
        const auto appended = Append(
            name, 2 * i - 1,
            {BodyOf(name, "a.b", 120105, std::to_string(i)), BodyOf(name, "a.c", 120105, "x")});
        ASSERT_TRUE(appended.ok()) << appended.status();
      }
    });
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(store_->ReadEnds()->head.size, 160u);
  EXPECT_EQ(WholeSays(), "good");
}

TEST_F(PostgresLogStoreTest, ListsByEveryFilterWithinTheScope) {
  ASSERT_TRUE(Append("dispatch", 1,
                     {Body("batches/7", 120105), Body("batches/7/chunks/1", 120105, "chunk.sent"),
                      Body("batches/70", 120105), Body("batches/7-x", 120105),
                      Body("batches/8", 120106), Body("batches/7", 120106)})
                  .ok());
  ASSERT_TRUE(Append("registry", 1, {BodyOf("registry", "card.lost", 120105, "people/1")}).ok());
  const auto indexes = [&](const EntryFilter& filter, std::vector<std::int32_t> districts,
                           std::uint64_t first = 0, int limit = 100) {
    std::vector<std::uint64_t> found;
    const auto scope = identity::ScopeOf(PersonCaller({Role::kAuditor}, std::move(districts)));
    const auto entries = store_->List(filter, scope, first, limit);
    EXPECT_TRUE(entries.ok()) << entries.status();
    for (const StoredEntry& entry : *entries) found.push_back(entry.index);
    return found;
  };
  using Indexes = std::vector<std::uint64_t>;
  EXPECT_EQ(indexes({}, {120000}), (Indexes{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(indexes({}, {120106}), (Indexes{4, 5}));
  EXPECT_EQ(indexes({.subject = "batches/7"}, {120000}), (Indexes{0, 1, 5}));
  EXPECT_EQ(indexes({.subject = "batches/7"}, {120105}), (Indexes{0, 1}));
  EXPECT_EQ(indexes({.district = 120105, .subject = "batches/7"}, {120000}), (Indexes{0, 1}));
  EXPECT_EQ(indexes({.district = 120105}, {120106}), (Indexes{}));
  EXPECT_EQ(indexes({.kind = "batch.sealed"}, {120106}), (Indexes{4, 5}));
  EXPECT_EQ(indexes({.producer = "registry"}, {120000}), (Indexes{6}));
  EXPECT_EQ(indexes({.kind = "card.lost", .producer = "dispatch"}, {120000}), (Indexes{}));
  EXPECT_EQ(indexes({}, {120000}, 3, 2), (Indexes{3, 4}));
}

TEST_F(PostgresLogStoreTest, GrantsTheServiceNoWayToChangeWhatIsWritten) {
  Fill(3);
  for (const char* table : {"entry", "tree_node", "tree_head"}) {
    for (const char* right : {"UPDATE", "DELETE", "TRUNCATE"}) {
      EXPECT_EQ(db_->Sql(fmt::format("SELECT has_table_privilege('auditlog_app', '{}', '{}')",
                                     table, right)),
                "f")
          << right << " on " << table;
    }
  }
}

TEST_F(PostgresLogStoreTest, FindsAnAlteredRowAndSaysWhichIndex) {
  Fill(120);
  ASSERT_TRUE(log_->NewestCheckpoint().ok());
  ASSERT_EQ(WholeSays(), "good");
  const std::string restore =
      "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), "
      "'forged', 'civil'), 'UTF8') WHERE index = 57";
  db_->Sql(
      "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), 'civil', 'forged'), "
      "'UTF8') WHERE index = 57");
  EXPECT_EQ(WholeSays(), "index 57");
  db_->Sql(restore);
  EXPECT_EQ(WholeSays(), "good");
  db_->Sql(
      "UPDATE entry SET leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1) WHERE index "
      "= 58");
  EXPECT_EQ(WholeSays(), "index 58");
  db_->Sql(
      "UPDATE entry SET leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1) WHERE index "
      "= 58");
  db_->Sql("UPDATE entry SET district = 120199 WHERE index = 59");
  EXPECT_EQ(WholeSays(), "index 59");
}

TEST_F(PostgresLogStoreTest, FindsATableThatWasCutShort) {
  Fill(120);
  ASSERT_TRUE(log_->NewestCheckpoint().ok());
  db_->Sql("DELETE FROM entry WHERE index >= 100");
  EXPECT_EQ(WholeSays(), "index 100");
  EXPECT_FALSE(VerifyEnds(*store_, &memory_)->ok());
  EXPECT_EQ(status::ReasonOf(log_->NewestCheckpoint().status()), Reason::kAuditLogAltered);
}

TEST_F(PostgresLogStoreTest, FindsATableThatWasPutBackToAnEarlierState) {
  Fill(120);
  ASSERT_TRUE(log_->NewestCheckpoint().ok());
  db_->Sql(
      "DELETE FROM entry WHERE index >= 100; DELETE FROM tree_head WHERE size > 100;"
      "DELETE FROM tree_node WHERE ((index + 1) << level) > 100");
  EXPECT_TRUE(VerifyWhole(*store_, nullptr)->ok()) << "it fits itself";
  EXPECT_EQ(WholeSays(), "index 100") << "but not the checkpoint that was given out";
}

TEST_F(PostgresLogStoreTest, FindsAMissingNodeBeforeItBuildsOnIt) {
  Fill(64);
  db_->Sql("DELETE FROM tree_node WHERE level = 6");
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 65, {Body("x")}).status()),
            Reason::kAuditLogAltered);
  EXPECT_EQ(WholeSays(), "index 0");
}

TEST_F(PostgresLogStoreTest, SaysWhenTheDatabaseIsAway) {
  Fill(3);
  pg_->Kill();
  EXPECT_EQ(status::ReasonOf(Append("dispatch", 4, {Body("x")}).status()),
            Reason::kDatabaseUnavailable);
  EXPECT_TRUE(integrity_.intact()) << "a database that is away is no altered log";
  EXPECT_FALSE(VerifyWhole(*store_, &memory_).ok());
  pg_->Restart();
  EXPECT_TRUE(Append("dispatch", 4, {Body("x")}).ok());
}

}  // namespace
}  // namespace yikatong::auditlog
