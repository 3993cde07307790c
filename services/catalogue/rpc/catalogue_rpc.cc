#include "services/catalogue/rpc/catalogue_rpc.h"

#include <string>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/domain/administration.h"
#include "services/catalogue/domain/policies.h"
#include "services/catalogue/rpc/handle.h"
#include "services/catalogue/rpc/wire.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::catalogue {
namespace {

#define YKT_METHOD(name) "/yikatong.catalogue.v1.CatalogueService/" name

class CatalogueRpc final : public pb::CatalogueService::Service {
 public:
  explicit CatalogueRpc(RpcParts parts) : parts_(parts) {}

  grpc::Status ImportReferenceData(grpc::ServerContext* context,
                                   const pb::ImportReferenceDataRequest* request,
                                   pb::ImportReferenceDataResponse* response) override {
    return Mutate<pb::ImportReferenceDataRequest, pb::ImportReferenceDataResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ImportReferenceData"), *request,
        response,
        [&](Repository& repository, pb::ImportReferenceDataResponse* out) -> absl::Status {
          std::vector<Department> departments;
          for (const pb::Department& one : request->departments())
            departments.push_back(FromWire(one));
          std::vector<Division> divisions;
          for (const pb::Division& one : request->divisions()) {
            YKT_ASSIGN_OR_RETURN(Division division, FromWire(one));
            divisions.push_back(std::move(division));
          }
          YKT_ASSIGN_OR_RETURN(const Imported imported,
                               catalogue::ImportReferenceData(repository, departments, divisions));
          out->set_departments_changed(imported.departments_changed);
          out->set_divisions_changed(imported.divisions_changed);
          return absl::OkStatus();
        });
  }

