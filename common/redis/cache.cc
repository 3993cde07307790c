#include "common/redis/cache.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "common/redis/cache_watch.h"
#include "common/telemetry/log.h"

namespace yikatong::redis {
namespace {

constexpr size_t kMaxLocalWindows = 100'000;  // of one process, without Redis
constexpr int kSubscriberFirstWaitMs = 50;    // between tries to connect
constexpr int kSubscriberLastWaitMs = 2'000;
constexpr int kSubscriberPollMs = 500;  // a quiet subscription looks whether it shall stop

// Counts calls in windows of this process.
class LocalLimiter {
 public:
  explicit LocalLimiter(const base::Clock& clock) : clock_(clock) {}

  bool Allow(std::string_view key, int64_t limit, std::chrono::milliseconds window) {
    const int64_t now_ms = clock_.MonotonicMillis();
    std::lock_guard lock(mutex_);
    if (windows_.size() >= kMaxLocalWindows) {
      std::erase_if(windows_, [&](const auto& entry) { return entry.second.ends_ms <= now_ms; });
      // Still too many callers at once: their counts begin anew, the memory stays bounded.
      if (windows_.size() >= kMaxLocalWindows) windows_.clear();
    }
    Window& current = windows_[std::string(key)];
    if (current.ends_ms <= now_ms) current = {now_ms + window.count(), 0};
    return ++current.calls <= limit;
  }

 private:
  struct Window {
    int64_t ends_ms = 0;
    int64_t calls = 0;
  };
  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Window> windows_;
};

class NoCache final : public Cache {
 public:
  explicit NoCache(const base::Clock& clock) : limiter_(clock) {}
  std::optional<std::string> Get(std::string_view) override { return std::nullopt; }
  void Set(std::string_view, std::string_view, std::chrono::milliseconds) override {}
  void Delete(std::string_view) override {}
  void Publish(std::string_view, std::string_view) override {}
  std::unique_ptr<Subscription> Subscribe(std::string_view, OnMessage) override {
    return std::make_unique<Nothing>();
  }
  bool AllowRate(std::string_view key, int64_t limit, std::chrono::milliseconds window) override {
    return limiter_.Allow(key, limit, window);
  }

 private:
  class Nothing final : public Subscription {};
  LocalLimiter limiter_;
};

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

timeval TimeVal(std::chrono::milliseconds time) {
  return {.tv_sec = static_cast<time_t>(time.count() / 1000),
          .tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000)};
}

// hiredis writes with no word against SIGPIPE, which would end the process when Redis goes away.
// Held back in this thread while it writes, and taken off if it came, so that nothing else of the
// process is touched.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 1) return;  // somebody else holds it back: theirs to take
    const int error = errno;                          // of the write, which the caller looks at
    const timespec at_once = {};
    while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_, before_;
};

Reply Command(redisContext& context, const std::vector<std::string_view>& words) {
  std::vector<const char*> data;
  std::vector<size_t> sizes;
  for (const std::string_view word : words) {
    data.push_back(word.data());
    sizes.push_back(word.size());
  }
  const NoSigpipe no_sigpipe;
  return Reply(static_cast<redisReply*>(
      redisCommandArgv(&context, static_cast<int>(words.size()), data.data(), sizes.data())));
}

// Why `context` gave no reply; `error` is what the system said then.
CommandResult NoReply(const redisContext& context, int error) {
  const bool late = error == EAGAIN || error == EWOULDBLOCK || error == ETIMEDOUT;
  return context.err == REDIS_ERR_IO && late ? CommandResult::kTimeout
                                             : CommandResult::kUnreachable;
}

// A connection that is logged in; or nothing, and `why`.
Context Connect(const RedisOptions& options, CommandResult& why) {
  why = CommandResult::kUnreachable;
  const timeval timeout = TimeVal(options.timeout);
  Context context(options.unix_socket.empty()
                      ? redisConnectWithTimeout(options.host.c_str(), options.port, timeout)
                      : redisConnectUnixWithTimeout(options.unix_socket.c_str(), timeout));
  if (context == nullptr) return nullptr;
  if (context->err != 0) {
    why = NoReply(*context, errno);
    return nullptr;
  }
  if (redisSetTimeout(context.get(), timeout) != REDIS_OK) return nullptr;
  if (!options.password.empty()) {
    const Reply reply = options.username.empty()
                            ? Command(*context, {"AUTH", options.password})
                            : Command(*context, {"AUTH", options.username, options.password});
    if (reply == nullptr || reply->type == REDIS_REPLY_ERROR) {
      why = reply == nullptr ? NoReply(*context, errno) : CommandResult::kError;
      return nullptr;
    }
  }
  return context;
}

