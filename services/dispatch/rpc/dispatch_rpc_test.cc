// The service over real gRPC with mutual TLS: who may call, streams, watching, wire errors.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "common/identity/token.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/rules.h"
#include "services/dispatch/store/refusal_store.h"
#include "services/dispatch/testing/rig.h"

namespace yikatong::dispatch {
namespace {

namespace fs = std::filesystem;
using identity::Role;
using testing::IdOf;
using testing::kBaodi;
using testing::kHebei;
using testing::RuleOf;

// A folder of certificates and keys, made once for the program.
class Installation {
 public:
  static const std::string& Path() {
    static const Installation installation;
    return installation.path_;
  }
  ~Installation() { fs::remove_all(path_); }

 private:
  Installation() {
    path_ = (fs::temp_directory_path() / "ykt-dispatch-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) std::abort();
    const char* source = std::getenv("YIKATONG_SOURCE_DIR");
    const std::string command = std::string(source == nullptr ? "." : source) +
                                "/deploy/certificates/make " + path_ +
                                " --organisation civil.120105 --organisation civil.120115";
    if (std::system(command.c_str()) != 0) std::abort();
  }
  std::string path_;
};

rpc::TlsFiles TlsOf(const std::string& kind, const std::string& name) {
  const std::string at = Installation::Path() + "/" + kind + "/" + name;
  return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
}

// Stands in for the handlers of repairs, which have tests of their own.
class NoRepairs final : public RepairHandlers {
 public:
#define YKT_NONE(method, response_type)                                                         \
  absl::StatusOr<v1::response_type> method(const v1::method##Request&, const identity::Caller&) \
      override {                                                                                \
    return absl::UnimplementedError(#method);                                                   \
  }
  YKT_NONE(ListRepairs, ListRepairsResponse)
  YKT_NONE(OpenRecoveries, OpenRecoveriesResponse)
  YKT_NONE(ApproveRecovery, Recovery)
  YKT_NONE(NotifyRecovery, Recovery)
  YKT_NONE(RecordReceipt, Recovery)
  YKT_NONE(RequestWriteOff, Recovery)
  YKT_NONE(DecideWriteOff, Recovery)
  YKT_NONE(CancelRecovery, Recovery)
  YKT_NONE(GetRecovery, Recovery)
  YKT_NONE(ListRecoveries, ListRecoveriesResponse)
  YKT_NONE(RecordArrival, Arrival)
  YKT_NONE(ConfirmArrival, Arrival)
  YKT_NONE(RefuseArrival, Arrival)
  YKT_NONE(ListArrivals, ListArrivalsResponse)
  YKT_NONE(CreateTopUp, Batch)
  YKT_NONE(ListSetAsideChunks, ListSetAsideChunksResponse)
  YKT_NONE(ResumeChunk, ResumeChunkResponse)
#undef YKT_NONE
};

// Says which call reached the money half.
class NotedMoney final : public MoneyHandlers {
 public:
#define YKT_NOTED(method, response_type)                                                        \
  absl::StatusOr<v1::response_type> method(const v1::method##Request&, const identity::Caller&) \
      override {                                                                                \
    last = #method;                                                                             \
    return v1::response_type();                                                                 \
  }
  YKT_NOTED(CreateBudgetLine, BudgetLine)
  YKT_NOTED(AppropriateBudget, BudgetLine)
  YKT_NOTED(ListBudgetLines, ListBudgetLinesResponse)
  YKT_NOTED(ListLedgerEntries, ListLedgerEntriesResponse)
  YKT_NOTED(FundBatch, Batch)
  YKT_NOTED(ReleaseBatch, Batch)
  YKT_NOTED(ReissueItems, ReissueItemsResponse)
  YKT_NOTED(AbandonItems, AbandonItemsResponse)
  YKT_NOTED(CloseBatch, Batch)
  YKT_NOTED(GetItemProof, GetItemProofResponse)
#undef YKT_NOTED
  std::string last;
};

class DispatchRpcTest : public testing::IntakeTest {
 protected:
  using Stub = v1::DispatchService::Stub;

  void SetUp() override {
    IntakeTest::SetUp();
    signer_ = *identity::TokenSigner::Load(Installation::Path() + "/keys/token-issuer.key", real_);
    tokens_ =
        *identity::TokenVerifier::Load({.issuer_folder = Installation::Path() + "/issuers"}, real_);
    rpc::GuardOptions options;
    options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                   const absl::Status& refusal) {
      const StoreContext context{rig_->pg->database(), rig_->clock, rig_->business, rig_->ids};
      EXPECT_TRUE(RecordRefusal(context, caller, method, status::ReasonNameOf(refusal)).ok());
    };
    guard_ = std::make_unique<rpc::Guard>(options, authorizer_, *tokens_, metrics_);
    service_ = std::make_unique<DispatchRpc>(*guard_, rig_->handlers, money_, repairs_);
    rpc::ServerOptions server;
    server.tls = TlsOf("services", "dispatch");
    rpc_server_ = std::make_unique<rpc::Server>(
        server,
        std::vector<rpc::Served>{{service_.get(), v1::DispatchService::service_full_name()}},
        authorizer_, [] { return true; }, metrics_.Registry());
    ASSERT_TRUE(rpc_server_->Start().ok());
    civil_ = Open("civil.120105");
  }
  void TearDown() override {
    service_->hub().Close();
    rpc_server_->Drain();
  }

  std::unique_ptr<rpc::Channel> Open(const std::string& organisation) {
    rpc::ChannelOptions options;
    options.address = rpc_server_->addresses().grpc;
    options.server = "dispatch";
    options.tls = TlsOf("organisations", organisation);
    return *rpc::Channel::Open(options);
  }

  std::string Token(const std::string& person, identity::RoleSet roles,
                    std::vector<std::int32_t> districts = {kHebei},
                    const std::string& organisation = "civil.120105") {
    identity::TokenClaims claims;
    claims.person = person;
    claims.organisation = organisation;
    claims.roles = roles;
    claims.fields = {"CIVIL"};
    claims.districts = std::move(districts);
    return *signer_->Mint(claims, absl::Minutes(10));
  }

  template <typename Request, typename Response>
  std::string Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response, const std::string& token,
                   rpc::Channel* channel = nullptr) {
    rpc::Channel& over = channel == nullptr ? *civil_ : *channel;
    const auto stub = v1::DispatchService::NewStub(over.grpc());
    grpc::ClientContext context;
    over.Prepare(context, absl::Seconds(10), token);
    return Outcome(rpc::FromGrpc((stub.get()->*method)(&context, request, response)));
  }

  base::SystemClock real_;
  telemetry::Metrics metrics_;
  const identity::Authorizer authorizer_{AccessRules()};
  std::unique_ptr<identity::TokenSigner> signer_;
  std::unique_ptr<identity::TokenVerifier> tokens_;
  std::unique_ptr<rpc::Guard> guard_;
  NotedMoney money_;
  NoRepairs repairs_;
  std::unique_ptr<DispatchRpc> service_;
  std::unique_ptr<rpc::Server> rpc_server_;
  std::unique_ptr<rpc::Channel> civil_;
  std::string NewToken() { return Token("operator", {Role::kDepartmentOperator}); }
};

TEST_F(DispatchRpcTest, EveryMethodHasARuleAndEveryRuleAMethod) {
  EXPECT_THAT(authorizer_.Disagreements(rpc::MethodsOf({v1::DispatchService::service_full_name()})),
              ::testing::IsEmpty());
}

TEST_F(DispatchRpcTest, ARosterIsStreamedAcknowledgedAndWatchedToItsSeal) {
  v1::Batch batch;
  v1::CreateBatchRequest create = NewBatch(20);
  ASSERT_EQ(Call(&Stub::CreateBatch, create, &batch, NewToken()), "OK");

  const auto no_cache = redis::MakeNoCache(real_);
  ProgressPoller poller(service_->hub(), rig_->handlers, *no_cache, std::chrono::milliseconds(20));
  const auto stub = v1::DispatchService::NewStub(civil_->grpc());
  grpc::ClientContext watching;
  civil_->Prepare(watching, absl::Seconds(20), NewToken());
  v1::WatchBatchRequest watch;
  watch.set_batch_id(batch.batch_id());
  const auto watcher = stub->WatchBatch(&watching, watch);
  v1::WatchBatchResponse seen;
  ASSERT_TRUE(watcher->Read(&seen));
  EXPECT_EQ(seen.state(), v1::BATCH_STATE_COLLECTING);
  EXPECT_EQ(seen.progress().total(), 20);

  grpc::ClientContext context;
  civil_->Prepare(context, absl::Seconds(20), NewToken());
  const auto stream = stub->UploadItems(&context);
  v1::UploadItemsResponse answer;
  for (int chunk = 1; chunk <= 2; ++chunk) {
    ASSERT_TRUE(
        stream->Write(People(batch.batch_id(), chunk, 10 * chunk - 9, 10 * chunk - 10, 10)));
    ASSERT_TRUE(stream->Read(&answer));
    EXPECT_EQ(answer.chunk(), chunk);
    EXPECT_EQ(answer.accepted(), 10);
  }
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&answer));
  EXPECT_EQ(Outcome(rpc::FromGrpc(stream->Finish())), "OK");

