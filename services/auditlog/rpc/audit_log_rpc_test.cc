#include "services/auditlog/rpc/audit_log_rpc.h"

#include <fmt/core.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/crypto/keys.h"
#include "common/identity/token.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/rpc/wire_status.h"
#include "common/status/status.h"
#include "services/auditlog/rpc/refusals.h"
#include "services/auditlog/store/postgres_log_store.h"
#include "services/auditlog/testing/memory_store.h"

namespace yikatong::auditlog {
namespace {

namespace fs = std::filesystem;
using identity::Role;
using status::Reason;

// Certificates and keys as an installation has them, made once for the test program.
class Installation {
 public:
  Installation() {
    std::string pattern = (fs::temp_directory_path() / "ykt-audit-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    const char* source = std::getenv("YIKATONG_SOURCE_DIR");
    const std::string command =
        fmt::format("{}/deploy/certificates/make {} --organisation audit.120000 > {}/log 2>&1",
                    source == nullptr ? "." : source, pattern, pattern);
    if (std::system(command.c_str()) != 0) std::abort();
  }
  ~Installation() { fs::remove_all(folder_); }

  rpc::TlsFiles Tls(const std::string& who) const {
    const std::string at = (folder_ / who).string();
    return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
  }
  std::string Path(const char* name) const { return (folder_ / name).string(); }

 private:
  fs::path folder_;
};

class AuditLogRpcTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    installation_ = std::make_unique<Installation>();
    pg_ = postgres::PgFixture::Start({.service = "auditlog", .migrations = LogMigrations()});
  }
  static void TearDownTestSuite() {
    pg_.reset();
    installation_.reset();
  }

  void SetUp() override {
    db_ = pg_->FreshDatabase();
    store_.emplace(db_->database());
    signer_.emplace(
        crypto::NoteSigner::Make(
            "audit.test",
            crypto::ReadEd25519PrivateKey(installation_->Path("keys/audit-log.key")).value())
            .value());
    log_.emplace(*store_, integrity_, &memory_, *signer_, clock_);
    refusals_.emplace(*log_, clock_, 1);
    tokens_ =
        identity::TokenVerifier::Load({.issuer_folder = installation_->Path("issuers")}, clock_)
            .value();
    issuer_ =
        identity::TokenSigner::Load(installation_->Path("keys/token-issuer.key"), clock_).value();
    rpc::GuardOptions options;
    options.max_request_bytes = 3 << 20;
    options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                   const absl::Status& refusal) {
      refusals_->Record(caller, method, refusal);
    };
    guard_.emplace(std::move(options), authorizer_, *tokens_, metrics_);
    service_.emplace(*log_, *guard_, metrics_);
    rpc::ServerOptions server_options;
    server_options.tls = installation_->Tls("services/auditlog");
    server_.emplace(
        server_options,
        std::vector<rpc::Served>{{&*service_, pb::AuditLogService::service_full_name()}},
        authorizer_, [] { return true; }, metrics_.Registry());
    const absl::Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  void TearDown() override { server_.reset(); }

  // One caller with its certificate, and a token where it is a person.
  struct Peer {
    std::unique_ptr<rpc::Channel> channel;
    std::unique_ptr<pb::AuditLogService::Stub> stub;
    std::string token;

    template <typename Request, typename Response>
    absl::StatusOr<Response> Call(grpc::Status (pb::AuditLogService::Stub::*method)(
                                      grpc::ClientContext*, const Request&, Response*),
                                  const Request& request) {
      grpc::ClientContext context;
      channel->Prepare(context, absl::Seconds(10), token);
      Response response;
      YKT_RETURN_IF_ERROR(rpc::FromGrpc((stub.get()->*method)(&context, request, &response)));
      return response;
    }
  };
  Peer Open(const std::string& who, std::string token = "") {
    Peer peer;
    peer.channel = rpc::Channel::Open({.address = server_->addresses().grpc,
                                       .server = "auditlog",
                                       .tls = installation_->Tls(who)})
                       .value();
    peer.stub = pb::AuditLogService::NewStub(peer.channel->grpc());
    peer.token = std::move(token);
    return peer;
  }
  Peer OpenService(const std::string& name) { return Open("services/" + name); }
  Peer OpenPerson(identity::RoleSet roles, std::vector<std::int32_t> districts) {
    identity::TokenClaims claims{.person = "p-9",
                                 .organisation = "audit.120000",
                                 .roles = roles,
                                 .fields = {"*"},
                                 .districts = std::move(districts)};
    return Open("organisations/audit.120000", issuer_->Mint(claims, absl::Minutes(5)).value());
  }

