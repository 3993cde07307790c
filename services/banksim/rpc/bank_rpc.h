// The bank's two gRPC services over a Bank: wire to domain and back, and the faults that are seen
// only on the wire (a bank that is down, slow, or loses its answer). Thread safe.
#pragma once

#include <grpcpp/server_context.h>

#include "common/identity/access.h"
#include "common/rpc/call.h"
#include "services/banksim/domain/bank.h"
#include "yikatong/bank/v1/agent_bank.grpc.pb.h"
#include "yikatong/bank/v1/simulator.grpc.pb.h"

namespace yikatong::banksim {

// Who may call what: a gateway sends files, a system administrator breaks things.
std::span<const identity::MethodRule> Rules();

class AgentBankRpc final : public bank::v1::AgentBankService::Service {
 public:
  // Both must outlive this object.
  AgentBankRpc(Bank& bank, const rpc::Guard& guard) : bank_(bank), guard_(guard) {}

  grpc::Status SubmitFile(grpc::ServerContext* context,
                          grpc::ServerReader<bank::v1::SubmitFileRequest>* reader,
                          bank::v1::SubmitFileResponse* response) override;
  grpc::Status GetFileState(grpc::ServerContext* context,
                            const bank::v1::GetFileStateRequest* request,
                            bank::v1::GetFileStateResponse* response) override;
  grpc::Status ListResults(grpc::ServerContext* context,
                           const bank::v1::ListResultsRequest* request,
                           bank::v1::ListResultsResponse* response) override;
  grpc::Status QueryReferences(grpc::ServerContext* context,
                               const bank::v1::QueryReferencesRequest* request,
                               bank::v1::QueryReferencesResponse* response) override;
  grpc::Status GetStatement(grpc::ServerContext* context,
                            const bank::v1::GetStatementRequest* request,
                            grpc::ServerWriter<bank::v1::GetStatementResponse>* writer) override;

 private:
  Bank& bank_;
  const rpc::Guard& guard_;
};

class SimulatorRpc final : public bank::v1::BankSimulatorService::Service {
 public:
  SimulatorRpc(Bank& bank, const rpc::Guard& guard) : bank_(bank), guard_(guard) {}

  grpc::Status SetFaults(grpc::ServerContext* context, const bank::v1::SetFaultsRequest* request,
                         bank::v1::SetFaultsResponse* response) override;
  grpc::Status GetJournalSummary(grpc::ServerContext* context,
                                 const bank::v1::GetJournalSummaryRequest* request,
                                 bank::v1::GetJournalSummaryResponse* response) override;

 private:
  Bank& bank_;
  const rpc::Guard& guard_;
};

}  // namespace yikatong::banksim
