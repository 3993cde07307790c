#include "services/auditlog/begin_anew.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/keys.h"
#include "common/crypto/testing/seeded_random.h"
#include "common/outbox/entry.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/status/status.h"
#include "services/auditlog/config.h"
#include "services/auditlog/testing/memory_store.h"
#include "services/auditlog/wiring.h"

namespace yikatong::auditlog {
namespace {

namespace fs = std::filesystem;
using identity::Role;
using status::Reason;
using testing::HasSubstr;
using Pairs = std::map<std::string, std::string>;

constexpr char kWhy[] = "数据库由备份恢复，缺少最近的记录";

// A log that was lost, and a new one in its place: two databases, two keys, two folders.
class BeginAnewTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    pg_ = postgres::PgFixture::Start({.service = "auditlog", .migrations = LogMigrations()});
  }
  static void TearDownTestSuite() { pg_.reset(); }

  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "anew-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    WriteKey("former.key");
    WriteKey("log.key");
    former_db_ = pg_->FreshDatabase();
    db_ = pg_->FreshDatabase();
    RunFormerLog();
    settings_ = {{"origin", "audit2.test"},
                 {"signing_key", "log.key"},
                 {"checkpoint_file", "checkpoint2"},
                 {"database_conninfo", db_->runtime_conninfo()},
                 {"former_verifier_key", former_key_},
                 {"former_checkpoint", "checkpoint"},
                 {"break_reason", kWhy}};
  }
  void TearDown() override {
    db_.reset();
    former_db_.reset();
    fs::remove_all(folder_);
  }

  void WriteKey(const std::string& name) {
    ASSERT_TRUE(crypto::WriteSecretFile((folder_ / name).string(),
                                        crypto::Ed25519PrivateKey::Generate(random_).Pem())
                    .ok());
  }
  crypto::NoteSigner SignerOf(const std::string& origin, const std::string& key) {
    return crypto::NoteSigner::Make(origin,
                                    crypto::ReadEd25519PrivateKey((folder_ / key).string()).value())
        .value();
  }
  void WriteNote(const std::string& name, const crypto::NoteSigner& signer,
                 const std::string& origin) {
    const crypto::Checkpoint checkpoint{.origin = origin, .size = 3, .root = {}, .extensions = {}};
    std::ofstream(folder_ / name) << crypto::SignCheckpoint(checkpoint, signer).value();
  }

  // Thirty entries of dispatch; what it said last is in the file `checkpoint`.
  void RunFormerLog() {
    settings_ = {{"origin", "audit.test"},
                 {"signing_key", "former.key"},
                 {"checkpoint_file", "checkpoint"},
                 {"database_conninfo", former_db_->runtime_conninfo()}};
    const auto parts = Open();
    std::vector<std::string> bodies;
    bodies.reserve(30);
    for (int i = 0; i < 30; ++i) bodies.push_back(Body(i));
    ASSERT_TRUE(Append(*parts, 1, 1, bodies).ok());
    former_last_ = parts->log().NewestCheckpoint().value().checkpoint;
    former_key_ = parts->log().verifier().VerifierKey();
  }

  std::string WriteConfig() {
    std::ofstream out(folder_ / "auditlog.conf");
    out << "tls_ca = ca.pem\ntls_certificate = tls.pem\ntls_key = tls.key\ntoken_issuers = "
           "issuers\n";
    for (const auto& [key, value] : settings_) out << key << " = " << value << "\n";
    return (folder_ / "auditlog.conf").string();
  }
  config::Config Load() {
    auto config = config::Load(Settings(), WriteConfig(), {});
    EXPECT_TRUE(config.ok()) << config.status();
    return *std::move(config);
  }
  // The service with the settings as they are now.
  std::unique_ptr<Parts> Open() {
    auto parts = Parts::Make(Load(), clock_, metrics_);
    EXPECT_TRUE(parts.ok()) << parts.status();
    return *std::move(parts);
  }
  absl::Status Begin(std::string* said = nullptr) {
    std::ostringstream out;
    absl::Status status = RunBeginAnew(Load(), *Open(), clock_, out);
    if (said != nullptr) *said = out.str();
    return status;
  }

  static std::string Body(int subject) {
    return BodyOf("dispatch", "batch.sealed", 120105, fmt::format("batches/{}", subject));
  }
  static absl::StatusOr<Appended> Append(Parts& parts, int epoch, std::int64_t first,
                                         std::vector<std::string> bodies) {
    return parts.log().Append(ServiceCaller("dispatch"),
                              {{"dispatch", epoch}, first, std::move(bodies)});
  }
  std::string Read(const std::string& name) {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Everything that a refusal must leave as it was.
  std::string State() {
    return db_->Sql(
               "SELECT (SELECT count(*) FROM entry) || '/' || (SELECT count(*) FROM tree_node) || "
               "'/' || (SELECT count(*) FROM tree_head)") +
           "/" + Read("checkpoint2");
  }
  void ExpectRefused(Reason reason, const std::string& detail) {
    const std::string before = State();
    std::string said;
    const absl::Status refused = Begin(&said);
    EXPECT_EQ(status::ReasonOf(refused), reason) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(detail));
    EXPECT_EQ(said, "");
    EXPECT_EQ(State(), before);
  }

  static inline std::unique_ptr<postgres::PgFixture> pg_;
  fs::path folder_;
  std::unique_ptr<postgres::TestDatabase> former_db_;
  std::unique_ptr<postgres::TestDatabase> db_;
  Pairs settings_;
  std::string former_key_;
  crypto::Checkpoint former_last_;
  crypto::SeededRandom random_{1};
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
  telemetry::Metrics metrics_;
};