  static pb::AppendEntriesRequest AppendRequestOf(const std::string& producer, std::int64_t first,
                                                  const std::vector<std::string>& bodies) {
    pb::AppendEntriesRequest request;
    request.set_producer(producer);
    request.set_restore_epoch(1);
    request.set_first_number(first);
    for (const std::string& body : bodies) request.add_bodies(body);
    return request;
  }
  absl::StatusOr<pb::AppendEntriesResponse> Append(Peer& peer, const std::string& producer,
                                                   std::int64_t first,
                                                   const std::vector<std::string>& bodies) {
    return peer.Call(&pb::AuditLogService::Stub::AppendEntries,
                     AppendRequestOf(producer, first, bodies));
  }
  static std::string Body(std::string_view subject, int district = 120105) {
    return BodyOf("dispatch", "batch.sealed", district, subject);
  }

  static inline std::unique_ptr<Installation> installation_;
  static inline std::unique_ptr<postgres::PgFixture> pg_;
  std::unique_ptr<postgres::TestDatabase> db_;
  base::SystemClock clock_;
  telemetry::Metrics metrics_;
  const identity::Authorizer authorizer_{Rules()};
  Integrity integrity_;
  MemoryCheckpoint memory_;
  std::optional<PostgresLogStore> store_;
  std::optional<crypto::NoteSigner> signer_;
  std::optional<AuditLog> log_;
  std::optional<RefusalRecorder> refusals_;
  std::unique_ptr<identity::TokenVerifier> tokens_;
  std::unique_ptr<identity::TokenSigner> issuer_;
  std::optional<rpc::Guard> guard_;
  std::optional<AuditLogRpc> service_;
  std::optional<rpc::Server> server_;
};

using Stub = pb::AuditLogService::Stub;

TEST_F(AuditLogRpcTest, TakesEntriesOfAServiceAndProvesThemToAPersonWithTheKeyOnly) {
  Peer dispatch = OpenService("dispatch");
  std::vector<std::string> bodies;
  bodies.reserve(20);
  for (int i = 0; i < 20; ++i) bodies.push_back(Body(std::to_string(i)));
  const auto appended = Append(dispatch, "dispatch", 1, bodies);
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->next_number(), 21);
  EXPECT_EQ(appended->tree_size(), 20);
  pb::GetNextNumberRequest ask;
  ask.set_producer("dispatch");
  ask.set_restore_epoch(1);
  EXPECT_EQ(dispatch.Call(&Stub::GetNextNumber, ask)->next_number(), 21);

  Peer officer = OpenPerson({Role::kDepartmentOperator}, {120105});
  const auto early = officer.Call(&Stub::GetCheckpoint, pb::GetCheckpointRequest());
  ASSERT_TRUE(early.ok()) << early.status();
  ASSERT_TRUE(Append(dispatch, "dispatch", 21, {Body("late")}).ok());

  const auto verifier = crypto::NoteVerifier::Parse(early->verifier_key());
  ASSERT_TRUE(verifier.ok());
  const auto first = crypto::OpenCheckpoint(early->note(), *verifier);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->origin, "audit.test");
  EXPECT_EQ(first->size, 20u);

  pb::GetInclusionProofRequest prove;
  prove.mutable_entry()->mutable_number()->set_producer("dispatch");
  prove.mutable_entry()->mutable_number()->set_restore_epoch(1);
  prove.mutable_entry()->mutable_number()->set_number(7);
  const auto proof = officer.Call(&Stub::GetInclusionProof, prove);
  ASSERT_TRUE(proof.ok()) << proof.status();
  const auto second = crypto::OpenCheckpoint(proof->checkpoint().note(), *verifier);
  ASSERT_TRUE(second.ok());
  std::vector<crypto::Digest> path;
  path.reserve(static_cast<std::size_t>(proof->path_size()));
  for (const std::string& hash : proof->path()) path.push_back(crypto::DigestOf(hash).value());
  EXPECT_TRUE(crypto::VerifyInclusion(crypto::LeafHash(bodies[6]), proof->index(), second->size,
                                      path, second->root));

  pb::GetConsistencyProofRequest extend;
  extend.set_first_size(20);
  const auto consistency = officer.Call(&Stub::GetConsistencyProof, extend);
  ASSERT_TRUE(consistency.ok()) << consistency.status();
  std::vector<crypto::Digest> hashes;
  hashes.reserve(static_cast<std::size_t>(consistency->hashes_size()));
  for (const std::string& hash : consistency->hashes()) {
    hashes.push_back(crypto::DigestOf(hash).value());
  }
  EXPECT_TRUE(crypto::VerifyConsistency(20, second->size, first->root, second->root, hashes));
}

