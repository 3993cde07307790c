// The service over real gRPC with mutual TLS: the whole seed of deploy/data from draft to
// published, who may do what, and what bad input gets.
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

namespace yikatong::catalogue {
namespace {

namespace fs = std::filesystem;
namespace pb = ::yikatong::catalogue::v1;

using identity::Role;
using nlohmann::json;
using Stub = pb::CatalogueService::Stub;

std::string SourceDir() {
  const char* source = std::getenv("YIKATONG_SOURCE_DIR");
  return source == nullptr ? "." : source;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(SourceDir() + "/deploy/data/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const char* const kDepartments[] = {"civil.120000",    "hrss.120000",   "agriculture.120000",
                                    "veterans.120000", "health.120000", "housing.120000",
                                    "ecology.120000",  "water.120000",  "civil.120116"};

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
                                                               std::int32_t district = 120105) {
    pb::GetPayableVersionRequest request;
    request.set_policy_id(policy);
    request.set_period(period);
    request.set_district(district);
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

TEST_F(RpcTest, EveryMethodHasARuleAndEveryRuleAMethod) {
  const identity::Authorizer authorizer(AccessRules());
  EXPECT_THAT(
      authorizer.Disagreements(rpc::MethodsOf({CatalogueServiceName(), ClockServiceName()})),
      ::testing::IsEmpty());
}

TEST_F(RpcTest, TheSeedGivesTheGoldenFigures) {
  EXPECT_EQ(Quoted("P001",
                   [](auto& in) {
                     in.set_members(3);
                     in.set_income_fen(180000);
                   }),
            133500);
  EXPECT_EQ(Quoted("P001", [](auto& in) { in.set_members(1); }), 104500);
  EXPECT_EQ(Quoted("P001",
                   [](auto& in) {
                     in.set_members(2);
                     in.set_income_fen(209000);
                   }),
            0);
  EXPECT_EQ(Quoted("P002", [](auto&) {}), 31400);
  EXPECT_EQ(Quoted(
                "P022", [](auto& in) { in.set_age(89); }, 120116),
            13500);
  EXPECT_EQ(Quoted(
                "P022", [](auto& in) { in.set_age(90); }, 120116),
            50000);
  EXPECT_EQ(Quoted(
                "P022", [](auto& in) { in.set_age(100); }, 120116),
            350000);
  EXPECT_EQ(Quoted(
                "P021", [](auto&) {}, 120105),
            50000);
  EXPECT_EQ(Quoted(
                "P021", [](auto&) {}, 120111),
            200000);
  EXPECT_EQ(Quoted("P042", [](auto& in) { in.set_quantity(1234); }), 6935);
  EXPECT_EQ(Quoted("P051", [](auto& in) { in.set_quantity(9000); }), 160000);
  EXPECT_EQ(Quoted("P014", [](auto& in) { in.set_bill_fen(240000); }), 125000);
  EXPECT_EQ(Quoted("P053", [](auto& in) { in.set_quantity(7); }), 210000);
  EXPECT_EQ(Quoted("P060", [](auto& in) { in.set_quantity(5); }), 344000);
  EXPECT_EQ(Quoted("P045",
                   [](auto& in) {
                     in.set_tier("demo-grain-harvester");
                     in.set_bill_fen(3000000);
                   }),
            900000);
}

TEST_F(RpcTest, FortyTwoPoliciesArePublishedAndDraftsAreHidden) {
  const auto count = [&](const Who& who, bool published) {
    std::size_t seen = 0;
    pb::ListPoliciesRequest request;
    request.set_published_only(published);
    request.set_page_size(10);
    for (;;) {
      const auto page = Ask(who, &Stub::ListPolicies, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return seen;
      seen += static_cast<std::size_t>(page->entries_size());
      if (page->next_page_token().empty()) return seen;
      request.set_page_token(page->next_page_token());
    }
  };
  EXPECT_EQ(count(Dispatch(), true), 42U);
  EXPECT_GE(count(Admin(), false), 76U);
  // A department of another field sees what is public and its own drafts.
  const std::size_t water = count(Operator("water.120000", "WATER"), false);
  EXPECT_GE(water, 42U);
  EXPECT_LE(water, 44U);
}

TEST_F(RpcTest, ABatchIsPinnedToTheRateOfItsPeriodWithAllExclusions) {
  const auto march = Payable("P001", "2026-03");
  ASSERT_TRUE(march.ok()) << march.status();
  EXPECT_EQ(march->version().version(), 6);
  EXPECT_EQ(march->version().calculation().rate_fen(), 104500);
  EXPECT_EQ(march->exclusions_size(), 4);
  EXPECT_EQ(march->policy().key_kind(), pb::KEY_KIND_HOUSEHOLD);
  EXPECT_EQ(Payable("P001", "2025-08")->version().calculation().rate_fen(), 101000);
  EXPECT_EQ(Payable("P001", "2025-08")->version().effective_to(), "2025-08-31");
  EXPECT_EQ(Payable("P026", "2024-06")->version().calculation().rate_fen(), 168000);
  EXPECT_EQ(ReasonName(Payable("P001", "2014-12")), "POLICY_NOT_IN_FORCE");
  EXPECT_EQ(ReasonName(Payable("P001", "2026")), "PERIOD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P001", "2026-13")), "PERIOD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P016", "2026-03")), "POLICY_VERSION_NOT_APPROVED");
  EXPECT_EQ(ReasonName(Payable("P999", "2026-03")), "POLICY_UNKNOWN");
  EXPECT_EQ(ReasonName(Payable("P022", "2026-03", 120105)), "DISTRICT_FOREIGN");
  EXPECT_TRUE(Payable("P032", "LIFE").ok());
}

