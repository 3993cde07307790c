#include <fmt/core.h>
#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "common/status/status.h"
#include "services/yktctl/commands/call.h"
#include "services/yktctl/csv.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

namespace v1 = ::yikatong::catalogue::v1;
using Catalogue = v1::CatalogueService;

absl::StatusOr<nlohmann::json> ReadJson(const std::string& path) {
  std::ifstream in(path);
  nlohmann::json json = in ? nlohmann::json::parse(in, nullptr, false) : nlohmann::json();
  if (!in || json.is_discarded())
    return status::Refuse(status::Reason::kFieldInvalid, path + " is not readable JSON");
  return json;
}

template <typename Message>
absl::Status Parse(const nlohmann::json& json, Message& message) {
  if (!google::protobuf::util::JsonStringToMessage(json.dump(), &message).ok()) {
    return status::Refuse(status::Reason::kFieldInvalid,
                          "does not fit the contract: " + json.dump().substr(0, 120));
  }
  return absl::OkStatus();
}

// Loading files again is no error: what stands already is left as it is.
absl::Status UnlessThere(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAlreadyExists ? absl::OkStatus() : status;
}

struct ImportFiles {
  std::string divisions, departments, villages, policies, rules, exclusions, rollout;
};

// A request id that depends on what is loaded, so that a run that broke off can be run again.
std::string StableId(std::string_view kind, std::string_view name) {
  return fmt::format("import-{}-{}", kind, name);
}

absl::Status ImportReference(Session& session, const ImportFiles& files) {
  v1::ImportReferenceDataRequest request;
  if (!files.departments.empty()) {
    YKT_ASSIGN_OR_RETURN(const nlohmann::json json, ReadJson(files.departments));
    for (const auto& one : json["departments"])
      YKT_RETURN_IF_ERROR(Parse(one, *request.add_departments()));
  }
  if (!files.divisions.empty()) {
    YKT_ASSIGN_OR_RETURN(CsvReader in,
                         CsvReader::Open(files.divisions, {"district_code", "district_name",
                                                           "town_code_12", "town_name"}));
    v1::Division& city = *request.add_divisions();
    city.set_code(120000000000);
    city.set_name("天津市");
    city.set_district(120000);
    city.set_level(v1::DIVISION_LEVEL_CITY);
    std::set<std::int64_t> districts;
    while (true) {
      YKT_ASSIGN_OR_RETURN(const bool more, in.Next());
      if (!more) break;
      YKT_ASSIGN_OR_RETURN(const std::int64_t district, in.Number("district_code"));
      YKT_ASSIGN_OR_RETURN(const std::int64_t town, in.Number("town_code_12"));
      if (districts.insert(district).second) {
        v1::Division& one = *request.add_divisions();
        one.set_code(district * 1'000'000);
        one.set_name(std::string(in.Get("district_name")));
        one.set_district(static_cast<std::int32_t>(district));
        one.set_level(v1::DIVISION_LEVEL_DISTRICT);
      }
      v1::Division& one = *request.add_divisions();
      one.set_code(town);
      one.set_name(std::string(in.Get("town_name")));
      one.set_district(static_cast<std::int32_t>(district));
      one.set_level(v1::DIVISION_LEVEL_TOWN);
    }
  }
  if (!files.villages.empty()) {
    YKT_ASSIGN_OR_RETURN(CsvReader in,
                         CsvReader::Open(files.villages, {"code", "name", "district"}));
    while (true) {
      YKT_ASSIGN_OR_RETURN(const bool more, in.Next());
      if (!more) break;
      v1::Division& one = *request.add_divisions();
      YKT_ASSIGN_OR_RETURN(const std::int64_t code, in.Number("code"));
      YKT_ASSIGN_OR_RETURN(const std::int64_t district, in.Number("district"));
      one.set_code(code);
      one.set_name(std::string(in.Get("name")));
      one.set_district(static_cast<std::int32_t>(district));
      one.set_level(v1::DIVISION_LEVEL_VILLAGE);
      one.set_fictitious(true);
    }
  }
  if (request.departments_size() + request.divisions_size() == 0) return absl::OkStatus();
  request.set_request_id(session.RequestId());
  v1::ImportReferenceDataResponse response;
  YKT_RETURN_IF_ERROR(Call<Catalogue>(session, "catalogue", &Catalogue::Stub::ImportReferenceData,
                                      request, response));
  Print(session, response);
  return absl::OkStatus();
}

