// BankGatewayService over the use cases: wire to domain and back. Thread safe.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <span>

#include "common/identity/access.h"
#include "common/rpc/call.h"
#include "services/bankgateway/domain/case_book.h"
#include "services/bankgateway/domain/intake.h"
#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/domain/trace.h"
#include "yikatong/bankgateway/v1/bankgateway.grpc.pb.h"

namespace yikatong::bankgateway {

// Who may call what.
std::span<const identity::MethodRule> MethodRules();

class GatewayRpc final : public v1::BankGatewayService::Service {
 public:
  // All must outlive this object.
  struct Books {
    Directory& directory;
    InstructionBook& instructions;
    FileBook& files;
    OutcomeBook& outcomes;
    CaseBook& cases;
    TraceBook& traces;
  };
  GatewayRpc(Intake& intake, Books books, const rpc::Guard& guard)
      : intake_(intake), books_(books), guard_(guard) {}

  grpc::Status CreateBank(grpc::ServerContext* context, const v1::CreateBankRequest* request,
                          v1::Bank* response) override;
  grpc::Status SetBankState(grpc::ServerContext* context, const v1::SetBankStateRequest* request,
                            v1::Bank* response) override;
  grpc::Status SetBankAddress(grpc::ServerContext* context,
                              const v1::SetBankAddressRequest* request,
                              v1::Bank* response) override;
  grpc::Status ListBanks(grpc::ServerContext* context, const v1::ListBanksRequest* request,
                         v1::ListBanksResponse* response) override;
  grpc::Status CreateAgreement(grpc::ServerContext* context,
                               const v1::CreateAgreementRequest* request,
                               v1::Agreement* response) override;
  grpc::Status SetAgreementState(grpc::ServerContext* context,
                                 const v1::SetAgreementStateRequest* request,
                                 v1::Agreement* response) override;
  grpc::Status ListAgreements(grpc::ServerContext* context,
                              const v1::ListAgreementsRequest* request,
                              v1::ListAgreementsResponse* response) override;
  grpc::Status ResolveAgreements(grpc::ServerContext* context,
                                 const v1::ResolveAgreementsRequest* request,
                                 v1::ResolveAgreementsResponse* response) override;
  grpc::Status SubmitChunk(grpc::ServerContext* context, const v1::SubmitChunkRequest* request,
                           v1::SubmitChunkResponse* response) override;
  grpc::Status ListOutcomes(grpc::ServerContext* context, const v1::ListOutcomesRequest* request,
                            v1::ListOutcomesResponse* response) override;
  grpc::Status GetInstruction(grpc::ServerContext* context,
                              const v1::GetInstructionRequest* request,
                              v1::Instruction* response) override;
  grpc::Status ListFiles(grpc::ServerContext* context, const v1::ListFilesRequest* request,
                         v1::ListFilesResponse* response) override;
  grpc::Status ListReconciliations(grpc::ServerContext* context,
                                   const v1::ListReconciliationsRequest* request,
                                   v1::ListReconciliationsResponse* response) override;
  grpc::Status ListDifferences(grpc::ServerContext* context,
                               const v1::ListDifferencesRequest* request,
                               v1::ListDifferencesResponse* response) override;
  // In case_rpc.cc.
  grpc::Status ListCases(grpc::ServerContext* context, const v1::ListCasesRequest* request,
                         v1::ListCasesResponse* response) override;
  grpc::Status GetCase(grpc::ServerContext* context, const v1::GetCaseRequest* request,
                       v1::CaseDetails* response) override;
  grpc::Status AssignCase(grpc::ServerContext* context, const v1::AssignCaseRequest* request,
                          v1::Case* response) override;
  grpc::Status NoteCase(grpc::ServerContext* context, const v1::NoteCaseRequest* request,
                        v1::Case* response) override;
  grpc::Status ProposeDecision(grpc::ServerContext* context,
                               const v1::ProposeDecisionRequest* request,
                               v1::Case* response) override;
  grpc::Status ConfirmDecision(grpc::ServerContext* context,
                               const v1::ConfirmDecisionRequest* request,
                               v1::Case* response) override;
  // In trace_rpc.cc.
  grpc::Status TraceSubmissions(grpc::ServerContext* context,
                                const v1::TraceSubmissionsRequest* request,
                                grpc::ServerWriter<v1::TraceSubmissionsResponse>* stream) override;
  grpc::Status GetStatistics(grpc::ServerContext* context, const v1::GetStatisticsRequest* request,
                             v1::GetStatisticsResponse* response) override;

 private:
  Intake& intake_;
  const Books books_;
  const rpc::Guard& guard_;
};

}  // namespace yikatong::bankgateway
