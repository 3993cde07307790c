// The service over real gRPC with mutual TLS: who may call, streams, watching, wire errors.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <thread>

#include "common/rpc/server.h"
#include "common/status/status.h"
#include "services/dispatch/store/refusal_store.h"
#include "services/dispatch/testing/rig.h"
#include "services/dispatch/testing/served.h"

namespace yikatong::dispatch {
namespace {

using identity::Role;
using testing::kBaodi;
using testing::kCivil;
using testing::kCivilOfBaodi;
using testing::kHebei;
using testing::Served;

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
    rpc::GuardOptions options;
    options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                   const absl::Status& refusal) {
      const StoreContext context{rig_->pg->database(), rig_->clock, rig_->business, rig_->ids};
      EXPECT_TRUE(RecordRefusal(context, caller, method, status::ReasonNameOf(refusal)).ok());
    };
    served_ = std::make_unique<Served>(rig_->handlers, money_, options);
    civil_ = &served_->As(kCivil);
  }
  void TearDown() override { served_.reset(); }

  std::string Token(const std::string& person, identity::RoleSet roles,
                    std::vector<std::int32_t> districts = {kHebei},
                    const std::string& organisation = kCivil) {
    return served_->Token({.person = person,
                           .organisation = organisation,
                           .roles = roles,
                           .districts = std::move(districts)});
  }
  std::string NewToken() { return Token("operator", {Role::kDepartmentOperator}); }

  template <typename Request, typename Response>
  std::string Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response, const std::string& token,
                   rpc::Channel* channel = nullptr) {
    return Outcome(
        served_->Call(method, request, response, token, channel == nullptr ? *civil_ : *channel));
  }

  base::SystemClock real_;
  NotedMoney money_;
  std::unique_ptr<Served> served_;
  rpc::Channel* civil_ = nullptr;
};

TEST_F(DispatchRpcTest, EveryMethodHasARuleAndEveryRuleAMethod) {
  EXPECT_THAT(served_->authorizer().Disagreements(rpc::MethodsOf(
                  {v1::DispatchService::service_full_name(), v1::BudgetService::service_full_name(),
                   v1::ArchiveService::service_full_name()})),
              ::testing::IsEmpty());
}

TEST_F(DispatchRpcTest, ARosterIsStreamedAcknowledgedAndWatchedToItsSeal) {
  v1::Batch batch;
  v1::CreateBatchRequest create = NewBatch(20);
  ASSERT_EQ(Call(&Stub::CreateBatch, create, &batch, NewToken()), "OK");

  const auto no_cache = redis::MakeNoCache(real_);
  ProgressPoller poller(served_->hub(), rig_->handlers, *no_cache, std::chrono::milliseconds(20));
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
                 Token("x", {Role::kDepartmentOperator}, {kBaodi}, kCivilOfBaodi)),
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
  rpc::Channel& baodi = served_->As(kCivilOfBaodi);
  const std::string token = Token("b", {Role::kDepartmentOperator}, {kBaodi}, kCivilOfBaodi);
  v1::GetBatchRequest get;
  get.set_batch_id(batch);
  v1::Batch seen;
  EXPECT_EQ(Call(&Stub::GetBatch, get, &seen, token, &baodi), "BATCH_UNKNOWN");
  v1::ListBatchesResponse listed;
  EXPECT_EQ(Call(&Stub::ListBatches, v1::ListBatchesRequest(), &listed, token, &baodi), "OK");
  EXPECT_EQ(listed.batches_size(), 0);
  const auto no_cache = redis::MakeNoCache(real_);
  ProgressPoller poller(served_->hub(), rig_->handlers, *no_cache, std::chrono::milliseconds(20));
  const auto stub = v1::DispatchService::NewStub(baodi.grpc());
  grpc::ClientContext context;
  baodi.Prepare(context, absl::Seconds(20), token);
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
