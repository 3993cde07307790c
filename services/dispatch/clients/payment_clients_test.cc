// The ports of paying over real gRPC with mutual TLS: what goes over the wire, and what comes back.
#include "services/dispatch/clients/payment_clients.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>

#include "common/rpc/wire_status.h"
#include "common/status/status.h"
#include "yikatong/bankgateway/v1/bankgateway.grpc.pb.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"
#include "yikatong/registry/v1/registry.grpc.pb.h"

namespace yikatong::dispatch {
namespace {

namespace fs = std::filesystem;
namespace bank = ::yikatong::bankgateway::v1;
namespace people = ::yikatong::registry::v1;
namespace policies = ::yikatong::catalogue::v1;
using status::Reason;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <typename Request, typename Response>
using Handler = std::function<absl::Status(const Request&, Response&)>;

// NOLINTBEGIN(bugprone-macro-parentheses): names cannot stand in them.
#define YKT_FAKE(Method, ResponseType, handler)                                            \
  Handler<YKT_NAMESPACE::Method##Request, YKT_NAMESPACE::ResponseType> handler;            \
  grpc::Status Method(grpc::ServerContext*, const YKT_NAMESPACE::Method##Request* request, \
                      YKT_NAMESPACE::ResponseType* response) override {                    \
    return rpc::ToGrpc(handler(*request, *response));                                      \
  }
// NOLINTEND(bugprone-macro-parentheses)

struct Bank final : bank::BankGatewayService::Service {
#define YKT_NAMESPACE bank
  YKT_FAKE(ResolveAgreements, ResolveAgreementsResponse, on_resolve)
  YKT_FAKE(SubmitChunk, SubmitChunkResponse, on_submit)
  YKT_FAKE(ListOutcomes, ListOutcomesResponse, on_outcomes)
  YKT_FAKE(ListReconciliations, ListReconciliationsResponse, on_reconciliations)
#undef YKT_NAMESPACE
  std::function<absl::Status(const bank::TraceSubmissionsRequest&,
                             grpc::ServerWriter<bank::TraceSubmissionsResponse>&)>
      on_trace;
  grpc::Status TraceSubmissions(
      grpc::ServerContext*, const bank::TraceSubmissionsRequest* request,
      grpc::ServerWriter<bank::TraceSubmissionsResponse>* stream) override {
    return rpc::ToGrpc(on_trace(*request, *stream));
  }
};
struct Registry final : people::RegistryService::Service {
#define YKT_NAMESPACE people
  YKT_FAKE(ResolveAccounts, ResolveAccountsResponse, on_resolve)
  YKT_FAKE(SealAccounts, SealAccountsResponse, on_seal)
#undef YKT_NAMESPACE
};
struct Catalogue final : policies::CatalogueService::Service {
#define YKT_NAMESPACE policies
  YKT_FAKE(CheckCardRequired, CheckCardRequiredResponse, on_card)
  YKT_FAKE(GetPerformanceTarget, PerformanceTarget, on_target)
  YKT_FAKE(GetPolicy, Policy, on_policy)
#undef YKT_NAMESPACE
};
#undef YKT_FAKE

// All three peers behind one server.
class PaymentClients : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = (fs::temp_directory_path() / "ykt-payment-clients-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    const char* source = std::getenv("YIKATONG_SOURCE_DIR");
    const std::string command =
        std::string(source == nullptr ? "." : source) + "/deploy/certificates/make " + folder_;
    if (std::system(command.c_str()) != 0) std::abort();
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  void SetUp() override {
    const std::string own = folder_ + "/services/bankgateway";
    grpc::SslServerCredentialsOptions tls(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = ReadFile(own + "/ca.pem");
    tls.pem_key_cert_pairs = {{ReadFile(own + "/tls.key"), ReadFile(own + "/tls.pem")}};
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port);
    builder.RegisterService(&bank_).RegisterService(&registry_).RegisterService(&catalogue_);
    server_ = builder.BuildAndStart();
    rpc::ChannelOptions options;
    options.address = "127.0.0.1:" + std::to_string(port);
    options.server = "bankgateway";
    const std::string ours = folder_ + "/services/dispatch";
    options.tls = {
        .ca = ours + "/ca.pem", .certificate = ours + "/tls.pem", .key = ours + "/tls.key"};
    options.retry_unavailable = false;
    channel_ = *rpc::Channel::Open(options);
  }
  void TearDown() override { server_->Shutdown(); }

  static inline std::string folder_;
  Bank bank_;
  Registry registry_;
  Catalogue catalogue_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<rpc::Channel> channel_;
};

TEST_F(PaymentClients, AStoredSubmissionIsSentAsItWasEncoded) {
  people::SealedAccounts sealed;
  sealed.set_chunk_id("120105-7-1-2-1");
  sealed.set_chunk(std::string("\0sealed\xff", 8));
  BankGateway gateway(*channel_);
  const std::string bytes =
      gateway.EncodeSubmission("120105-7-1-2-1", 120'105, "A1", "P001 2026-03",
                               sealed.SerializeAsString(), {{10'501, 105, 7}, {10'601, 106, 8}});
  std::string first;
  bank_.on_submit = [&](const bank::SubmitChunkRequest& request,
                        bank::SubmitChunkResponse& answer) {
    EXPECT_EQ(request.request_id(), request.sealed().chunk_id());
    EXPECT_EQ(request.sealed().chunk(), sealed.chunk());
    EXPECT_EQ(request.rows(1).reference(), 10'601);
    EXPECT_EQ(request.rows(1).amount_fen(), 8);
    EXPECT_EQ(request.agreement_no(), "A1");
    EXPECT_EQ(request.district(), 120'105);
    if (first.empty()) first = request.SerializeAsString();
    EXPECT_EQ(request.SerializeAsString(), first);
    answer.set_accepted(request.rows_size());
    return absl::OkStatus();
  };
  EXPECT_EQ(*gateway.Submit(bytes, absl::Seconds(10)), 2);
  EXPECT_EQ(*gateway.Submit(bytes, absl::Seconds(10)), 2);
  EXPECT_EQ(first, bytes);
}

TEST_F(PaymentClients, WhatBecameOfSubmissionsIsReadFromAStreamThatMustEndWell) {
  BankGateway gateway(*channel_);
  bool breaks = false;
  bank_.on_trace = [&](const bank::TraceSubmissionsRequest& request,
                       grpc::ServerWriter<bank::TraceSubmissionsResponse>& stream) {
    EXPECT_EQ(request.district(), 120'105);
    for (const std::string& one : request.submissions()) {
      bank::TraceSubmissionsResponse answer;
      answer.set_submission(one);
      answer.set_file_id("F-1");
      answer.set_file_state(bank::FILE_STATE_DONE);
      bank::StatementShare& share = *answer.add_statements();
      share.mutable_statement()->set_agreement_no("A1");
      share.mutable_statement()->set_business_date("2026-03-10");
      share.mutable_statement()->set_complete(true);
      share.mutable_statement()->set_lines(7);
      share.set_own_lines(2);
      bank::Case& one_case = *answer.add_cases();
      one_case.set_case_id(5);
      one_case.set_business_date("2026-03-11");
      one_case.set_state(bank::CASE_STATE_CLOSED);
      stream.Write(answer);
      if (breaks) return status::Refuse(Reason::kDatabaseUnavailable);
    }
    return absl::OkStatus();
  };
  const auto traces = gateway.TraceSubmissions(120'105, {"s-1", "s-2"});
  ASSERT_TRUE(traces.ok()) << traces.status();
  ASSERT_EQ(traces->size(), 2u);
  EXPECT_EQ((*traces)[1].submission, "s-2");
  EXPECT_EQ((*traces)[0].file_state, "DONE");
  EXPECT_EQ((*traces)[0].statements[0].day, absl::CivilDay(2026, 3, 10));
  EXPECT_EQ((*traces)[0].statements[0].lines, 7);
  EXPECT_EQ((*traces)[0].statements[0].own_lines, 2);
  EXPECT_EQ((*traces)[0].cases[0].state, "CLOSED");
  EXPECT_EQ((*traces)[0].cases[0].decision, "");
  // What came before the end does not count.
  breaks = true;
  EXPECT_EQ(status::ReasonOf(gateway.TraceSubmissions(120'105, {"s-1", "s-2"}).status()),
            Reason::kDatabaseUnavailable);
  EXPECT_TRUE(gateway.TraceSubmissions(120'105, {})->empty());
}

TEST_F(PaymentClients, ARefusalKeepsItsReasonAndSilenceIsUnavailableOrTooLate) {
  BankGateway gateway(*channel_);
  bank_.on_submit = [](const auto&, auto&) { return status::Refuse(Reason::kAgreementSuspended); };
  const std::string bytes = gateway.EncodeSubmission("r", 120'105, "A1", "s", "", {});
  EXPECT_EQ(status::ReasonOf(gateway.Submit(bytes, absl::Seconds(10)).status()),
            Reason::kAgreementSuspended);
  std::promise<void> answered;
  bank_.on_submit = [&](const auto&, auto&) {
    answered.get_future().wait();
    return absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsDeadlineExceeded(gateway.Submit(bytes, absl::Milliseconds(50)).status()));
  answered.set_value();
  server_->Shutdown();
  EXPECT_TRUE(absl::IsUnavailable(gateway.Submit(bytes, absl::Seconds(10)).status()));
}

TEST_F(PaymentClients, AgreementsComeInTheirOrderWithTheReasonWhereNoneIsUsable) {
  BankGateway gateway(*channel_);
  bank_.on_resolve = [](const bank::ResolveAgreementsRequest& request,
                        bank::ResolveAgreementsResponse& answer) {
    EXPECT_EQ(request.district(), 120'105);
    if (request.department_id() == "none") {
      answer.set_reason("AGREEMENT_EXPIRED");
      return absl::OkStatus();
    }
    bank::Agreement& one = *answer.add_usable();
    one.set_agreement_no("A2");
    one.set_bank_code("103100000002");
    one.set_credits_other_banks(true);
    one.set_with_identity(true);
    answer.add_usable()->set_agreement_no("A1");
    return absl::OkStatus();
  };
  const auto some = gateway.ResolveAgreements(120'105, "civil");
  ASSERT_TRUE(some.ok());
  ASSERT_EQ(some->usable.size(), 2U);
  EXPECT_EQ(some->usable[0].agreement_no, "A2");
  EXPECT_TRUE(some->usable[0].credits_other_banks);
  EXPECT_TRUE(some->usable[0].with_identity);
  EXPECT_FALSE(some->usable[1].credits_other_banks);
  EXPECT_EQ(gateway.ResolveAgreements(120'105, "none")->reason, "AGREEMENT_EXPIRED");
}

TEST_F(PaymentClients, OutcomesKeepTheirNumbersStatesAndDays) {
  BankGateway gateway(*channel_);
  bank_.on_outcomes = [](const bank::ListOutcomesRequest& request,
                         bank::ListOutcomesResponse& answer) {
    EXPECT_EQ(request.after(), 6);
    EXPECT_EQ(request.max_chunks(), 4);
    bank::OutcomeChunk& chunk = *answer.add_chunks();
    chunk.set_number(7);
    chunk.set_district(120'105);
    bank::Outcome& failed = *chunk.add_outcomes();
    failed.set_reference(10'501);
    failed.set_outcome_no(1);
    failed.set_state(bank::OUTCOME_STATE_FAILED);
    failed.set_reason("BANK_ACCOUNT_CLOSED");
    failed.set_amount_fen(7);
    bank::Outcome& returned = *chunk.add_outcomes();
    returned.set_outcome_no(2);
    returned.set_state(bank::OUTCOME_STATE_RETURNED);
    returned.set_booked_on("2026-03-12");
    answer.set_head(9);
    return absl::OkStatus();
  };
  const auto page = gateway.ListOutcomes(6, 4);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->head, 9);
  ASSERT_EQ(page->chunks.size(), 1U);
  const OutcomeChunk& told = page->chunks.front();
  EXPECT_EQ(told.number, 7);
  EXPECT_EQ(told.district, 120'105);
  const ReportedOutcome& failed = told.outcomes[0];
  EXPECT_EQ(failed.state, AttemptState::kFailed);
  EXPECT_EQ(failed.reason, "BANK_ACCOUNT_CLOSED");
  EXPECT_EQ(failed.amount_fen, 7);
  EXPECT_FALSE(failed.booked_on.has_value());
  EXPECT_EQ(told.outcomes[1].state, AttemptState::kReturned);
  EXPECT_EQ(told.outcomes[1].booked_on, absl::CivilDay(2026, 3, 12));
}

TEST_F(PaymentClients, AStatementIsLookedForOnAllPagesAndOnlyACompleteOneCounts) {
  BankGateway gateway(*channel_);
  bank_.on_reconciliations = [](const bank::ListReconciliationsRequest& request,
                                bank::ListReconciliationsResponse& answer) {
    EXPECT_EQ(request.agreement_no(), "A1");
    const auto add = [&](const char* date, bool complete) {
      bank::Reconciliation& one = *answer.add_reconciliations();
      one.set_business_date(date);
      one.set_complete(complete);
    };
    if (request.page_token().empty()) {
      add("2026-03-12", false);
      add("2026-03-11", true);
      answer.set_next_page_token("2");
    } else {
      EXPECT_EQ(request.page_token(), "2");
      add("2026-03-09", true);
    }
    return absl::OkStatus();
  };
  EXPECT_FALSE(*gateway.StatementReconciled("A1", absl::CivilDay(2026, 3, 12)));
  EXPECT_TRUE(*gateway.StatementReconciled("A1", absl::CivilDay(2026, 3, 11)));
  EXPECT_FALSE(*gateway.StatementReconciled("A1", absl::CivilDay(2026, 3, 10)));
  EXPECT_TRUE(*gateway.StatementReconciled("A1", absl::CivilDay(2026, 3, 9)));
  EXPECT_FALSE(*gateway.StatementReconciled("A1", absl::CivilDay(2026, 3, 8)));
}

TEST_F(PaymentClients, AccountsAreAskedForWithTheTermsAndTheSealStaysAsItCame) {
  RegistryAccounts accounts(*channel_);
  const PayeeTerms terms{true, "2026-03-01", 2};
  const std::vector<PayeeQuery> payees = {{105, 21, 31}, {106, 22, 32}};
  const auto check = [](const auto& request) {
    EXPECT_EQ(request.payees_size(), 2);
    EXPECT_EQ(request.payees(0).item_id(), 105);
    EXPECT_EQ(request.payees(0).payee_person_id(), 21);
    EXPECT_EQ(request.payees(0).beneficiary_person_id(), 31);
    EXPECT_EQ(request.payees(0).account_version(), 0);
    EXPECT_TRUE(request.card_required());
    EXPECT_EQ(request.period_first_day(), "2026-03-01");
    EXPECT_EQ(request.death_grace_months(), 2);
  };
  const auto answer_both = [](auto& answer) {
    people::ResolvedAccount& card = *answer.add_accounts();
    card.set_item_id(105);
    card.set_bank_code("102100000001");
    card.set_account_version(4);
    card.set_kind(people::ACCOUNT_KIND_SOCIAL_CARD);
    people::ResolvedAccount& lost = *answer.add_accounts();
    lost.set_item_id(106);
    lost.set_reason("CARD_LOST");
    lost.set_account_version(6);
  };
  registry_.on_resolve = [&](const auto& request, auto& answer) {
    check(request);
    answer_both(answer);
    return absl::OkStatus();
  };
  int group = 2;
  registry_.on_seal = [&](const people::SealAccountsRequest& request,
                          people::SealAccountsResponse& answer) {
    check(request);
    EXPECT_EQ(request.groups_size(), 2);
    EXPECT_EQ(request.groups(1).chunk_id(), "c-2");
    EXPECT_EQ(request.groups(1).bank_codes(0), "102100000001");
    EXPECT_TRUE(request.groups(1).with_identity());
    EXPECT_FALSE(request.groups(1).other_banks());
    EXPECT_TRUE(request.groups(0).other_banks());
    answer_both(answer);
    answer.mutable_accounts(0)->set_group(group);
    answer.add_groups()->set_chunk_id("c-1");
    answer.add_groups()->set_chunk("bytes");
    return absl::OkStatus();
  };
  const auto resolved = accounts.Resolve(terms, payees);
  ASSERT_TRUE(resolved.ok());
  EXPECT_TRUE((*resolved)[0].social_card);
  EXPECT_FALSE((*resolved)[1].social_card);
  const std::vector<SealGroup> groups = {{{}, true, false}, {{"102100000001"}, false, true}};
  const std::vector<std::string> names = {"c-1", "c-2"};
  const auto sealed = accounts.Seal(groups, names, terms, payees);
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealed->accounts[0].group, 1U);
  EXPECT_EQ(sealed->accounts[1].group, std::nullopt);
  EXPECT_EQ(sealed->accounts[1].reason, "CARD_LOST");
  EXPECT_EQ(sealed->accounts[1].account_version, 6);
  ASSERT_EQ(sealed->envelopes.size(), 2U);
  people::SealedAccounts envelope;
  ASSERT_TRUE(envelope.ParseFromString(sealed->envelopes[1]));
  EXPECT_EQ(envelope.chunk(), "bytes");
  // An account that is said to be in no group, or in one that there is none of, was not sealed.
  for (const int wrong : {0, 3}) {
    group = wrong;
    EXPECT_EQ(status::ReasonOf(accounts.Seal(groups, names, terms, payees).status()),
              Reason::kInvariantBroken);
  }
}

TEST_F(PaymentClients, WhatIsWrongBetweenServicesIsNoRefusalOfTheCaller) {
  CataloguePolicies catalogue(*channel_);
  catalogue_.on_target = [](const policies::GetPerformanceTargetRequest& request,
                            policies::PerformanceTarget& answer) -> absl::Status {
    if (request.policy_id() == "none") return status::Refuse(Reason::kNotFound);
    if (request.policy_id() == "denied") return status::Refuse(Reason::kPermissionDenied);
    answer.set_approved(request.year() == 2026 && request.district() == 120'105);
    return absl::OkStatus();
  };
  catalogue_.on_policy = [](const auto&, auto&) { return status::Refuse(Reason::kPolicyUnknown); };
  catalogue_.on_card = [](const auto& request, auto& answer) {
    answer.set_required(request.policy_id() == "P001");
    return absl::OkStatus();
  };
  EXPECT_TRUE(*catalogue.TargetApproved("P001", 120'105, 2026));
  EXPECT_FALSE(*catalogue.TargetApproved("P001", 120'105, 2027));
  EXPECT_FALSE(*catalogue.TargetApproved("none", 120'105, 2026));
  EXPECT_EQ(status::ReasonOf(catalogue.TargetApproved("denied", 120'105, 2026).status()),
            Reason::kPeerUnavailable);
  EXPECT_EQ(status::ReasonOf(catalogue.CheckPolicy("x")), Reason::kPolicyUnknown);
  EXPECT_TRUE(*catalogue.CardRequired(120'105, "P001"));
  EXPECT_FALSE(*catalogue.CardRequired(120'105, "P002"));
  server_->Shutdown();
  EXPECT_EQ(status::ReasonOf(catalogue.CheckPolicy("x")), Reason::kPeerUnavailable);
}

}  // namespace
}  // namespace yikatong::dispatch
