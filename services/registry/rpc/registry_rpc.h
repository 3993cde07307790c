// The gRPC side of the registry: wire to domain and back, nothing decided.
#pragma once

#include <span>

#include "common/identity/access.h"
#include "common/rpc/call.h"
#include "services/registry/domain/registry.h"
#include "yikatong/registry/v1/registry.grpc.pb.h"

namespace yikatong::registry {

// Who may call what. Bulk reads that show or seal accounts are for dispatch alone; writing is the
// card office's.
std::span<const identity::MethodRule> MethodRules();

// Thread safe. What it is given must outlive it.
class RegistryRpc final : public v1::RegistryService::Service {
 public:
  RegistryRpc(Registry& registry, const rpc::Guard& guard) : registry_(registry), guard_(guard) {}

  grpc::Status LoadPeople(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::LoadPeopleResponse, v1::LoadPeopleRequest>* stream) override;
  grpc::Status ApplyChanges(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::ApplyChangesResponse, v1::ApplyChangesRequest>* stream) override;
  grpc::Status ListChanges(grpc::ServerContext* context, const v1::ListChangesRequest* request,
                           v1::ListChangesResponse* response) override;
  grpc::Status ResolvePeople(grpc::ServerContext* context, const v1::ResolvePeopleRequest* request,
                             v1::ResolvePeopleResponse* response) override;
  grpc::Status ResolveAccounts(grpc::ServerContext* context,
                               const v1::ResolveAccountsRequest* request,
                               v1::ResolveAccountsResponse* response) override;
  grpc::Status SealAccounts(grpc::ServerContext* context, const v1::SealAccountsRequest* request,
                            v1::SealAccountsResponse* response) override;
  grpc::Status FindPerson(grpc::ServerContext* context, const v1::FindPersonRequest* request,
                          v1::Person* response) override;
  grpc::Status GetPerson(grpc::ServerContext* context, const v1::GetPersonRequest* request,
                         v1::Person* response) override;
  grpc::Status ListPersonHistory(grpc::ServerContext* context,
                                 const v1::ListPersonHistoryRequest* request,
                                 v1::ListPersonHistoryResponse* response) override;
  grpc::Status GetHousehold(grpc::ServerContext* context, const v1::GetHouseholdRequest* request,
                            v1::Household* response) override;
  grpc::Status MergePeople(grpc::ServerContext* context, const v1::MergePeopleRequest* request,
                           v1::Person* response) override;
  grpc::Status GetStatistics(grpc::ServerContext* context, const v1::GetStatisticsRequest* request,
                             v1::GetStatisticsResponse* response) override;

 private:
  Registry& registry_;
  const rpc::Guard& guard_;
};

}  // namespace yikatong::registry
