#include "services/registry/rpc/registry_rpc.h"

#include <string>
#include <utility>

#include "common/status/status.h"
#include "services/registry/rpc/wire.h"

namespace yikatong::registry {
namespace {

using identity::Caller;
using identity::Role;
using identity::RoleSet;

#define REGISTRY_METHOD(name) "/yikatong.registry.v1.RegistryService/" name
constexpr char kLoadPeople[] = REGISTRY_METHOD("LoadPeople");
constexpr char kApplyChanges[] = REGISTRY_METHOD("ApplyChanges");
constexpr char kListChanges[] = REGISTRY_METHOD("ListChanges");
constexpr char kResolvePeople[] = REGISTRY_METHOD("ResolvePeople");
constexpr char kResolveAccounts[] = REGISTRY_METHOD("ResolveAccounts");
constexpr char kSealAccounts[] = REGISTRY_METHOD("SealAccounts");
constexpr char kFindPerson[] = REGISTRY_METHOD("FindPerson");
constexpr char kGetPerson[] = REGISTRY_METHOD("GetPerson");
constexpr char kListPersonHistory[] = REGISTRY_METHOD("ListPersonHistory");
constexpr char kGetHousehold[] = REGISTRY_METHOD("GetHousehold");
constexpr char kMergePeople[] = REGISTRY_METHOD("MergePeople");
constexpr char kGetStatistics[] = REGISTRY_METHOD("GetStatistics");
#undef REGISTRY_METHOD

// Who looks at single people in the course of their work; administrators of machines do not.
constexpr RoleSet kOfficers{Role::kDepartmentOperator, Role::kDepartmentReviewer,
                            Role::kTownOperator,       Role::kTownReviewer,
                            Role::kCardOffice,         Role::kAuditor};
constexpr RoleSet kReaders{Role::kDepartmentOperator,
                           Role::kDepartmentReviewer,
                           Role::kTownOperator,
                           Role::kTownReviewer,
                           Role::kDistrictFinanceOperator,
                           Role::kDistrictFinanceReviewer,
                           Role::kCityFinance,
                           Role::kJointConference,
                           Role::kCardOffice,
                           Role::kAuditor,
                           Role::kSystemAdmin};

constexpr identity::MethodRule kRules[] = {
    {kLoadPeople, {Role::kCardOffice}, {}},
    {kApplyChanges, {Role::kCardOffice}, {}},
    {kListChanges, {}, {"dispatch"}},
    {kResolvePeople, {}, {"dispatch"}},
    {kResolveAccounts, {}, {"dispatch"}},
    {kSealAccounts, {}, {"dispatch"}},
    {kFindPerson, kOfficers, {}},
    {kGetPerson, kOfficers, {}},
    {kListPersonHistory, kOfficers, {}},
    {kGetHousehold, kOfficers, {}},
    {kMergePeople, {Role::kCardOffice}, {}},
    {kGetStatistics, kReaders, {"oversight"}},
};

}  // namespace

std::span<const identity::MethodRule> MethodRules() { return kRules; }

grpc::Status RegistryRpc::LoadPeople(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::LoadPeopleResponse, v1::LoadPeopleRequest>* stream) {
  return rpc::Streamed(guard_, context, kLoadPeople, [&](const Caller& caller) -> absl::Status {
    v1::LoadPeopleRequest request;
    while (stream->Read(&request)) {
      YKT_RETURN_IF_ERROR(rpc::CheckSize(request));
      YKT_ASSIGN_OR_RETURN(
          const ChunkAnswer answer,
          registry_.Load(caller, request.load_id(), request.chunk(), FromWire(request)));
      v1::LoadPeopleResponse response;
      response.set_chunk(request.chunk());
      ToWire(answer, response);
      if (!stream->Write(response)) break;
    }
    return rpc::StreamEnd(*context);
  });
}

grpc::Status RegistryRpc::ApplyChanges(
    grpc::ServerContext* context,
    grpc::ServerReaderWriter<v1::ApplyChangesResponse, v1::ApplyChangesRequest>* stream) {
  return rpc::Streamed(guard_, context, kApplyChanges, [&](const Caller& caller) -> absl::Status {
    v1::ApplyChangesRequest request;
    while (stream->Read(&request)) {
      YKT_RETURN_IF_ERROR(rpc::CheckSize(request));
      YKT_ASSIGN_OR_RETURN(
          const ChunkAnswer answer,
          registry_.ApplyChanges(caller, request.source(), request.chunk(), FromWire(request)));
      v1::ApplyChangesResponse response;
      response.set_chunk(request.chunk());
      ToWire(answer, response);
      if (!stream->Write(response)) break;
    }
    return rpc::StreamEnd(*context);
  });
}

grpc::Status RegistryRpc::ListChanges(grpc::ServerContext* context,
                                      const v1::ListChangesRequest* request,
                                      v1::ListChangesResponse* response) {
  return rpc::Unary(guard_, context, kListChanges, *request, [&](const Caller&) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const FeedPage page,
                         registry_.ListChanges(request->after(), request->page_size()));
    ToWire(page, *response);
    return absl::OkStatus();
  });
}

