#include "common/redis/cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "common/telemetry/metrics.h"

namespace yikatong::redis {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
constexpr milliseconds kLong = std::chrono::minutes(10);

// A private server on a unix socket, with nothing on disk.
class Server {
 public:
  Server() : folder_("/tmp/ykt-redis-XXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    Start();
  }
  ~Server() {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  void Start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"redis-server", "--port", "0",    "--unixsocket",
                                      socket(),       "--save", "",     "--appendonly",
                                      "no",           "--dir",  folder_};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int null = open("/dev/null", O_WRONLY);
      dup2(null, 1);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    // Ready when a first value can be stored.
    const base::SystemClock clock;
    for (int i = 0; i < 2'000; ++i) {
      const auto probe = MakeRedisCache({.unix_socket = socket(), .password = password_}, clock);
      probe->Get("probe");
      if (probe->Counters().failures == 0) return;
      std::this_thread::sleep_for(milliseconds(5));
    }
    std::abort();
  }
  void StartWithPassword(const std::string& password) {
    password_ = password;
    Start({"--requirepass", password});
  }
  void Stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGCONT);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void Pause() { kill(pid_, SIGSTOP); }
  void Resume() { kill(pid_, SIGCONT); }
  std::string socket() const { return folder_ + "/s"; }

 private:
  std::string folder_;
  std::string password_;
  pid_t pid_ = -1;
};

class RedisTest : public testing::Test {
 protected:
  std::unique_ptr<RedisCache> Make(RedisOptions options = {}) {
    options.unix_socket = server_.socket();
    return MakeRedisCache(std::move(options), clock_);
  }

  Server server_;
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
};

TEST_F(RedisTest, WhatIsSetIsFoundUntilItIsDeletedOrExpires) {
  const auto cache = Make({.prefix = "dispatch:"});
  const std::string value("bytes\0\xff\r\n", 9);
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  cache->Set("k", value, kLong);
  EXPECT_EQ(cache->Get("k"), value);
  EXPECT_EQ(Make()->Get("dispatch:k"), value);  // the prefix is part of the key
  cache->Delete("k");
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  cache->Set("soon", "x", milliseconds(1));
  while (cache->Get("soon").has_value()) {
  }
  cache->Set("never", "x", milliseconds(0));
  EXPECT_EQ(cache->Get("never"), std::nullopt);
  EXPECT_EQ(cache->Counters().failures, 0);
}

TEST_F(RedisTest, RatesAreCountedOverAllProcessesAndOnlyWithinTheWindow) {
  const auto one = Make(), two = Make();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(one->AllowRate("caller", 6, kLong));
    EXPECT_TRUE(two->AllowRate("caller", 6, kLong));
  }
  EXPECT_FALSE(one->AllowRate("caller", 6, kLong));
  EXPECT_TRUE(one->AllowRate("another", 6, kLong));
  EXPECT_TRUE(one->AllowRate("short", 1, milliseconds(1)));
  while (!one->AllowRate("short", 1, milliseconds(1))) {
  }
}

TEST_F(RedisTest, AStoppedRedisIsAMissAndIsUsedAgainWhenItIsBack) {
  const auto cache = Make();
  cache->Set("k", "v", kLong);
  server_.Stop();
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  cache->Set("k", "v", kLong);
  cache->Publish("c", "m");
  EXPECT_TRUE(cache->Counters().breaker_open);
  const int64_t failures = cache->Counters().failures;
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  EXPECT_EQ(cache->Counters().failures, failures);  // left alone
  EXPECT_EQ(cache->Counters().skipped, 1);
  server_.Start();
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(cache->Get("k"), std::nullopt);  // it came back empty
  cache->Set("k", "w", kLong);
  EXPECT_EQ(cache->Get("k"), "w");
  EXPECT_FALSE(cache->Counters().breaker_open);
}

