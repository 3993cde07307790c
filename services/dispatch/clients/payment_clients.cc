#include "services/dispatch/clients/payment_clients.h"

#include <grpcpp/client_context.h>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/dispatch/clients/gateway_stub.h"
#include "services/dispatch/clients/peer_status.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"
#include "yikatong/registry/v1/registry.grpc.pb.h"

namespace yikatong::dispatch {
namespace {

namespace bank = ::yikatong::bankgateway::v1;
namespace people = ::yikatong::registry::v1;
namespace policies = ::yikatong::catalogue::v1;

constexpr absl::Duration kLookUp = absl::Seconds(10);
constexpr absl::Duration kChunkCall = absl::Seconds(30);

// One unary call with a deadline, its status as ours: for workers, who judge by the code.
template <typename Method, typename StubType, typename Request, typename Response>
absl::Status Call(const rpc::Channel& channel, absl::Duration timeout, StubType& stub,
                  Method method, const Request& request, Response& response) {
  grpc::ClientContext context;
  channel.Prepare(context, timeout);
  return rpc::FromGrpc((stub.*method)(&context, request, &response));
}

// The same for handlers: what is wrong between us and the peer is no refusal of our caller.
template <typename Method, typename StubType, typename Request, typename Response>
absl::Status Ask(std::string_view peer, const rpc::Channel& channel, StubType& stub, Method method,
                 const Request& request, Response& response) {
  grpc::ClientContext context;
  channel.Prepare(context, kLookUp);
  return FromPeer(peer, (stub.*method)(&context, request, &response));
}

template <typename Request>
void FillPayees(const std::vector<PayeeQuery>& payees, const PayeeTerms& terms, Request& request) {
  request.mutable_payees()->Reserve(static_cast<int>(payees.size()));
  for (const PayeeQuery& payee : payees) {
    people::PayeeRef& wire = *request.add_payees();
    wire.set_item_id(payee.item_id);
    wire.set_payee_person_id(payee.payee_id);
    wire.set_beneficiary_person_id(payee.beneficiary_id);
  }
  request.set_card_required(terms.card_required);
  request.set_period_first_day(terms.period_first_day);
  request.set_death_grace_months(terms.death_grace_months);
}

std::vector<PayeeAccount> FromWire(
    const google::protobuf::RepeatedPtrField<people::ResolvedAccount>& wire) {
  std::vector<PayeeAccount> accounts;
  accounts.reserve(static_cast<std::size_t>(wire.size()));
  for (const people::ResolvedAccount& one : wire) {
    accounts.push_back({one.item_id(), one.bank_code(), one.account_version(),
                        one.kind() == people::ACCOUNT_KIND_SOCIAL_CARD, one.reason(),
                        std::nullopt});
    // From 1; 0: not sealed.
    if (one.group() > 0) accounts.back().group = static_cast<std::size_t>(one.group()) - 1;
  }
  return accounts;
}

}  // namespace

struct RegistryAccounts::Stub {
  std::unique_ptr<people::RegistryService::Stub> registry;
};

RegistryAccounts::RegistryAccounts(const rpc::Channel& channel)
    : channel_(channel), stub_(new Stub{people::RegistryService::NewStub(channel.grpc())}) {}
RegistryAccounts::~RegistryAccounts() = default;

absl::StatusOr<std::vector<PayeeAccount>> RegistryAccounts::Resolve(
    const PayeeTerms& terms, const std::vector<PayeeQuery>& payees) {
  people::ResolveAccountsRequest request;
  FillPayees(payees, terms, request);
  people::ResolveAccountsResponse response;
  YKT_RETURN_IF_ERROR(Call(channel_, kChunkCall, *stub_->registry,
                           &people::RegistryService::Stub::ResolveAccounts, request, response));
  return FromWire(response.accounts());
}

absl::StatusOr<SealedChunk> RegistryAccounts::Seal(std::span<const SealGroup> groups,
                                                   std::span<const std::string> chunk_ids,
                                                   const PayeeTerms& terms,
                                                   const std::vector<PayeeQuery>& payees) {
  people::SealAccountsRequest request;
  FillPayees(payees, terms, request);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    people::SealGroup& wire = *request.add_groups();
    wire.set_chunk_id(chunk_ids[g]);
    wire.mutable_bank_codes()->Add(groups[g].bank_codes.begin(), groups[g].bank_codes.end());
    wire.set_other_banks(groups[g].other_banks);
    wire.set_with_identity(groups[g].with_identity);
  }
  people::SealAccountsResponse response;
  YKT_RETURN_IF_ERROR(Call(channel_, kChunkCall, *stub_->registry,
                           &people::RegistryService::Stub::SealAccounts, request, response));
  YKT_INVARIANT(response.groups_size() == request.groups_size(),
                "the registry sealed other groups than were asked for");
  SealedChunk sealed;
  sealed.accounts = FromWire(response.accounts());
  for (const PayeeAccount& account : sealed.accounts) {
    YKT_INVARIANT(account.group.has_value() == account.reason.empty() &&
                      account.group.value_or(0) < groups.size(),
                  "the registry sealed an account into no group of ours");
  }
  sealed.envelopes.reserve(groups.size());
  for (const people::SealedAccounts& one : response.groups())
    sealed.envelopes.push_back(one.SerializeAsString());
  return sealed;
}