grpc::Status RegistryRpc::ResolvePeople(grpc::ServerContext* context,
                                        const v1::ResolvePeopleRequest* request,
                                        v1::ResolvePeopleResponse* response) {
  return rpc::Unary(guard_, context, kResolvePeople, *request, [&](const Caller&) -> absl::Status {
    if (request->purpose().empty()) return status::Refuse(status::Reason::kPurposeMissing);
    YKT_ASSIGN_OR_RETURN(const auto people,
                         registry_.ResolvePeople(FromWire(*request), request->with_head()));
    ToWire(people, *response);
    return absl::OkStatus();
  });
}

grpc::Status RegistryRpc::ResolveAccounts(grpc::ServerContext* context,
                                          const v1::ResolveAccountsRequest* request,
                                          v1::ResolveAccountsResponse* response) {
  return rpc::Unary(
      guard_, context, kResolveAccounts, *request, [&](const Caller&) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const PayRule rule,
                             MakePayRule(request->card_required(), request->period_first_day(),
                                         request->death_grace_months()));
        YKT_ASSIGN_OR_RETURN(const auto accounts,
                             registry_.ResolveAccounts(FromWire(request->payees()), rule));
        ToWire(accounts, *response->mutable_accounts());
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::SealAccounts(grpc::ServerContext* context,
                                       const v1::SealAccountsRequest* request,
                                       v1::SealAccountsResponse* response) {
  return rpc::Unary(
      guard_, context, kSealAccounts, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const PayRule rule,
                             MakePayRule(request->card_required(), request->period_first_day(),
                                         request->death_grace_months()));
        YKT_ASSIGN_OR_RETURN(SealedAnswer answer,
                             registry_.SealAccounts(caller, FromWire(request->groups()),
                                                    FromWire(request->payees()), rule));
        ToWire(answer.accounts, *response->mutable_accounts());
        for (int g = 0; g < request->groups_size(); ++g) {
          v1::SealedAccounts& sealed = *response->add_groups();
          sealed.set_chunk_id(request->groups(g).chunk_id());
          sealed.set_chunk(std::move(answer.sealed_chunks[static_cast<std::size_t>(g)]));
        }
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::FindPerson(grpc::ServerContext* context,
                                     const v1::FindPersonRequest* request, v1::Person* response) {
  return rpc::Unary(
      guard_, context, kFindPerson, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const MaskedPerson person,
                             registry_.FindPerson(caller, request->id_no(), request->purpose()));
        ToWire(person, *response);
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::GetPerson(grpc::ServerContext* context,
                                    const v1::GetPersonRequest* request, v1::Person* response) {
  return rpc::Unary(
      guard_, context, kGetPerson, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const MaskedPerson person,
                             registry_.GetPerson(caller, request->person_id(), request->purpose()));
        ToWire(person, *response);
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::ListPersonHistory(grpc::ServerContext* context,
                                            const v1::ListPersonHistoryRequest* request,
                                            v1::ListPersonHistoryResponse* response) {
  return rpc::Unary(
      guard_, context, kListPersonHistory, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const HistoryPage page,
                             registry_.ListHistory(caller, request->person_id(), request->purpose(),
                                                   request->page_size(), request->page_token()));
        ToWire(page, *response);
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::GetHousehold(grpc::ServerContext* context,
                                       const v1::GetHouseholdRequest* request,
                                       v1::Household* response) {
  return rpc::Unary(
      guard_, context, kGetHousehold, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(
            const auto members,
            registry_.GetHousehold(caller, request->household_id(), request->purpose()));
        response->set_household_id(request->household_id());
        for (const MaskedPerson& member : members) ToWire(member, *response->add_members());
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::MergePeople(grpc::ServerContext* context,
                                      const v1::MergePeopleRequest* request, v1::Person* response) {
  return rpc::Unary(
      guard_, context, kMergePeople, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_ASSIGN_OR_RETURN(
            const MaskedPerson person,
            registry_.MergePeople(caller, {.request_id = request->request_id(),
                                           .kept_person_id = request->kept_person_id(),
                                           .merged_person_id = request->merged_person_id(),
                                           .reason = request->reason()}));
        ToWire(person, *response);
        return absl::OkStatus();
      });
}

grpc::Status RegistryRpc::GetStatistics(grpc::ServerContext* context,
                                        const v1::GetStatisticsRequest* request,
                                        v1::GetStatisticsResponse* response) {
  return rpc::Unary(
      guard_, context, kGetStatistics, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const Statistics counts, registry_.Count(caller, request->district()));
        ToWire(counts, *response);
        return absl::OkStatus();
      });
}

}  // namespace yikatong::registry