absl::Status ImportPolicies(Session& session, const ImportFiles& files) {
  YKT_ASSIGN_OR_RETURN(const nlohmann::json rules, ReadJson(files.rules));
  std::map<std::string, nlohmann::json> by_policy;
  for (const auto& one : rules["policies"]) by_policy[one.value("policy_id", "")] = one;
  YKT_ASSIGN_OR_RETURN(CsvReader in,
                       CsvReader::Open(files.policies, {"policy_id", "name_zh", "domain"}));
  int policies = 0;
  int versions = 0;
  Progress progress(session, "policies", static_cast<std::int64_t>(by_policy.size()));
  while (true) {
    YKT_ASSIGN_OR_RETURN(const bool more, in.Next());
    if (!more) break;
    const std::string id(in.Get("policy_id"));
    const auto found = by_policy.find(id);
    if (found == by_policy.end()) {
      return status::Refuse(status::Reason::kFieldInvalid,
                            fmt::format("{} has no rules for {}", files.rules, id));
    }
    const nlohmann::json& rule = found->second;
    v1::CreatePolicyRequest request;
    request.set_request_id(StableId("policy", id));
    v1::Policy& policy = *request.mutable_policy();
    for (const char* key : {"department_id", "district", "slot_unit", "key_kind"}) {
      nlohmann::json part = nlohmann::json::object();
      part[key] = rule[key];
      v1::Policy parsed;
      YKT_RETURN_IF_ERROR(Parse(part, parsed));
      policy.MergeFrom(parsed);
    }
    policy.set_policy_id(id);
    policy.set_name_zh(std::string(in.Get("name_zh")));
    policy.set_name_en(std::string(in.Get("name_en")));
    policy.set_field(std::string(in.Get("domain")));
    policy.set_level(std::string(in.Get("level")));
    policy.set_basis(std::string(in.Get("basis_doc")));
    policy.set_confidence(std::string(in.Get("confidence")));
    policy.set_region(std::string(in.Get("region")));
    v1::Policy created;
    YKT_RETURN_IF_ERROR(UnlessThere(
        Call<Catalogue>(session, "catalogue", &Catalogue::Stub::CreatePolicy, request, created)));
    progress.Set(++policies, id);
    int number = 0;
    for (const auto& version : rule["versions"]) {
      v1::CreatePolicyVersionRequest draft;
      draft.set_request_id(StableId("version", fmt::format("{}-{}", id, ++number)));
      YKT_RETURN_IF_ERROR(Parse(version, *draft.mutable_version()));
      draft.mutable_version()->set_policy_id(id);
      v1::PolicyVersion drafted;
      YKT_RETURN_IF_ERROR(Call<Catalogue>(session, "catalogue",
                                          &Catalogue::Stub::CreatePolicyVersion, draft, drafted));
      ++versions;
    }
  }
  std::cout << fmt::format("{} policies, {} drafts\n", policies, versions);
  if (files.exclusions.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const nlohmann::json exclusions, ReadJson(files.exclusions));
  int edges = 0;
  for (const auto& one : exclusions["exclusions"]) {
    v1::CreateExclusionRequest request;
    YKT_RETURN_IF_ERROR(Parse(one, request));
    request.set_request_id(StableId("exclusion", request.policy_a() + "-" + request.policy_b()));
    v1::Exclusion created;
    YKT_RETURN_IF_ERROR(UnlessThere(Call<Catalogue>(
        session, "catalogue", &Catalogue::Stub::CreateExclusion, request, created)));
    ++edges;
  }
  std::cout << fmt::format("{} exclusions\n", edges);
  return absl::OkStatus();
}

absl::Status SetRollout(Session& session, const std::string& path) {
  YKT_ASSIGN_OR_RETURN(const nlohmann::json json, ReadJson(path));
  v1::SetRolloutRequest request;
  request.set_request_id(session.RequestId());
  for (const auto& one : json["stages"]) YKT_RETURN_IF_ERROR(Parse(one, *request.add_stages()));
  v1::SetRolloutResponse response;
  YKT_RETURN_IF_ERROR(
      Call<Catalogue>(session, "catalogue", &Catalogue::Stub::SetRollout, request, response));
  Print(session, response);
  return absl::OkStatus();
}

