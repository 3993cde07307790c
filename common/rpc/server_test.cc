#include "common/rpc/server.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/rpc/testing/rig.h"
#include "common/status/status.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace yikatong::rpc::testing {
namespace {

namespace fs = std::filesystem;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

TlsFiles Agri() { return OrganisationTls(Installation(), "agri"); }

std::shared_ptr<grpc::ChannelInterface> Plaintext(const std::string& address) {
  return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
}

// The status of a service, or the code with which the check was refused.
std::string Check(const std::shared_ptr<grpc::ChannelInterface>& channel,
                  const std::string& service) {
  const auto stub = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) return absl::StatusCodeToString(FromGrpc(status).code());
  return HealthCheckResponse::ServingStatus_Name(response.status());
}

// One message to a method without generated code, the first message back or the code.
std::string Raw(const std::shared_ptr<grpc::ChannelInterface>& channel, const std::string& method,
                const std::string& message) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  const auto call = stub.PrepareCall(&context, method, &queue);
  const auto done = [&] { return queue.Next(&tag, &ok) && ok; };
  call->StartCall(nullptr);
  if (!done()) return "(no call)";
  const grpc::Slice slice(message);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  done();
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  const bool answered = done();
  grpc::Status status;
  call->Finish(&status, nullptr);
  done();
  if (!answered) return absl::StatusCodeToString(FromGrpc(status).code());
  grpc::Slice bytes;
  answer.DumpToSingleSlice(&bytes);
  return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Server, TellsHealthInPlainTextAndNothingElseThere) {
  Rig rig;
  rig.Start();
  const auto channel = Plaintext(rig.server->addresses().health);
  EXPECT_EQ(Check(channel, ""), "SERVING");
  EXPECT_EQ(Check(channel, ProbeService::service_full_name()), "SERVING");
  EXPECT_EQ(Check(channel, "liveness"), "SERVING");
  EXPECT_EQ(Check(channel, "no.such.Service"), "NOT_FOUND");
  EXPECT_EQ(Raw(channel, kAsk, ""), "UNIMPLEMENTED");
  EXPECT_EQ(Raw(channel, kReflection, std::string("\x3a\x00", 2)), "UNIMPLEMENTED");
}

TEST(Server, IsAliveButNotReadyWhileItsDatabaseDoesNotAnswer) {
  Rig rig;
  rig.ready = false;
  rig.Start();
  const auto channel = Plaintext(rig.server->addresses().health);
  EXPECT_EQ(Check(channel, ""), "NOT_SERVING");
  EXPECT_EQ(Check(channel, "liveness"), "SERVING");

  // Whoever watches is told once the database answers.
  const auto stub = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  const auto reader = stub->Watch(&context, HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  rig.ready = true;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(Check(channel, ""), "SERVING");
}

TEST(Server, TellsHealthAndReflectionOverMutualTls) {
  Rig rig;
  rig.Start();
  const auto channel = rig.OpenAs(Agri());
  EXPECT_EQ(Check(channel->grpc(), ""), "SERVING");
  // list_services, and the file that holds the health service (it has a descriptor of its own).
  const std::string services = Raw(channel->grpc(), kReflection, std::string("\x3a\x00", 2));
  EXPECT_THAT(services, HasSubstr("yikatong.rpc.testing.ProbeService"));
  EXPECT_THAT(services, HasSubstr("grpc.health.v1.Health"));
  EXPECT_THAT(Raw(channel->grpc(), kReflection, "\x22\x15grpc.health.v1.Health"),
              HasSubstr("HealthCheckRequest"));
}

TEST(Server, RefusesClientsWithoutACertificateOrWithOneOfAnotherAuthority) {
  Rig rig;
  rig.Start();
  // Right authority for the server, foreign certificate of the client.
  TlsFiles foreign = OrganisationTls(ForeignInstallation(), "agri");
  foreign.ca = Agri().ca;
  EXPECT_EQ(rig.Ask(foreign, rig.Token()).status().code(), absl::StatusCode::kUnavailable);

  grpc::SslCredentialsOptions only_server;
  only_server.pem_root_certs = ReadAll(Agri().ca);
  grpc::ChannelArguments args;
  args.SetSslTargetNameOverride("probe");
  EXPECT_EQ(Raw(grpc::CreateCustomChannel(rig.server->addresses().grpc,
                                          grpc::SslCredentials(only_server), args),
                kAsk, ""),
            "(no call)");
  EXPECT_EQ(Raw(Plaintext(rig.server->addresses().grpc), kAsk, ""), "(no call)");
  EXPECT_EQ(rig.service->handled, 0);
  EXPECT_TRUE(rig.AskAgri().ok());
}

TEST(Server, SpeaksTls12AndNothingOlder) {
  Rig rig;
  rig.Start();
  const auto connect = [&](const std::string& version) {
    const std::string command = "openssl s_client -connect " + rig.server->addresses().grpc +
                                " -CAfile " + Agri().ca + " -cert " + Agri().certificate +
                                " -key " + Agri().key + " -alpn h2 " + version +
                                " -cipher ALL:@SECLEVEL=0 </dev/null >/dev/null 2>&1";
    return std::system(command.c_str());
  };
  EXPECT_EQ(connect("-tls1_2"), 0);
  EXPECT_EQ(connect("-tls1_3"), 0);
  EXPECT_NE(connect("-tls1_1"), 0);
  EXPECT_NE(connect("-tls1"), 0);
}

TEST(Server, ShowsItsMetricsOverHttp) {
  Rig rig;
  rig.options.config_hash = "0123456789ab";
  rig.Start();
  ASSERT_TRUE(rig.AskAgri().ok());
  httplib::Client client("http://" + rig.server->addresses().metrics);
  const auto page = client.Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->body, HasSubstr("yikatong_rpc_requests_total"));
  EXPECT_THAT(page->body, HasSubstr("\nyikatong_build_info{failpoints=\"yes\",version=\"0."));
  EXPECT_THAT(page->body, HasSubstr("\nyikatong_config_info{hash=\"0123456789ab\"} 1"));
  // The certificates of these tests are good for more than a year.
  const std::string metric = "\nyikatong_certificate_expires_seconds ";
  const std::size_t at = page->body.find(metric);
  ASSERT_NE(at, std::string::npos) << page->body;
  const double ends = std::stod(page->body.substr(at + metric.size()));
  EXPECT_GT(ends, static_cast<double>(absl::ToUnixSeconds(absl::Now() + absl::Hours(24 * 365))));
  EXPECT_LT(ends, static_cast<double>(absl::ToUnixSeconds(absl::Now() + absl::Hours(24 * 400))));
  const auto other = client.Get("/");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->status, 404);
}