std::string_view Text(const redisReply& reply) { return {reply.str, reply.len}; }

class Subscriber final : public Subscription {
 public:
  // `watch` may be null.
  Subscriber(const RedisOptions& options, CacheWatch* watch, std::string channel,
             Cache::OnMessage on_message)
      : options_(options),
        watch_(watch),
        channel_(std::move(channel)),
        on_message_(std::move(on_message)),
        thread_([this] { Loop(); }) {}

  ~Subscriber() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);  // wakes a read that waits
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  bool Stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  void Ended(CommandResult result) {
    if (watch_ != nullptr) watch_->Ended(CommandKind::kSubscribe, result);
  }

  void Loop() {
    int wait_ms = kSubscriberFirstWaitMs;
    while (!Stopping()) {
      CommandResult why;
      if (Context context = Connect(options_, why); context == nullptr) {
        Ended(why);
      } else {
        {
          std::lock_guard lock(mutex_);
          if (stopping_) return;
          fd_ = context->fd;
        }
        if (Listen(*context)) wait_ms = kSubscriberFirstWaitMs;
        std::lock_guard lock(mutex_);
        fd_ = -1;
      }
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return stopping_; });
      wait_ms = std::min(wait_ms * 2, kSubscriberLastWaitMs);
    }
  }

  // Until the connection ends; whether it had come to a subscription.
  bool Listen(redisContext& context) {
    const Reply subscribed = Command(context, {"SUBSCRIBE", channel_});
    if (subscribed == nullptr || subscribed->type == REDIS_REPLY_ERROR) {
      Ended(subscribed == nullptr ? NoReply(context, errno) : CommandResult::kError);
      return false;
    }
    Ended(CommandResult::kOk);
    if (redisSetTimeout(&context, TimeVal(std::chrono::milliseconds(kSubscriberPollMs))) !=
        REDIS_OK) {
      return true;
    }
    while (!Stopping()) {
      void* raw = nullptr;
      if (redisGetReply(&context, &raw) != REDIS_OK) {
        if (context.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK)) {
          // Only quiet. hiredis takes the time-out for an error; the stream itself is whole, since
          // its reader keeps what has come of a reply.
          context.err = 0;
          context.errstr[0] = '\0';
          continue;
        }
        return true;
      }
      const Reply reply(static_cast<redisReply*>(raw));
      if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) continue;
      if (Text(*reply->element[0]) == "message" && reply->element[2]->type == REDIS_REPLY_STRING) {
        on_message_(Text(*reply->element[2]));
      }
    }
    return true;
  }

  const RedisOptions options_;
  CacheWatch* const watch_;
  const std::string channel_;
  const Cache::OnMessage on_message_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  int fd_ = -1;
  std::thread thread_;
};

class HiredisCache final : public RedisCache {
 public:
  HiredisCache(RedisOptions options, const base::Clock& clock)
      : options_(std::move(options)), clock_(clock), limiter_(clock) {
    if (options_.metrics == nullptr) return;
    watch_ = std::make_unique<CacheWatch>(*options_.metrics);
    pulse_ = std::jthread([this](const std::stop_token& stop) { Pulse(stop); });
  }

  std::optional<std::string> Get(std::string_view key) override {
    const Reply reply = Run(CommandKind::kGet, {"GET", Named(key)});
    const bool hit = reply != nullptr && reply->type == REDIS_REPLY_STRING;
    ++(hit ? hits_ : misses_);
    if (watch_ != nullptr) watch_->LookedUp(key, hit);
    return hit ? std::optional<std::string>(Text(*reply)) : std::nullopt;
  }

  void Set(std::string_view key, std::string_view value, std::chrono::milliseconds ttl) override {
    if (ttl.count() <= 0) return;
    Run(CommandKind::kSet, {"SET", Named(key), value, "PX", std::to_string(ttl.count())});
  }

  void Delete(std::string_view key) override { Run(CommandKind::kDelete, {"DEL", Named(key)}); }

  void Publish(std::string_view channel, std::string_view payload) override {
    Run(CommandKind::kPublish, {"PUBLISH", Named(channel), payload});
  }

  std::unique_ptr<Subscription> Subscribe(std::string_view channel, OnMessage on_message) override {
    return std::make_unique<Subscriber>(options_, watch_.get(), Named(channel),
                                        std::move(on_message));
  }

