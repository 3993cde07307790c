// Speed from Redis, and nothing but speed: every answer may be a miss and every effect may be lost.
// No lock that money depends on, no fact that is not in PostgreSQL.
//
// A Redis that is stopped, slow or full is a miss at once: calls have a time-out (50 ms), and after
// a few failures in a row a breaker skips Redis altogether for a while. No call fails and none
// throws.
//
// Thread safety: both caches are thread-safe. Values are bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"

namespace yikatong::telemetry {
class Metrics;
}

namespace yikatong::redis {

// Ends a subscription when it goes; no callback runs after that.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

class Cache {
 public:
  using OnMessage = std::function<void(std::string_view payload)>;
  virtual ~Cache() = default;

  // The value, or nothing (also when Redis does not answer). A key begins with the name of its
  // cache and a colon, as in "policy:7": hits are counted by it.
  virtual std::optional<std::string> Get(std::string_view key) = 0;
  virtual void Set(std::string_view key, std::string_view value, std::chrono::milliseconds ttl) = 0;
  virtual void Delete(std::string_view key) = 0;

  // Tells whoever listens now. Messages can be lost: a listener also polls, more slowly.
  virtual void Publish(std::string_view channel, std::string_view payload) = 0;
  // Calls `on_message` on a thread of the subscription, reconnecting as needed. The cache must
  // outlive it.
  virtual std::unique_ptr<Subscription> Subscribe(std::string_view channel,
                                                  OnMessage on_message) = 0;

  // Counts one call of `key` in the present fixed window of `window` length (windows begin at the
  // key's first call); false when it is more than `limit`. Without Redis each process counts for
  // itself.
  virtual bool AllowRate(std::string_view key, int64_t limit, std::chrono::milliseconds window) = 0;
};

// Caches nothing, delivers nothing; limits rates within this process.
std::unique_ptr<Cache> MakeNoCache(const base::Clock& clock);

struct RedisOptions {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string unix_socket = {};  // instead of host and port
  std::string username = {};     // with password: ACL login
  std::string password = {};
  std::string prefix = {};                // before every key and channel, e.g. "dispatch:"
  std::chrono::milliseconds timeout{50};  // to connect, and for each command
  int max_connections = 4;                // idle ones kept
  int breaker_failures = 3;               // in a row, and Redis is left alone
  std::chrono::milliseconds breaker_pause{1'000};
  telemetry::Metrics* metrics = nullptr;        // where to count; outlives the cache; may be null
  std::chrono::milliseconds ping_every{5'000};  // with metrics, for yikatong_redis_up
};

// For gauges and tests; totals since the start.
struct CacheCounters {
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t failures = 0;  // commands that got no answer
  int64_t skipped = 0;   // commands that the breaker did not let through
  bool breaker_open = false;
};

class RedisCache : public Cache {
 public:
  virtual CacheCounters Counters() const = 0;
};

// Connects at first use; `clock` must outlive the cache. With metrics a thread of it sends a PING
// now and then.
std::unique_ptr<RedisCache> MakeRedisCache(RedisOptions options, const base::Clock& clock);

}  // namespace yikatong::redis
