// The methods about cases. Scope stands in the books' statements.
#include "common/status/free_text.h"
#include "common/status/status.h"
#include "services/bankgateway/rpc/case_methods.h"
#include "services/bankgateway/rpc/gateway_rpc.h"
#include "services/bankgateway/rpc/page.h"
#include "services/bankgateway/rpc/wire.h"

namespace yikatong::bankgateway {
namespace {

using identity::Caller;

constexpr std::size_t kMaxPerson = 64;

}  // namespace

grpc::Status GatewayRpc::ListCases(grpc::ServerContext* context,
                                   const v1::ListCasesRequest* request,
                                   v1::ListCasesResponse* response) {
  return rpc::Unary(
      guard_, context, kListCases, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const int count, PageSize(request->page_size()));
        YKT_ASSIGN_OR_RETURN(const std::int64_t after, NumberToken(request->page_token(), 0));
        if (request->state() < 0 || request->state() > kCaseStates) return BadField("state");
        const CaseFilter filter{request->district(), request->agreement_no(),
                                static_cast<int>(request->state()), request->kind(),
                                request->overdue()};
        YKT_ASSIGN_OR_RETURN(std::vector<Case> cases, books_.cases.List(identity::ScopeOf(caller),
                                                                        filter, after, count + 1));
        FillPage(
            cases, count, [&] { return response->add_cases(); },
            [](const Case& last) { return std::to_string(last.case_id); },
            response->mutable_next_page_token());
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::GetCase(grpc::ServerContext* context, const v1::GetCaseRequest* request,
                                 v1::CaseDetails* response) {
  return rpc::Unary(guard_, context, kGetCase, *request, [&](const Caller& caller) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const CaseDetails details,
                         books_.cases.Get(identity::ScopeOf(caller), request->case_id()));
    ToWire(details, *response);
    return absl::OkStatus();
  });
}

grpc::Status GatewayRpc::AssignCase(grpc::ServerContext* context,
                                    const v1::AssignCaseRequest* request, v1::Case* response) {
  return rpc::Unary(
      guard_, context, kAssignCase, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        const std::string& owner = request->owner().empty() ? caller.person : request->owner();
        if (owner.size() > kMaxPerson) return BadField("owner");
        YKT_RETURN_IF_ERROR(status::CheckFreeText(owner, "owner"));
        YKT_ASSIGN_OR_RETURN(const Case one, books_.cases.Assign(caller, request->request_id(),
                                                                 request->case_id(), owner));
        ToWire(one, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::NoteCase(grpc::ServerContext* context, const v1::NoteCaseRequest* request,
                                  v1::Case* response) {
  return rpc::Unary(
      guard_, context, kNoteCase, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_RETURN_IF_ERROR(status::CheckFreeText(request->text(), "text"));
        YKT_ASSIGN_OR_RETURN(
            const Case one,
            books_.cases.Note(caller, request->request_id(), request->case_id(), request->text()));
        ToWire(one, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ProposeDecision(grpc::ServerContext* context,
                                         const v1::ProposeDecisionRequest* request,
                                         v1::Case* response) {
  return rpc::Unary(
      guard_, context, kProposeDecision, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        const Proposal proposal = FromWire(*request);
        YKT_RETURN_IF_ERROR(CheckProposal(proposal));
        YKT_ASSIGN_OR_RETURN(const Case one, books_.cases.Propose(caller, request->request_id(),
                                                                  request->case_id(), proposal));
        ToWire(one, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ConfirmDecision(grpc::ServerContext* context,
                                         const v1::ConfirmDecisionRequest* request,
                                         v1::Case* response) {
  return rpc::Unary(
      guard_, context, kConfirmDecision, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        // To agree needs no words, to turn down does.
        if (!request->approve() || !request->reason().empty()) {
          YKT_RETURN_IF_ERROR(status::CheckFreeText(request->reason(), "reason"));
        }
        YKT_ASSIGN_OR_RETURN(const Case one,
                             books_.cases.Confirm(caller, request->request_id(), request->case_id(),
                                                  static_cast<Decision>(request->decision()),
                                                  request->approve(), request->reason()));
        ToWire(one, *response);
        return absl::OkStatus();
      });
}

}  // namespace yikatong::bankgateway