  v1::SealBatchRequest seal;
  seal.set_request_id(NewRequest());
  seal.set_batch_id(batch.batch_id());
  ASSERT_EQ(Call(&Stub::SealBatch, seal, &batch, NewToken()), "OK");
  while (seen.state() != v1::BATCH_STATE_SEALED) ASSERT_TRUE(watcher->Read(&seen));

  v1::CancelBatchRequest cancel;
  cancel.set_request_id(NewRequest());
  cancel.set_batch_id(batch.batch_id());
  cancel.set_reason("only a rehearsal");
  ASSERT_EQ(Call(&Stub::CancelBatch, cancel, &batch, NewToken()), "OK");
  while (watcher->Read(&seen)) continue;
  EXPECT_EQ(seen.state(), v1::BATCH_STATE_CANCELLED)
      << "the last message, and then the stream ends";
  EXPECT_EQ(Outcome(rpc::FromGrpc(watcher->Finish())), "OK");
}

TEST_F(DispatchRpcTest, ABadChunkEndsItsStreamAndKeepsWhatWasAcknowledged) {
  const std::int64_t batch = Opened(30);
  const auto stub = v1::DispatchService::NewStub(civil_->grpc());
  const auto end_of = [&](const v1::UploadItemsRequest& bad) {
    grpc::ClientContext context;
    civil_->Prepare(context, absl::Seconds(20), NewToken());
    const auto stream = stub->UploadItems(&context);
    v1::UploadItemsResponse answer;
    stream->Write(People(batch, 1, 1, 0, 10));
    EXPECT_TRUE(stream->Read(&answer));
    stream->Write(bad);
    EXPECT_FALSE(stream->Read(&answer));
    return Outcome(rpc::FromGrpc(stream->Finish()));
  };
  EXPECT_EQ(end_of(People(batch, 1, 11, 10, 10)), "CHUNK_INVALID") << "numbers of a stream ascend";
  EXPECT_EQ(end_of(People(Opened(5), 2, 1, 20, 5)), "CHUNK_INVALID") << "one stream, one batch";
  v1::UploadItemsRequest gap = People(batch, 2, 11, 10, 2);
  gap.mutable_rows(1)->set_row(13);
  EXPECT_EQ(end_of(gap), "CHUNK_INVALID");
  v1::UploadItemsRequest large = People(batch, 2, 11, 10, 2);
  large.mutable_rows(0)->set_tier(std::string(1'100'000, 'x'));
  EXPECT_EQ(end_of(large), "MESSAGE_TOO_LARGE");
  EXPECT_EQ(Get(batch).totals().accepted(), 10);
}

TEST_F(DispatchRpcTest, ACallerWithoutTheRightIsRefusedAndTheAttemptRecorded) {
  v1::Batch batch;
  EXPECT_EQ(Call(&Stub::CreateBatch, NewBatch(1), &batch, Token("a", {Role::kAuditor})),
            "PERMISSION_DENIED");
  EXPECT_EQ(Call(&Stub::CreateBatch, NewBatch(1), &batch, ""), "UNAUTHENTICATED");
  EXPECT_EQ(Call(&Stub::CreateBatch, NewBatch(1), &batch, "forged"), "TOKEN_INVALID");
  EXPECT_EQ(Call(&Stub::CreateBatch, NewBatch(1), &batch,
                 Token("x", {Role::kDepartmentOperator}, {kBaodi}, "civil.120115")),
            "TOKEN_ORGANISATION");
  v1::CreateBatchRequest nameless = NewBatch(1);
  nameless.clear_request_id();
  EXPECT_EQ(Call(&Stub::CreateBatch, nameless, &batch, NewToken()), "REQUEST_ID_MISSING");
  EXPECT_EQ(Sql("SELECT count(*) FROM batch"), "0");
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE E'%kind: "
                "call.refused%detail.reason: "
                "PERMISSION_DENIED\\n%'"),
            "1");
}

