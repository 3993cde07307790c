// What the people on watch see of a Redis. Internal to this room.
//
//   yikatong_redis_up                              1 while Redis answers a PING
//   yikatong_redis_commands_total{command,result}  how commands ended
//   yikatong_redis_command_seconds                 time of those that were sent
//   yikatong_redis_lookups_total{cache,result}     hit and miss; `cache` is what stands before the
//                                                  first colon of the key
//
// Thread safe.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "common/telemetry/metrics.h"

namespace yikatong::redis {

enum class CommandKind { kGet, kSet, kDelete, kPublish, kRate, kSubscribe, kPing };

// How a command ended.
enum class CommandResult {
  kOk,
  kError,        // Redis answered that it does not do it: it is full, or wants a password
  kTimeout,      // no answer in time
  kUnreachable,  // no connection, or it broke
  kSkipped       // not sent: the breaker leaves Redis alone
};

// As the label and the log name it.
std::string_view NameOf(CommandResult result);

class CacheWatch {
 public:
  // All series of commands stand at 0 from here on. `metrics` must outlive it.
  explicit CacheWatch(telemetry::Metrics& metrics);

  void Ended(CommandKind kind, CommandResult result);
  void Took(std::chrono::steady_clock::duration time);
  void LookedUp(std::string_view key, bool hit);
  void Answers(bool up);

 private:
  std::vector<telemetry::Counter> commands_;  // by kind, then by result
  telemetry::Histogram seconds_;
  telemetry::CounterFamily lookups_;
  telemetry::GaugeFamily up_;
};

}  // namespace yikatong::redis
