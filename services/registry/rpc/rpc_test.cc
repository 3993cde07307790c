// The registry over real gRPC with mutual TLS and tokens, on a real PostgreSQL.
#include <fmt/core.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "common/crypto/sealed_chunk.h"
#include "common/identity/token.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"
#include "services/registry/rpc/registry_rpc.h"
#include "services/registry/testing/fixture.h"
#include "services/registry/wiring.h"

namespace yikatong::registry::testing {
namespace {

using identity::Role;
using status::Reason;
namespace fs = std::filesystem;

// Certificates and issuer key, made once for the test program.
const std::string& Installation() {
  struct Folder {
    Folder() {
      std::string name = (fs::temp_directory_path() / "ykt-registry-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) std::abort();
      path = name;
      const char* source = std::getenv("YIKATONG_SOURCE_DIR");
      const std::string command = std::string(source == nullptr ? "." : source) +
                                  "/deploy/certificates/make " + path +
                                  " --organisation card --organisation civil >/dev/null";
      if (std::system(command.c_str()) != 0) std::abort();
    }
    ~Folder() { fs::remove_all(path); }
    std::string path;
  };
  static const Folder folder;
  return folder.path;
}

rpc::TlsFiles TlsOf(const std::string& kind, const std::string& name) {
  const std::string at = Installation() + "/" + kind + "/" + name;
  return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
}

v1::PersonRow ToRow(const PersonInput& input) {
  v1::PersonRow row;
  row.set_row(input.row);
  row.set_id_no(input.id_no);
  row.set_name(input.name);
  row.set_village_code(input.village_code);
  row.set_household_no(input.household_no);
  row.set_household_role(static_cast<v1::HouseholdRole>(input.household_role));
  row.set_phone(input.phone);
  row.set_card_no(input.card_no);
  row.set_card_state(static_cast<v1::CardState>(input.card_state));
  row.set_card_bank_code(input.card_bank_code);
  row.set_card_account_no(input.card_account_no);
  return row;
}

v1::LoadPeopleRequest ToChunk(const std::string& load_id, int chunk,
                              const std::vector<PersonInput>& people) {
  v1::LoadPeopleRequest request;
  request.set_load_id(load_id);
  request.set_chunk(chunk);
  for (const PersonInput& person : people) *request.add_rows() = ToRow(person);
  return request;
}

class RpcTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = postgres::PgFixture::Start({.service = "registry", .migrations = Migrations()});
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    r_ = std::make_unique<TestRegistry>(*server_);
    auto signer = identity::TokenSigner::Load(Installation() + "/keys/token-issuer.key", clock_);
    auto verifier =
        identity::TokenVerifier::Load({.issuer_folder = Installation() + "/issuers"}, clock_);
    ASSERT_TRUE(signer.ok()) << signer.status();
    ASSERT_TRUE(verifier.ok()) << verifier.status();
    signer_ = *std::move(signer);
    verifier_ = *std::move(verifier);
    guard_options_.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                          const absl::Status& refusal) {
      EXPECT_TRUE(r_->store.RecordRefusal(caller, method, status::ReasonNameOf(refusal)).ok());
    };
    guard_ = std::make_unique<rpc::Guard>(guard_options_, authorizer_, *verifier_, metrics_);
    service_ = std::make_unique<RegistryRpc>(r_->registry, *guard_);
    rpc::ServerOptions options;
    options.tls = TlsOf("services", "registry");
    listener_ = std::make_unique<rpc::Server>(
        options,
        std::vector<rpc::Served>{{service_.get(), v1::RegistryService::service_full_name()}},
        authorizer_, [] { return true; }, metrics_.Registry());
    const absl::Status started = listener_->Start();
    ASSERT_TRUE(started.ok()) << started;
    card_office_ = Open(TlsOf("organisations", "card"));
    civil_ = Open(TlsOf("organisations", "civil"));
    dispatch_ = Open(TlsOf("services", "dispatch"));
    card_token_ = Token("card", {Role::kCardOffice}, identity::kWholeCity);
  }

