#include "common/rpc/client.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <sstream>

#include "common/config/config.h"
#include "common/rpc/settings.h"
#include "common/rpc/testing/rig.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"

namespace yikatong::rpc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TlsFiles Peer() { return ServiceTls(Installation(), "peer"); }

absl::Status AskOnce(const Channel& channel, absl::Duration timeout = absl::Seconds(10)) {
  const auto stub = ProbeService::NewStub(channel.grpc());
  grpc::ClientContext context;
  channel.Prepare(context, timeout);
  AskResponse response;
  return FromGrpc(stub->Ask(&context, AskRequest(), &response));
}

TEST(Channel, RepeatsWhatWasUnavailableOrMetADrainAndNothingElse) {
  Rig rig;
  std::atomic<int> tries{0};
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  rig.service->on_ask = [&](const identity::Caller&, const AskRequest&, AskResponse&) {
    return ++tries <= 2 ? absl::Status(code, "not now") : absl::OkStatus();
  };
  rig.Start();
  for (const absl::StatusCode passing :
       {absl::StatusCode::kUnavailable, absl::StatusCode::kCancelled}) {
    tries = 0;
    code = passing;
    EXPECT_TRUE(AskOnce(*rig.OpenAs(Peer())).ok());
    EXPECT_EQ(tries, 3);
  }

  tries = 0;
  code = absl::StatusCode::kAborted;
  EXPECT_EQ(AskOnce(*rig.OpenAs(Peer())).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(tries, 1);
}

TEST(Channel, NamesEachCall) {
  Rig rig;
  rig.Start();
  std::vector<std::string> methods;
  auto channel =
      Channel::Open({.address = rig.server->addresses().grpc,
                     .server = "probe",
                     .tls = Peer(),
                     .on_call = [&](std::string_view method) { methods.emplace_back(method); }});
  ASSERT_TRUE(channel.ok());
  ASSERT_TRUE(AskOnce(**channel).ok());
  ASSERT_TRUE(AskOnce(**channel).ok());
  EXPECT_THAT(methods, ElementsAre(kAsk, kAsk));
}

TEST(Channel, NeverWaitsLongerThanTheCallThatItServes) {
  Rig rig;
  rig.Start();
  const auto channel = rig.OpenAs(Peer());
  const absl::Time served_until = absl::Now() + absl::Seconds(3);
  const CallScope scope(Trace::New(), served_until);
  grpc::ClientContext context;
  channel->Prepare(context, absl::Minutes(1));
  EXPECT_LE(absl::FromChrono(context.deadline()), served_until);
  grpc::ClientContext sooner;
  channel->Prepare(sooner, absl::Seconds(1));
  EXPECT_LT(absl::FromChrono(sooner.deadline()), served_until);
}

TEST(Channel, TrustsOnlyTheServerThatItMeant) {
  Rig rig;
  rig.Start();
  auto other = Channel::Open({.address = rig.server->addresses().grpc,
                              .server = "stranger",
                              .tls = Peer(),
                              .retry_unavailable = false});
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(AskOnce(**other).code(), absl::StatusCode::kUnavailable);
  TlsFiles foreign = Peer();
  foreign.ca = ServiceTls(ForeignInstallation(), "probe").ca;
  EXPECT_FALSE(AskOnce(*rig.OpenAs(foreign)).ok());
  EXPECT_EQ(rig.service->handled, 0);
}

TEST(Channel, FailsWithinItsDeadlineAndFindsThePeerAgain) {
  Rig rig;
  rig.Start();
  const auto channel = rig.OpenAs(Peer());
  ASSERT_TRUE(AskOnce(*channel).ok());
  rig.options.grpc_address = rig.server->addresses().grpc;
  rig.Stop();
  const absl::Time before = absl::Now();
  EXPECT_FALSE(AskOnce(*channel, absl::Milliseconds(500)).ok());
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
  rig.Start();
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!AskOnce(*channel).ok() && absl::Now() < give_up) {
  }
  EXPECT_TRUE(AskOnce(*channel).ok());
}