  grpc::Status ListDepartments(grpc::ServerContext* context,
                               const pb::ListDepartmentsRequest* request,
                               pb::ListDepartmentsResponse* response) override {
    return Read<pb::ListDepartmentsRequest, pb::ListDepartmentsResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ListDepartments"), *request, response,
        [&](Repository& repository, pb::ListDepartmentsResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page, ReadPage("departments", request->page_size(),
                                                                request->page_token()));
          YKT_ASSIGN_OR_RETURN(std::vector<Department> rows, repository.Departments(page));
          out->set_next_page_token(CutPage(
              "departments", page, rows, [](const Department& row) { return row.department_id; }));
          for (const Department& row : rows) ToWire(row, out->add_departments());
          return absl::OkStatus();
        });
  }

  grpc::Status ListDivisions(grpc::ServerContext* context, const pb::ListDivisionsRequest* request,
                             pb::ListDivisionsResponse* response) override {
    return Read<pb::ListDivisionsRequest, pb::ListDivisionsResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ListDivisions"), *request, response,
        [&](Repository& repository, pb::ListDivisionsResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page,
                               ReadPage("divisions", request->page_size(), request->page_token()));
          YKT_ASSIGN_OR_RETURN(const std::optional<DivisionLevel> level,
                               ReadLevel(request->level()));
          YKT_ASSIGN_OR_RETURN(std::vector<Division> rows,
                               repository.Divisions(request->district(), level, page));
          out->set_next_page_token(CutPage("divisions", page, rows, [](const Division& row) {
            return std::to_string(row.code);
          }));
          for (const Division& row : rows) ToWire(row, out->add_divisions());
          return absl::OkStatus();
        });
  }

  grpc::Status CreatePolicy(grpc::ServerContext* context, const pb::CreatePolicyRequest* request,
                            pb::Policy* response) override {
    return Mutate<pb::CreatePolicyRequest, pb::Policy>(
        parts_.guard, parts_.storage, context, YKT_METHOD("CreatePolicy"), *request, response,
        [&](Repository& repository, pb::Policy* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(catalogue::Policy policy, FromWire(request->policy()));
          YKT_ASSIGN_OR_RETURN(policy, catalogue::CreatePolicy(repository, std::move(policy)));
          ToWire(policy, out);
          return absl::OkStatus();
        });
  }

  grpc::Status GetPolicy(grpc::ServerContext* context, const pb::GetPolicyRequest* request,
                         pb::Policy* response) override {
    return Read<pb::GetPolicyRequest, pb::Policy>(
        parts_.guard, parts_.storage, context, YKT_METHOD("GetPolicy"), *request, response,
        [&](Repository& repository, pb::Policy* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::Policy policy,
                               catalogue::GetPolicy(repository, request->policy_id()));
          ToWire(policy, out);
          return absl::OkStatus();
        });
  }

  grpc::Status ListPolicies(grpc::ServerContext* context, const pb::ListPoliciesRequest* request,
                            pb::ListPoliciesResponse* response) override {
    return Read<pb::ListPoliciesRequest, pb::ListPoliciesResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ListPolicies"), *request, response,
        [&](Repository& repository, pb::ListPoliciesResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page,
                               ReadPage("policies", request->page_size(), request->page_token()));
          YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
          YKT_ASSIGN_OR_RETURN(
              std::vector<ListEntry> rows,
              repository.Policies(request->field(), request->published_only(),
                                  ViewerOf(repository.call().caller), today, page));
          out->set_next_page_token(CutPage(
              "policies", page, rows, [](const ListEntry& row) { return row.policy.policy_id; }));
          for (const ListEntry& row : rows) ToWire(row, out->add_entries());
          return absl::OkStatus();
        });
  }

  grpc::Status CreateExclusion(grpc::ServerContext* context,
                               const pb::CreateExclusionRequest* request,
                               pb::Exclusion* response) override {
    return Mutate<pb::CreateExclusionRequest, pb::Exclusion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("CreateExclusion"), *request, response,
        [&](Repository& repository, pb::Exclusion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const policy::Exclusion exclusion,
                               catalogue::CreateExclusion(repository, request->policy_a(),
                                                          request->policy_b(), request->basis()));
          ToWire(exclusion, out);
          return absl::OkStatus();
        });
  }

  grpc::Status CreatePolicyVersion(grpc::ServerContext* context,
                                   const pb::CreatePolicyVersionRequest* request,
                                   pb::PolicyVersion* response) override {
    return Mutate<pb::CreatePolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("CreatePolicyVersion"), *request,
        response, [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(Rules rules, FromWire(request->version()));
          YKT_ASSIGN_OR_RETURN(const catalogue::PolicyVersion version,
                               catalogue::CreateVersion(repository, request->version().policy_id(),
                                                        std::move(rules)));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status UpdatePolicyVersion(grpc::ServerContext* context,
                                   const pb::UpdatePolicyVersionRequest* request,
                                   pb::PolicyVersion* response) override {
    return Mutate<pb::UpdatePolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("UpdatePolicyVersion"), *request,
        response, [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          const pb::PolicyVersion& wanted = request->version();
          YKT_ASSIGN_OR_RETURN(Rules rules, FromWire(wanted));
          YKT_ASSIGN_OR_RETURN(const std::int64_t revision, ReadEtag(wanted.etag()));
          YKT_ASSIGN_OR_RETURN(
              const catalogue::PolicyVersion version,
              catalogue::UpdateVersion(repository, wanted.policy_id(), wanted.version(), revision,
                                       std::move(rules)));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status SubmitPolicyVersion(grpc::ServerContext* context,
                                   const pb::SubmitPolicyVersionRequest* request,
                                   pb::PolicyVersion* response) override {
    return Mutate<pb::SubmitPolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("SubmitPolicyVersion"), *request,
        response, [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(
              const catalogue::PolicyVersion version,
              catalogue::SubmitVersion(repository, request->policy_id(), request->version()));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status ApprovePolicyVersion(grpc::ServerContext* context,
                                    const pb::ApprovePolicyVersionRequest* request,
                                    pb::PolicyVersion* response) override {
    return Mutate<pb::ApprovePolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ApprovePolicyVersion"), *request,
        response, [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::PolicyVersion version,
                               catalogue::ApproveVersion(repository, request->policy_id(),
                                                         request->version(), parts_.clock.Now()));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status RejectPolicyVersion(grpc::ServerContext* context,
                                   const pb::RejectPolicyVersionRequest* request,
                                   pb::PolicyVersion* response) override {
    return Mutate<pb::RejectPolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("RejectPolicyVersion"), *request,
        response, [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::PolicyVersion version,
                               catalogue::RejectVersion(repository, request->policy_id(),
                                                        request->version(), request->reason()));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status PublishPolicyVersion(grpc::ServerContext* context,
                                    const pb::PublishPolicyVersionRequest* request,
                                    pb::PolicyVersion* response) override {
    return Mutate<pb::PublishPolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("PublishPolicyVersion"), *request,
        response, [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(
              const catalogue::PolicyVersion version,
              catalogue::PublishVersion(repository, request->policy_id(), request->version()));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status GetPolicyVersion(grpc::ServerContext* context,
                                const pb::GetPolicyVersionRequest* request,
                                pb::PolicyVersion* response) override {
    return Read<pb::GetPolicyVersionRequest, pb::PolicyVersion>(
        parts_.guard, parts_.storage, context, YKT_METHOD("GetPolicyVersion"), *request, response,
        [&](Repository& repository, pb::PolicyVersion* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(
              const catalogue::PolicyVersion version,
              catalogue::GetVersion(repository, request->policy_id(), request->version()));
          ToWire(version, out);
          return absl::OkStatus();
        });
  }

  grpc::Status ListPolicyVersions(grpc::ServerContext* context,
                                  const pb::ListPolicyVersionsRequest* request,
                                  pb::ListPolicyVersionsResponse* response) override {
    return Read<pb::ListPolicyVersionsRequest, pb::ListPolicyVersionsResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ListPolicyVersions"), *request, response,
        [&](Repository& repository, pb::ListPolicyVersionsResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page,
                               ReadPage("versions", request->page_size(), request->page_token()));
          YKT_ASSIGN_OR_RETURN(std::vector<catalogue::PolicyVersion> rows,
                               catalogue::ListVersions(repository, request->policy_id(), page));
          out->set_next_page_token(CutPage(
              "versions", page, rows,
              [](const catalogue::PolicyVersion& row) { return std::to_string(row.version); }));
          for (const catalogue::PolicyVersion& row : rows) ToWire(row, out->add_versions());
          return absl::OkStatus();
        });
  }

  grpc::Status GetPayableVersion(grpc::ServerContext* context,
                                 const pb::GetPayableVersionRequest* request,
                                 pb::GetPayableVersionResponse* response) override {
    return Read<pb::GetPayableVersionRequest, pb::GetPayableVersionResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("GetPayableVersion"), *request, response,
        [&](Repository& repository, pb::GetPayableVersionResponse* out) -> absl::Status {
          const std::optional<base::Period> period = base::Period::Parse(request->period());
          if (!period.has_value()) return status::Refuse(status::Reason::kPeriodInvalid);
          YKT_ASSIGN_OR_RETURN(
              const Payable payable,
              catalogue::GetPayable(repository, request->policy_id(), *period, request->district(),
                                    request->department_id()));
          ToWire(payable.policy, out->mutable_policy());
          ToWire(payable.version, out->mutable_version());
          for (const policy::Exclusion& one : payable.exclusions)
            ToWire(one, out->add_exclusions());
          return absl::OkStatus();
        });
  }

  grpc::Status QuoteAmount(grpc::ServerContext* context, const pb::QuoteAmountRequest* request,
                           pb::QuoteAmountResponse* response) override {
    return Read<pb::QuoteAmountRequest, pb::QuoteAmountResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("QuoteAmount"), *request, response,
        [&](Repository& repository, pb::QuoteAmountResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(
              const Quote quote,
              catalogue::QuoteAmount(repository, request->policy_id(), request->version(),
                                     request->district(), FromWire(request->input())));
          out->set_amount_fen(quote.amount_fen);
          out->set_version(quote.version);
          return absl::OkStatus();
        });
  }

  grpc::Status PublishPolicyList(grpc::ServerContext* context,
                                 const pb::PublishPolicyListRequest* request,
                                 pb::PublishedList* response) override {
    return Mutate<pb::PublishPolicyListRequest, pb::PublishedList>(
        parts_.guard, parts_.storage, context, YKT_METHOD("PublishPolicyList"), *request, response,
        [&](Repository& repository, pb::PublishedList* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::PublishedList list,
                               catalogue::PublishList(repository, request->district()));
          ToWire(list, out);
          return absl::OkStatus();
        });
  }

  grpc::Status GetPublishedList(grpc::ServerContext* context,
                                const pb::GetPublishedListRequest* request,
                                pb::GetPublishedListResponse* response) override {
    return Read<pb::GetPublishedListRequest, pb::GetPublishedListResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("GetPublishedList"), *request, response,
        [&](Repository& repository, pb::GetPublishedListResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page,
                               ReadPage("list", request->page_size(), request->page_token()));
          YKT_ASSIGN_OR_RETURN(const std::optional<catalogue::PublishedList> list,
                               repository.FindList(request->district(), request->edition()));
          if (!list.has_value()) {
            return status::Refuse(status::Reason::kNotFound, "no such edition of the list");
          }
          YKT_ASSIGN_OR_RETURN(std::vector<ListEntry> rows,
                               repository.ListEntries(list->district, list->edition, page));
          ToWire(*list, out->mutable_list());
          out->set_next_page_token(CutPage(
              "list", page, rows, [](const ListEntry& row) { return row.policy.policy_id; }));
          for (const ListEntry& row : rows) ToWire(row, out->add_entries());
          return absl::OkStatus();
        });
  }

  grpc::Status ListOverduePublications(grpc::ServerContext* context,
                                       const pb::ListOverduePublicationsRequest* request,
                                       pb::ListOverduePublicationsResponse* response) override {
    return Read<pb::ListOverduePublicationsRequest, pb::ListOverduePublicationsResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ListOverduePublications"), *request,
        response,
        [&](Repository& repository, pb::ListOverduePublicationsResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page,
                               ReadPage("overdue", request->page_size(), request->page_token()));
          YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
          YKT_ASSIGN_OR_RETURN(std::vector<catalogue::OverduePublication> rows,
                               repository.Overdue(today, page));
          out->set_next_page_token(
              CutPage("overdue", page, rows, [](const catalogue::OverduePublication& row) {
                return fmt::format("{}.{}.{}", base::FormatDate(row.effective_from), row.version,
                                   row.policy_id);
              }));
          for (const catalogue::OverduePublication& row : rows)
            ToWire(row, today, out->add_overdue());
          return absl::OkStatus();
        });
  }

  grpc::Status SetRollout(grpc::ServerContext* context, const pb::SetRolloutRequest* request,
                          pb::SetRolloutResponse* response) override {
    return Mutate<pb::SetRolloutRequest, pb::SetRolloutResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("SetRollout"), *request, response,
        [&](Repository& repository, pb::SetRolloutResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(std::vector<catalogue::RolloutStage> stages,
                               FromWire(request->stages()));
          YKT_ASSIGN_OR_RETURN(stages, catalogue::SetRollout(repository, std::move(stages)));
          for (const catalogue::RolloutStage& stage : stages) ToWire(stage, out->add_stages());
          return absl::OkStatus();
        });
  }

  grpc::Status GetRollout(grpc::ServerContext* context, const pb::GetRolloutRequest* request,
                          pb::GetRolloutResponse* response) override {
    return Read<pb::GetRolloutRequest, pb::GetRolloutResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("GetRollout"), *request, response,
        [&](Repository& repository, pb::GetRolloutResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const std::vector<catalogue::RolloutStage> stages,
                               repository.Rollout());
          for (const catalogue::RolloutStage& stage : stages) ToWire(stage, out->add_stages());
          return absl::OkStatus();
        });
  }

  grpc::Status CheckCardRequired(grpc::ServerContext* context,
                                 const pb::CheckCardRequiredRequest* request,
                                 pb::CheckCardRequiredResponse* response) override {
    return Read<pb::CheckCardRequiredRequest, pb::CheckCardRequiredResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("CheckCardRequired"), *request, response,
        [&](Repository& repository, pb::CheckCardRequiredResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> date,
                               ReadOptionalDay("date", request->date()));
          YKT_ASSIGN_OR_RETURN(
              const CardDecision decision,
              catalogue::CheckCard(repository, request->district(), request->policy_id(), date));
          out->set_required(decision.required);
          out->set_exemption_id(decision.exemption_id);
          if (decision.stage_from.has_value()) {
            out->set_stage_from(base::FormatDate(*decision.stage_from));
          }
          return absl::OkStatus();
        });
  }

  grpc::Status CreateExemption(grpc::ServerContext* context,
                               const pb::CreateExemptionRequest* request,
                               pb::Exemption* response) override {
    return Mutate<pb::CreateExemptionRequest, pb::Exemption>(
        parts_.guard, parts_.storage, context, YKT_METHOD("CreateExemption"), *request, response,
        [&](Repository& repository, pb::Exemption* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(catalogue::Exemption exemption, FromWire(request->exemption()));
          YKT_ASSIGN_OR_RETURN(
              exemption,
              catalogue::CreateExemption(repository, std::move(exemption), parts_.ids.NewId()));
          ToWire(exemption, out);
          return absl::OkStatus();
        });
  }

  grpc::Status DecideExemption(grpc::ServerContext* context,
                               const pb::DecideExemptionRequest* request,
                               pb::Exemption* response) override {
    return Mutate<pb::DecideExemptionRequest, pb::Exemption>(
        parts_.guard, parts_.storage, context, YKT_METHOD("DecideExemption"), *request, response,
        [&](Repository& repository, pb::Exemption* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(
              const catalogue::Exemption exemption,
              catalogue::DecideExemption(repository, request->exemption_id(), request->approve()));
          ToWire(exemption, out);
          return absl::OkStatus();
        });
  }

  grpc::Status ListExemptions(grpc::ServerContext* context,
                              const pb::ListExemptionsRequest* request,
                              pb::ListExemptionsResponse* response) override {
    return Read<pb::ListExemptionsRequest, pb::ListExemptionsResponse>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ListExemptions"), *request, response,
        [&](Repository& repository, pb::ListExemptionsResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const PageRequest page,
                               ReadPage("exemptions", request->page_size(), request->page_token()));
          YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
          YKT_ASSIGN_OR_RETURN(
              std::vector<catalogue::Exemption> rows,
              repository.Exemptions(request->district(),
                                    identity::ScopeOf(repository.call().caller), today, page));
          out->set_next_page_token(
              CutPage("exemptions", page, rows, [&](const catalogue::Exemption& row) {
                const bool in_force = Lifts(row, row.district, row.field, row.policy_id, today);
                return fmt::format("{}.{}", in_force ? 0 : 1, row.exemption_id);
              }));
          for (const catalogue::Exemption& row : rows) ToWire(row, out->add_exemptions());
          return absl::OkStatus();
        });
  }

  grpc::Status SetPerformanceTarget(grpc::ServerContext* context,
                                    const pb::SetPerformanceTargetRequest* request,
                                    pb::PerformanceTarget* response) override {
    return Mutate<pb::SetPerformanceTargetRequest, pb::PerformanceTarget>(
        parts_.guard, parts_.storage, context, YKT_METHOD("SetPerformanceTarget"), *request,
        response, [&](Repository& repository, pb::PerformanceTarget* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::PerformanceTarget target,
                               catalogue::SetTarget(repository, FromWire(request->target())));
          ToWire(target, out);
          return absl::OkStatus();
        });
  }

  grpc::Status ApprovePerformanceTarget(grpc::ServerContext* context,
                                        const pb::ApprovePerformanceTargetRequest* request,
                                        pb::PerformanceTarget* response) override {
    return Mutate<pb::ApprovePerformanceTargetRequest, pb::PerformanceTarget>(
        parts_.guard, parts_.storage, context, YKT_METHOD("ApprovePerformanceTarget"), *request,
        response, [&](Repository& repository, pb::PerformanceTarget* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::PerformanceTarget target,
                               catalogue::ApproveTarget(repository, request->policy_id(),
                                                        request->district(), request->year()));
          ToWire(target, out);
          return absl::OkStatus();
        });
  }

  grpc::Status GetPerformanceTarget(grpc::ServerContext* context,
                                    const pb::GetPerformanceTargetRequest* request,
                                    pb::PerformanceTarget* response) override {
    return Read<pb::GetPerformanceTargetRequest, pb::PerformanceTarget>(
        parts_.guard, parts_.storage, context, YKT_METHOD("GetPerformanceTarget"), *request,
        response, [&](Repository& repository, pb::PerformanceTarget* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const catalogue::PerformanceTarget target,
                               catalogue::GetTarget(repository, request->policy_id(),
                                                    request->district(), request->year()));
          ToWire(target, out);
          return absl::OkStatus();
        });
  }

 private:
  const RpcParts parts_;
};