TEST_F(BeginAnewTest, TheBreakIsTheFirstEntryAndTheFirstCheckpointSignsIt) {
  std::string said;
  ASSERT_TRUE(Begin(&said).ok());
  const auto parts = Open();
  const auto entry = parts->store().Find(ByIndex{0}).value();
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->source, (Source{"auditlog", 1}));
  EXPECT_EQ(entry->number, 1);
  const outbox::Entry body = outbox::ParseBody(entry->body).value();
  EXPECT_EQ(body.kind, "log.begun_anew");
  EXPECT_EQ(body.district, 120000);
  EXPECT_EQ(body.subject, "logs/audit.test");
  EXPECT_EQ(body.actor_org, "service:auditlog");
  EXPECT_EQ(body.at, clock_.Now());
  EXPECT_EQ(former_last_.size, 30u);
  EXPECT_EQ(body.details,
            (std::map<std::string, std::string>{{"former_key", former_key_},
                                                {"former_root", crypto::HexOf(former_last_.root)},
                                                {"former_size", "30"},
                                                {"reason", kWhy}}));

  // What is printed is all that a stranger needs, and is what the service remembers.
  const std::string key = parts->log().verifier().VerifierKey();
  EXPECT_THAT(said, HasSubstr("verifier key: " + key + "\n"));
  const std::string note = said.substr(said.find("checkpoint:\n") + 12);
  const auto first = crypto::OpenCheckpoint(note, crypto::NoteVerifier::Parse(key).value());
  ASSERT_TRUE(first.ok()) << first.status() << said;
  EXPECT_EQ(first->origin, "audit2.test");
  EXPECT_EQ(first->size, 1u);
  EXPECT_EQ(first->root, crypto::LeafHash(entry->body));
  EXPECT_EQ(Read("checkpoint2"), note);
}

TEST_F(BeginAnewTest, TheLogGoesOnAndProvesItselfFromItsFirstCheckpoint) {
  ASSERT_TRUE(Begin().ok());
  const auto parts = Open();
  const SignedCheckpoint first = parts->log().NewestCheckpoint().value();
  ASSERT_TRUE(Append(*parts, 2, 1, {Body(1), Body(2), Body(3), Body(4)}).ok());
  const Consistency extends = parts->log().ProveConsistency(1, std::nullopt).value();
  ASSERT_TRUE(extends.checkpoint.has_value());
  const crypto::Checkpoint& now = extends.checkpoint->checkpoint;
  EXPECT_EQ(now.size, 5u);
  EXPECT_TRUE(crypto::VerifyConsistency(1, 5, first.checkpoint.root, now.root, extends.hashes));
  const Inclusion proof = parts->log().ProveInclusion(ByIndex{0}, 5).value();
  EXPECT_TRUE(crypto::VerifyInclusion(proof.leaf_hash, 0, 5, proof.path, now.root));
  std::ostringstream out, progress;
  EXPECT_TRUE(RunVerify(*parts, out, progress).ok()) << out.str();
  EXPECT_THAT(out.str(), HasSubstr("entries checked: 5\n"));
}

TEST_F(BeginAnewTest, AnAuditorFindsTheBreakByItsKind) {
  ASSERT_TRUE(Begin().ok());
  const auto parts = Open();
  ASSERT_TRUE(Append(*parts, 2, 1, {Body(1)}).ok());
  const auto page =
      parts->log().ListEntries(PersonCaller({Role::kAuditor}, {120000}),
                               {.filter = {.kind = kBegunAnew}, .page_size = 0, .page_token = {}});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->entries[0].index, 0u);
  EXPECT_EQ(page->entries[0].facts.subject, "logs/audit.test");
}

