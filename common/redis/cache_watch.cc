#include "common/redis/cache_watch.h"

#include <array>
#include <cstddef>

namespace yikatong::redis {
namespace {

// In the order of CommandKind and of CommandResult.
constexpr std::array<std::string_view, 7> kKinds = {"get",  "set",       "delete", "publish",
                                                    "rate", "subscribe", "ping"};
constexpr std::array<std::string_view, 5> kResults = {"ok", "error", "timeout", "unreachable",
                                                      "skipped"};
constexpr std::size_t kMaxCaches = 32;  // of one service, with their hits and misses

// The cache that a key is of: an id is never a label, so a key without a colon is nobody's.
std::string_view CacheOf(std::string_view key) {
  const std::size_t colon = key.find(':');
  return colon == std::string_view::npos ? "other" : key.substr(0, colon);
}

}  // namespace

std::string_view NameOf(CommandResult result) { return kResults[static_cast<std::size_t>(result)]; }

CacheWatch::CacheWatch(telemetry::Metrics& metrics)
    // A Redis beside us answers within a tenth of a millisecond; a connection and a command have
    // 50 ms each.
    : seconds_(metrics
                   .Histograms("yikatong_redis_command_seconds",
                               "Time of a command that was sent, with that of a new connection.",
                               {},
                               {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                0.05, 0.1, 0.25, 1})
                   .With()),
      lookups_(metrics.Counters("yikatong_redis_lookups_total",
                                "Values asked for, by the cache that they are of; without an "
                                "answer it is a miss.",
                                {"cache", "result"}, kMaxCaches)),
      up_(metrics.Gauges("yikatong_redis_up",
                         "1 while Redis answers a PING, 0 while it does not.")) {
  const telemetry::CounterFamily commands =
      metrics.Counters("yikatong_redis_commands_total",
                       "Commands by kind and how they ended; skipped ones were not sent, as Redis "
                       "had not answered before.",
                       {"command", "result"});
  for (const std::string_view kind : kKinds) {
    for (const std::string_view result : kResults) {
      commands_.push_back(commands.With({kind, result}));
    }
  }
}

void CacheWatch::Ended(CommandKind kind, CommandResult result) {
  commands_[static_cast<std::size_t>(kind) * kResults.size() + static_cast<std::size_t>(result)]
      .Increment();
}

void CacheWatch::Took(std::chrono::steady_clock::duration time) {
  seconds_.Observe(std::chrono::duration<double>(time).count());
}

void CacheWatch::LookedUp(std::string_view key, bool hit) {
  lookups_.With({CacheOf(key), hit ? "hit" : "miss"}).Increment();
}

void CacheWatch::Answers(bool up) { up_.With().Set(up ? 1 : 0); }

}  // namespace yikatong::redis