TEST_F(AuditLogRpcTest, LetsNobodyAppendForAnother) {
  Peer registry = OpenService("registry");
  EXPECT_EQ(status::ReasonOf(Append(registry, "dispatch", 1, {Body("a")}).status()),
            Reason::kPermissionDenied);
  Peer auditor = OpenPerson({Role::kAuditor}, {120000});
  EXPECT_EQ(status::ReasonOf(Append(auditor, "dispatch", 1, {Body("a")}).status()),
            Reason::kPermissionDenied);
  Peer bank = OpenService("banksim");
  EXPECT_EQ(status::ReasonOf(Append(bank, "banksim", 1, {Body("a")}).status()),
            Reason::kPermissionDenied);
  Peer nobody = Open("organisations/audit.120000");
  EXPECT_EQ(
      status::ReasonOf(nobody.Call(&Stub::GetCheckpoint, pb::GetCheckpointRequest()).status()),
      Reason::kUnauthenticated);
}

TEST_F(AuditLogRpcTest, SaysByReasonAndMetadataWhatIsWrongWithAnAppend) {
  Peer dispatch = OpenService("dispatch");
  ASSERT_TRUE(Append(dispatch, "dispatch", 1, {Body("a")}).ok());
  const absl::Status gap = Append(dispatch, "dispatch", 5, {Body("e")}).status();
  EXPECT_EQ(status::ReasonOf(gap), Reason::kAuditNumberWrong);
  EXPECT_EQ(status::MetadataOf(gap)["next_number"], "2");
  EXPECT_EQ(status::ReasonOf(Append(dispatch, "dispatch", 1, {Body("b")}).status()),
            Reason::kAuditEntryDiffers);
  EXPECT_EQ(status::ReasonOf(Append(dispatch, "dispatch", 2, {"nonsense"}).status()),
            Reason::kAuditEntryMalformed);
  const std::string large = Body("a") + "detail.note: " + std::string(60'000, 'x') + "\n";
  EXPECT_EQ(status::ReasonOf(
                Append(dispatch, "dispatch", 2, std::vector<std::string>(40, large)).status()),
            Reason::kMessageTooLarge);
  EXPECT_TRUE(Append(dispatch, "dispatch", 2, std::vector<std::string>(16, large)).ok())
      << "a megabyte is an ordinary append";
}

TEST_F(AuditLogRpcTest, WritesRefusalsIntoItself) {
  Peer registry = OpenService("registry");
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(Append(registry, "dispatch", 1, {Body("a")}).ok());
  }
  Peer auditor = OpenPerson({Role::kAuditor}, {120000});
  pb::ListEntriesRequest list;
  list.set_kind("call.refused");
  const auto page = auditor.Call(&Stub::ListEntries, list);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries_size(), 1) << "the same refusal is written once a minute";
  const pb::Entry& entry = page->entries(0);
  EXPECT_EQ(entry.producer(), "auditlog");
  EXPECT_NE(entry.body().find("actor_org: service:registry\n"), std::string::npos);
  EXPECT_NE(entry.body().find("detail.reason: PERMISSION_DENIED\n"), std::string::npos);
}

TEST_F(AuditLogRpcTest, ShowsEntriesByRoleAndDistrict) {
  Peer dispatch = OpenService("dispatch");
  const std::string with_root =
      Body("chunk", 120106) + "root: " + std::string(64, 'a') + "\nleaves: 3\n";
  ASSERT_TRUE(Append(dispatch, "dispatch", 1, {Body("here"), with_root}).ok());

  Peer auditor = OpenPerson({Role::kAuditor}, {120105});
  const auto page = auditor.Call(&Stub::ListEntries, pb::ListEntriesRequest());
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->entries_size(), 1);
  EXPECT_EQ(page->entries(0).subject(), "here");
  EXPECT_EQ(page->entries(0).body(), Body("here"));
  EXPECT_GT(page->entries(0).append_time().seconds(), 1'700'000'000);
  pb::GetEntryRequest foreign;
  foreign.mutable_entry()->set_index(1);
  EXPECT_EQ(status::ReasonOf(auditor.Call(&Stub::GetEntry, foreign).status()), Reason::kNotFound);

  Peer officer = OpenPerson({Role::kDepartmentOperator}, {120106});
  EXPECT_EQ(status::ReasonOf(officer.Call(&Stub::GetEntry, foreign).status()), Reason::kNotFound)
      << "an index can be guessed";
  pb::GetEntryRequest by_root;
  by_root.mutable_entry()->set_subtree_root(std::string(32, '\xaa'));
  const auto entry = officer.Call(&Stub::GetEntry, by_root);
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->subtree_root(), std::string(32, '\xaa'));
  EXPECT_EQ(status::ReasonOf(officer.Call(&Stub::ListEntries, pb::ListEntriesRequest()).status()),
            Reason::kPermissionDenied);
}

