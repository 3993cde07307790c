#include "services/bankgateway/rpc/gateway_rpc.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/status/free_text.h"
#include "common/status/status.h"
#include "services/bankgateway/rpc/case_methods.h"
#include "services/bankgateway/rpc/page.h"
#include "services/bankgateway/rpc/trace_rpc.h"
#include "services/bankgateway/rpc/wire.h"

namespace yikatong::bankgateway {
namespace {

using identity::Caller;
using identity::Role;
using identity::RoleSet;
using status::Reason;

#define YKT_METHOD(name) "/yikatong.bankgateway.v1.BankGatewayService/" name
constexpr std::string_view kCreateBank = YKT_METHOD("CreateBank");
constexpr std::string_view kSetBankState = YKT_METHOD("SetBankState");
constexpr std::string_view kSetBankAddress = YKT_METHOD("SetBankAddress");
constexpr std::string_view kListBanks = YKT_METHOD("ListBanks");
constexpr std::string_view kCreateAgreement = YKT_METHOD("CreateAgreement");
constexpr std::string_view kSetAgreementState = YKT_METHOD("SetAgreementState");
constexpr std::string_view kListAgreements = YKT_METHOD("ListAgreements");
constexpr std::string_view kResolveAgreements = YKT_METHOD("ResolveAgreements");
constexpr std::string_view kSubmitChunk = YKT_METHOD("SubmitChunk");
constexpr std::string_view kListOutcomes = YKT_METHOD("ListOutcomes");
constexpr std::string_view kGetInstruction = YKT_METHOD("GetInstruction");
constexpr std::string_view kListFiles = YKT_METHOD("ListFiles");
constexpr std::string_view kListReconciliations = YKT_METHOD("ListReconciliations");
constexpr std::string_view kListDifferences = YKT_METHOD("ListDifferences");
constexpr std::string_view kGetStatistics = YKT_METHOD("GetStatistics");
#undef YKT_METHOD

constexpr RoleSet kAdmins = {Role::kBankAdmin, Role::kCityFinance};
constexpr RoleSet kFinance = {Role::kDistrictFinanceOperator, Role::kDistrictFinanceReviewer,
                              Role::kCityFinance};
constexpr RoleSet kCaseDesk = {Role::kDistrictFinanceOperator, Role::kDistrictFinanceReviewer,
                               Role::kCityFinance, Role::kBankAdmin};

constexpr identity::MethodRule kRules[] = {
    {kCreateBank, kAdmins, {}},
    {kSetBankState, kAdmins, {}},
    {kSetBankAddress, {Role::kBankAdmin}, {}},
    {kListBanks, RoleSet::All(), {"dispatch", "oversight"}},
    {kCreateAgreement, kAdmins, {}},
    {kSetAgreementState, kAdmins, {}},
    {kListAgreements, RoleSet::All(), {"dispatch", "oversight"}},
    {kResolveAgreements, RoleSet::All(), {"dispatch"}},
    {kSubmitChunk, {}, {"dispatch"}},
    {kListOutcomes, {}, {"dispatch"}},
    {kGetInstruction, RoleSet::All(), {"dispatch", "oversight"}},
    {kTraceSubmissions, {}, {"dispatch"}},
    {kListFiles, RoleSet::All(), {"dispatch", "oversight"}},
    {kListReconciliations, RoleSet::All(), {"dispatch", "oversight"}},
    {kListDifferences, RoleSet::All(), {"dispatch", "oversight"}},
    {kListCases, RoleSet::All(), {"oversight"}},
    {kGetCase, RoleSet::All(), {"oversight"}},
    {kAssignCase, kCaseDesk, {}},
    {kNoteCase, kCaseDesk, {}},
    {kProposeDecision, kFinance, {}},
    {kConfirmDecision, {Role::kDistrictFinanceReviewer, Role::kCityFinance}, {}},
    {kGetStatistics, RoleSet::All(), {"dispatch", "oversight"}},
};

}  // namespace

std::span<const identity::MethodRule> MethodRules() { return kRules; }

grpc::Status GatewayRpc::CreateBank(grpc::ServerContext* context,
                                    const v1::CreateBankRequest* request, v1::Bank* response) {
  return rpc::Unary(
      guard_, context, kCreateBank, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_ASSIGN_OR_RETURN(const Bank bank, intake_.CreateBank(caller, request->request_id(),
                                                                 FromWire(request->bank())));
        ToWire(bank, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::SetBankState(grpc::ServerContext* context,
                                      const v1::SetBankStateRequest* request, v1::Bank* response) {
  return rpc::Unary(
      guard_, context, kSetBankState, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_RETURN_IF_ERROR(status::CheckFreeText(request->reason(), "reason"));
        YKT_ASSIGN_OR_RETURN(
            const Bank bank,
            books_.directory.SetBankState(caller, request->request_id(), request->bank_code(),
                                          request->suspended(), request->reason()));
        ToWire(bank, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::SetBankAddress(grpc::ServerContext* context,
                                        const v1::SetBankAddressRequest* request,
                                        v1::Bank* response) {
  return rpc::Unary(
      guard_, context, kSetBankAddress, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_RETURN_IF_ERROR(status::CheckFreeText(request->reason(), "reason"));
        YKT_ASSIGN_OR_RETURN(
            const Bank bank,
            intake_.SetBankAddress(caller, request->request_id(), request->bank_code(),
                                   request->address(), request->tls_name(), request->reason()));
        ToWire(bank, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ListBanks(grpc::ServerContext* context,
                                   const v1::ListBanksRequest* request,
                                   v1::ListBanksResponse* response) {
  return rpc::Unary(guard_, context, kListBanks, *request, [&](const Caller&) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const int count, PageSize(request->page_size()));
    YKT_ASSIGN_OR_RETURN(std::vector<Bank> banks,
                         books_.directory.ListBanks(request->page_token(), count + 1));
    FillPage(
        banks, count, [&] { return response->add_banks(); },
        [](const Bank& last) { return last.bank_code; }, response->mutable_next_page_token());
    return absl::OkStatus();
  });
}

grpc::Status GatewayRpc::CreateAgreement(grpc::ServerContext* context,
                                         const v1::CreateAgreementRequest* request,
                                         v1::Agreement* response) {
  return rpc::Unary(
      guard_, context, kCreateAgreement, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_ASSIGN_OR_RETURN(const Agreement wanted, FromWire(request->agreement()));
        YKT_ASSIGN_OR_RETURN(const Agreement agreement,
                             intake_.CreateAgreement(caller, request->request_id(), wanted));
        ToWire(agreement, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::SetAgreementState(grpc::ServerContext* context,
                                           const v1::SetAgreementStateRequest* request,
                                           v1::Agreement* response) {
  return rpc::Unary(
      guard_, context, kSetAgreementState, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_RETURN_IF_ERROR(status::CheckFreeText(request->reason(), "reason"));
        YKT_ASSIGN_OR_RETURN(const Agreement agreement,
                             books_.directory.SetAgreementState(
                                 caller, request->request_id(), request->agreement_no(),
                                 request->suspended(), request->reason()));
        ToWire(agreement, *response);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ListAgreements(grpc::ServerContext* context,
                                        const v1::ListAgreementsRequest* request,
                                        v1::ListAgreementsResponse* response) {
  return rpc::Unary(
      guard_, context, kListAgreements, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const int count, PageSize(request->page_size()));
        YKT_ASSIGN_OR_RETURN(
            std::vector<Agreement> agreements,
            books_.directory.ListAgreements(identity::ScopeOf(caller), request->district(),
                                            request->page_token(), count + 1));
        FillPage(
            agreements, count, [&] { return response->add_agreements(); },
            [](const Agreement& last) { return last.agreement_no; },
            response->mutable_next_page_token());
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ResolveAgreements(grpc::ServerContext* context,
                                           const v1::ResolveAgreementsRequest* request,
                                           v1::ResolveAgreementsResponse* response) {
  return rpc::Unary(
      guard_, context, kResolveAgreements, *request, [&](const Caller& caller) -> absl::Status {
        absl::CivilDay day = intake_.Today();
        if (!request->date().empty()) {
          const std::optional<absl::CivilDay> asked = base::ParseDate(request->date());
          if (!asked) return BadField("date");
          day = *asked;
        }
        // What is foreign does not exist.
        if (!caller.InDistrict(request->district())) {
          response->set_reason(std::string(status::ReasonName(Reason::kNoAgreement)));
          return absl::OkStatus();
        }
        YKT_ASSIGN_OR_RETURN(const Resolved resolved,
                             intake_.Resolve(request->district(), request->department_id(), day));
        for (const Agreement& agreement : resolved.usable)
          ToWire(agreement, *response->add_usable());
        response->set_reason(resolved.reason);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::SubmitChunk(grpc::ServerContext* context,
                                     const v1::SubmitChunkRequest* request,
                                     v1::SubmitChunkResponse* response) {
  return rpc::Unary(
      guard_, context, kSubmitChunk, *request, [&](const Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
        YKT_ASSIGN_OR_RETURN(const int rows, intake_.SubmitChunk(caller, FromWire(*request),
                                                                 request->sealed().chunk()));
        response->set_accepted(rows);
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ListOutcomes(grpc::ServerContext* context,
                                      const v1::ListOutcomesRequest* request,
                                      v1::ListOutcomesResponse* response) {
  return rpc::Unary(guard_, context, kListOutcomes, *request, [&](const Caller&) -> absl::Status {
    const int count = request->max_chunks() == 0 ? 1 : request->max_chunks();
    if (count < 1 || count > 8) return BadField("max_chunks");
    if (request->after() < 0) return BadField("after");
    std::int64_t head = 0;
    YKT_ASSIGN_OR_RETURN(const std::vector<OutcomeChunk> chunks,
                         books_.outcomes.ListChunks(request->after(), count, head));
    for (const OutcomeChunk& chunk : chunks) {
      v1::OutcomeChunk& wire = *response->add_chunks();
      wire.set_number(chunk.number);
      wire.set_district(chunk.district);
      for (const Outcome& outcome : chunk.outcomes) ToWire(outcome, *wire.add_outcomes());
    }
    response->set_head(head);
    return absl::OkStatus();
  });
}

grpc::Status GatewayRpc::GetInstruction(grpc::ServerContext* context,
                                        const v1::GetInstructionRequest* request,
                                        v1::Instruction* response) {
  return rpc::Unary(guard_, context, kGetInstruction, *request,
                    [&](const Caller& caller) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(
                          const Instruction instruction,
                          books_.instructions.Get(identity::ScopeOf(caller), request->reference()));
                      ToWire(instruction, *response);
                      return absl::OkStatus();
                    });
}

grpc::Status GatewayRpc::ListFiles(grpc::ServerContext* context,
                                   const v1::ListFilesRequest* request,
                                   v1::ListFilesResponse* response) {
  return rpc::Unary(
      guard_, context, kListFiles, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const int count, PageSize(request->page_size()));
        YKT_ASSIGN_OR_RETURN(
            const std::int64_t before,
            NumberToken(request->page_token(), std::numeric_limits<std::int64_t>::max()));
        YKT_ASSIGN_OR_RETURN(
            std::vector<File> files,
            books_.files.List(identity::ScopeOf(caller), request->district(), before, count + 1));
        FillPage(
            files, count, [&] { return response->add_files(); },
            [](const File& last) { return std::to_string(last.file_number); },
            response->mutable_next_page_token());
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ListReconciliations(grpc::ServerContext* context,
                                             const v1::ListReconciliationsRequest* request,
                                             v1::ListReconciliationsResponse* response) {
  return rpc::Unary(
      guard_, context, kListReconciliations, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const int count, PageSize(request->page_size()));
        absl::CivilDay before_day(9999, 12, 31);
        std::string before_agreement;
        const std::string& token = request->page_token();
        if (!token.empty()) {
          const std::optional<absl::CivilDay> day = base::ParseDate(token.substr(0, 10));
          if (!day || token.size() < 12 || token[10] != '/')
            return status::Refuse(Reason::kPageTokenInvalid);
          before_day = *day;
          before_agreement = token.substr(11);
        }
        YKT_ASSIGN_OR_RETURN(
            std::vector<Reconciliation> list,
            books_.outcomes.ListReconciliations(identity::ScopeOf(caller), request->agreement_no(),
                                                before_day, before_agreement, count + 1));
        FillPage(
            list, count, [&] { return response->add_reconciliations(); },
            [](const Reconciliation& last) {
              return base::FormatDate(last.day) + "/" + last.agreement_no;
            },
            response->mutable_next_page_token());
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::ListDifferences(grpc::ServerContext* context,
                                         const v1::ListDifferencesRequest* request,
                                         v1::ListDifferencesResponse* response) {
  return rpc::Unary(
      guard_, context, kListDifferences, *request, [&](const Caller& caller) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const int count, PageSize(request->page_size()));
        YKT_ASSIGN_OR_RETURN(const std::int64_t after, NumberToken(request->page_token(), 0));
        YKT_ASSIGN_OR_RETURN(
            std::vector<Difference> list,
            books_.outcomes.ListDifferences(identity::ScopeOf(caller), request->agreement_no(),
                                            after, count + 1));
        FillPage(
            list, count, [&] { return response->add_differences(); },
            [](const Difference& last) { return std::to_string(last.id); },
            response->mutable_next_page_token());
        return absl::OkStatus();
      });
}

grpc::Status GatewayRpc::GetStatistics(grpc::ServerContext* context,
                                       const v1::GetStatisticsRequest* request,
                                       v1::GetStatisticsResponse* response) {
  return rpc::Unary(
      guard_, context, kGetStatistics, *request, [&](const Caller& caller) -> absl::Status {
        if (!caller.AllDistricts() && !caller.InDistrict(request->district())) {
          return status::Refuse(Reason::kPermissionDenied);
        }
        YKT_ASSIGN_OR_RETURN(const Statistics counts, books_.directory.Count(request->district()));
        ToWire(counts, *response);
        return absl::OkStatus();
      });
}

}  // namespace yikatong::bankgateway