  void TearDown() override {
    card_office_.reset();
    civil_.reset();
    dispatch_.reset();
    listener_.reset();
  }

  std::unique_ptr<rpc::Channel> Open(const rpc::TlsFiles& tls) {
    auto channel = rpc::Channel::Open(
        {.address = listener_->addresses().grpc, .server = "registry", .tls = tls, .on_call = {}});
    EXPECT_TRUE(channel.ok()) << channel.status();
    return *std::move(channel);
  }

  std::string Token(const std::string& organisation, identity::RoleSet roles,
                    std::int32_t district) {
    identity::TokenClaims claims;
    claims.person = "p-1";
    claims.organisation = organisation;
    claims.roles = roles;
    claims.fields = {"*"};
    claims.districts = {district};
    const auto token = signer_->Mint(claims, absl::Minutes(10));
    EXPECT_TRUE(token.ok()) << token.status();
    return *token;
  }

  using Stub = v1::RegistryService::Stub;

  template <typename Request, typename Response>
  absl::Status Call(const rpc::Channel& channel, const std::string& token,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response) {
    const auto stub = v1::RegistryService::NewStub(channel.grpc());
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(30), token);
    return rpc::FromGrpc((stub.get()->*method)(&context, request, response));
  }

  // Sends chunks and gathers the answers; the status of the stream is the result.
  absl::Status Load(const std::vector<v1::LoadPeopleRequest>& chunks,
                    std::vector<v1::LoadPeopleResponse>* answers,
                    const rpc::Channel* channel = nullptr, const std::string& token = {}) {
    const rpc::Channel& via = channel == nullptr ? *card_office_ : *channel;
    const auto stub = v1::RegistryService::NewStub(via.grpc());
    grpc::ClientContext context;
    via.Prepare(context, absl::Minutes(5), token.empty() ? card_token_ : token);
    const auto stream = stub->LoadPeople(&context);
    std::thread writer([&] {
      for (const v1::LoadPeopleRequest& chunk : chunks) {
        if (!stream->Write(chunk)) break;
      }
      stream->WritesDone();
    });
    v1::LoadPeopleResponse answer;
    while (stream->Read(&answer)) answers->push_back(answer);
    writer.join();
    return rpc::FromGrpc(stream->Finish());
  }

  static inline std::unique_ptr<postgres::PgFixture> server_;
  std::unique_ptr<TestRegistry> r_;
  base::SystemClock clock_;
  telemetry::Metrics metrics_;
  identity::Authorizer authorizer_{MethodRules()};
  rpc::GuardOptions guard_options_;
  std::unique_ptr<identity::TokenSigner> signer_;
  std::unique_ptr<identity::TokenVerifier> verifier_;
  std::unique_ptr<rpc::Guard> guard_;
  std::unique_ptr<RegistryRpc> service_;
  std::unique_ptr<rpc::Server> listener_;
  std::unique_ptr<rpc::Channel> card_office_;
  std::unique_ptr<rpc::Channel> civil_;
  std::unique_ptr<rpc::Channel> dispatch_;
  std::string card_token_;
};