TEST_F(AuditLogRpcTest, RefusesFieldsThatMakeNoSense) {
  Peer auditor = OpenPerson({Role::kAuditor}, {120000});
  const auto refused = [&](auto method, const auto& request) {
    return status::ReasonOf(auditor.Call(method, request).status()) == Reason::kFieldInvalid;
  };
  pb::GetEntryRequest entry;
  EXPECT_TRUE(refused(&Stub::GetEntry, entry)) << "nothing named";
  entry.mutable_entry()->set_index(-1);
  EXPECT_TRUE(refused(&Stub::GetEntry, entry));
  entry.mutable_entry()->set_leaf_hash("short");
  EXPECT_TRUE(refused(&Stub::GetEntry, entry));
  entry.mutable_entry()->set_subtree_root("short");
  EXPECT_TRUE(refused(&Stub::GetEntry, entry));
  pb::GetConsistencyProofRequest proof;
  proof.set_first_size(1000);
  EXPECT_TRUE(refused(&Stub::GetConsistencyProof, proof)) << "the log is shorter";
  proof.set_first_size(-1);
  EXPECT_TRUE(refused(&Stub::GetConsistencyProof, proof));
  pb::GetTileRequest tile;
  tile.set_level(9);
  EXPECT_TRUE(refused(&Stub::GetTile, tile));
}

TEST_F(AuditLogRpcTest, GivesTilesWithThePathOfTheSpecification) {
  Peer dispatch = OpenService("dispatch");
  ASSERT_TRUE(Append(dispatch, "dispatch", 1, {Body("a"), Body("b"), Body("c")}).ok());
  Peer auditor = OpenPerson({Role::kAuditor}, {120000});
  pb::GetTileRequest request;
  request.set_width(3);
  const auto tile = auditor.Call(&Stub::GetTile, request);
  ASSERT_TRUE(tile.ok()) << tile.status();
  EXPECT_EQ(tile->path(), "tile/0/000.p/3");
  EXPECT_EQ(tile->data().substr(0, 32), crypto::StringOf(crypto::LeafHash(Body("a"))));
  pb::GetEntryBundleRequest bundle_request;
  bundle_request.set_width(3);
  const auto bundle = auditor.Call(&Stub::GetEntryBundle, bundle_request);
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->path(), "tile/entries/000.p/3");
  EXPECT_EQ(bundle->data().substr(2, Body("a").size()), Body("a"));
  EXPECT_EQ(status::ReasonOf(auditor.Call(&Stub::GetTile, pb::GetTileRequest()).status()),
            Reason::kNotFound)
      << "a full tile is not there yet";
}

TEST_F(AuditLogRpcTest, StopsAppendingAndSigningOnceTheTableWasAltered) {
  Peer dispatch = OpenService("dispatch");
  ASSERT_TRUE(Append(dispatch, "dispatch", 1, {Body("a"), Body("b"), Body("c")}).ok());
  db_->Sql("UPDATE tree_head SET root = set_byte(root, 0, get_byte(root, 0) # 1)");
  EXPECT_EQ(status::ReasonOf(Append(dispatch, "dispatch", 4, {Body("d")}).status()),
            Reason::kAuditLogAltered);
  EXPECT_EQ(status::ReasonOf(OpenPerson({Role::kAuditor}, {120000})
                                 .Call(&Stub::GetCheckpoint, pb::GetCheckpointRequest())
                                 .status()),
            Reason::kAuditLogAltered);
}

TEST(AuditLogRules, NameEveryMethodAndNoOther) {
  const identity::Authorizer authorizer(Rules());
  EXPECT_EQ(authorizer.Disagreements(rpc::MethodsOf({pb::AuditLogService::service_full_name()})),
            std::vector<std::string>());
}

}  // namespace
}  // namespace yikatong::auditlog