TEST(Channel, CallsReplicasInTurnAndGoesOnWithTheOneThatIsLeft) {
  Rig one, two;
  one.Start();
  two.Start();
  auto channel = Channel::Open(
      {.address = "ipv4:" + one.server->addresses().grpc + "," + two.server->addresses().grpc,
       .server = "probe",
       .tls = Peer()});
  ASSERT_TRUE(channel.ok());
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while ((one.service->handled == 0 || two.service->handled == 0) && absl::Now() < give_up) {
    EXPECT_TRUE(AskOnce(**channel).ok());
  }
  EXPECT_GT(one.service->handled, 0);
  EXPECT_GT(two.service->handled, 0);
  one.Stop();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(AskOnce(**channel).ok()) << i;
}

TEST(Channel, SaysAtOnceWhichTlsFileCannotWork) {
  TlsFiles tls = Peer();
  tls.certificate = Installation() + "/none.pem";
  const auto channel = Channel::Open({.address = "127.0.0.1:1", .server = "probe", .tls = tls});
  EXPECT_THAT(std::string(channel.status().message()), HasSubstr("none.pem"));
}

TEST(Settings, AreTheSameForEveryServer) {
  Rig rig;
  rig.Start();
  config::Schema schema("dispatch");
  DeclareServer(schema);
  DeclarePeer(schema, "probe");
  const config::Environment environment = {
      {"YKT_DISPATCH_TLS_CA", Peer().ca},
      {"YKT_DISPATCH_TLS_CERTIFICATE", Peer().certificate},
      {"YKT_DISPATCH_TLS_KEY", Peer().key},
      {"YKT_DISPATCH_TOKEN_ISSUERS", Installation() + "/issuers"},
      {"YKT_DISPATCH_DRAIN_DEADLINE", "3s"},
      {"YKT_DISPATCH_PROBE_ADDRESS", rig.server->addresses().grpc},
  };
  const auto config = config::Load(schema, std::nullopt, environment);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(ServerOptionsOf(*config).drain_deadline, absl::Seconds(3));
  EXPECT_EQ(ServerOptionsOf(*config).tls.key, Peer().key);
  EXPECT_EQ(GuardOptionsOf(*config).max_streams, 32);
  telemetry::Metrics metrics;
  const auto channel = OpenPeer(*config, "probe", &metrics);
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(yikatong_peer_calls_total{peer="probe"} 0)"));
  EXPECT_TRUE(AskOnce(**channel).ok());
  EXPECT_TRUE(AskOnce(**channel).ok());
  EXPECT_THAT(metrics.Exposition(), HasSubstr(R"(yikatong_peer_calls_total{peer="probe"} 2)"));
  const auto uncounted = OpenPeer(*config, "probe");
  ASSERT_TRUE(uncounted.ok()) << uncounted.status();
  EXPECT_TRUE(AskOnce(**uncounted).ok());

  const auto hash_with = [&](const std::string& key, const std::string& value) {
    config::Environment changed = environment;
    changed[key] = value;
    const auto other = config::Load(schema, std::nullopt, changed);
    EXPECT_TRUE(other.ok()) << other.status();
    return ServerOptionsOf(*other).config_hash;
  };
  const std::string hash = ServerOptionsOf(*config).config_hash;
  EXPECT_EQ(hash.size(), 12);
  EXPECT_NE(hash_with("YKT_DISPATCH_MAX_THREADS", "65"), hash);
  EXPECT_EQ(hash_with("YKT_DISPATCH_GRPC_ADDRESS", "127.0.0.2:0"), hash);
  EXPECT_EQ(hash_with("YKT_DISPATCH_PROBE_ADDRESS", "127.0.0.2:1"), hash);

  config::Environment greedy = environment;
  greedy["YKT_DISPATCH_MAX_STREAMS"] = "64";
  EXPECT_THAT(std::string(config::Load(schema, std::nullopt, greedy).status().message()),
              HasSubstr("max_streams must be below max_threads"));
}

}  // namespace
}  // namespace yikatong::rpc::testing
