// Looks after the stored log while the service runs: compares it every few seconds with its own
// head and the remembered checkpoint, and from time to time checks all of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/telemetry/metrics.h"
#include "services/auditlog/domain/audit_log.h"

namespace yikatong::auditlog {

struct WatchmanOptions {
  absl::Duration check_every = absl::Seconds(10);
  absl::Duration check_whole_every = absl::Hours(1);
};

// What it is given must outlive it. A finding marks the log altered, is logged with the index of
// the entry, and shows in yikatong_auditlog_intact; a database that does not answer is no finding.
class Watchman {
 public:
  Watchman(AuditLog& log, LogStore& store, Integrity& integrity, CheckpointMemory* memory,
           const base::Clock& clock, telemetry::Metrics& metrics, WatchmanOptions options);
  ~Watchman();  // stops
  Watchman(const Watchman&) = delete;
  Watchman& operator=(const Watchman&) = delete;

  // The thread that looks; once.
  void Start();
  void Stop();

  // One look, on the caller's thread; the thread does no more than this, again and again.
  void CheckEnds();
  void CheckWhole();

 private:
  void Loop();
  // False when it is time to stop.
  bool WaitFor(absl::Duration pause);
  bool Stopping();
  void Conclude(std::string_view kind, const absl::StatusOr<VerifyReport>& report);

  AuditLog& log_;
  LogStore& store_;
  Integrity& integrity_;
  CheckpointMemory* memory_;
  const base::Clock& clock_;
  const WatchmanOptions options_;
  telemetry::Gauge intact_;
  telemetry::Gauge tree_size_;
  telemetry::CounterFamily checks_;
  telemetry::GaugeFamily last_check_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yikatong::auditlog
