// The catalogue over real gRPC with mutual TLS, its database filled with the whole seed of
// deploy/data.
#pragma once

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "common/identity/token.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/redis/cache.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"
#include "fmt/format.h"
#include "services/catalogue/rpc/access_rules.h"
#include "services/catalogue/rpc/catalogue_rpc.h"
#include "services/catalogue/store/pg_storage.h"
#include "services/catalogue/wiring.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::catalogue::testing {

namespace fs = std::filesystem;
namespace pb = ::yikatong::catalogue::v1;

using identity::Role;
using nlohmann::json;
using Stub = pb::CatalogueService::Stub;

inline std::string SourceDir() {
  const char* source = std::getenv("YIKATONG_SOURCE_DIR");
  return source == nullptr ? "." : source;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream in(SourceDir() + "/deploy/data/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline constexpr const char* kDepartments[] = {
    "civil.120000",   "hrss.120000",    "agriculture.120000", "veterans.120000", "health.120000",
    "housing.120000", "ecology.120000", "water.120000",       "civil.120116"};

// Certificates, server and database of the whole file: tests build on one another's data only
// through their own ids.
class World {
 public:
  World() {
    std::string name = (fs::temp_directory_path() / "ykt-catalogue-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    std::string command = SourceDir() + "/deploy/certificates/make " + folder_;
    for (const char* department : kDepartments)
      command += std::string(" --organisation ") + department;
    command += " --organisation conference --organisation finance.120000 --organisation operations";
    if (std::system((command + " > /dev/null").c_str()) != 0) std::abort();
    pg_ = postgres::PgFixture::Start({.service = "catalogue", .migrations = Migrations()});
    db_ = pg_->FreshDatabase();
    storage_ = std::make_unique<PgStorage>(db_->database(), *cache_, clock_, ids_,
                                           StorageOptions{.clock_adjustable = true});
    if (!storage_->StartClock(absl::CivilDay(2026, 3, 1)).ok()) std::abort();
    signer_ = *identity::TokenSigner::Load(folder_ + "/keys/token-issuer.key", clock_);
    tokens_ = *identity::TokenVerifier::Load({.issuer_folder = folder_ + "/issuers"}, clock_);
    rpc::GuardOptions options;
    options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                   const absl::Status& refusal) {
      storage_->RecordRefusal(caller, method, refusal);
    };
    guard_ = std::make_unique<rpc::Guard>(std::move(options), authorizer_, *tokens_, metrics_);
    const RpcParts parts{*guard_, *storage_, clock_, ids_};
    policies_ = MakeCatalogueService(parts);
    clock_service_ = MakeClockService(parts);
    rpc::ServerOptions server;
    server.tls = Tls("services/catalogue");
    server_ = std::make_unique<rpc::Server>(
        server,
        std::vector<rpc::Served>{{policies_.get(), CatalogueServiceName()},
                                 {clock_service_.get(), ClockServiceName()}},
        authorizer_, [] { return true; }, metrics_.Registry());
    const absl::Status started = server_->Start();
    if (!started.ok()) {
      std::fprintf(stderr, "%s\n", started.ToString().c_str());
      std::abort();
    }
  }
  ~World() {
    channels_.clear();
    server_.reset();
    db_.reset();
    pg_.reset();
    fs::remove_all(folder_);
  }

  rpc::TlsFiles Tls(const std::string& at) const {
    const std::string path = folder_ + "/" + at;
    return {.ca = path + "/ca.pem", .certificate = path + "/tls.pem", .key = path + "/tls.key"};
  }
  // "organisations/<code>" or "services/<name>".
  const rpc::Channel& ChannelOf(const std::string& at) {
    std::unique_ptr<rpc::Channel>& channel = channels_[at];
    if (channel == nullptr) {
      channel = *rpc::Channel::Open(
          {.address = server_->addresses().grpc, .server = "catalogue", .tls = Tls(at)});
    }
    return *channel;
  }
  std::string Token(const std::string& person, const std::string& organisation,
                    identity::RoleSet roles, std::vector<std::string> fields = {"*"},
                    std::vector<std::int32_t> districts = {120000}) const {
    return *signer_->Mint({.person = person,
                           .organisation = organisation,
                           .roles = roles,
                           .fields = std::move(fields),
                           .districts = std::move(districts)},
                          absl::Minutes(30));
  }
  std::string Sql(const std::string& text) { return db_->Sql(text); }

 private:
  std::string folder_;
  base::SystemClock clock_;
  base::RandomIdSource ids_;
  telemetry::Metrics metrics_;
  std::unique_ptr<postgres::PgFixture> pg_;
  std::unique_ptr<postgres::TestDatabase> db_;
  std::unique_ptr<redis::Cache> cache_ = redis::MakeNoCache(clock_);
  std::unique_ptr<PgStorage> storage_;
  std::unique_ptr<identity::TokenSigner> signer_;
  std::unique_ptr<identity::TokenVerifier> tokens_;
  const identity::Authorizer authorizer_{AccessRules()};
  std::unique_ptr<rpc::Guard> guard_;
  std::unique_ptr<grpc::Service> policies_;
  std::unique_ptr<grpc::Service> clock_service_;
  std::unique_ptr<rpc::Server> server_;
  std::map<std::string, std::unique_ptr<rpc::Channel>> channels_;
};

// Somebody who calls.
struct Who {
  std::string at;
  std::string token;
};

class RpcTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    LoadSeed();
  }
  static void TearDownTestSuite() { world_.reset(); }

  static Who Operator(const std::string& organisation, const std::string& field = "*",
                      std::int32_t district = 120000) {
    return {"organisations/" + organisation,
            world_->Token("op-" + organisation.substr(0, organisation.find('.')), organisation,
                          {Role::kDepartmentOperator}, {field}, {district})};
  }
  static Who Conference() {
    return {"organisations/conference",
            world_->Token("chair", "conference", {Role::kJointConference})};
  }
  static Who Admin() {
    return {"organisations/operations", world_->Token("admin", "operations", {Role::kSystemAdmin})};
  }
  static Who Finance() {
    return {"organisations/finance.120000",
            world_->Token("fin", "finance.120000", {Role::kCityFinance})};
  }
  static Who Dispatch() { return {"services/dispatch", ""}; }

  // One call. The stub's class says which service it is.
  template <typename S, typename Request, typename Response>
  static absl::StatusOr<Response> Ask(const Who& who,
                                      grpc::Status (S::*method)(grpc::ClientContext*,
                                                                const Request&, Response*),
                                      const std::type_identity_t<Request>& request) {
    const rpc::Channel& channel = world_->ChannelOf(who.at);
    S stub(channel.grpc());
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(60), who.token);
    Response response;
    YKT_RETURN_IF_ERROR(rpc::FromGrpc((stub.*method)(&context, request, &response)));
    return response;
  }

  static std::string NewId() { return fmt::format("request-{}", ++requests_); }

  template <typename Result>
  static std::string ReasonName(const Result& result) {
    return result.ok() ? "OK" : status::ReasonNameOf(result.status());
  }

  // As `yktctl policy import` does it: drafts by an administrator, then each department submits,
  // the joint conference approves, the department publishes.
  static void LoadSeed() {
    pb::ImportReferenceDataRequest reference;
    ASSERT_TRUE(
        google::protobuf::util::JsonStringToMessage(ReadFile("departments.json"), &reference).ok());
    reference.set_request_id(NewId());
    AddDivisions(&reference);
    const auto loaded = Ask(Admin(), &Stub::ImportReferenceData, reference);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->departments_changed(), 221);
    EXPECT_EQ(loaded->divisions_changed(), 299 + 16 + 1);

    const std::map<std::string, std::vector<std::string>> rows = Policies();
    ASSERT_EQ(rows.size(), 76U);
    const json rules = json::parse(ReadFile("policies.rules.json"));
    for (const json& entry : rules.at("policies")) {
      LoadPolicy(entry, rows.at(entry.at("policy_id")));
    }
    const json edges = json::parse(ReadFile("exclusions.json"));
    for (const json& edge : edges.at("exclusions")) {
      pb::CreateExclusionRequest request;
      ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(edge.dump(), &request).ok());
      request.set_request_id(NewId());
      const auto made = Ask(Admin(), &Stub::CreateExclusion, request);
      ASSERT_TRUE(made.ok()) << edge << made.status();
    }
    pb::SetRolloutRequest rollout;
    ASSERT_TRUE(
        google::protobuf::util::JsonStringToMessage(ReadFile("rollout.json"), &rollout).ok());
    rollout.set_request_id(NewId());
    ASSERT_TRUE(Ask(Conference(), &Stub::SetRollout, rollout).ok());
  }

  static void LoadPolicy(const json& entry, const std::vector<std::string>& row) {
    const std::string id = entry.at("policy_id");
    const std::string department = entry.at("department_id");
    pb::CreatePolicyRequest create;
    create.set_request_id(NewId());
    pb::Policy& policy = *create.mutable_policy();
    policy.set_policy_id(id);
    policy.set_name_zh(row[1]);
    policy.set_name_en(row[2]);
    policy.set_field(row[3]);
    policy.set_department_id(department);
    policy.set_district(entry.at("district"));
    pb::SlotUnit slot_unit = pb::SLOT_UNIT_UNSPECIFIED;
    pb::KeyKind key_kind = pb::KEY_KIND_UNSPECIFIED;
    ASSERT_TRUE(pb::SlotUnit_Parse(entry.at("slot_unit"), &slot_unit));
    ASSERT_TRUE(pb::KeyKind_Parse(entry.at("key_kind"), &key_kind));
    policy.set_slot_unit(slot_unit);
    policy.set_key_kind(key_kind);
    policy.set_level(row[5]);
    policy.set_region(row[6]);
    policy.set_basis(row[15]);
    policy.set_confidence(row[19]);
    const auto made = Ask(Admin(), &Stub::CreatePolicy, create);
    ASSERT_TRUE(made.ok()) << id << " " << made.status();
    int version = 0;
    for (const json& rules : entry.at("versions")) {
      pb::CreatePolicyVersionRequest draft;
      ASSERT_TRUE(
          google::protobuf::util::JsonStringToMessage(rules.dump(), draft.mutable_version()).ok())
          << rules;
      draft.mutable_version()->set_policy_id(id);
      draft.set_request_id(NewId());
      const auto drafted = Ask(Admin(), &Stub::CreatePolicyVersion, draft);
      ASSERT_TRUE(drafted.ok()) << id << " " << drafted.status();
      EXPECT_EQ(drafted->version(), ++version);
      if (entry.at("publish").get<bool>()) PublishOne(department, id, version);
    }
  }

  static void PublishOne(const std::string& department, const std::string& id, int version) {
    const std::int32_t district = std::stoi(department.substr(department.find('.') + 1));
    const Who owner = Operator(department, "*", district);
    pb::SubmitPolicyVersionRequest submit;
    submit.set_request_id(NewId());
    submit.set_policy_id(id);
    submit.set_version(version);
    const auto submitted = Ask(owner, &Stub::SubmitPolicyVersion, submit);
    ASSERT_TRUE(submitted.ok()) << id << " " << submitted.status();
    pb::ApprovePolicyVersionRequest approve;
    approve.set_request_id(NewId());
    approve.set_policy_id(id);
    approve.set_version(version);
    ASSERT_TRUE(Ask(Conference(), &Stub::ApprovePolicyVersion, approve).ok()) << id;
    pb::PublishPolicyVersionRequest publish;
    publish.set_request_id(NewId());
    publish.set_policy_id(id);
    publish.set_version(version);
    const auto published = Ask(owner, &Stub::PublishPolicyVersion, publish);
    ASSERT_TRUE(published.ok()) << id << " " << published.status();
    EXPECT_EQ(published->state(), pb::POLICY_VERSION_STATE_PUBLISHED);
  }

  static std::vector<std::string> Fields(const std::string& line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        fields.emplace_back();
      } else if (c != '\r') {  // policies.csv has CRLF
        fields.back() += c;
      }
    }
    return fields;
  }
  static std::map<std::string, std::vector<std::string>> Policies() {
    std::map<std::string, std::vector<std::string>> rows;
    std::istringstream lines(ReadFile("policies.csv"));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::vector<std::string> fields = Fields(line);
      rows[fields.at(0)] = fields;
    }
    return rows;
  }
  static void AddDivisions(pb::ImportReferenceDataRequest* request) {
    const auto add = [&](std::int64_t code, const std::string& name, pb::DivisionLevel level) {
      pb::Division* out = request->add_divisions();
      out->set_code(code);
      out->set_name(name);
      out->set_district(static_cast<std::int32_t>(code / 1'000'000));
      out->set_level(level);
    };
    add(120000000000, "天津市", pb::DIVISION_LEVEL_CITY);
    std::istringstream lines(ReadFile("divisions.csv"));
    std::string line;
    std::string last;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const std::vector<std::string> row = Fields(line);
      if (row[0] != last) add(std::stoll(row[0]) * 1'000'000, row[1], pb::DIVISION_LEVEL_DISTRICT);
      last = row[0];
      add(std::stoll(row[3]), row[4], pb::DIVISION_LEVEL_TOWN);
    }
  }

  static std::int64_t Quoted(const std::string& policy,
                             const std::function<void(pb::CalculationInput&)>& fill,
                             std::int32_t district = 120105) {
    pb::QuoteAmountRequest request;
    request.set_policy_id(policy);
    request.set_district(district);
    fill(*request.mutable_input());
    const auto quote = Ask(Dispatch(), &Stub::QuoteAmount, request);
    EXPECT_TRUE(quote.ok()) << policy << " " << quote.status();
    return quote.ok() ? quote->amount_fen() : -1;
  }
  static absl::StatusOr<pb::GetPayableVersionResponse> Payable(const std::string& policy,
                                                               const char* period,
                                                               std::int32_t district = 120105,
                                                               const std::string& department = "") {
    pb::GetPayableVersionRequest request;
    request.set_policy_id(policy);
    request.set_period(period);
    request.set_district(district);
    request.set_department_id(department);
    return Ask(Dispatch(), &Stub::GetPayableVersion, request);
  }
  static pb::CreatePolicyRequest NewPolicy(const std::string& id) {
    pb::CreatePolicyRequest request;
    request.set_request_id(NewId());
    pb::Policy& policy = *request.mutable_policy();
    policy.set_policy_id(id);
    policy.set_name_zh("测试");
    policy.set_field("CIVIL");
    policy.set_department_id("civil.120000");
    policy.set_district(120000);
    policy.set_slot_unit(pb::SLOT_UNIT_MONTH);
    policy.set_key_kind(pb::KEY_KIND_PERSON);
    policy.set_confidence("B");
    return request;
  }
  static pb::CreatePolicyVersionRequest NewVersion(const std::string& id) {
    pb::CreatePolicyVersionRequest request;
    request.set_request_id(NewId());
    pb::PolicyVersion& version = *request.mutable_version();
    version.set_policy_id(id);
    version.set_effective_from("2026-01-01");
    version.set_cadence("monthly");
    version.mutable_calculation()->set_type(pb::CALCULATION_TYPE_FIXED);
    version.mutable_calculation()->set_rate_fen(100);
    version.mutable_calculation()->set_unit("person");
    version.mutable_eligibility()->set_residence(pb::RESIDENCE_RULE_CITY);
    version.set_payee_rule(pb::PAYEE_RULE_SELF);
    version.mutable_notice()->set_calendar_days(7);
    return request;
  }

  static inline std::unique_ptr<World> world_;
  static inline int requests_ = 0;
};

}  // namespace yikatong::catalogue::testing