#undef YKT_METHOD

class ClockRpc final : public pb::ClockService::Service {
 public:
  explicit ClockRpc(RpcParts parts) : parts_(parts) {}

  grpc::Status GetBusinessDate(grpc::ServerContext* context,
                               const pb::GetBusinessDateRequest* request,
                               pb::GetBusinessDateResponse* response) override {
    return Read<pb::GetBusinessDateRequest, pb::GetBusinessDateResponse>(
        parts_.guard, parts_.storage, context,
        "/yikatong.catalogue.v1.ClockService/GetBusinessDate", *request, response,
        [&](Repository& repository, pb::GetBusinessDateResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const absl::CivilDay today, repository.Today());
          out->set_date(base::FormatDate(today));
          out->set_adjustable(repository.ClockAdjustable());
          return absl::OkStatus();
        });
  }

  grpc::Status AdvanceBusinessDate(grpc::ServerContext* context,
                                   const pb::AdvanceBusinessDateRequest* request,
                                   pb::AdvanceBusinessDateResponse* response) override {
    return Mutate<pb::AdvanceBusinessDateRequest, pb::AdvanceBusinessDateResponse>(
        parts_.guard, parts_.storage, context,
        "/yikatong.catalogue.v1.ClockService/AdvanceBusinessDate", *request, response,
        [&](Repository& repository, pb::AdvanceBusinessDateResponse* out) -> absl::Status {
          YKT_ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> to_date,
                               ReadOptionalDay("to_date", request->to_date()));
          YKT_ASSIGN_OR_RETURN(const absl::CivilDay date,
                               AdvanceClock(repository, request->days(), to_date));
          out->set_date(base::FormatDate(date));
          return absl::OkStatus();
        });
  }

 private:
  const RpcParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCatalogueService(RpcParts parts) {
  return std::make_unique<CatalogueRpc>(parts);
}

std::unique_ptr<grpc::Service> MakeClockService(RpcParts parts) {
  return std::make_unique<ClockRpc>(parts);
}

const char* CatalogueServiceName() { return pb::CatalogueService::service_full_name(); }
const char* ClockServiceName() { return pb::ClockService::service_full_name(); }

}  // namespace yikatong::catalogue