TEST_F(DispatchRpcTest, AnotherDistrictSeesNothingNotEvenByWatching) {
  const std::int64_t batch = Sealed(3);
  const auto baodi = Open("civil.120115");
  const std::string token = Token("b", {Role::kDepartmentOperator}, {kBaodi}, "civil.120115");
  v1::GetBatchRequest get;
  get.set_batch_id(batch);
  v1::Batch seen;
  EXPECT_EQ(Call(&Stub::GetBatch, get, &seen, token, baodi.get()), "BATCH_UNKNOWN");
  v1::ListBatchesResponse listed;
  EXPECT_EQ(Call(&Stub::ListBatches, v1::ListBatchesRequest(), &listed, token, baodi.get()), "OK");
  EXPECT_EQ(listed.batches_size(), 0);
  const auto no_cache = redis::MakeNoCache(real_);
  ProgressPoller poller(service_->hub(), rig_->handlers, *no_cache, std::chrono::milliseconds(20));
  const auto stub = v1::DispatchService::NewStub(baodi->grpc());
  grpc::ClientContext context;
  baodi->Prepare(context, absl::Seconds(20), token);
  v1::WatchBatchRequest watch;
  watch.set_batch_id(batch);
  v1::WatchBatchResponse progress;
  const auto watcher = stub->WatchBatch(&context, watch);
  EXPECT_FALSE(watcher->Read(&progress));
  EXPECT_EQ(Outcome(rpc::FromGrpc(watcher->Finish())), "BATCH_UNKNOWN");
}