BankGateway::BankGateway(const rpc::Channel& channel)
    : channel_(channel), stub_(new Stub{bank::BankGatewayService::NewStub(channel.grpc())}) {}
BankGateway::~BankGateway() = default;

absl::StatusOr<Agreements> BankGateway::ResolveAgreements(std::int32_t district,
                                                          std::string_view department_id) {
  bank::ResolveAgreementsRequest request;
  request.set_district(district);
  request.set_department_id(std::string(department_id));
  bank::ResolveAgreementsResponse response;
  YKT_RETURN_IF_ERROR(Call(channel_, kLookUp, *stub_->gateway,
                           &bank::BankGatewayService::Stub::ResolveAgreements, request, response));
  Agreements agreements;
  agreements.reason = response.reason();
  for (const bank::Agreement& one : response.usable()) {
    agreements.usable.push_back(
        {one.agreement_no(), one.bank_code(), one.credits_other_banks(), one.with_identity()});
  }
  return agreements;
}

std::string BankGateway::EncodeSubmission(std::string_view request_id, std::int32_t district,
                                          std::string_view agreement_no, std::string_view summary,
                                          std::string_view envelope,
                                          const std::vector<InstructionRow>& rows) const {
  bank::SubmitChunkRequest request;
  request.set_request_id(std::string(request_id));
  request.set_district(district);
  request.set_agreement_no(std::string(agreement_no));
  request.set_summary(std::string(summary));
  request.mutable_sealed()->ParseFromArray(envelope.data(), static_cast<int>(envelope.size()));
  request.mutable_rows()->Reserve(static_cast<int>(rows.size()));
  for (const InstructionRow& row : rows) {
    bank::InstructionRow& wire = *request.add_rows();
    wire.set_reference(row.reference);
    wire.set_item_id(row.item_id);
    wire.set_amount_fen(row.amount_fen);
  }
  return request.SerializeAsString();
}

absl::StatusOr<std::int64_t> BankGateway::Submit(std::string_view submission,
                                                 absl::Duration timeout) {
  bank::SubmitChunkRequest request;
  YKT_INVARIANT(request.ParseFromArray(submission.data(), static_cast<int>(submission.size())),
                "a stored submission is not readable");
  bank::SubmitChunkResponse response;
  YKT_RETURN_IF_ERROR(Call(channel_, timeout, *stub_->gateway,
                           &bank::BankGatewayService::Stub::SubmitChunk, request, response));
  return response.accepted();
}