TEST_F(BeginAnewTest, SaidAgainItSaysSoAndChangesNothing) {
  std::string first, again;
  ASSERT_TRUE(Begin(&first).ok());
  const std::string before = State();
  clock_.Advance(absl::Hours(30));
  const absl::Status repeated = Begin(&again);
  ASSERT_TRUE(repeated.ok()) << repeated;
  EXPECT_THAT(again, HasSubstr("nothing was changed"));
  EXPECT_EQ(again.substr(again.find('\n')), first.substr(first.find('\n')));
  EXPECT_EQ(State(), before);
}

TEST_F(BeginAnewTest, OfTwoCallsAtOnceOneBeginsAndTheOtherFindsIt) {
  constexpr int kCalls = 4;
  const config::Config config = Load();
  std::vector<std::string> said(kCalls);
  std::vector<std::thread> calls;
  calls.reserve(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    calls.emplace_back([&, i] {
      telemetry::Metrics metrics;
      const auto parts = Parts::Make(config, clock_, metrics);
      const auto what = ReadBreak(config, (*parts)->log().verifier());
      const auto begun =
          BeginAnew((*parts)->log(), (*parts)->store(), (*parts)->memory(), clock_, 1, *what);
      ASSERT_TRUE(begun.ok()) << begun.status();
      said[static_cast<std::size_t>(i)] = begun->before ? "before" : "begun";
    });
  }
  for (std::thread& call : calls) call.join();
  EXPECT_EQ(std::count(said.begin(), said.end(), "begun"), 1);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM entry"), "1");
}

TEST_F(BeginAnewTest, NamesTheSettingsThatAreMissing) {
  const Pairs all = settings_;
  for (const char* key : {"former_verifier_key", "former_checkpoint", "break_reason"}) {
    settings_ = all;
    settings_.erase(key);
    ExpectRefused(Reason::kConfigInvalid, key);
  }
  settings_.erase("former_verifier_key");
  ExpectRefused(Reason::kConfigInvalid, "former_verifier_key, break_reason");
}

TEST_F(BeginAnewTest, RefusesTheOriginAndTheKeyOfTheFormerLog) {
  // The same name with another key, and another name with the same key: neither tells two logs
  // apart for whoever holds old checkpoints.
  settings_["origin"] = "audit.test";
  ExpectRefused(Reason::kAuditLogIdentityUsed, "audit.test");
  settings_["origin"] = "audit2.test";
  settings_["signing_key"] = "former.key";
  ExpectRefused(Reason::kAuditLogIdentityUsed, "the same key");
}

TEST_F(BeginAnewTest, RefusesACheckpointThatTheFormerKeyDidNotSign) {
  const crypto::NoteSigner former = SignerOf("audit.test", "former.key");
  WriteKey("other.key");
  WriteNote("forged", SignerOf("audit.test", "other.key"), "audit.test");
  settings_["former_checkpoint"] = "forged";
  ExpectRefused(Reason::kFormerCheckpointInvalid, "forged is not signed by audit.test+");

  WriteNote("foreign", former, "audit3.test");
  settings_["former_checkpoint"] = "foreign";
  ExpectRefused(Reason::kFormerCheckpointInvalid, "foreign");

  std::string longer = Read("checkpoint");
  longer.replace(longer.find("\n30\n"), 4, "\n31\n");
  std::ofstream(folder_ / "longer") << longer;
  settings_["former_checkpoint"] = "longer";
  ExpectRefused(Reason::kFormerCheckpointInvalid, "longer");

  settings_["former_checkpoint"] = "nowhere";
  ExpectRefused(Reason::kConfigInvalid, "nowhere is not there");

  settings_["former_checkpoint"] = "checkpoint";
  settings_["former_verifier_key"] = former_key_.substr(0, former_key_.size() - 8);
  ExpectRefused(Reason::kConfigInvalid, "former_verifier_key");
  settings_["former_verifier_key"] = SignerOf("audit.test", "other.key").verifier().VerifierKey();
  ExpectRefused(Reason::kFormerCheckpointInvalid, "checkpoint is not signed by");
}

TEST_F(BeginAnewTest, RefusesAReasonThatMayNotStandInAnEntry) {
  settings_["break_reason"] = "请联系 13812345678";
  ExpectRefused(Reason::kFieldInvalid, "without ID, account or phone number");
  settings_["break_reason"] = std::string(501, 'x');
  ExpectRefused(Reason::kFieldInvalid, "1 to 500");
}

TEST_F(BeginAnewTest, RefusesALogThatHoldsAnythingElse) {
  const Pairs all = settings_;
  ASSERT_TRUE(Begin().ok());
  settings_["break_reason"] = "another reason";
  ExpectRefused(Reason::kAuditLogNotEmpty, "it has 1 entries, and the first is not this break");
  settings_ = all;
  settings_["restore_epoch"] = "2";
  ExpectRefused(Reason::kAuditLogNotEmpty, "not this break");
  settings_ = all;
  ASSERT_TRUE(Append(*Open(), 2, 1, {Body(1)}).ok());
  ExpectRefused(Reason::kAuditLogNotEmpty, "it has 2 entries, and the first is this break");
}