TEST_F(DispatchRpcTest, TheSamePersonApprovingTwiceIsRefusedAndRecorded) {
  const std::int64_t batch = InReview(2);
  v1::ReviewBatchRequest review;
  review.set_request_id(NewRequest());
  review.set_batch_id(batch);
  review.set_step("town_review");
  review.set_approve(true);
  v1::Batch answer;
  ASSERT_EQ(Call(&Stub::ReviewBatch, review, &answer, Token("t", {Role::kTownReviewer})), "OK");
  review.set_request_id(NewRequest());
  review.set_step("department_review");
  EXPECT_EQ(Call(&Stub::ReviewBatch, review, &answer, Token("t", {Role::kDepartmentReviewer})),
            "SAME_PERSON");
  EXPECT_EQ(Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                "E'%actor_person: t\\n%detail.reason: "
                "SAME_PERSON\\n%'"),
            "1");
  EXPECT_EQ(Call(&Stub::ReviewBatch, review, &answer, Token("d", {Role::kDepartmentReviewer})),
            "OK");
  EXPECT_EQ(answer.state(), v1::BATCH_STATE_APPROVED);
}

TEST_F(DispatchRpcTest, TheMoneyHalfIsReachedByItsOwnRoles) {
  v1::FundBatchRequest fund;
  fund.set_request_id(NewRequest());
  v1::Batch batch;
  EXPECT_EQ(Call(&Stub::FundBatch, fund, &batch, NewToken()), "PERMISSION_DENIED");
  EXPECT_EQ(Call(&Stub::FundBatch, fund, &batch, Token("f", {Role::kDistrictFinanceOperator})),
            "OK");
  EXPECT_EQ(money_.last, "FundBatch");
  v1::ReleaseBatchRequest release;
  release.set_request_id(NewRequest());
  EXPECT_EQ(
      Call(&Stub::ReleaseBatch, release, &batch, Token("f", {Role::kDistrictFinanceOperator})),
      "PERMISSION_DENIED");
  EXPECT_EQ(Call(&Stub::ReleaseBatch, release, &batch, Token("r", {Role::kPaymentReleaser})), "OK");
}

}  // namespace
}  // namespace yikatong::dispatch