TEST_F(RpcTest, FinancePublishesTheCitysListAndItCanBeReadBack) {
  pb::PublishPolicyListRequest publish;
  publish.set_request_id(NewId());
  publish.set_district(120000);
  const auto list = Ask(Finance(), &Stub::PublishPolicyList, publish);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->entry_count(), 41);  // P022 is Binhai's own
  EXPECT_EQ(list->sha256().size(), 32U);
  pb::GetPublishedListRequest read;
  read.set_district(120000);
  read.set_page_size(40);
  const auto first = Ask(Dispatch(), &Stub::GetPublishedList, read);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->entries_size(), 40);
  read.set_page_token(first->next_page_token());
  EXPECT_EQ(Ask(Dispatch(), &Stub::GetPublishedList, read)->entries_size(), 1);
  publish.set_request_id(NewId());
  EXPECT_EQ(ReasonName(Ask(Finance(), &Stub::PublishPolicyList, publish)), "LIST_UNCHANGED");
  read.set_page_token("policies/P001");
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::GetPublishedList, read)), "PAGE_TOKEN_INVALID");
  read.set_page_token("");
  read.set_edition(99);
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::GetPublishedList, read)), "NOT_FOUND");
}

TEST_F(RpcTest, TheCardIsDemandedByDistrictFieldAndDay) {
  const auto check = [&](std::int32_t district, const std::string& policy,
                         const std::string& date) {
    pb::CheckCardRequiredRequest request;
    request.set_district(district);
    request.set_policy_id(policy);
    request.set_date(date);
    const auto answer = Ask(Dispatch(), &Stub::CheckCardRequired, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() && answer->required();
  };
  EXPECT_TRUE(check(120105, "P001", "2021-12-31"));
  EXPECT_FALSE(check(120101, "P001", "2021-12-31"));
  EXPECT_FALSE(check(120105, "P053", "2021-12-31"));
  EXPECT_TRUE(check(120101, "P053", ""));
}

TEST_F(RpcTest, ARoleThatHasNoRuleIsRefusedAndTheRefusalIsAnAuditEntry) {
  const std::string before = world_->Sql(
      "SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE '%call.refused%'");
  EXPECT_EQ(Ask(Conference(), &Stub::CreatePolicy, NewPolicy("T001")).status().code(),
            absl::StatusCode::kPermissionDenied);
  pb::SetRolloutRequest rollout;
  rollout.set_request_id(NewId());
  EXPECT_EQ(Ask(Operator("civil.120000"), &Stub::SetRollout, rollout).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Ask(Dispatch(), &Stub::SetRollout, rollout).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(
      std::stoi(world_->Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                            "'%call.refused%'")),
      std::stoi(before) + 3);
}

TEST_F(RpcTest, AForeignDepartmentsPolicyIsUnknown) {
  pb::CreatePolicyVersionRequest request = NewVersion("P001");
  EXPECT_EQ(ReasonName(Ask(Operator("hrss.120000", "HRSS"), &Stub::CreatePolicyVersion, request)),
            "POLICY_UNKNOWN");
  // The right department, with a token for another field.
  request.set_request_id(NewId());
  EXPECT_EQ(ReasonName(Ask(Operator("civil.120000", "HRSS"), &Stub::CreatePolicyVersion, request)),
            "POLICY_UNKNOWN");
  pb::GetPolicyRequest get;
  get.set_policy_id("P034");  // a draft of the HR department
  EXPECT_EQ(ReasonName(Ask(Operator("water.120000", "WATER"), &Stub::GetPolicy, get)),
            "POLICY_UNKNOWN");
  EXPECT_TRUE(Ask(Operator("hrss.120000", "HRSS"), &Stub::GetPolicy, get).ok());
}

TEST_F(RpcTest, ACallerWithoutATokenOrWithAForeignOneIsNotKnown) {
  pb::GetPolicyRequest get;
  get.set_policy_id("P001");
  EXPECT_EQ(Ask({"organisations/civil.120000", ""}, &Stub::GetPolicy, get).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(
      ReasonName(Ask({"organisations/civil.120000", Conference().token}, &Stub::GetPolicy, get)),
      "TOKEN_ORGANISATION");
}

TEST_F(RpcTest, TheSameRequestIsAnsweredTheSameAndOtherContentIsRefused) {
  pb::CreatePolicyRequest request = NewPolicy("T010");
  const auto first = Ask(Operator("civil.120000"), &Stub::CreatePolicy, request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Ask(Operator("civil.120000"), &Stub::CreatePolicy, request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  request.mutable_policy()->set_name_zh("别的");
  EXPECT_EQ(ReasonName(Ask(Operator("civil.120000"), &Stub::CreatePolicy, request)),
            "REQUEST_ID_REUSED");
  request.set_request_id(NewId());
  EXPECT_EQ(ReasonName(Ask(Operator("civil.120000"), &Stub::CreatePolicy, request)),
            "ALREADY_EXISTS");
  EXPECT_EQ(world_->Sql("SELECT count(*) FROM policy WHERE policy_id = 'T010'"), "1");
}

TEST_F(RpcTest, BadInputIsNamedByItsField) {
  const Who civil = Operator("civil.120000");
  const auto field = [&](const pb::CreatePolicyRequest& request) {
    const auto made = Ask(civil, &Stub::CreatePolicy, request);
    return ReasonName(made) + " " + status::MetadataOf(made.status())["field"];
  };
  pb::CreatePolicyRequest bad = NewPolicy("T011");
  bad.mutable_policy()->set_slot_unit(pb::SLOT_UNIT_UNSPECIFIED);
  EXPECT_EQ(field(bad), "FIELD_INVALID policy.slot_unit");
  bad = NewPolicy("不 行");
  EXPECT_EQ(field(bad), "FIELD_INVALID policy.policy_id");
  bad = NewPolicy("T011");
  bad.mutable_policy()->set_confidence("Z");
  EXPECT_EQ(field(bad), "FIELD_INVALID policy.confidence");
  bad = NewPolicy("T011");
  bad.clear_request_id();
  EXPECT_THAT(ReasonName(Ask(civil, &Stub::CreatePolicy, bad)),
              ::testing::StartsWith("REQUEST_ID_"));

  ASSERT_TRUE(Ask(civil, &Stub::CreatePolicy, NewPolicy("T011")).ok());
  const auto version = [&](const std::function<void(pb::PolicyVersion&)>& spoil) {
    pb::CreatePolicyVersionRequest request = NewVersion("T011");
    spoil(*request.mutable_version());
    const auto made = Ask(civil, &Stub::CreatePolicyVersion, request);
    return ReasonName(made) + " " + status::MetadataOf(made.status())["field"];
  };
  EXPECT_EQ(version([](auto& v) { v.set_effective_from("2026-02-30"); }),
            "FIELD_INVALID effective_from");
  EXPECT_EQ(version([](auto& v) { v.set_cadence("weekly"); }), "FIELD_INVALID cadence");
  EXPECT_EQ(version([](auto& v) { v.mutable_calculation()->clear_type(); }),
            "FIELD_INVALID calculation.type");
  EXPECT_EQ(version([](auto& v) { v.mutable_calculation()->set_rate_fen(-1); }),
            "POLICY_INVALID calculation");
  EXPECT_EQ(version([](auto& v) { v.set_cadence("yearly"); }), "POLICY_INVALID cadence");
  EXPECT_EQ(world_->Sql("SELECT count(*) FROM policy_version WHERE policy_id = 'T011'"), "0");
  // A draft may be incomplete; submission says what is missing.
  ASSERT_EQ(version([](auto&) {}), "OK ");
  pb::SubmitPolicyVersionRequest submit;
  submit.set_request_id(NewId());
  submit.set_policy_id("T011");
  submit.set_version(1);
  const auto submitted = Ask(civil, &Stub::SubmitPolicyVersion, submit);
  EXPECT_EQ(ReasonName(submitted), "POLICY_INVALID");
  EXPECT_EQ(status::MetadataOf(submitted.status())["field"], "funding");
}

TEST_F(RpcTest, AQuoteNamesWhatTheRowLacks) {
  pb::QuoteAmountRequest request;
  request.set_policy_id("P022");
  request.mutable_input()->set_age(70);
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::QuoteAmount, request)), "STANDARD_MISSING");
  request.set_policy_id("P001");
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::QuoteAmount, request)), "QUANTITY_INVALID");
  request.set_version(77);
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::QuoteAmount, request)), "POLICY_VERSION_UNKNOWN");
}

TEST_F(RpcTest, TheClockMovesForItsAdministratorOnly) {
  using Clock = pb::ClockService::Stub;
  const Who keeper = {"organisations/operations",
                      world_->Token("keeper", "operations", {Role::kClockAdmin})};
  const auto today = [&] {
    const auto date = Ask(Dispatch(), &Clock::GetBusinessDate, pb::GetBusinessDateRequest());
    EXPECT_TRUE(date.ok() && date->adjustable()) << date.status();
    return date.ok() ? date->date() : "";
  };
  pb::AdvanceBusinessDateRequest advance;
  advance.set_request_id(NewId());
  advance.set_to_date(today());
  EXPECT_TRUE(Ask(keeper, &Clock::AdvanceBusinessDate, advance).ok());
  advance.set_request_id(NewId());
  advance.set_to_date("2020-01-01");
  EXPECT_EQ(ReasonName(Ask(keeper, &Clock::AdvanceBusinessDate, advance)), "CLOCK_NOT_BACK");
  advance.set_request_id(NewId());
  EXPECT_EQ(Ask(Admin(), &Clock::AdvanceBusinessDate, advance).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(today(), "2026-03-01");
}

}  // namespace
}  // namespace yikatong::catalogue
