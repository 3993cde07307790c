#include "common/rpc/watch.h"

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/rpc/testing/rig.h"
#include "common/status/status.h"

namespace yikatong::rpc::testing {
namespace {

using status::Reason;
using Hub = WatchHub<AskResponse>;

// A client that watches one key.
class Watching {
 public:
  Watching(const Rig& rig, const std::string& key, const std::string& token)
      : channel_(rig.OpenAs(OrganisationTls(Installation(), "agri"))),
        stub_(ProbeService::NewStub(channel_->grpc())) {
    channel_->Prepare(context_, absl::Seconds(20), token);
    AskRequest request;
    request.set_text(key);
    reader_ = stub_->Watch(&context_, request);
  }
  std::string Next() {
    AskResponse response;
    return reader_->Read(&response) ? response.text() : "(end)";
  }
  absl::Status End() {
    while (Next() != "(end)") {
    }
    return FromGrpc(reader_->Finish());
  }
  void GoAway() { context_.TryCancel(); }

 private:
  std::unique_ptr<Channel> channel_;
  std::unique_ptr<ProbeService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<AskResponse>> reader_;
};

void WaitForWatchers(const Hub& hub, size_t count) {
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (hub.size() != count && absl::Now() < give_up) std::this_thread::yield();
  ASSERT_EQ(hub.size(), count);
}

absl::Status AdmitAll(const std::string&, const identity::Caller&) { return absl::OkStatus(); }

Hub::Read Says(const std::string& text, bool last = false) {
  return [=](const std::string& key) -> absl::StatusOr<Hub::State> {
    Hub::State state;
    state.response.set_text(key + " " + text);
    state.last = last;
    return state;
  };
}

TEST(Watch, SendsWhatChangedAndEndsWithTheWatchedThing) {
  Rig rig;
  rig.Start();
  Hub& hub = rig.service->hub;
  Watching one(rig, "batch", rig.Token());
  WaitForWatchers(hub, 1);
  hub.PollOnce(AdmitAll, Says("collecting"));
  EXPECT_EQ(one.Next(), "batch collecting");
  hub.PollOnce(AdmitAll, Says("collecting"));  // nothing new, nothing sent
  hub.PollOnce(AdmitAll, Says("sealed"));
  EXPECT_EQ(one.Next(), "batch sealed");

  Watching two(rig, "batch", rig.Token());
  WaitForWatchers(hub, 2);
  hub.PollOnce(AdmitAll, Says("sealed"));
  EXPECT_EQ(two.Next(), "batch sealed") << "who comes late learns the present state";
  hub.PollOnce(AdmitAll, Says("closed", /*last=*/true));
  for (Watching* watching : {&one, &two}) {
    EXPECT_EQ(watching->Next(), "batch closed");
    EXPECT_TRUE(watching->End().ok());
  }
  WaitForWatchers(hub, 0);
}

TEST(Watch, ReadsAKeyOnceHoweverManyWatchIt) {
  Rig rig;
  rig.Start();
  Hub& hub = rig.service->hub;
  Watching a(rig, "batch", rig.Token()), b(rig, "batch", rig.Token());
  WaitForWatchers(hub, 2);
  int reads = 0;
  hub.PollOnce(AdmitAll, [&](const std::string& key) {
    ++reads;
    return Says("x")(key);
  });
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(a.Next(), "batch x");
  EXPECT_EQ(b.Next(), "batch x");
}

TEST(Watch, WhatIsForeignDoesNotExist) {
  Rig rig;
  rig.Start();
  Hub& hub = rig.service->hub;
  Watching mine(rig, "mine", rig.Token()), foreign(rig, "foreign", rig.Token());
  WaitForWatchers(hub, 2);
  std::vector<std::string> read;
  hub.PollOnce(
      [](const std::string& key, const identity::Caller& caller) {
        EXPECT_EQ(caller.person, "p-17");
        return key == "mine" ? absl::OkStatus() : status::Refuse(Reason::kNotFound);
      },
      [&](const std::string& key) {
        read.push_back(key);
        return Says("x")(key);
      });
  EXPECT_EQ(mine.Next(), "mine x");
  EXPECT_EQ(status::ReasonOf(foreign.End()), Reason::kNotFound);
  EXPECT_EQ(read, std::vector<std::string>{"mine"});
}

TEST(Watch, IsRefusedToWhoMayNotCallIt) {
  Rig rig;
  rig.Start();
  identity::TokenClaims auditor = Rig::AgriOperator();
  auditor.roles = {identity::Role::kAuditor};
  EXPECT_EQ(status::ReasonOf(Watching(rig, "batch", rig.Token(auditor)).End()),
            Reason::kPermissionDenied);
  EXPECT_EQ(status::ReasonOf(Watching(rig, "batch", "").End()), Reason::kUnauthenticated);
  EXPECT_EQ(rig.service->hub.size(), 0u);
  EXPECT_EQ(rig.refusals().size(), 2u);
  for (const Refusal& refusal : rig.refusals()) EXPECT_TRUE(refusal.has_trace);
}

TEST(Watch, WaitsWhileTheDatabaseIsAwayAndEndsOnOtherErrors) {
  Rig rig;
  rig.Start();
  Hub& hub = rig.service->hub;
  Watching one(rig, "batch", rig.Token());
  WaitForWatchers(hub, 1);
  hub.PollOnce([](const std::string&,
                  const identity::Caller&) { return absl::UnavailableError("database"); },
               Says("never"));
  const auto away = [](const std::string&) -> absl::StatusOr<Hub::State> {
    return absl::UnavailableError("database");
  };
  hub.PollOnce(AdmitAll, away);
  EXPECT_EQ(hub.size(), 1u);
  hub.PollOnce(AdmitAll, Says("back"));
  EXPECT_EQ(one.Next(), "batch back");
  hub.PollOnce(AdmitAll, [](const std::string&) -> absl::StatusOr<Hub::State> {
    return status::Refuse(Reason::kNotFound);
  });
  EXPECT_EQ(status::ReasonOf(one.End()), Reason::kNotFound);
}

TEST(Watch, ForgetsAWatcherThatWentAway) {
  Rig rig;
  rig.Start();
  Hub& hub = rig.service->hub;
  Watching one(rig, "batch", rig.Token());
  WaitForWatchers(hub, 1);
  hub.PollOnce(AdmitAll, Says("x"));
  EXPECT_EQ(one.Next(), "batch x");
  one.GoAway();
  WaitForWatchers(hub, 0);
  hub.PollOnce(AdmitAll, Says("y"));
}

TEST(Watch, TakesOnlySoManyAndNoneAfterItIsClosed) {
  Rig rig;
  rig.Start();
  Hub& hub = rig.service->hub;
  std::vector<std::unique_ptr<Watching>> watching;
  watching.reserve(4);
  for (int i = 0; i < 4; ++i) {
    watching.push_back(std::make_unique<Watching>(rig, "batch", rig.Token()));
  }
  WaitForWatchers(hub, 4);
  EXPECT_EQ(status::ReasonOf(Watching(rig, "batch", rig.Token()).End()), Reason::kOverloaded);
  hub.Close();
  for (auto& one : watching) {
    EXPECT_EQ(status::ReasonOf(one->End()), Reason::kShuttingDown);
  }
  WaitForWatchers(hub, 0);
  EXPECT_EQ(status::ReasonOf(Watching(rig, "batch", rig.Token()).End()), Reason::kShuttingDown);
}

}  // namespace
}  // namespace yikatong::rpc::testing