TEST(Server, WritesWhereItListensOnceItDoesAndTakesThatBack) {
  const std::string file = Installation() + "/ready.json";
  Rig rig;
  rig.options.ready_file = file;
  rig.Start();
  const BoundAddresses at = rig.server->addresses();
  EXPECT_EQ(ReadAll(file), "{\"grpc\":\"" + at.grpc + "\",\"health\":\"" + at.health +
                               "\",\"metrics\":\"" + at.metrics +
                               "\",\"pid\":" + std::to_string(getpid()) + "}\n");
  EXPECT_THAT(at.grpc, Not(HasSubstr(":0")));
  rig.server->Drain();
  EXPECT_FALSE(fs::exists(file));
}

// Holds one call in its handler until it is let go.
class Held {
 public:
  explicit Held(Rig& rig) : rig_(rig) {
    rig.service->on_ask = [this](const identity::Caller&, const AskRequest&, AskResponse& answer) {
      std::unique_lock lock(mutex_);
      entered_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return let_go_; });
      answer.set_text("finished");
      return absl::OkStatus();
    };
  }
  void Call() {
    caller_ = std::thread([this] { answer_ = rig_.AskAgri(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return entered_; });
  }
  void LetGo() {
    std::lock_guard lock(mutex_);
    let_go_ = true;
    changed_.notify_all();
  }
  absl::StatusOr<AskResponse> Answer() {
    caller_.join();
    return answer_;
  }

 private:
  Rig& rig_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool let_go_ = false;
  std::thread caller_;
  absl::StatusOr<AskResponse> answer_;
};

TEST(Server, DrainingSaysSoTakesNoMoreAndFinishesWhatRuns) {
  Rig rig;
  rig.options.drain_notice = absl::Seconds(1);
  Held held(rig);
  rig.Start();
  held.Call();
  const auto health = Plaintext(rig.server->addresses().health);
  ASSERT_EQ(Check(health, ""), "SERVING");
  std::thread drain([&] { rig.server->Drain(); });
  while (Check(health, "") == "SERVING") std::this_thread::yield();
  EXPECT_EQ(Check(health, ""), "NOT_SERVING");
  EXPECT_EQ(Check(health, "liveness"), "SERVING");
  // Once the notice is over nobody gets in any more, while the first call still runs.
  const std::unique_ptr<Channel> late = rig.OpenAs(Agri());
  while (Check(late->grpc(), "liveness") == "SERVING") std::this_thread::yield();
  held.LetGo();
  const auto answer = held.Answer();
  drain.join();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->text(), "finished");
}

TEST(Server, DrainingEndsWhatIsNotFinishedAtTheDeadline) {
  Rig rig;
  rig.options.drain_deadline = absl::Milliseconds(200);
  Held held(rig);
  rig.Start();
  held.Call();
  std::thread drain([&] { rig.server->Drain(); });
  const absl::Status cut = held.Answer().status();  // comes while the handler still runs
  EXPECT_FALSE(cut.ok());
  held.LetGo();
  drain.join();
}