TEST_F(RpcTest, AStreamThatBrokeIsResumedFromItsFirstChunkWithoutAnythingTwice) {
  std::vector<PersonInput> bad = MakePeople(8, 4);
  bad[1].id_no = "120105198506159994";
  bad[2].card_account_no = "6200000000000014";
  const std::vector<v1::LoadPeopleRequest> chunks{
      ToChunk("l", 1, MakePeople(0, 4)), ToChunk("l", 2, MakePeople(4, 4)), ToChunk("l", 3, bad)};
  std::vector<v1::LoadPeopleResponse> first;
  ASSERT_TRUE(Load({chunks[0], chunks[1]}, &first).ok());
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].chunk(), 2);
  EXPECT_EQ(first[1].accepted(), 4);
  std::vector<v1::LoadPeopleResponse> again;
  ASSERT_TRUE(Load(chunks, &again).ok());
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].SerializeAsString(), first[0].SerializeAsString());
  EXPECT_EQ(again[2].accepted(), 2);
  ASSERT_EQ(again[2].rejections_size(), 2);
  EXPECT_EQ(again[2].rejections(0).row(), 2);
  EXPECT_EQ(again[2].rejections(0).reason(), "ID_NUMBER_CHECK_DIGIT_WRONG");
  EXPECT_EQ(again[2].rejections(1).reason(), "CARD_NUMBER_CHECK_DIGIT_WRONG");
  EXPECT_EQ(again[2].rejections(1).detail(), "field=card_account_no");
  EXPECT_EQ(r_->pg->Sql("SELECT count(*) FROM person"), "10");
}

TEST_F(RpcTest, AChunkWithOtherContentEndsTheStreamAndWhatWasAcknowledgedStays) {
  std::vector<v1::LoadPeopleResponse> answers;
  ASSERT_TRUE(Load({ToChunk("l", 1, MakePeople(0, 4))}, &answers).ok());
  const absl::Status refused =
      Load({ToChunk("l", 2, MakePeople(4, 4)), ToChunk("l", 1, MakePeople(8, 4))}, &answers);
  EXPECT_EQ(status::ReasonOf(refused), Reason::kRequestIdReused);
  EXPECT_EQ(answers.size(), 2u);
  EXPECT_EQ(r_->pg->Sql("SELECT count(*) FROM person"), "8");
  EXPECT_EQ(r_->pg->Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE '%kind: "
                        "call.refused%'"),
            "1");
}

TEST_F(RpcTest, AChunkThatIsTooLargeOrMalformedIsRefusedWhole) {
  std::vector<v1::LoadPeopleResponse> answers;
  EXPECT_EQ(status::ReasonOf(Load({ToChunk("l", 1, MakePeople(0, 2001))}, &answers)),
            Reason::kRowLimitExceeded);
  EXPECT_EQ(status::ReasonOf(Load({ToChunk("l", 0, MakePeople(0, 2))}, &answers)),
            Reason::kFieldInvalid);
  EXPECT_EQ(status::ReasonOf(Load({ToChunk("l", 1, {})}, &answers)), Reason::kFieldInvalid);
  EXPECT_EQ(status::ReasonOf(
                Load({ToChunk("load of 120105198506159993", 1, MakePeople(0, 2))}, &answers)),
            Reason::kFieldInvalid);
  std::vector<PersonInput> twice = MakePeople(0, 2);
  twice[1].row = 1;
  EXPECT_EQ(status::ReasonOf(Load({ToChunk("l", 1, twice)}, &answers)), Reason::kFieldInvalid);
  v1::LoadPeopleRequest huge = ToChunk("l", 1, MakePeople(0, 2));
  huge.mutable_rows(0)->set_name(std::string(2 << 20, 'x'));
  EXPECT_FALSE(Load({huge}, &answers).ok());
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(r_->pg->Sql("SELECT count(*) FROM person"), "0");
}