TEST_F(BeginAnewTest, RefusesALogThatBeganAsAFirstInstallation) {
  const Pairs all = settings_;
  settings_.erase("former_verifier_key");
  ASSERT_TRUE(Append(*Open(), 1, 1, {Body(1)}).ok()) << "as before: nothing is waited for";
  settings_ = all;
  ExpectRefused(Reason::kAuditLogNotEmpty, "not this break");
}

TEST_F(BeginAnewTest, RefusesACheckpointFileOfTheFormerLogAndKeepsIt) {
  settings_["checkpoint_file"] = "checkpoint";
  const std::string kept = Read("checkpoint");
  ExpectRefused(Reason::kConfigInvalid, "checkpoint_file");
  EXPECT_EQ(Read("checkpoint"), kept);
}

TEST_F(BeginAnewTest, RefusesAnIdentityThatHasSpokenAlready) {
  ASSERT_TRUE(Begin().ok());
  db_->Sql("TRUNCATE entry, tree_node, tree_head");
  ExpectRefused(Reason::kAuditLogIdentityUsed, "audit2.test had 1 entries");
}

TEST_F(BeginAnewTest, RefusesASchemaThatIsNotThere) {
  db_->Sql("DROP TABLE tree_head, tree_node, entry; TRUNCATE schema_migrations");
  std::string said;
  EXPECT_EQ(status::ReasonOf(Begin(&said)), Reason::kSchemaBehind);
}

TEST_F(BeginAnewTest, NothingIsTakenBeforeTheBreak) {
  const auto service = Open();
  EXPECT_EQ(status::ReasonOf(Append(*service, 2, 1, {Body(1)}).status()),
            Reason::kAuditLogNotBegun);
  EXPECT_EQ(status::ReasonOf(service->log().AppendOwn(
                {"auditlog", 1}, BodyOf("auditlog", "call.refused", 120000, "method"))),
            Reason::kAuditLogNotBegun);
  EXPECT_EQ(db_->Sql("SELECT count(*) FROM entry"), "0");
  EXPECT_EQ(service->log().NewestCheckpoint()->checkpoint.size, 0u);
  ASSERT_TRUE(Begin().ok());
  EXPECT_TRUE(Append(*service, 2, 1, {Body(1)}).ok()) << "the running service goes on";
}

// What a relay is told: it stops under its old epoch, having acknowledged more, and begins at
// number 1 of the next.
TEST_F(BeginAnewTest, AProducerBeginsAtNumberOneOfItsRaisedEpoch) {
  ASSERT_TRUE(Begin().ok());
  const auto parts = Open();
  const identity::Caller dispatch = ServiceCaller("dispatch");
  EXPECT_EQ(parts->log().NextNumber(dispatch, {"dispatch", 1}).value(), 1);
  const absl::Status goes_on = Append(*parts, 1, 31, {Body(31)}).status();
  EXPECT_EQ(status::ReasonOf(goes_on), Reason::kAuditNumberWrong);
  EXPECT_EQ(status::MetadataOf(goes_on)["next_number"], "1");
  EXPECT_EQ(parts->log().NextNumber(dispatch, {"dispatch", 2}).value(), 1);
  EXPECT_EQ(Append(*parts, 2, 1, {Body(31)})->next_number, 2);
  EXPECT_EQ(status::ReasonOf(Append(*parts, 1, 1, {Body(32)}).status()), Reason::kAuditEpochOver);
}

TEST_F(BeginAnewTest, TheCommandSaysReasonAndRemedy) {
  const auto run = [this](std::string* out, std::string* error) {
    std::string program = "auditlog", config = "--config", file = WriteConfig(),
                command = "--begin-anew";
    char* arguments[] = {program.data(), config.data(), file.data(), command.data()};
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunCommand(4, arguments, [](const config::Config&) {
      ADD_FAILURE() << "it is not to serve";
      return absl::OkStatus();
    });
    *out = testing::internal::GetCapturedStdout();
    *error = testing::internal::GetCapturedStderr();
    return code;
  };
  std::string out, error;
  EXPECT_EQ(run(&out, &error), 0) << error;
  EXPECT_THAT(out, HasSubstr("former log: audit.test, size 30, root "));
  settings_["break_reason"] = "another reason";
  EXPECT_EQ(run(&out, &error), 1);
  EXPECT_THAT(error, HasSubstr("AUDIT_LOG_NOT_EMPTY: "));
  EXPECT_THAT(error, HasSubstr("make an empty database"));
}

}  // namespace
}  // namespace yikatong::auditlog
