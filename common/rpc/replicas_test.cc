// A peer of several replicas, known by a name whose addresses change as pods come and go: what a
// rolling upgrade, the draining of a node and a HorizontalPodAutoscaler do to callers.
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "common/rpc/client.h"
#include "common/rpc/testing/name_server.h"
#include "common/rpc/testing/rig.h"
#include "common/telemetry/log.h"

namespace yikatong::rpc::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(15);
// As many as a busy process has: all of them meet a drain at one moment.
constexpr int kCallers = 32;

// Pods of one Service: each has an address of its own, all have one port.
class Pods {
 public:
  explicit Pods(absl::Duration cache = absl::ZeroDuration()) : names_(cache) {}

  // A pod that takes calls; its name's answers do not have it yet.
  Rig& Start(absl::Duration drain_notice = absl::ZeroDuration(),
             absl::Duration connection_age = absl::Minutes(30)) {
    Rig& pod = *pods_.emplace_back(std::make_unique<Rig>());
    addresses_.push_back("127.0.0." + std::to_string(pods_.size() + 1));
    pod.options.grpc_address = addresses_.back() + ":" + std::to_string(port_);
    pod.options.drain_notice = drain_notice;
    pod.options.max_connection_age = connection_age;
    pod.Start();
    const std::string& bound = pod.server->addresses().grpc;
    port_ = std::stoi(bound.substr(bound.rfind(':') + 1));
    return pod;
  }

  // From here on the name is that of these pods, counted from 0 in the order of their start.
  void Name(const std::vector<size_t>& ready) {
    std::vector<std::string> addresses;
    addresses.reserve(ready.size());
    for (const size_t pod : ready) addresses.push_back(addresses_[pod]);
    names_.Set(std::move(addresses));
  }

  // Drains it as SIGTERM does, and returns when it is gone.
  void Drain(size_t pod) { pods_[pod]->Stop(); }

  std::unique_ptr<Channel> Open() const {
    auto channel = Channel::Open({.address = names_.TargetOf(port_),
                                  .server = "probe",
                                  .tls = ServiceTls(Installation(), "peer")});
    EXPECT_TRUE(channel.ok()) << channel.status();
    return *std::move(channel);
  }

 private:
  NameServer names_;
  int port_ = 0;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<Rig>> pods_;
  const telemetry::LogCapture quiet_{[](std::string_view) {}};  // a line for each of all the calls
};

// Call again and again, and count what fails after the channel's own retries.
class Callers {
 public:
  explicit Callers(const Channel& channel) {
    for (int i = 0; i < kCallers; ++i) {
      threads_.emplace_back([this, &channel] {
        while (!stopping_) {
          CallOnce(channel);
          absl::SleepFor(absl::Milliseconds(2));  // so that the servers have the processors, too
        }
      });
    }
  }
  ~Callers() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  int64_t calls() const { return calls_; }
  int64_t failed() const { return failed_; }
  std::string first_failure() {
    std::lock_guard lock(mutex_);
    return first_failure_;
  }

 private:
  void CallOnce(const Channel& channel) {
    const auto stub = ProbeService::NewStub(channel.grpc());
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(10));
    AskResponse response;
    const absl::Status status = FromGrpc(stub->Ask(&context, AskRequest(), &response));
    ++calls_;
    if (status.ok()) return;
    ++failed_;
    std::lock_guard lock(mutex_);
    if (first_failure_.empty()) first_failure_ = status.ToString();
  }

  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> calls_{0}, failed_{0};
  std::mutex mutex_;
  std::string first_failure_;
  std::vector<std::thread> threads_;
};

// False where it did not come true in time.
template <typename Condition>
bool Await(const Condition& condition) {
  const absl::Time give_up = absl::Now() + kPatience;
  while (!condition()) {
    if (absl::Now() > give_up) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

TEST(Replicas, AreReplacedOneAfterTheOtherWithoutAFailedCall) {
  Pods pods;
  pods.Start();
  pods.Start();
  pods.Name({0, 1});
  const auto channel = pods.Open();
  Callers callers(*channel);
  ASSERT_TRUE(Await([&] { return callers.calls() >= 100; }));
  // The Deployment's order: a new one is ready before an old one goes. One goes every second.
  absl::Time turn = absl::Now();
  const Rig* newest = nullptr;
  for (size_t next = 2; next < 6; ++next) {
    newest = &pods.Start();
    pods.Name({next - 1, next});
    ASSERT_TRUE(Await([&] { return absl::Now() >= turn; }));
    turn += absl::Seconds(1);
    pods.Drain(next - 2);
  }
  EXPECT_TRUE(Await([&] { return newest->service->handled > 0; }));
  callers.Stop();
  EXPECT_EQ(callers.failed(), 0) << "of " << callers.calls() << ": " << callers.first_failure();
}

// What drain.noticeSeconds of the chart is for. Were the notice shorter than the cache, a caller
// could be told of nobody but those that are gone.
TEST(Replicas, ServeUntilNoCachedAnswerNamesThemAnyMore) {
  constexpr absl::Duration kCache = absl::Milliseconds(1'000), kNotice = absl::Milliseconds(1'300);
  Pods pods(kCache);
  pods.Start(kNotice);
  pods.Start(kNotice);
  pods.Name({0, 1});
  const auto channel = pods.Open();
  Callers callers(*channel);
  ASSERT_TRUE(Await([&] { return callers.calls() >= 100; }));
  Rig& third = pods.Start();
  Rig& fourth = pods.Start();
  pods.Name({2, 3});
  std::thread other([&] { pods.Drain(0); });
  pods.Drain(1);
  other.join();
  EXPECT_TRUE(Await([&] { return third.service->handled > 0 && fourth.service->handled > 0; }));
  callers.Stop();
  EXPECT_EQ(callers.failed(), 0) << "of " << callers.calls() << ": " << callers.first_failure();
}

TEST(Replicas, ThatAreAddedGetCallsAlthoughNoConnectionBreaks) {
  constexpr absl::Duration kAge = absl::Seconds(1);
  Pods pods;
  pods.Start(absl::ZeroDuration(), kAge);
  pods.Name({0});
  const auto channel = pods.Open();
  Callers callers(*channel);
  ASSERT_TRUE(Await([&] { return callers.calls() >= 100; }));
  Rig& added = pods.Start(absl::ZeroDuration(), kAge);
  pods.Name({0, 1});
  EXPECT_TRUE(Await([&] { return added.service->handled >= 10; }));
  callers.Stop();
  EXPECT_EQ(callers.failed(), 0) << "of " << callers.calls() << ": " << callers.first_failure();
}

}  // namespace
}  // namespace yikatong::rpc::testing