// Takes one step with every version of a rules file that is meant to be published, of one
// department or of all.
absl::Status Walk(Session& session, const std::string& rules_file, const std::string& step,
                  const std::string& department) {
  YKT_ASSIGN_OR_RETURN(const nlohmann::json rules, ReadJson(rules_file));
  int taken = 0;
  Progress progress(session, step, 0);
  for (const auto& rule : rules["policies"]) {
    if (!rule.value("publish", false)) continue;
    if (!department.empty() && rule.value("department_id", "") != department) continue;
    const std::string id = rule.value("policy_id", "");
    for (std::size_t number = 1; number <= rule["versions"].size(); ++number) {
      v1::PolicyVersion version;
      const auto call = [&](auto request, auto method) {
        request.set_request_id(StableId(step, fmt::format("{}-{}", id, number)));
        request.set_policy_id(id);
        request.set_version(static_cast<std::int32_t>(number));
        return Call<Catalogue>(session, "catalogue", method, request, version);
      };
      absl::Status status;
      if (step == "submit")
        status = call(v1::SubmitPolicyVersionRequest(), &Catalogue::Stub::SubmitPolicyVersion);
      if (step == "approve")
        status = call(v1::ApprovePolicyVersionRequest(), &Catalogue::Stub::ApprovePolicyVersion);
      if (step == "publish")
        status = call(v1::PublishPolicyVersionRequest(), &Catalogue::Stub::PublishPolicyVersion);
      YKT_RETURN_IF_ERROR(status);
      progress.Set(++taken, id);
    }
  }
  std::cout << fmt::format("{} versions: {}\n", taken, step);
  return absl::OkStatus();
}

void AddFileCommands(CLI::App& policy, Session& session, int& code) {
  CLI::App* import = policy.add_subcommand("import",
                                           "Load departments, divisions, policies with drafts of "
                                           "their versions, and exclusions from files");
  auto files = std::make_shared<ImportFiles>();
  import->add_option("--divisions", files->divisions, "CSV of districts and towns")
      ->check(CLI::ExistingFile);
  import->add_option("--villages", files->villages, "CSV of made-up villages")
      ->check(CLI::ExistingFile);
  import->add_option("--departments", files->departments, "JSON of departments")
      ->check(CLI::ExistingFile);
  import->add_option("--policies", files->policies, "CSV of the list")->check(CLI::ExistingFile);
  import->add_option("--rules", files->rules, "JSON of what versions need")
      ->check(CLI::ExistingFile);
  import->add_option("--exclusions", files->exclusions, "JSON of exclusions")
      ->check(CLI::ExistingFile);
  import->callback([&session, &code, files] {
    absl::Status status = ImportReference(session, *files);
  if (status.ok() && !files->policies.empty()) status = ImportPolicies(session, *files);
  if (!status.ok()) code = Fail(session, status);
});
CLI::App* rollout = policy.add_subcommand("rollout", "Replace the rollout schedule of the card");
rollout->add_option("file", files->rollout, "JSON with stages")
    ->required()
    ->check(CLI::ExistingFile);
rollout->callback([&session, &code, files] {
  const absl::Status status = SetRollout(session, files->rollout);
  if (!status.ok()) code = Fail(session, status);
});
CLI::App* walk = policy.add_subcommand(
    "walk", "Take one step with every version of a rules file that is to be published");
auto step = std::make_shared<std::string>();
auto department = std::make_shared<std::string>();
walk->add_option("--rules", files->rules, "JSON of what versions need")
    ->required()
    ->check(CLI::ExistingFile);
walk->add_option("--step", *step, "submit, approve or publish")
    ->required()
    ->check(CLI::IsMember({"submit", "approve", "publish"}));
walk->add_option("--department", *department, "Only policies of this department");
walk->callback([&session, &code, files, step, department] {
  const absl::Status status = Walk(session, files->rules, *step, *department);
  if (!status.ok()) code = Fail(session, status);
});
}  // namespace

void AddRolloutCommands(CLI::App& policy, Session& session, int& code,
                        const std::vector<Field>& page) {
  AddCall<Catalogue>(policy, session, code, "card-required",
                     "Must this be paid to the card here today", "catalogue",
                     &Catalogue::Stub::CheckCardRequired,
                     {{"district", "District", true},
                      {"policy_id", "Policy", true, "policy"},
                      {"date", "Day; none for today"}});
  CLI::App* exemption =
      policy.add_subcommand("exemption", "Exemptions from the card")->require_subcommand(1);
  AddCall<Catalogue>(*exemption, session, code, "create", "Ask for an exemption", "catalogue",
                     &Catalogue::Stub::CreateExemption,
                     {{"exemption.district", "District", true},
                      {"exemption.field", "Field", true},
                      {"exemption.policy_id", "Policy; none for the field", false, "policy"},
                      {"exemption.reason", "Why", true},
                      {"exemption.valid_from", "First day", true},
                      {"exemption.valid_to", "Last day", true}});
  AddCall<Catalogue>(*exemption, session, code, "decide", "Approve or refuse it", "catalogue",
                     &Catalogue::Stub::DecideExemption,
                     {{"exemption_id", "Exemption", true, "id"}, {"approve", "yes or no", true}});
  AddCall<Catalogue>(*exemption, session, code, "list", "Exemptions", "catalogue",
                     &Catalogue::Stub::ListExemptions,
                     {{"district", "District; none for all"}, page[0], page[1]});
  CLI::App* target = policy.add_subcommand("target", "Performance targets")->require_subcommand(1);
  const std::vector<Field> of = {{"policy_id", "Policy", true, "policy"},
                                 {"district", "District", true},
                                 {"year", "Budget year", true}};
  AddCall<Catalogue>(*target, session, code, "set", "Set a target", "catalogue",
                     &Catalogue::Stub::SetPerformanceTarget,
                     {{"target.policy_id", "Policy", true, "policy"},
                      {"target.district", "District", true},
                      {"target.year", "Budget year", true},
                      {"target.target_people", "People to reach", true, "people"},
                      {"target.target_fen", "Money to spend in yuan", true, "amount"},
                      {"target.goal", "The goal in words", true}});
  AddCall<Catalogue>(*target, session, code, "approve", "Approve a target", "catalogue",
                     &Catalogue::Stub::ApprovePerformanceTarget, of);
  AddCall<Catalogue>(*target, session, code, "show", "Show a target", "catalogue",
                     &Catalogue::Stub::GetPerformanceTarget, of);
}

}  // namespace yikatong::yktctl