  bool AllowRate(std::string_view key, int64_t limit, std::chrono::milliseconds window) override {
    // One script, so that a key never stays behind without an end.
    static constexpr char kCount[] =
        "local n = redis.call('INCR', KEYS[1]) "
        "if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n";
    const Reply reply =
        Run(CommandKind::kRate, {"EVAL", kCount, "1", Named(key), std::to_string(window.count())});
    if (reply == nullptr || reply->type != REDIS_REPLY_INTEGER)
      return limiter_.Allow(key, limit, window);
    return reply->integer <= limit;
  }

  CacheCounters Counters() const override {
    return {.hits = hits_,
            .misses = misses_,
            .failures = failures_,
            .skipped = skipped_,
            .breaker_open = clock_.MonotonicMillis() < closed_until_ms_};
  }

 private:
  std::string Named(std::string_view name) const { return options_.prefix + std::string(name); }

  // The reply, also when it is an error reply; nothing when there was none.
  Reply Run(CommandKind kind, const std::vector<std::string_view>& words) {
    const int64_t now_ms = clock_.MonotonicMillis();
    if (now_ms < closed_until_ms_) {
      ++skipped_;
      if (watch_ != nullptr) watch_->Ended(kind, CommandResult::kSkipped);
      return nullptr;
    }
    const auto start = std::chrono::steady_clock::now();
    CommandResult result;
    Reply reply = Ask(words, result);
    if (watch_ != nullptr) {
      watch_->Took(std::chrono::steady_clock::now() - start);
      watch_->Ended(kind, result);
    }
    if (reply == nullptr) {
      ++failures_;
      if (++failures_in_a_row_ >= options_.breaker_failures) Open(now_ms, result);
      return nullptr;
    }
    failures_in_a_row_ = 0;
    // An error reply (full, or read-only) is an answer: a miss, but the connection is sound.
    if (result == CommandResult::kError) ++failures_;
    return reply;
  }

  // As Run, and how it ended.
  Reply Ask(const std::vector<std::string_view>& words, CommandResult& result) {
    Context context = Take();
    const bool fresh = context == nullptr;
    if (fresh) context = Connect(options_, result);
    Reply reply = context == nullptr ? nullptr : Command(*context, words);
    int error = errno;
    if (reply == nullptr && !fresh &&
        (context->err == REDIS_ERR_EOF ||
         (context->err == REDIS_ERR_IO && (error == EPIPE || error == ECONNRESET)))) {
      // An idle connection whose server was started anew: once more. (Not after a time-out.)
      context = Connect(options_, result);
      if (context != nullptr) reply = Command(*context, words);
      error = errno;
    }
    if (context == nullptr) return nullptr;  // `result` is why
    if (reply == nullptr) {
      result = NoReply(*context, error);
      return nullptr;
    }
    result = reply->type == REDIS_REPLY_ERROR ? CommandResult::kError : CommandResult::kOk;
    Give(std::move(context));
    return reply;
  }

  void Open(int64_t now_ms, CommandResult why) {
    closed_until_ms_ = now_ms + options_.breaker_pause.count();
    telemetry::Log::Warning("redis_left_alone",
                            {{"pause_ms", options_.breaker_pause.count()}, {"why", NameOf(why)}});
    std::lock_guard lock(mutex_);
    idle_.clear();
  }

  // Asks at even times, so that what is shown is true also while nobody calls.
  void Pulse(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, stop, options_.ping_every, [&] { return stop.stop_requested(); })) {
      const Reply reply = Run(CommandKind::kPing, {"PING"});
      watch_->Answers(reply != nullptr && reply->type != REDIS_REPLY_ERROR);
    }
  }

  Context Take() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    Context context = std::move(idle_.back());
    idle_.pop_back();
    return context;
  }

  void Give(Context context) {
    std::lock_guard lock(mutex_);
    if (idle_.size() < static_cast<size_t>(options_.max_connections))
      idle_.push_back(std::move(context));
  }

  const RedisOptions options_;
  const base::Clock& clock_;
  LocalLimiter limiter_;
  std::atomic<int64_t> hits_{0}, misses_{0}, failures_{0}, skipped_{0};
  std::atomic<int64_t> failures_in_a_row_{0};
  std::atomic<int64_t> closed_until_ms_{0};  // of the breaker
  std::mutex mutex_;
  std::vector<Context> idle_;
  std::unique_ptr<CacheWatch> watch_;  // none without metrics
  std::jthread pulse_;                 // ends before the rest
};

}  // namespace

std::unique_ptr<Cache> MakeNoCache(const base::Clock& clock) {
  return std::make_unique<NoCache>(clock);
}

std::unique_ptr<RedisCache> MakeRedisCache(RedisOptions options, const base::Clock& clock) {
  return std::make_unique<HiredisCache>(std::move(options), clock);
}

}  // namespace yikatong::redis