absl::StatusOr<OutcomePage> BankGateway::ListOutcomes(std::int64_t after, int max_chunks) {
  bank::ListOutcomesRequest request;
  request.set_after(after);
  request.set_max_chunks(max_chunks);
  bank::ListOutcomesResponse response;
  YKT_RETURN_IF_ERROR(Call(channel_, kLookUp, *stub_->gateway,
                           &bank::BankGatewayService::Stub::ListOutcomes, request, response));
  OutcomePage page;
  page.head = response.head();
  for (const bank::OutcomeChunk& wire : response.chunks()) {
    OutcomeChunk& chunk = page.chunks.emplace_back();
    chunk.number = wire.number();
    chunk.district = wire.district();
    chunk.outcomes.reserve(static_cast<std::size_t>(wire.outcomes_size()));
    for (const bank::Outcome& outcome : wire.outcomes()) {
      chunk.outcomes.push_back({outcome.reference(), outcome.outcome_no(),
                                static_cast<AttemptState>(outcome.state()), outcome.reason(),
                                base::ParseDate(outcome.booked_on()), outcome.amount_fen()});
    }
  }
  return page;
}

absl::StatusOr<bool> BankGateway::StatementReconciled(std::string_view agreement_no,
                                                      absl::CivilDay day) {
  bank::ListReconciliationsRequest request;
  request.set_agreement_no(std::string(agreement_no));
  request.set_page_size(1'000);
  const std::string wanted = base::FormatDate(day);
  do {
    bank::ListReconciliationsResponse response;
    YKT_RETURN_IF_ERROR(Ask("bankgateway", channel_, *stub_->gateway,
                            &bank::BankGatewayService::Stub::ListReconciliations, request,
                            response));
    // The newest first.
    for (const bank::Reconciliation& one : response.reconciliations()) {
      if (one.business_date() == wanted) return one.complete();
      if (one.business_date() < wanted) return false;
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return false;
}

struct CataloguePolicies::Stub {
  std::unique_ptr<policies::CatalogueService::Stub> catalogue;
};

CataloguePolicies::CataloguePolicies(const rpc::Channel& channel)
    : channel_(channel), stub_(new Stub{policies::CatalogueService::NewStub(channel.grpc())}) {}
CataloguePolicies::~CataloguePolicies() = default;

absl::StatusOr<bool> CataloguePolicies::CardRequired(std::int32_t district,
                                                     std::string_view policy_id) {
  policies::CheckCardRequiredRequest request;
  request.set_district(district);
  request.set_policy_id(std::string(policy_id));
  policies::CheckCardRequiredResponse response;
  YKT_RETURN_IF_ERROR(Call(channel_, kLookUp, *stub_->catalogue,
                           &policies::CatalogueService::Stub::CheckCardRequired, request,
                           response));
  return response.required();
}

absl::StatusOr<bool> CataloguePolicies::TargetApproved(std::string_view policy_id,
                                                       std::int32_t district, int year) {
  policies::GetPerformanceTargetRequest request;
  request.set_policy_id(std::string(policy_id));
  request.set_district(district);
  request.set_year(year);
  policies::PerformanceTarget response;
  const absl::Status status =
      Ask("catalogue", channel_, *stub_->catalogue,
          &policies::CatalogueService::Stub::GetPerformanceTarget, request, response);
  if (absl::IsNotFound(status)) return false;
  YKT_RETURN_IF_ERROR(status);
  return response.approved();
}

absl::Status CataloguePolicies::CheckPolicy(std::string_view policy_id) {
  policies::GetPolicyRequest request;
  request.set_policy_id(std::string(policy_id));
  policies::Policy response;
  return Ask("catalogue", channel_, *stub_->catalogue, &policies::CatalogueService::Stub::GetPolicy,
             request, response);
}

}  // namespace yikatong::dispatch