TEST_F(RpcTest, OnlyTheCardOfficeWritesAndOnlyDispatchResolves) {
  std::vector<v1::LoadPeopleResponse> answers;
  const std::string operator_token =
      Token("civil", {Role::kDepartmentOperator}, identity::kWholeCity);
  EXPECT_EQ(
      Load({ToChunk("l", 1, MakePeople(0, 4))}, &answers, civil_.get(), operator_token).code(),
      absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(Load({ToChunk("l", 1, MakePeople(0, 4))}, &answers).ok());

  v1::ResolvePeopleRequest resolve;
  resolve.add_lookups()->set_id_no(IdNumber(0));
  resolve.set_purpose("collection");
  v1::ResolvePeopleResponse people;
  EXPECT_EQ(Call(*card_office_, card_token_, &Stub::ResolvePeople, resolve, &people).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Call(*dispatch_, "", &Stub::ResolvePeople, resolve, &people).ok());
  v1::SealAccountsRequest seal;
  v1::SealAccountsResponse sealed;
  EXPECT_EQ(Call(*civil_, operator_token, &Stub::SealAccounts, seal, &sealed).code(),
            absl::StatusCode::kPermissionDenied);
  v1::MergePeopleRequest merge;
  v1::Person person;
  EXPECT_EQ(Call(*civil_, operator_token, &Stub::MergePeople, merge, &person).code(),
            absl::StatusCode::kPermissionDenied);
  v1::FindPersonRequest find;
  find.set_id_no(IdNumber(0));
  find.set_purpose("case 1");
  EXPECT_EQ(Call(*civil_, "", &Stub::FindPerson, find, &person).code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Call(*dispatch_, "", &Stub::FindPerson, find, &person).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status::ReasonOf(Call(*civil_, Token("civil", {Role::kTownOperator}, 120105),
                                  &Stub::FindPerson, find, &person)),
            Reason::kPersonUnknown);
  ASSERT_TRUE(
      Call(*civil_, Token("civil", {Role::kTownOperator}, 120115), &Stub::FindPerson, find, &person)
          .ok());
  EXPECT_EQ(person.masked_id_no(), "1201**********" + IdNumber(0).substr(14));
  EXPECT_EQ(person.DebugString().find(IdNumber(0)), std::string::npos);
}

TEST_F(RpcTest, EveryMethodHasARule) {
  EXPECT_TRUE(authorizer_.Disagreements(rpc::MethodsOf({v1::RegistryService::service_full_name()}))
                  .empty());
}

TEST_F(RpcTest, ChangesReachTheFeedAndAccountsAreSealedForTheGateway) {
  std::vector<v1::LoadPeopleResponse> answers;
  const std::vector<PersonInput> people = MakePeople(0, 4);
  ASSERT_TRUE(Load({ToChunk("l", 1, people)}, &answers).ok());
  v1::ResolvePeopleRequest resolve;
  resolve.set_purpose("collection");
  for (const PersonInput& person : people) {
    resolve.add_lookups()->set_id_no(person.id_no);
    resolve.mutable_lookups()->rbegin()->set_name(person.name);
  }
  v1::ResolvePeopleResponse resolved;
  ASSERT_TRUE(Call(*dispatch_, "", &Stub::ResolvePeople, resolve, &resolved).ok());
  ASSERT_EQ(resolved.people_size(), 4);
  EXPECT_TRUE(resolved.people(3).name_matches());

  v1::ResolveAccountsRequest route;
  route.set_card_required(true);
  route.set_period_first_day("2026-11-01");
  for (int i = 0; i < 4; ++i) {
    auto& payee = *route.add_payees();
    payee.set_item_id(100 + i);
    payee.set_payee_person_id(resolved.people(i).person_id());
  }
  v1::ResolveAccountsResponse routed;
  ASSERT_TRUE(Call(*dispatch_, "", &Stub::ResolveAccounts, route, &routed).ok());
  EXPECT_EQ(routed.accounts(0).bank_code(), kBank);
  EXPECT_EQ(routed.accounts(0).kind(), v1::ACCOUNT_KIND_SOCIAL_CARD);

  {
    const auto stub = v1::RegistryService::NewStub(card_office_->grpc());
    grpc::ClientContext context;
    card_office_->Prepare(context, absl::Seconds(30), card_token_);
    const auto stream = stub->ApplyChanges(&context);
    v1::ApplyChangesRequest changes;
    changes.set_source("civil_affairs");
    changes.set_chunk(1);
    auto& death = *changes.add_rows();
    death.set_row(1);
    death.set_event_id("d-1");
    death.set_kind(v1::CHANGE_KIND_DEATH);
    death.set_id_no(people[1].id_no);
    death.set_happened_on("2026-11-20");
    ASSERT_TRUE(stream->Write(changes));
    v1::ApplyChangesResponse answer;
    ASSERT_TRUE(stream->Read(&answer));
    EXPECT_EQ(answer.accepted(), 1);
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
  }
  v1::ListChangesRequest list;
  v1::ListChangesResponse feed;
  ASSERT_TRUE(Call(*dispatch_, "", &Stub::ListChanges, list, &feed).ok());
  ASSERT_EQ(feed.changes_size(), 1);
  EXPECT_EQ(feed.changes(0).number(), 1);
  EXPECT_EQ(feed.changes(0).person_id(), resolved.people(1).person_id());
  EXPECT_EQ(feed.changes(0).happened_on(), "2026-11-20");

  v1::SealAccountsRequest seal;
  v1::SealGroup& group = *seal.add_groups();
  group.set_chunk_id("120115-7-3");
  group.set_other_banks(true);
  seal.set_card_required(true);
  seal.set_period_first_day("2026-11-01");
  for (int i = 0; i < 4; ++i) {
    auto& payee = *seal.add_payees();
    payee = route.payees(i);
    payee.set_account_version(routed.accounts(i).account_version());
  }
  v1::SealAccountsResponse sealed;
  ASSERT_TRUE(Call(*dispatch_, "", &Stub::SealAccounts, seal, &sealed).ok());
  EXPECT_EQ(sealed.accounts(0).group(), 1);
  EXPECT_EQ(sealed.accounts(1).group(), 0);
  EXPECT_EQ(sealed.accounts(1).reason(), "BENEFICIARY_DECEASED");
  for (const PersonInput& person : people) {
    EXPECT_EQ(sealed.SerializeAsString().find(person.card_account_no), std::string::npos);
  }
  const auto chunk = crypto::DecodeSealedChunk(sealed.groups(0).chunk());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->context, "120115-7-3");
  const auto opened = crypto::OpenChunk(*chunk, r_->gateway, {r_->signer.PublicKey()});
  ASSERT_TRUE(opened.ok()) << opened.status();
  ASSERT_EQ(opened->size(), 3u);
  EXPECT_EQ((*opened)[1].account_number, people[2].card_account_no);

  seal.set_period_first_day("yesterday");
  EXPECT_EQ(status::ReasonOf(Call(*dispatch_, "", &Stub::SealAccounts, seal, &sealed)),
            Reason::kFieldInvalid);
}

