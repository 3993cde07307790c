#include "services/auditlog/wiring.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "common/crypto/keys.h"
#include "common/crypto/testing/seeded_random.h"
#include "common/outbox/entry.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "services/auditlog/config.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

TEST(AuditLogCommand, IsTakenOutOfTheArguments) {
  std::vector<const char*> arguments = {"auditlog", "--config", "file", "--verify"};
  EXPECT_EQ(TakeCommand(arguments), Command::kVerify);
  EXPECT_EQ(arguments.size(), 3u);
  EXPECT_EQ(TakeCommand(arguments), Command::kServe);
  arguments.push_back("--migrate");
  EXPECT_EQ(TakeCommand(arguments), Command::kMigrate);
  arguments.push_back("--check-config");
  EXPECT_EQ(TakeCommand(arguments), Command::kCheckConfig);
  arguments.push_back("--begin-anew");
  EXPECT_EQ(TakeCommand(arguments), Command::kBeginAnew);
}

TEST(EntryFacts, AreReadFromWhateverAProducerMayWrite) {
  outbox::Entry entry;
  entry.service = "bank_gateway2";
  entry.kind = "file_.sent_2.x";
  entry.district = 999'999;
  entry.subject = std::string(3000, 's');
  entry.business_date = absl::CivilDay(2026, 11, 23);
  entry.root = std::string(32, '\x01');
  entry.leaves = 1;
  entry.details = {{"a", ""}, {"b_1", ": x: 村"}};
  const auto body = outbox::CanonicalBody(entry);
  ASSERT_TRUE(body.ok()) << body.status();
  const auto facts = ReadFacts(*body);
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->service, entry.service);
  EXPECT_EQ(facts->kind, entry.kind);
  EXPECT_EQ(crypto::StringOf(facts->subtree_root.value()), entry.root);
}

class WiringTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    pg_ = postgres::PgFixture::Start({.service = "auditlog", .migrations = LogMigrations()});
  }
  static void TearDownTestSuite() { pg_.reset(); }

  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "audit-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    db_ = pg_->FreshDatabase();
    ASSERT_TRUE(crypto::WriteSecretFile((folder_ / "log.key").string(),
                                        crypto::Ed25519PrivateKey::Generate(random_).Pem())
                    .ok());
    std::ofstream(folder_ / "auditlog.conf")
        << "tls_ca = ca.pem\ntls_certificate = tls.pem\ntls_key = tls.key\ntoken_issuers = "
           "issuers\n"
        << "database_conninfo = " << db_->runtime_conninfo() << "\n"
        << "owner_conninfo = " << db_->owner_conninfo() << "\n"
        << "origin = audit.test\nsigning_key = log.key\ncheckpoint_file = checkpoint\n";
  }
  void TearDown() override {
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  config::Config Load() {
    auto config = config::Load(Settings(), (folder_ / "auditlog.conf").string(), {});
    EXPECT_TRUE(config.ok()) << config.status();
    return *std::move(config);
  }

  static inline std::unique_ptr<postgres::PgFixture> pg_;
  std::filesystem::path folder_;
  std::unique_ptr<postgres::TestDatabase> db_;
  crypto::SeededRandom random_{1};
  base::SystemClock clock_;
  telemetry::Metrics metrics_;
};

TEST_F(WiringTest, MigratesTwiceWithTheSameResult) {
  std::ostringstream out;
  ASSERT_TRUE(RunMigrate(Load(), out).ok());
  EXPECT_EQ(out.str(), "migrations applied: 0, schema version: 1\n")
      << "the fixture had applied it already";
}

TEST_F(WiringTest, VerifiesTheWholeLogAndNamesTheIndexOfAnAlteredRow) {
  const auto parts = Parts::Make(Load(), clock_, metrics_);
  ASSERT_TRUE(parts.ok()) << parts.status();
  std::vector<std::string> bodies;
  bodies.reserve(30);
  for (int i = 0; i < 30; ++i) {
    bodies.push_back(BodyOf("dispatch", "chunk.sent", 120105, std::to_string(i)));
  }
  ASSERT_TRUE((*parts)->log().Append(ServiceCaller("dispatch"), {{"dispatch", 1}, 1, bodies}).ok());
  ASSERT_TRUE((*parts)->log().NewestCheckpoint().ok());
  std::ostringstream good, progress;
  EXPECT_TRUE(RunVerify(**parts, good, progress).ok());
  EXPECT_NE(good.str().find("entries checked: 30\n"), std::string::npos) << good.str();
  EXPECT_NE(progress.str().find("checked 30 of 30 entries"), std::string::npos);

  db_->Sql("UPDATE entry SET subject = 'forged' WHERE index = 17");
  std::ostringstream bad;
  EXPECT_EQ(status::ReasonOf(RunVerify(**parts, bad, progress)), Reason::kAuditLogAltered);
  EXPECT_NE(bad.str().find("ALTERED at index 17: "), std::string::npos) << bad.str();
}

TEST_F(WiringTest, RemembersItsCheckpointOverARestart) {
  {
    const auto parts = Parts::Make(Load(), clock_, metrics_);
    ASSERT_TRUE(parts.ok());
    ASSERT_TRUE((*parts)
                    ->log()
                    .Append(ServiceCaller("dispatch"),
                            {{"dispatch", 1}, 1, {BodyOf("dispatch", "a.b", 120105, "x")}})
                    .ok());
    ASSERT_TRUE((*parts)->log().NewestCheckpoint().ok());
  }
  // The whole database is put back to before the append.
  db_->Sql("TRUNCATE entry, tree_node, tree_head");
  const auto parts = Parts::Make(Load(), clock_, metrics_);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(status::ReasonOf((*parts)->log().NewestCheckpoint().status()),
            Reason::kAuditLogAltered);
}

TEST_F(WiringTest, LimitsTheCallsOfAnOrganisationAndLetsServicesWork) {
  std::ofstream(folder_ / "auditlog.conf", std::ios::app) << "rate_limit = 2\n";
  const base::ManualClock still(clock_.Now());
  const auto parts = Parts::Make(Load(), still, metrics_);
  ASSERT_TRUE(parts.ok()) << parts.status();
  RefusalRecorder refusals((*parts)->log(), still, 1);
  const rpc::GuardOptions guard = (*parts)->GuardOptionsOf(Load(), refusals);
  EXPECT_TRUE(guard.allow("civil.120105"));
  EXPECT_TRUE(guard.allow("civil.120105"));
  EXPECT_FALSE(guard.allow("civil.120105"));
  for (int call = 0; call < 1'000; ++call) EXPECT_TRUE(guard.allow("service:dispatch"));
}

TEST_F(WiringTest, SaysWhichKeyFileIsMissing) {
  std::filesystem::remove(folder_ / "log.key");
  const absl::Status status = Parts::Make(Load(), clock_, metrics_).status();
  EXPECT_NE(std::string(status.message()).find("log.key"), std::string::npos);
}

}  // namespace
}  // namespace yikatong::auditlog