TEST(Server, DoesNotShareAPortWithAnotherProcess) {
  Rig first;
  first.Start();
  Rig second;
  second.options.grpc_address = first.server->addresses().grpc;
  EXPECT_THAT(std::string(second.TryStart().message()), HasSubstr("cannot listen for calls"));
  Rig third;
  third.options.health_address = first.server->addresses().health;
  EXPECT_THAT(std::string(third.TryStart().message()),
              HasSubstr("cannot listen for health checks"));
  Rig fourth;
  fourth.options.metrics_address = first.server->addresses().metrics;
  EXPECT_THAT(std::string(fourth.TryStart().message()), HasSubstr("cannot listen for metrics"));
}

TEST(Server, DoesNotStartWithAMethodThatHasNoRule) {
  Rig rig;
  static constexpr identity::MethodRule kOneRule[] = {{kAsk, {identity::Role::kAuditor}, {}}};
  const identity::Authorizer incomplete(kOneRule);
  Server server(
      rig.options, {{rig.service.get(), ProbeService::service_full_name()}}, incomplete,
      [] { return true; }, nullptr);
  const std::string said(server.Start().message());
  EXPECT_THAT(said, HasSubstr("no rule for /yikatong.rpc.testing.ProbeService/Upload"));
}

TEST(Server, DoesNotStartWithTlsFilesThatCannotWork) {
  Rig rig;
  rig.options.tls.key = Agri().key;
  EXPECT_THAT(std::string(rig.TryStart().message()), HasSubstr("does not belong"));
  rig.options.tls = ServiceTls(Installation(), "probe");
  rig.options.tls.ca = Installation() + "/none.pem";
  EXPECT_THAT(std::string(rig.TryStart().message()), HasSubstr("cannot be read"));
}

TEST(Server, TakesANewCertificateWithoutARestart) {
  // A server folder behind a symlink, as a Kubernetes secret is mounted.
  const std::string link = Installation() + "/mounted";
  fs::create_directory_symlink(Installation() + "/services/probe", link);
  Rig rig;
  rig.options.tls = {
      .ca = link + "/ca.pem", .certificate = link + "/tls.pem", .key = link + "/tls.key"};
  rig.Start();
  const TlsFiles foreign = OrganisationTls(ForeignInstallation(), "agri");
  ASSERT_TRUE(rig.AskAgri().ok());
  ASSERT_FALSE(rig.Ask(foreign, rig.Token()).ok());

  fs::create_directory_symlink(ForeignInstallation() + "/services/probe", link + ".next");
  fs::rename(link + ".next", link);
  const absl::Time give_up = absl::Now() + absl::Seconds(20);
  while (!rig.Ask(foreign, rig.Token()).ok() && absl::Now() < give_up) std::this_thread::yield();
  EXPECT_TRUE(rig.Ask(foreign, rig.Token()).ok());
  EXPECT_FALSE(rig.AskAgri().ok());
}

// In a process of their own, since here are threads that nobody made Signals before.
TEST(SignalsDeathTest, WaitReturnsTheOneThatCameAlsoWithOtherThreads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto wait = [] {
    Signals signals;
    std::thread([] { kill(getpid(), SIGTERM); }).join();  // blocked everywhere, so it stays
    std::_Exit(signals.Wait() == SIGTERM ? 0 : 1);
  };
  EXPECT_EXIT(wait(), ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, ASecondSignalEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto wait = [] {
    Signals signals;
    kill(getpid(), SIGTERM);
    signals.Wait();
    kill(getpid(), SIGTERM);
  };
  EXPECT_EXIT(wait(), ::testing::KilledBySignal(SIGTERM), "");
}

TEST(Certificates, AreKeptOnASecondRunAndMadeAnewForAnotherAuthority) {
  const std::string folder = Installation() + "/again";
  MakeCertificates(folder, "--organisation hr");
  const std::string certificate = ReadAll(folder + "/organisations/hr/tls.pem");
  const std::string issuer = ReadAll(folder + "/keys/token-issuer.key");
  MakeCertificates(folder, "--organisation hr");
  EXPECT_EQ(ReadAll(folder + "/organisations/hr/tls.pem"), certificate);

  fs::remove_all(folder + "/ca");
  MakeCertificates(folder, "--organisation hr");
  EXPECT_NE(ReadAll(folder + "/organisations/hr/tls.pem"), certificate);
  EXPECT_EQ(ReadAll(folder + "/keys/token-issuer.key"), issuer);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    EXPECT_EQ(entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none)
        << entry.path();
  }
}

}  // namespace
}  // namespace yikatong::rpc::testing