// Seconds of CPU that the server's backends have used; they live as long as the pool.
double DatabaseCpuSeconds(pid_t postmaster) {
  double ticks = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    std::istringstream rest(line.substr(line.rfind(')') + 1));
    std::string state;
    std::int64_t parent = 0;
    rest >> state >> parent;
    if (parent != postmaster) continue;
    std::string skipped;
    for (int field = 5; field <= 13; ++field) rest >> skipped;
    double user = 0;
    double system = 0;
    rest >> user >> system;
    ticks += user + system;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Prints what this machine does, and the CPU for each row, which holds on a busy machine too;
// asserts only that all of it was done. YIKATONG_BENCH_ROWS sets how much.
TEST_F(RpcTest, PrintsItsThroughputOverTheWire) {
  const char* wanted = std::getenv("YIKATONG_BENCH_ROWS");
  const int chunks = wanted == nullptr
                         ? 10
                         : std::max(1, static_cast<int>(std::strtol(wanted, nullptr, 10)) / 2000);
  const int rows = chunks * 2000;
  std::vector<v1::LoadPeopleRequest> load;
  load.reserve(static_cast<std::size_t>(chunks));
  for (int c = 0; c < chunks; ++c)
    load.push_back(ToChunk("bench", c + 1, MakePeople(c * 2000L, 2000)));
  const auto timed = [&](const char* what, const auto& work) {
    const std::int64_t start = clock_.MonotonicMillis();
    const double own = OwnCpuSeconds();
    const double database = DatabaseCpuSeconds(server_->pid());
    work();
    const std::int64_t took = std::max<std::int64_t>(1, clock_.MonotonicMillis() - start);
    fmt::print(
        "[ measured ] {:<16} {:>9} rows {:>7} ms {:>8} rows/s; CPU a row: client and server {:.1f} "
        "us, "
        "database {:.1f} us\n",
        what, rows, took, rows * 1000LL / took, (OwnCpuSeconds() - own) * 1e6 / rows,
        (DatabaseCpuSeconds(server_->pid()) - database) * 1e6 / rows);
  };
  timed("LoadPeople", [&] {
    // Two streams, as a loader on two cores has.
    std::vector<v1::LoadPeopleRequest> halves[2];
    for (int c = 0; c < chunks; ++c)
      halves[c % 2].push_back(std::move(load[static_cast<std::size_t>(c)]));
    std::vector<v1::LoadPeopleResponse> answers[2];
    std::thread other([&] { EXPECT_TRUE(Load(halves[1], &answers[1]).ok()); });
    EXPECT_TRUE(Load(halves[0], &answers[0]).ok());
    other.join();
    for (const auto& half : answers) {
      for (const v1::LoadPeopleResponse& answer : half) EXPECT_EQ(answer.accepted(), 2000);
    }
  });
  std::vector<v1::ResolvePeopleResponse> people(static_cast<std::size_t>(chunks));
  std::vector<v1::SealAccountsRequest> seal(static_cast<std::size_t>(chunks));
  timed("ResolvePeople", [&] {
    for (int c = 0; c < chunks; ++c) {
      v1::ResolvePeopleRequest request;
      request.set_purpose("collection");
      for (int i = 0; i < 2000; ++i) {
        auto& lookup = *request.add_lookups();
        lookup.set_id_no(IdNumber(c * 2000 + i));
        lookup.set_name(Name(c * 2000 + i));
      }
      ASSERT_TRUE(
          Call(*dispatch_, "", &Stub::ResolvePeople, request, &people[static_cast<std::size_t>(c)])
              .ok());
    }
  });
  timed("ResolveAccounts", [&] {
    for (int c = 0; c < chunks; ++c) {
      v1::ResolveAccountsRequest request;
      request.set_card_required(true);
      request.set_period_first_day("2026-11-01");
      for (int i = 0; i < 2000; ++i) {
        auto& payee = *request.add_payees();
        payee.set_item_id(c * 2000 + i + 1);
        payee.set_payee_person_id(people[static_cast<std::size_t>(c)].people(i).person_id());
      }
      v1::ResolveAccountsResponse response;
      ASSERT_TRUE(Call(*dispatch_, "", &Stub::ResolveAccounts, request, &response).ok());
      auto& sealing = seal[static_cast<std::size_t>(c)];
      *sealing.mutable_payees() = request.payees();
      for (int i = 0; i < 2000; ++i) {
        EXPECT_EQ(response.accounts(i).reason(), "");
        sealing.mutable_payees(i)->set_account_version(response.accounts(i).account_version());
      }
      sealing.set_card_required(true);
      sealing.set_period_first_day("2026-11-01");
      v1::SealGroup& group = *sealing.add_groups();
      group.set_chunk_id(fmt::format("chunk-{}", c));
      group.set_other_banks(true);
      group.set_with_identity(true);
    }
  });
  timed("SealAccounts", [&] {
    for (int c = 0; c < chunks; ++c) {
      auto& request = seal[static_cast<std::size_t>(c)];
      v1::SealAccountsResponse response;
      ASSERT_TRUE(Call(*dispatch_, "", &Stub::SealAccounts, request, &response).ok());
      EXPECT_EQ(crypto::DecodeSealedChunk(response.groups(0).chunk())->rows.size(), 2000u);
    }
  });
}

}  // namespace
}  // namespace yikatong::registry::testing
