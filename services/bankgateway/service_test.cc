// The gateway and a bank as processes of their own, over gRPC with certificates: killed, restarted,
// lied to.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "common/base/dates.h"
#include "common/crypto/keys.h"
#include "common/crypto/sealed_chunk.h"
#include "common/identity/token.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "services/bankgateway/rpc/gateway_rpc.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/testing/processes.h"
#include "yikatong/bank/v1/simulator.grpc.pb.h"
#include "yikatong/bankgateway/v1/bankgateway.grpc.pb.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

constexpr absl::CivilDay kMonday(2026, 3, 2);
constexpr char kBank[] = "102100099996";
constexpr int kDistrict = 120105;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The owner of the business date.
class TestClock final : public catalogue::v1::ClockService::Service {
 public:
  grpc::Status GetBusinessDate(grpc::ServerContext*, const catalogue::v1::GetBusinessDateRequest*,
                               catalogue::v1::GetBusinessDateResponse* response) override {
    response->set_date(base::FormatDate(kMonday + days));
    response->set_adjustable(true);
    return grpc::Status::OK;
  }
  std::atomic<int> days{0};
};

// A valid card number for a serial: its check digit is found, not computed.
std::string Card(int serial) {
  char body[24];
  std::snprintf(body, sizeof body, "620000%09d", serial);
  int sum = 0;
  for (int i = 0; i < 15; ++i) {
    int digit = body[14 - i] - '0';
    if (i % 2 == 0 && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  return std::string(body) + static_cast<char>('0' + (10 - sum % 10) % 10);
}

class ServiceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pg_ = postgres::PgFixture::Start({"bankgateway", sql::kMigrations});
    files_ = std::make_unique<testing::Installation>();
  }
  static void TearDownTestSuite() {
    files_.reset();
    pg_.reset();
  }

  void SetUp() override {
    db_ = pg_->FreshDatabase();
    StartClock();
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    bank_port_ = testing::FreePort();
    const std::string bank_ready = files_->Path(name + ".bank.ready");
    journal_ = files_->Path(name + ".journal");
    Write(name + ".bank.conf",
          files_->ServerSettings("banksim", bank_ready, bank_port_) + "journal = " + journal_ +
              "\nsigner_key = " + files_->Path("keys/gateway-files.pub") +
              "\ncatalogue_address = " + clock_address_ + "\nday_poll = 20ms\n");
    bank_ = std::make_unique<testing::Process>("banksim", files_->Path(name + ".bank.conf"),
                                               bank_ready);
    const std::string gateway_ready = files_->Path(name + ".gateway.ready");
    Write(name + ".gateway.conf",
          files_->ServerSettings("bankgateway", gateway_ready, 0) +
              "auditlog_address = 127.0.0.1:1\nbusiness_clock = adjustable\nbusiness_clock_poll = "
              "20ms\n"
              "catalogue_address = " +
              clock_address_ + "\ndatabase_conninfo = " + db_->runtime_conninfo() +
              "\nowner_conninfo = " + db_->owner_conninfo() +
              "\ncolumn_keys = " + files_->Path("keys/bankgateway-columns.ring") +
              "\nwrapping_key = " + files_->Path("keys/gateway-wrapping.key") +
              "\nregistry_key = " + files_->Path("keys/registry-signing.pub") +
              "\nfile_key = " + files_->Path("keys/gateway-files.key") +
              "\npack_wait = 20ms\nresult_poll = 10ms\nday_poll = 20ms\nunknown_after_days = "
              "2\nfile_rows = 1000\n");
    gateway_ = std::make_unique<testing::Process>(
        "bankgateway", files_->Path(name + ".gateway.conf"), gateway_ready);
    bank_->Start();
    gateway_->Start();
    ASSERT_FALSE(HasFatalFailure());
    Connect();
  }
  void TearDown() override {
    gateway_.reset();
    bank_.reset();
    clock_server_->Shutdown();
  }

  void StartClock() {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = ReadText(files_->Path("services/catalogue/ca.pem"));
    options.pem_key_cert_pairs.push_back({ReadText(files_->Path("services/catalogue/tls.key")),
                                          ReadText(files_->Path("services/catalogue/tls.pem"))});
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    builder.RegisterService(&clock_);
    clock_server_ = builder.BuildAndStart();
    clock_address_ = "127.0.0.1:" + std::to_string(port);
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(files_->Path(name)) << text;
  }
  std::unique_ptr<rpc::Channel> Open(const std::string& folder, const std::string& address,
                                     const std::string& server) {
    rpc::ChannelOptions options;
    options.address = address;
    options.server = server;
    options.tls = {files_->Path(folder + "/ca.pem"), files_->Path(folder + "/tls.pem"),
                   files_->Path(folder + "/tls.key")};
    absl::StatusOr<std::unique_ptr<rpc::Channel>> channel = rpc::Channel::Open(options);
    EXPECT_TRUE(channel.ok()) << channel.status();
    return channel.ok() ? *std::move(channel) : nullptr;
  }
  void Connect() {
    dispatch_ = Open("services/dispatch", gateway_->grpc_address(), "bankgateway");
    person_ = Open("organisations/ops", gateway_->grpc_address(), "bankgateway");
    at_bank_ = Open("organisations/ops", bank_->grpc_address(), "banksim");
    auto signer = identity::TokenSigner::Load(files_->Path("keys/token-issuer.key"), system_clock_);
    ASSERT_TRUE(signer.ok()) << signer.status();
    signer_ = *std::move(signer);
    BeAdmin();
  }
  // The next calls are in the name of this person.
  void Be(const std::string& person, const std::vector<identity::Role>& roles,
          std::int32_t district) {
    identity::TokenClaims claims;
    claims.person = person;
    claims.organisation = "ops";
    for (const identity::Role role : roles) claims.roles.Add(role);
    claims.fields = {"*"};
    claims.districts = {district};
    token_ = *signer_->Mint(claims, absl::Minutes(30));
  }
  void BeAdmin() { Be("p-1", {identity::Role::kBankAdmin, identity::Role::kSystemAdmin}, 120000); }
  void BeMaker() { Be("p-maker", {identity::Role::kDistrictFinanceOperator}, kDistrict); }
  void BeChecker() { Be("p-checker", {identity::Role::kDistrictFinanceReviewer}, kDistrict); }

  // Cases as whoever calls sees them.
  std::vector<v1::Case> Cases(const std::string& kind = "") {
    const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
    v1::ListCasesRequest request;
    request.set_kind(kind);
    request.set_page_size(7);  // several pages
    std::vector<v1::Case> all;
    do {
      v1::ListCasesResponse page;
      const absl::Status listed = Call(*person_, true, *stub, &Gateway::ListCases, request, page);
      EXPECT_TRUE(listed.ok()) << listed;
      all.insert(all.end(), page.cases().begin(), page.cases().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return all;
  }
  absl::Status Propose(const v1::Case& one, v1::CaseDecision decision, std::int64_t other = 0) {
    const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
    v1::ProposeDecisionRequest request;
    request.set_request_id("propose-" + std::to_string(++requests_));
    request.set_case_id(one.case_id());
    request.set_decision(decision);
    request.set_reason("银行来函");
    request.set_other_case_id(other);
    v1::Case response;
    return Call(*person_, true, *stub, &Gateway::ProposeDecision, request, response);
  }
  absl::Status Confirm(const v1::Case& one, v1::CaseDecision decision) {
    const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
    v1::ConfirmDecisionRequest request;
    request.set_request_id("confirm-" + std::to_string(++requests_));
    request.set_case_id(one.case_id());
    request.set_decision(decision);
    request.set_approve(true);
    v1::Case response;
    return Call(*person_, true, *stub, &Gateway::ConfirmDecision, request, response);
  }

  template <typename Stub, typename Request, typename Response>
  absl::Status Call(const rpc::Channel& channel, bool as_person, Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(30), as_person ? token_ : "");
    return rpc::FromGrpc((stub.*method)(&context, request, &response));
  }
  using Gateway = v1::BankGatewayService::Stub;
  using Simulator = bank::v1::BankSimulatorService::Stub;

  void SetFaults(const bank::v1::Faults& faults) {
    const auto stub = bank::v1::BankSimulatorService::NewStub(at_bank_->grpc());
    bank::v1::SetFaultsRequest request;
    *request.mutable_faults() = faults;
    bank::v1::SetFaultsResponse response;
    const absl::Status set = Call(*at_bank_, true, *stub, &Simulator::SetFaults, request, response);
    ASSERT_TRUE(set.ok()) << set;
  }
  bank::v1::GetJournalSummaryResponse Journal() {
    const auto stub = bank::v1::BankSimulatorService::NewStub(at_bank_->grpc());
    bank::v1::GetJournalSummaryResponse response;
    EXPECT_TRUE(Call(*at_bank_, true, *stub, &Simulator::GetJournalSummary,
                     bank::v1::GetJournalSummaryRequest(), response)
                    .ok());
    return response;
  }
  void MakeBankAndAgreement() {
    const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
    v1::CreateBankRequest bank;
    bank.set_request_id("bank");
    bank.mutable_bank()->set_bank_code(kBank);
    bank.mutable_bank()->set_name("一家银行");
    bank.mutable_bank()->set_address(bank_->grpc_address());
    bank.mutable_bank()->set_tls_name("banksim");
    bank.mutable_bank()->set_card_partner(true);
    v1::Bank made;
    absl::Status status = Call(*person_, true, *stub, &Gateway::CreateBank, bank, made);
    ASSERT_TRUE(status.ok()) << status;
    v1::CreateAgreementRequest agreement;
    agreement.set_request_id("agreement");
    v1::Agreement& a = *agreement.mutable_agreement();
    a.set_agreement_no("AG-1");
    a.set_district(kDistrict);
    a.set_bank_code(kBank);
    a.set_valid_from("2026-01-01");
    a.set_valid_to("2026-12-31");
    a.set_refuses_duplicates(true);
    v1::Agreement agreed;
    status = Call(*person_, true, *stub, &Gateway::CreateAgreement, agreement, agreed);
    ASSERT_TRUE(status.ok()) << status;
  }
  v1::SubmitChunkRequest MakeChunk(const std::string& id, int first, int count) {
    v1::SubmitChunkRequest request;
    request.set_request_id(id);
    request.set_district(kDistrict);
    request.set_agreement_no("AG-1");
    request.set_summary("耕地地力保护补贴");
    std::vector<crypto::RowToSeal> rows;
    for (int i = first; i < first + count; ++i) {
      v1::InstructionRow& row = *request.add_rows();
      row.set_item_id(1051000000000LL + i);
      row.set_reference(row.item_id() * 100 + 1);
      row.set_amount_fen(1000 + i);
      rows.push_back(
          {{row.item_id(), std::to_string(i), kBank, 1}, {Card(i), "测一", "0000", "", ""}});
    }
    const auto signer = crypto::ReadEd25519PrivateKey(files_->Path("keys/registry-signing.key"));
    const auto recipient = crypto::ReadX25519PublicKey(files_->Path("keys/gateway-wrapping.pub"));
    const auto sealed = crypto::SealChunk(id, rows, *signer, *recipient, random_);
    request.mutable_sealed()->set_chunk_id(id);
    request.mutable_sealed()->set_chunk(crypto::EncodeSealedChunk(*sealed));
    return request;
  }
  absl::Status Submit(const v1::SubmitChunkRequest& request) {
    const auto stub = v1::BankGatewayService::NewStub(dispatch_->grpc());
    v1::SubmitChunkResponse response;
    return Call(*dispatch_, false, *stub, &Gateway::SubmitChunk, request, response);
  }
  v1::GetStatisticsResponse Count() {
    const auto stub = v1::BankGatewayService::NewStub(dispatch_->grpc());
    v1::GetStatisticsResponse response;
    (void)Call(*dispatch_, false, *stub, &Gateway::GetStatistics, v1::GetStatisticsRequest(),
               response);
    return response;
  }
  static std::int64_t Of(const v1::GetStatisticsResponse& counts, const std::string& state) {
    for (const auto& one : counts.outcomes()) {
      if (one.stage() == state) return one.done();
    }
    return 0;
  }
  // Waits for what workers do by themselves; fails the test after a minute.
  void Await(const char* what, const std::function<bool()>& reached) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!reached()) {
      if (std::chrono::steady_clock::now() > deadline) FAIL() << "waited in vain for " << what;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // Pulls as dispatch does, from the cursor on.
  void Pull() {
    const auto stub = v1::BankGatewayService::NewStub(dispatch_->grpc());
    for (;;) {
      v1::ListOutcomesRequest request;
      request.set_after(cursor_);
      request.set_max_chunks(8);
      v1::ListOutcomesResponse response;
      if (!Call(*dispatch_, false, *stub, &Gateway::ListOutcomes, request, response).ok()) return;
      for (const v1::OutcomeChunk& chunk : response.chunks()) {
        ASSERT_EQ(chunk.number(), ++cursor_);
        for (const v1::Outcome& outcome : chunk.outcomes()) {
          ASSERT_TRUE(pulled_.insert({outcome.reference(), outcome.outcome_no()}).second);
          last_[outcome.reference()] = outcome.state();
        }
      }
      if (cursor_ >= response.head()) return;
    }
  }

  static inline std::unique_ptr<postgres::PgFixture> pg_;
  static inline std::unique_ptr<testing::Installation> files_;
  base::SystemClock system_clock_;
  crypto::SystemRandom random_;
  TestClock clock_;
  std::unique_ptr<grpc::Server> clock_server_;
  std::string clock_address_;
  int bank_port_ = 0;
  std::string journal_;
  std::unique_ptr<postgres::TestDatabase> db_;
  std::unique_ptr<testing::Process> bank_;
  std::unique_ptr<testing::Process> gateway_;
  std::unique_ptr<rpc::Channel> dispatch_;
  std::unique_ptr<rpc::Channel> person_;
  std::unique_ptr<rpc::Channel> at_bank_;
  std::unique_ptr<identity::TokenSigner> signer_;
  std::string token_;
  int requests_ = 0;
  std::int64_t cursor_ = 0;
  std::set<std::pair<std::int64_t, int>> pulled_;
  std::map<std::int64_t, v1::OutcomeState> last_;
};

TEST_F(ServiceTest, BankGatewayAndJournalAgreeOnEveryReferenceThroughFaultsAndKills) {
  MakeBankAndAgreement();
  bank::v1::Faults faults;
  faults.set_seed(11);
  faults.set_fail_permille(50);
  faults.set_return_permille(50);
  faults.set_return_after_days(1);
  faults.set_late_permille(100);
  faults.set_late_days(4);
  faults.set_lost_answer_permille(500);
  faults.set_repeat_permille(50);
  SetFaults(faults);
  constexpr int kRows = 3000;
  for (int i = 0; i < kRows / 500; ++i) {
    const v1::SubmitChunkRequest chunk = MakeChunk("chunk-" + std::to_string(i), 1 + i * 500, 500);
    // Nobody may lose an acknowledged chunk; what was not acknowledged goes again under its id.
    Await("a chunk to be taken", [&] { return Submit(chunk).ok(); });
    if (i == 1) {
      bank_->Kill();
      bank_->Start();
    }
    if (i == 3) {
      gateway_->Kill();
      gateway_->Start();
      Connect();
    }
  }
  Await("all but late rows", [&] {
    const v1::GetStatisticsResponse counts = Count();
    return counts.unpacked() == 0 && counts.files_open() == 0 && counts.instructions() == kRows &&
           Of(counts, "PAID") + Of(counts, "FAILED") + Of(counts, "RETURNED") > kRows * 85 / 100;
  });
  // The next day: statements close, returns come; then late rows are unknown; then they are told.
  clock_.days = 1;
  Await("returns", [&] { return Of(Count(), "RETURNED") > 0; });
  clock_.days = 2;
  Await("unknown rows", [&] { return Of(Count(), "UNKNOWN") > 0; });
  bank_->Kill();
  bank_->Start();
  clock_.days = 5;
  Await("the end", [&] {
    const v1::GetStatisticsResponse counts = Count();
    return counts.awaiting() == 0 && Of(counts, "UNKNOWN") == 0;
  });
  clock_.days = 7;
  // Reconciled to the last line: every debit and every return has one.
  Await("all statements", [&] {
    const bank::v1::GetJournalSummaryResponse journal = Journal();
    return Count().reconciled_lines() == journal.credits() + journal.returns();
  });
  const v1::GetStatisticsResponse counts = Count();
  const bank::v1::GetJournalSummaryResponse journal = Journal();
  EXPECT_EQ(journal.references_credited_twice(), 0);
  EXPECT_EQ(journal.credits(), Of(counts, "PAID") + Of(counts, "RETURNED"));
  EXPECT_EQ(journal.returns(), Of(counts, "RETURNED"));
  EXPECT_EQ(Of(counts, "PAID") + Of(counts, "RETURNED") + Of(counts, "FAILED"), kRows);
  EXPECT_EQ(counts.differences(), 0);
  // The journal itself, line by line, against what dispatch was told.
  Await("all chunks", [&] {
    Pull();
    return cursor_ == Count().outcome_head();
  });
  std::map<std::int64_t, int> credits;
  std::ifstream file(journal_);
  for (std::string line; std::getline(file, line);) {
    if (line[0] != 'C') continue;
    std::stringstream fields(line);
    std::string field;
    for (int i = 0; i < 5; ++i) std::getline(fields, field, '|');
    ++credits[std::stoll(field)];
  }
  EXPECT_EQ(last_.size(), static_cast<std::size_t>(kRows));
  for (const auto& [reference, state] : last_) {
    const bool credited = state == v1::OUTCOME_STATE_PAID || state == v1::OUTCOME_STATE_RETURNED;
    EXPECT_EQ(credits[reference], credited ? 1 : 0) << reference;
  }
  EXPECT_EQ(gateway_->Terminate(), 0);
  EXPECT_EQ(bank_->Terminate(), 0);
}

TEST_F(ServiceTest, ARefusedFileComesBackWholeWithItsReason) {
  MakeBankAndAgreement();
  bank::v1::Faults faults;
  faults.set_refuse_file_permille(1000);
  SetFaults(faults);
  ASSERT_TRUE(Submit(MakeChunk("c", 1, 100)).ok());
  Await("the refusal", [&] { return Of(Count(), "FAILED") == 100; });
  const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
  v1::GetInstructionRequest request;
  request.set_reference(1051000000001LL * 100 + 1);
  v1::Instruction instruction;
  ASSERT_TRUE(Call(*person_, true, *stub, &Gateway::GetInstruction, request, instruction).ok());
  ASSERT_EQ(instruction.outcomes_size(), 1);
  EXPECT_EQ(instruction.outcomes(0).reason(), "BANK_FUNDS");
  EXPECT_EQ(Journal().credits(), 0);
}

TEST_F(ServiceTest, LinesThatAreNoPaymentAreCasesOfTheDistrictUntilTheBankHasCorrectedThem) {
  MakeBankAndAgreement();
  bank::v1::Faults faults;
  faults.set_second_debit_permille(200);
  faults.set_foreign_debit_permille(200);
  faults.set_stray_reversal_permille(200);
  faults.set_correct_after_days(3);
  SetFaults(faults);
  constexpr int kRows = 60;
  ASSERT_TRUE(Submit(MakeChunk("c", 1, kRows)).ok());
  Await("the payments", [&] { return Of(Count(), "PAID") == kRows; });
  clock_.days = 1;
  Await("the statement", [&] { return Count().reconciled_lines() > kRows; });
  const std::size_t found = static_cast<std::size_t>(Count().differences());
  ASSERT_GT(found, 0u);
  EXPECT_EQ(Of(Count(), "PAID"), kRows);
  // Whoever has nothing to do with the district sees nothing and decides nothing.
  const std::vector<v1::Case> cases = Cases();
  EXPECT_EQ(cases.size(), found);
  const std::vector<v1::Case> claims = Cases("SECOND_DEBIT");
  ASSERT_FALSE(claims.empty());
  EXPECT_EQ(status::ReasonOf(Propose(claims[0], v1::CASE_DECISION_CLAIM_ON_BANK)),
            Reason::kPermissionDenied);
  Be("p-foreign", {identity::Role::kDistrictFinanceOperator}, 120115);
  EXPECT_TRUE(Cases().empty());
  EXPECT_EQ(status::ReasonOf(Propose(claims[0], v1::CASE_DECISION_CLAIM_ON_BANK)),
            Reason::kNotFound);
  BeMaker();
  EXPECT_EQ(status::ReasonOf(Propose(claims[0], v1::CASE_DECISION_CONFIRM_PAID)),
            Reason::kCaseDecisionUnfit);
  for (const v1::Case& one : cases) {
    const absl::Status decided = Propose(
        one, one.open_fen() > 0 ? v1::CASE_DECISION_CLAIM_ON_BANK : v1::CASE_DECISION_OWED_TO_BANK);
    EXPECT_TRUE(decided.ok()) << one.kind() << decided;
  }
  for (const v1::Case& one : Cases()) EXPECT_EQ(one.state(), v1::CASE_STATE_WAITING_FOR_BANK);
  gateway_->Kill();
  gateway_->Start();
  Connect();
  BeMaker();
  clock_.days = 3;
  Await("the bank's day of correction", [&] {
    std::size_t corrections = 0;
    std::ifstream journal(journal_);
    for (std::string line; std::getline(journal, line);) {
      if (line.find("|CORRECTION|") != std::string::npos) ++corrections;
    }
    return corrections == found;
  });
  clock_.days = 5;
  Await("the corrections", [&] { return Cases().empty(); });
  EXPECT_EQ(Of(Count(), "PAID"), kRows);
  EXPECT_EQ(Of(Count(), "RETURNED"), 0);
  EXPECT_EQ(static_cast<std::size_t>(Count().differences()), found);
}

TEST_F(ServiceTest, MoneyIsMovedByTwoPersonsOnly) {
  MakeBankAndAgreement();
  bank::v1::Faults faults;
  faults.set_foreign_debit_permille(500);
  faults.set_stray_reversal_permille(500);
  SetFaults(faults);
  ASSERT_TRUE(Submit(MakeChunk("c", 1, 20)).ok());
  Await("the payments", [&] { return Of(Count(), "PAID") == 20; });
  clock_.days = 1;
  Await("the statement", [&] { return Count().differences() == 20; });
  // A credit that is not more than a claim is brought to it.
  v1::Case claim, credit;
  for (const v1::Case& one : Cases()) {
    if (one.open_fen() > claim.open_fen()) claim = one;
    if (one.open_fen() < 0 && (credit.case_id() == 0 || one.open_fen() > credit.open_fen())) {
      credit = one;
    }
  }
  ASSERT_GE(claim.open_fen(), -credit.open_fen());
  BeChecker();
  ASSERT_TRUE(Propose(credit, v1::CASE_DECISION_MATCH_CASE, claim.case_id()).ok());
  EXPECT_EQ(status::ReasonOf(Confirm(credit, v1::CASE_DECISION_MATCH_CASE)), Reason::kSamePerson);
  BeMaker();
  EXPECT_EQ(status::ReasonOf(Confirm(credit, v1::CASE_DECISION_MATCH_CASE)),
            Reason::kPermissionDenied);
  Be("p-city", {identity::Role::kCityFinance}, 120000);
  EXPECT_TRUE(Confirm(credit, v1::CASE_DECISION_MATCH_CASE).ok());
  const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
  v1::GetCaseRequest get;
  get.set_case_id(credit.case_id());
  v1::CaseDetails details;
  ASSERT_TRUE(Call(*person_, true, *stub, &Gateway::GetCase, get, details).ok());
  EXPECT_EQ(details.current().state(), v1::CASE_STATE_CLOSED);
  EXPECT_EQ(details.current().proposed_by(), "p-checker@ops");
  EXPECT_EQ(details.current().decided_by(), "p-city@ops");
  EXPECT_EQ(details.history(details.history_size() - 1).what(), "decided");
  get.set_case_id(claim.case_id());
  ASSERT_TRUE(Call(*person_, true, *stub, &Gateway::GetCase, get, details).ok());
  EXPECT_EQ(details.current().open_fen(), claim.open_fen() + credit.open_fen());
}

TEST_F(ServiceTest, ABankThatMovedIsReachedAtItsNewAddressWithoutARestart) {
  MakeBankAndAgreement();
  const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
  const auto move = [&](const std::string& id, const std::string& address) {
    v1::SetBankAddressRequest request;
    request.set_request_id(id);
    request.set_bank_code(kBank);
    request.set_address(address);
    request.set_tls_name("banksim");
    request.set_reason("迁移机房");
    v1::Bank moved;
    return Call(*person_, true, *stub, &Gateway::SetBankAddress, request, moved);
  };
  const std::string here = bank_->grpc_address();
  ASSERT_TRUE(move("away", "127.0.0.1:1").ok());
  ASSERT_TRUE(Submit(MakeChunk("c", 1, 50)).ok());
  Await("the file to wait", [&] {
    const v1::GetStatisticsResponse counts = Count();
    return counts.unpacked() == 0 && counts.files_open() == 1;
  });
  EXPECT_EQ(Of(Count(), "PAID"), 0);
  ASSERT_TRUE(move("back", here).ok());
  Await("the payments", [&] { return Of(Count(), "PAID") == 50; });
  EXPECT_EQ(Journal().credits(), 50);
  BeMaker();
  EXPECT_EQ(status::ReasonOf(move("mine", here)), Reason::kPermissionDenied);
}

TEST_F(ServiceTest, OnlyDispatchSubmitsAndASealMustFit) {
  MakeBankAndAgreement();
  const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
  v1::SubmitChunkResponse response;
  const v1::SubmitChunkRequest chunk = MakeChunk("c", 1, 2);
  EXPECT_EQ(status::ReasonOf(Call(*person_, true, *stub, &Gateway::SubmitChunk, chunk, response)),
            Reason::kPermissionDenied);
  v1::SubmitChunkRequest swapped = chunk;
  swapped.mutable_rows()->SwapElements(0, 1);
  EXPECT_EQ(status::ReasonOf(Submit(swapped)), Reason::kSealInvalid);
  EXPECT_TRUE(Submit(chunk).ok());
  EXPECT_TRUE(Submit(chunk).ok());
  v1::SubmitChunkRequest other = chunk;
  other.mutable_rows(0)->set_amount_fen(9);
  EXPECT_EQ(status::ReasonOf(Submit(other)), Reason::kRequestIdReused);
}

TEST_F(ServiceTest, AnOrganisationThatAsksTooOftenIsRefusedAndDispatchIsNot) {
  const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
  std::ofstream(files_->Path(name + ".gateway.conf"), std::ios::app) << "rate_limit = 1\n";
  gateway_->Kill();
  gateway_->Start();
  Connect();
  const auto stub = v1::BankGatewayService::NewStub(person_->grpc());
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    v1::ListBanksResponse banks;
    const absl::Status asked =
        Call(*person_, true, *stub, &Gateway::ListBanks, v1::ListBanksRequest(), banks);
    if (asked.ok()) continue;
    EXPECT_EQ(status::ReasonOf(asked), Reason::kRateLimited) << asked;
    ++refused;
  }
  EXPECT_GT(refused, 0);
  const auto service = v1::BankGatewayService::NewStub(dispatch_->grpc());
  for (int i = 0; i < 100; ++i) {
    v1::GetStatisticsResponse counts;
    const absl::Status asked = Call(*dispatch_, false, *service, &Gateway::GetStatistics,
                                    v1::GetStatisticsRequest(), counts);
    EXPECT_TRUE(asked.ok()) << asked;
  }
}

TEST_F(ServiceTest, MigrationsAndSettingsAreCheckedByTheBinary) {
  EXPECT_EQ(gateway_->RunOnce("--migrate"), 0);
  EXPECT_EQ(gateway_->RunOnce("--check-config"), 0);
  EXPECT_NE(gateway_->RunOnce("--nonsense"), 0);
  const identity::Authorizer authorizer(MethodRules());
  EXPECT_TRUE(
      authorizer.Disagreements(rpc::MethodsOf({v1::BankGatewayService::service_full_name()}))
          .empty());
}

}  // namespace
}  // namespace yikatong::bankgateway