TEST_F(RedisTest, AnIdleConnectionThatARestartBrokeIsReplacedAtOnce) {
  const auto cache = Make();
  cache->Set("k", "v", kLong);
  server_.Stop();
  server_.Start();
  cache->Set("k", "w", kLong);
  EXPECT_EQ(cache->Get("k"), "w");
  EXPECT_EQ(cache->Counters().failures, 0);
}

TEST_F(RedisTest, AFlushedRedisIsOnlyAMiss) {
  const auto cache = Make();
  cache->Set("k", "v", kLong);
  EXPECT_EQ(std::system(("redis-cli -s " + server_.socket() + " flushall > /dev/null").c_str()), 0);
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  EXPECT_EQ(cache->Counters().failures, 0);
}

TEST_F(RedisTest, ASlowRedisCostsNoMoreThanTheTimeoutsBeforeTheBreakerOpens) {
  const auto cache = Make({.timeout = milliseconds(30)});
  cache->Set("k", "v", kLong);
  server_.Pause();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(cache->Get("k"), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - start,
            std::chrono::seconds(5));  // not 1,000 times 30 ms
  EXPECT_EQ(cache->Counters().failures, 3);
  EXPECT_EQ(cache->Counters().skipped, 997);
  // Still slow after the pause: one try, and it is left alone again.
  clock_.Advance(absl::Seconds(1));
  cache->Get("k");
  cache->Get("k");
  EXPECT_EQ(cache->Counters().failures, 4);
  server_.Resume();
  clock_.Advance(absl::Seconds(1));
  // A late answer to an earlier question is never taken for this one's.
  cache->Set("other", "o", kLong);
  EXPECT_EQ(cache->Get("other"), "o");
  EXPECT_EQ(cache->Get("k"), "v");
}

TEST_F(RedisTest, AFullRedisIsAMissAndRatesAreStillLimited) {
  server_.Stop();
  server_.Start({"--maxmemory", "1", "--maxmemory-policy", "noeviction"});
  const auto cache = Make();
  cache->Set("k", "v", kLong);
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  EXPECT_TRUE(cache->AllowRate("caller", 2, kLong));
  EXPECT_TRUE(cache->AllowRate("caller", 2, kLong));
  EXPECT_FALSE(cache->AllowRate("caller", 2, kLong));
  EXPECT_FALSE(cache->Counters().breaker_open);
}

TEST_F(RedisTest, APasswordIsNeededWhereTheServerAsksForOne) {
  server_.Stop();
  server_.StartWithPassword("word");
  const auto with = Make({.password = "word"}), without = Make(),
             wrong = Make({.password = "other"});
  with->Set("k", "v", kLong);
  EXPECT_EQ(with->Get("k"), "v");
  EXPECT_EQ(without->Get("k"), std::nullopt);
  EXPECT_EQ(wrong->Get("k"), std::nullopt);
}