void AddPolicyCommands(CLI::App& app, Session& session, int& code) {
  CLI::App* policy =
      app.add_subcommand("policy", "The list of policies and its versions")->require_subcommand(1);
  const std::vector<Field> page = {{"page_size", "Rows a page"}, {"page_token", "Page"}};
  const Field id = {"policy_id", "Policy", true, "policy"};
  const Field version = {"version", "Version", true};
  AddFileCommands(*policy, session, code);
  AddCall<Catalogue>(
      *policy, session, code, "list", "Policies with the version in force", "catalogue",
      &Catalogue::Stub::ListPolicies,
      {{"field", "AGRI, CIVIL …"},
       {"published_only", "yes or no", false, "published"},
       page[0],
       page[1]},
      {"policy.policy_id", "policy.name_zh", "policy.field", "policy.level", "version.version",
       "version.state", "version.effective_from", "version.published_on"});
  AddCall<Catalogue>(*policy, session, code, "show", "One policy", "catalogue",
                     &Catalogue::Stub::GetPolicy, {id});
  AddCall<Catalogue>(*policy, session, code, "versions", "Its versions", "catalogue",
                     &Catalogue::Stub::ListPolicyVersions, {id, page[0], page[1]});
  AddCall<Catalogue>(*policy, session, code, "version", "One version", "catalogue",
                     &Catalogue::Stub::GetPolicyVersion, {id, version});
  AddCall<Catalogue>(*policy, session, code, "submit", "Submit a draft to the joint conference",
                     "catalogue", &Catalogue::Stub::SubmitPolicyVersion, {id, version});
  AddCall<Catalogue>(*policy, session, code, "approve", "Approve a version", "catalogue",
                     &Catalogue::Stub::ApprovePolicyVersion, {id, version});
  AddCall<Catalogue>(*policy, session, code, "reject", "Send a version back", "catalogue",
                     &Catalogue::Stub::RejectPolicyVersion, {id, version, {"reason", "Why", true}});
  AddCall<Catalogue>(*policy, session, code, "publish", "Make an approved change public",
                     "catalogue", &Catalogue::Stub::PublishPolicyVersion, {id, version});
  AddCall<Catalogue>(*policy, session, code, "publish-list", "Publish the consolidated list",
                     "catalogue", &Catalogue::Stub::PublishPolicyList,
                     {{"district", "Division whose list it is", true}});
  AddCall<Catalogue>(
      *policy, session, code, "published", "A published list", "catalogue",
      &Catalogue::Stub::GetPublishedList,
      {{"district", "Division", true},
       {"edition", "Edition; none for the newest"},
       page[0],
       page[1]},
      {"policy.policy_id", "policy.name_zh", "version.version", "version.effective_from"});
  AddCall<Catalogue>(*policy, session, code, "overdue", "Versions whose publication is overdue",
                     "catalogue", &Catalogue::Stub::ListOverduePublications, page);
  AddCall<Catalogue>(*policy, session, code, "quote", "What a row would get", "catalogue",
                     &Catalogue::Stub::QuoteAmount,
                     {id,
                      {"version", "Version; none for the one in force"},
                      {"district", "District"},
                      {"input.quantity", "Units: 0.01 mu, kWh, months, years"},
                      {"input.members", "Members of the household"},
                      {"input.income_fen", "Its income in yuan"},
                      {"input.bill_fen", "Bill or price in yuan"},
                      {"input.tier", "Tier"},
                      {"input.age", "Age"},
                      {"input.assessed_fen", "Amount set by hand in yuan"}});
  AddRolloutCommands(*policy, session, code, page);
}

}  // namespace yikatong::yktctl
