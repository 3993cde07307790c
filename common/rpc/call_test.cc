#include "common/rpc/call.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <stdexcept>
#include <thread>

#include "common/base/testing/failpoint_folder.h"
#include "common/rpc/testing/rig.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::rpc::testing {
namespace {

using status::Reason;
using status::ReasonOf;
using ::testing::HasSubstr;
using ::testing::Not;

TlsFiles Agri() { return OrganisationTls(Installation(), "agri"); }

TEST(Call, APersonIsKnownByCertificateAndToken) {
  Rig rig;
  identity::Caller seen;
  rig.service->on_ask = [&](const identity::Caller& caller, const AskRequest&, AskResponse&) {
    seen = caller;
    return absl::OkStatus();
  };
  rig.Start();
  const auto answer = rig.AskAgri();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(seen.organisation, "agri");
  EXPECT_EQ(seen.person, "p-17");
  EXPECT_EQ(seen.districts, std::vector<int32_t>{120105});
  EXPECT_TRUE(seen.Has(identity::Role::kDepartmentOperator));
}

TEST(Call, AServiceIsKnownByItsCertificateAlone) {
  Rig rig;
  rig.Start();
  EXPECT_TRUE(rig.Ask(ServiceTls(Installation(), "peer"), "").ok());
  EXPECT_EQ(ReasonOf(rig.Ask(ServiceTls(Installation(), "stranger"), "").status()),
            Reason::kPermissionDenied);
  EXPECT_EQ(ReasonOf(rig.Ask(ServiceTls(Installation(), "peer"), rig.Token()).status()),
            Reason::kTokenOrganisation);
}

TEST(Call, WhoeverIsNotKnownOrNotAllowedNeverReachesTheHandler) {
  Rig rig;
  rig.Start();
  identity::TokenClaims reviewer = Rig::AgriOperator();
  reviewer.roles = {identity::Role::kDepartmentReviewer};
  std::string forged = rig.Token();
  forged[10] = forged[10] == 'A' ? 'B' : 'A';

  EXPECT_EQ(ReasonOf(rig.Ask(Agri(), "").status()), Reason::kUnauthenticated);
  EXPECT_EQ(ReasonOf(rig.Ask(Agri(), forged).status()), Reason::kTokenInvalid);
  EXPECT_EQ(ReasonOf(rig.Ask(OrganisationTls(Installation(), "hr"), rig.Token()).status()),
            Reason::kTokenOrganisation);
  EXPECT_EQ(ReasonOf(rig.Ask(Agri(), rig.Token(reviewer)).status()), Reason::kPermissionDenied);
  EXPECT_EQ(rig.Ask(Agri(), "").status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(rig.service->handled, 0);
}

TEST(Call, AnotherSchemeOrTwoTokensAreNoToken) {
  Rig rig;
  rig.Start();
  const auto channel = rig.OpenAs(Agri());
  const auto stub = ProbeService::NewStub(channel->grpc());
  const std::vector<std::vector<std::string>> cases = {
      {"Basic " + rig.Token()}, {"Bearer "}, {"Bearer " + rig.Token(), "Bearer " + rig.Token()}};
  for (const auto& headers : cases) {
    grpc::ClientContext context;
    channel->Prepare(context, absl::Seconds(10));
    for (const std::string& header : headers) context.AddMetadata("authorization", header);
    AskResponse response;
    EXPECT_EQ(ReasonOf(FromGrpc(stub->Ask(&context, AskRequest(), &response))),
              Reason::kTokenInvalid);
  }
}

TEST(Call, NeedsADeadlineThatIsNotTooFarAway) {
  Rig rig({.max_unary_deadline = absl::Seconds(30)});
  rig.Start();
  const auto channel = rig.OpenAs(Agri());
  const auto stub = ProbeService::NewStub(channel->grpc());
  AskResponse response;
  {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + rig.Token());
    EXPECT_EQ(ReasonOf(FromGrpc(stub->Ask(&context, AskRequest(), &response))),
              Reason::kDeadlineMissing);
  }
  {
    grpc::ClientContext context;
    channel->Prepare(context, absl::Minutes(2), rig.Token());
    const absl::Status refused = FromGrpc(stub->Ask(&context, AskRequest(), &response));
    EXPECT_EQ(ReasonOf(refused), Reason::kDeadlineTooLong);
    EXPECT_EQ(status::MetadataOf(refused)["longest_seconds"], "30");
  }
}

TEST(Call, AMessageAboveItsLimitIsRefusedWithBothSizes) {
  Rig rig;
  rig.Start();
  const auto channel = rig.OpenAs(Agri());
  const auto stub = ProbeService::NewStub(channel->grpc());
  AskRequest request;
  request.set_payload(std::string(kMaxChunkBytes, 'x'));
  AskResponse response;
  {
    grpc::ClientContext context;
    channel->Prepare(context, absl::Seconds(10), rig.Token());
    const absl::Status refused = FromGrpc(stub->Ask(&context, request, &response));
    EXPECT_EQ(ReasonOf(refused), Reason::kMessageTooLarge);
    EXPECT_EQ(status::MetadataOf(refused)["limit_bytes"], "1048576");
  }
  {
    grpc::ClientContext context;
    channel->Prepare(context, absl::Seconds(10), rig.Token());
    const auto writer = stub->Upload(&context, &response);
    writer->Write(AskRequest());
    writer->Write(request);
    writer->WritesDone();
    EXPECT_EQ(ReasonOf(FromGrpc(writer->Finish())), Reason::kMessageTooLarge);
  }
  EXPECT_EQ(rig.service->handled, 1);  // the stream's handler, which stopped at the second message
}

TEST(Call, AnAbsurdMessageIsStoppedByTheTransport) {
  Rig rig;
  rig.Start();
  auto channel = Channel::Open({.address = rig.server->addresses().grpc,
                                .server = "probe",
                                .tls = Agri(),
                                .max_message_bytes = 16 << 20});
  ASSERT_TRUE(channel.ok());
  const auto stub = ProbeService::NewStub((*channel)->grpc());
  grpc::ClientContext context;
  (*channel)->Prepare(context, absl::Seconds(10), rig.Token());
  AskRequest request;
  request.set_payload(std::string(5 << 20, 'x'));
  AskResponse response;
  EXPECT_EQ(FromGrpc(stub->Ask(&context, request, &response)).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(rig.service->handled, 0);
}

TEST(Call, AnOrganisationThatHadItsShareIsRefusedAndTheOthersAreNot) {
  GuardOptions options;
  options.allow = [](std::string_view organisation) { return organisation != "agri"; };
  Rig rig(options);
  rig.Start();
  EXPECT_EQ(ReasonOf(rig.AskAgri().status()), Reason::kRateLimited);
  EXPECT_TRUE(rig.Ask(ServiceTls(Installation(), "peer"), "").ok());
  EXPECT_THAT(rig.metrics.Exposition(),
              HasSubstr("yikatong_rpc_refusals_total{reason=\"RATE_LIMITED\"} 1"));
  EXPECT_TRUE(rig.refusals().empty()) << "a flood must not fill the audit log";
}

TEST(Call, AnExceptionStopsTheCallAndNotTheProcess) {
  Rig rig;
  rig.service->on_ask = [](const identity::Caller&, const AskRequest& request, AskResponse&) {
    if (request.text() == "throw") throw std::runtime_error("driver text with a row in it");
    if (request.text() == "throw 7") throw 7;
    return absl::OkStatus();
  };
  rig.Start();
  for (const char* how : {"throw", "throw 7"}) {
    const absl::Status broken = rig.AskAgri(how).status();
    EXPECT_EQ(broken.code(), absl::StatusCode::kInternal);
    EXPECT_EQ(ReasonOf(broken), Reason::kInvariantBroken);
    EXPECT_THAT(std::string(broken.message()), Not(HasSubstr("driver")));
  }
  EXPECT_TRUE(rig.AskAgri("fine").ok());
}

TEST(Call, TheReasonOfAHandlerReachesTheClientWithItsMetadata) {
  Rig rig;
  rig.service->on_ask = [](const identity::Caller&, const AskRequest&, AskResponse&) {
    return status::Refuse(Reason::kFundsInsufficient, "",
                          {{"available_fen", "5"}, {"needed_fen", "7"}});
  };
  rig.Start();
  const absl::Status refused = rig.AskAgri().status();
  EXPECT_EQ(ReasonOf(refused), Reason::kFundsInsufficient);
  EXPECT_EQ(status::MetadataOf(refused)["needed_fen"], "7");
}

TEST(Call, RefusalsOfKnownCallersAreGivenToTheAuditor) {
  Rig rig;
  rig.service->on_ask = [](const identity::Caller&, const AskRequest& request, AskResponse&) {
    if (request.text() == "refuse") return status::Refuse(Reason::kSamePerson);
    if (request.text() == "down") return absl::DataLossError("ours");
    return absl::OkStatus();
  };
  rig.Start();
  ASSERT_TRUE(rig.AskAgri("fine").ok());
  ASSERT_FALSE(rig.AskAgri("down").ok());
  ASSERT_FALSE(rig.AskAgri("refuse").ok());
  ASSERT_FALSE(rig.Ask(Agri(), "forged").ok());
  const std::vector<Refusal> refusals = rig.refusals();
  ASSERT_EQ(refusals.size(), 2u);
  EXPECT_EQ(refusals[0].caller.Actor(), "p-17@agri");
  EXPECT_EQ(refusals[0].method, kAsk);
  EXPECT_EQ(ReasonOf(refusals[0].status), Reason::kSamePerson);
  // The certificate was good and the token was not: the organisation is known, the person is not.
  EXPECT_EQ(refusals[1].caller.organisation, "agri");
  EXPECT_EQ(refusals[1].caller.person, "");
  EXPECT_EQ(ReasonOf(refusals[1].status), Reason::kTokenInvalid);
}

TEST(Call, IsCountedByMethodAndCodeAndTheRefusalByReason) {
  Rig rig;
  rig.Start();
  ASSERT_TRUE(rig.AskAgri().ok());
  ASSERT_FALSE(rig.Ask(Agri(), "").ok());
  const std::string page = rig.metrics.Exposition();
  EXPECT_THAT(page, HasSubstr("yikatong_rpc_requests_total{code=\"OK\",method=\"" +
                              std::string(kAsk) + "\"} 1"));
  EXPECT_THAT(page, HasSubstr("yikatong_rpc_requests_total{code=\"UNAUTHENTICATED\",method=\"" +
                              std::string(kAsk) + "\"} 1"));
  EXPECT_THAT(page, HasSubstr("yikatong_rpc_refusals_total{reason=\"UNAUTHENTICATED\"} 1"));
  EXPECT_THAT(page, HasSubstr("yikatong_rpc_duration_seconds_count{method=\"" + std::string(kAsk) +
                              "\"} 2"));
  EXPECT_THAT(page, HasSubstr("yikatong_rpc_running 0"));
}

TEST(Call, LeavesOneLogLineWithItsTraceAndWithoutThePerson) {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::string said;
  const telemetry::LogCapture capture([&](std::string_view line) {
    std::lock_guard lock(mutex);
    if (line.find("\"event\":\"rpc\"") != std::string_view::npos) lines.emplace_back(line);
    if (line.find("\"event\":\"said_by_handler\"") != std::string_view::npos) said = line;
  });
  Rig rig;
  Trace inside;
  rig.service->on_ask = [&](const identity::Caller&, const AskRequest&, AskResponse&) {
    inside = CallScope::Current()->trace();
    telemetry::Log::Info("said_by_handler");
    return status::Refuse(Reason::kBatchEmpty);
  };
  rig.Start();
  const Trace mine = Trace::New();
  {
    const CallScope scope(mine);
    ASSERT_FALSE(rig.AskAgri().ok());
  }
  rig.Stop();
  EXPECT_EQ(inside.trace_id, mine.trace_id);
  EXPECT_NE(inside.span_id, mine.span_id);
  std::lock_guard lock(mutex);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr(mine.trace_id));
  EXPECT_THAT(said, HasSubstr("\"trace_id\":\"" + mine.trace_id + "\""));
  EXPECT_THAT(said, HasSubstr("\"span_id\":\"" + inside.span_id + "\""));
  EXPECT_THAT(lines[0], HasSubstr("BATCH_EMPTY"));
  EXPECT_THAT(lines[0], HasSubstr("\"organisation\":\"agri\""));
  EXPECT_THAT(lines[0], Not(HasSubstr("p-17")));
}

TEST(Call, StreamsTakePlacesThatAreGivenBack) {
  GuardOptions options;
  options.max_streams = 1;
  Rig rig(options);
  rig.Start();
  const auto channel = rig.OpenAs(Agri());
  const auto stub = ProbeService::NewStub(channel->grpc());
  AskRequest request;
  AskResponse response;
  {
    grpc::ClientContext first;
    channel->Prepare(first, absl::Seconds(10), rig.Token());
    const auto stream = stub->Exchange(&first);
    stream->Write(request);
    ASSERT_TRUE(stream->Read(&response));  // the first is in its handler for sure

    const auto patient = Channel::Open({.address = rig.server->addresses().grpc,
                                        .server = "probe",
                                        .tls = Agri(),
                                        .retry_unavailable = false});
    ASSERT_TRUE(patient.ok());
    const auto other = ProbeService::NewStub((*patient)->grpc());
    grpc::ClientContext second;
    (*patient)->Prepare(second, absl::Seconds(10), rig.Token());
    const auto writer = other->Upload(&second, &response);
    EXPECT_EQ(ReasonOf(FromGrpc(writer->Finish())), Reason::kOverloaded);
    EXPECT_TRUE(rig.AskAgri().ok()) << "unary calls have threads of their own";

    stream->WritesDone();
    EXPECT_FALSE(stream->Read(&response));
    EXPECT_TRUE(stream->Finish().ok());
  }
  grpc::ClientContext third;
  channel->Prepare(third, absl::Seconds(10), rig.Token());
  const auto writer = stub->Upload(&third, &response);
  for (int i = 0; i < 3; ++i) writer->Write(request);
  writer->WritesDone();
  EXPECT_TRUE(writer->Finish().ok());
  EXPECT_EQ(response.count(), 3);
}

TEST(Call, AStreamWhoseClientWentAwayIsNotTakenForOneThatEnded) {
  Rig rig;
  std::mutex mutex;
  std::condition_variable ended;
  std::vector<absl::Status> ends;
  rig.service->on_upload_end = [&](const absl::Status& end) {
    std::lock_guard lock(mutex);
    ends.push_back(end);
    ended.notify_all();
  };
  rig.Start();
  const auto channel = rig.OpenAs(Agri());
  const auto stub = ProbeService::NewStub(channel->grpc());
  AskResponse response;
  grpc::ClientContext context;
  channel->Prepare(context, absl::Seconds(10), rig.Token());
  const auto writer = stub->Upload(&context, &response);
  writer->Write(AskRequest());
  while (rig.service->handled == 0) std::this_thread::yield();
  context.TryCancel();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  std::unique_lock lock(mutex);
  ASSERT_TRUE(ended.wait_for(lock, std::chrono::seconds(10), [&] { return !ends.empty(); }));
  EXPECT_EQ(ends[0].code(), absl::StatusCode::kCancelled);
}

TEST(Call, AFailpointBeforeTheReplyLosesTheAnswerOfWhatWasDone) {
  const base::testing::FailpointFolder points;
  Rig rig;
  rig.Start();
  points.Put("Ask.before_reply", "fail ABORTED");
  EXPECT_EQ(rig.AskAgri().status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(rig.service->handled, 1);
  EXPECT_TRUE(rig.AskAgri().ok());
}

}  // namespace
}  // namespace yikatong::rpc::testing