// Collects what a subscription brings.
class Messages {
 public:
  Cache::OnMessage Callback() {
    return [this](std::string_view payload) {
      std::lock_guard lock(mutex_);
      got_.emplace_back(payload);
      arrived_.notify_all();
    };
  }
  // Publishes until it arrives: a message that is sent before the subscription stands is lost, by
  // contract.
  bool ArrivesWhenPublished(Cache& cache, const std::string& channel, const std::string& payload) {
    for (int i = 0; i < 600; ++i) {
      cache.Publish(channel, payload);
      std::unique_lock lock(mutex_);
      if (arrived_.wait_for(lock, milliseconds(20),
                            [&] { return !got_.empty() && got_.back() == payload; })) {
        return true;
      }
    }
    return false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::string> got_;
};

TEST_F(RedisTest, ASubscriptionBringsMessagesAndSurvivesARestart) {
  const auto cache = Make({.prefix = "p:", .breaker_failures = 1'000'000});
  Messages messages;
  const auto subscription = cache->Subscribe("progress", messages.Callback());
  EXPECT_TRUE(messages.ArrivesWhenPublished(*cache, "progress", std::string("one\0", 4)));
  server_.Stop();
  server_.Start();
  EXPECT_TRUE(messages.ArrivesWhenPublished(*cache, "progress", "two"));
}

TEST_F(RedisTest, ASubscriptionEndsPromptlyAlsoWithoutARedis) {
  const auto cache = Make();
  Messages messages;
  auto subscription = cache->Subscribe("progress", messages.Callback());
  EXPECT_TRUE(messages.ArrivesWhenPublished(*cache, "progress", "one"));
  subscription.reset();
  server_.Stop();
  subscription = cache->Subscribe("progress", messages.Callback());
  subscription.reset();
}

TEST_F(RedisTest, ManyThreadsShareOneCache) {
  const auto cache = Make({.timeout = std::chrono::seconds(5)});
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::string key = std::to_string(t) + "/" + std::to_string(i);
        cache->Set(key, key, kLong);
        EXPECT_EQ(cache->Get(key), key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache->Counters().hits, 1'600);
}

class RedisMetricsTest : public RedisTest {
 protected:
  // It asks by itself only where `options` say so.
  std::unique_ptr<RedisCache> Watched(RedisOptions options = {.ping_every = kLong}) {
    options.metrics = &metrics_;
    return Make(std::move(options));
  }
  double Commands(std::string_view command, std::string_view result) {
    return metrics_.Counters("yikatong_redis_commands_total", "", {"command", "result"})
        .With({command, result})
        .Value();
  }
  double Lookups(std::string_view cache, std::string_view result) {
    return metrics_.Counters("yikatong_redis_lookups_total", "", {"cache", "result"})
        .With({cache, result})
        .Value();
  }
  // Waits until it is said that Redis answers (1), or that it does not (0).
  void AwaitUp(int up) {
    const std::string said = "\nyikatong_redis_up " + std::to_string(up);
    while (metrics_.Exposition().find(said) == std::string::npos) std::this_thread::yield();
  }

  telemetry::Metrics metrics_;
};

TEST_F(RedisMetricsTest, CountCommandsByKindAndLookupsByCache) {
  const auto cache = Watched();
  EXPECT_THAT(metrics_.Exposition(),
              HasSubstr(R"(yikatong_redis_commands_total{command="set",result="timeout"} 0)"));
  cache->Get("policy:1");
  cache->Set("policy:1", "v", kLong);
  cache->Get("policy:1");
  cache->Get("policy:2");
  cache->Get("120105199001010011");
  cache->Delete("policy:1");
  cache->Publish("progress", "1");
  cache->AllowRate("rate:caller", 2, kLong);
  EXPECT_EQ(Commands("get", "ok"), 4);
  EXPECT_EQ(Commands("set", "ok"), 1);
  EXPECT_EQ(Commands("delete", "ok"), 1);
  EXPECT_EQ(Commands("publish", "ok"), 1);
  EXPECT_EQ(Commands("rate", "ok"), 1);
  EXPECT_EQ(Lookups("policy", "hit"), 1);
  EXPECT_EQ(Lookups("policy", "miss"), 2);
  EXPECT_EQ(Lookups("other", "miss"), 1);
  EXPECT_THAT(metrics_.Exposition(), AllOf(HasSubstr("yikatong_redis_command_seconds_count 8"),
                                           Not(HasSubstr("120105199001010011"))));
}

TEST_F(RedisMetricsTest, ShowARedisThatIsStoppedAndItsReturn) {
  const auto cache = Watched();
  cache->Set("policy:1", "v", kLong);
  server_.Stop();
  for (int i = 0; i < 5; ++i) cache->Get("policy:1");
  EXPECT_EQ(Commands("get", "unreachable"), 3);
  EXPECT_EQ(Commands("get", "skipped"), 2) << "held to be down";
  EXPECT_EQ(Lookups("policy", "miss"), 5) << "without an answer it is a miss";
  EXPECT_THAT(metrics_.Exposition(), HasSubstr("yikatong_redis_command_seconds_count 4"));
  server_.Start();
  clock_.Advance(absl::Seconds(1));
  cache->Get("policy:1");
  EXPECT_EQ(Commands("get", "ok"), 1);
}

TEST_F(RedisMetricsTest, TellARedisThatIsSlowFromOneThatRefuses) {
  const auto slow = Watched({.timeout = milliseconds(30), .ping_every = kLong});
  slow->Set("k", "v", kLong);
  server_.Pause();
  slow->Get("k");
  EXPECT_EQ(Commands("get", "timeout"), 1);
  server_.Resume();
  server_.Stop();
  server_.Start({"--maxmemory", "1", "--maxmemory-policy", "noeviction"});
  const auto full = Watched();
  full->Set("k", "v", kLong);
  EXPECT_EQ(Commands("set", "error"), 1);
  server_.Stop();
  server_.StartWithPassword("word");
  const auto wrong = Watched({.password = "other", .ping_every = kLong});
  wrong->Delete("k");
  EXPECT_EQ(Commands("delete", "error"), 1);
}

TEST_F(RedisMetricsTest, SayWhetherItAnswersAlsoWhileNobodyCalls) {
  const auto cache = Watched({.ping_every = milliseconds(1)});
  AwaitUp(1);
  server_.Stop();
  AwaitUp(0);
  while (!cache->Counters().breaker_open) std::this_thread::yield();
  server_.Start();
  clock_.Advance(absl::Seconds(1));
  AwaitUp(1);
}

TEST_F(RedisMetricsTest, SayThatOneWhichRefusesToAnswerDoesNot) {
  server_.Stop();
  server_.StartWithPassword("word");
  const auto without = Watched({.ping_every = milliseconds(1)});
  AwaitUp(0);
  EXPECT_GT(Commands("ping", "error"), 0);
  EXPECT_EQ(Commands("ping", "unreachable"), 0);
}

TEST_F(RedisMetricsTest, CountSubscriptionsThatWereMadeAndMadeAnew) {
  const auto cache = Watched({.breaker_failures = 1'000'000, .ping_every = kLong});
  Messages messages;
  const auto subscription = cache->Subscribe("progress", messages.Callback());
  EXPECT_TRUE(messages.ArrivesWhenPublished(*cache, "progress", "one"));
  EXPECT_EQ(Commands("subscribe", "ok"), 1);
  server_.Stop();
  while (Commands("subscribe", "unreachable") < 1) std::this_thread::yield();
  server_.Start();
  EXPECT_TRUE(messages.ArrivesWhenPublished(*cache, "progress", "two"));
  EXPECT_EQ(Commands("subscribe", "ok"), 2);
}

TEST(NoCacheTest, HoldsNothingAndLimitsRatesWithinTheProcess) {
  base::ManualClock clock(absl::FromUnixSeconds(1'790'000'000));
  const auto cache = MakeNoCache(clock);
  cache->Set("k", "v", kLong);
  EXPECT_EQ(cache->Get("k"), std::nullopt);
  const auto subscription = cache->Subscribe("c", [](std::string_view) { FAIL(); });
  cache->Publish("c", "m");
  for (int window = 0; window < 3; ++window) {
    EXPECT_TRUE(cache->AllowRate("caller", 2, std::chrono::seconds(1)));
    EXPECT_TRUE(cache->AllowRate("caller", 2, std::chrono::seconds(1)));
    EXPECT_FALSE(cache->AllowRate("caller", 2, std::chrono::seconds(1)));
    EXPECT_TRUE(cache->AllowRate("another", 1, std::chrono::minutes(1)) || window > 0);
    clock.Advance(absl::Seconds(1));
  }
}

}  // namespace
}  // namespace yikatong::redis
