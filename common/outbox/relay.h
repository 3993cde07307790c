// Carries outbox rows to the audit log: one relay at a time for each service, under a lease.
//
// Outbox rows have no order of their own (a row may commit long after a later one). The relay
// numbers what has committed, densely from 1, and sends in the order of the numbers; the log takes
// only the next number, so a number is in the log once, whatever dies in between. After a crash, or
// an answer that did not come, the relay goes on from what the log says is next.
//
// `producer` names the service and its restore epoch ("dispatch/1"). After the database was
// restored from a backup the epoch must be raised before the first write (restore.h): numbers of
// the lost timeline are then never used again, and what the old epoch had numbered without an
// acknowledgement is numbered anew. Without that the relay stops with OUTBOX_DIVERGED, since the
// log knows more than we do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/outbox/outbox.h"
#include "common/postgres/database.h"
#include "common/postgres/lease.h"

namespace yikatong::telemetry {
class Metrics;
}

namespace yikatong::outbox {

// The audit log as the relay sees it. Calls block, with a deadline of their own that is shorter
// than a lease.
class AuditSink {
 public:
  virtual ~AuditSink() = default;
  // The number that the log will take next from `producer`; 1 when it knows nothing of it.
  virtual absl::StatusOr<int64_t> NextNumber(std::string_view producer) = 0;
  // OK: all of them are durably in the log. Any error: unknown, ask NextNumber. Entries below the
  // next number whose bytes are the same are acknowledged again.
  virtual absl::Status Append(std::string_view producer, int64_t first_number,
                              const std::vector<std::string>& bodies) = 0;
};

struct RelayOptions {
  std::string producer = {};
  int max_entries = 500;        // in one Append
  int max_bytes = 1 << 20;      // in one Append; a single larger body goes alone
  int idle_ms = 200;            // between looks when there was nothing to do
  int max_backoff_ms = 10'000;  // between tries while the log is away
  int keep_days = 30;           // acknowledged entries are kept this long, then deleted
  telemetry::Metrics* metrics =
      nullptr;  // for the gauges of the lag; outlives the relay; may be null
};

// Thread-safe. `database`, `workers` and `sink` outlive it.
class Relay {
 public:
  enum class Step { kNotMine, kIdle, kSent };

  Relay(postgres::Database& database, postgres::WorkerRegistry& workers, AuditSink& sink,
        RelayOptions options);
  ~Relay();

  // A thread that takes the lease when it is free and works until Stop.
  void Start();
  void Stop();

  // One look: takes or keeps the lease, numbers what has committed, sends one batch. kNotMine:
  // another relay holds the lease. The thread calls it; tests may.
  absl::StatusOr<Step> RunOnce();

  // As of the last look; for a gauge. Nothing where another relay holds the lease.
  Lag last_lag() const;

 private:
  struct Position {
    int64_t last_number = 0;   // numbered so far
    int64_t acked_number = 0;  // acknowledged so far
  };
  absl::Status TakeLease();
  absl::StatusOr<Position> NumberCommitted();
  absl::Status Synchronise(const Position& position);
  absl::StatusOr<Step> SendBatch();
  absl::Status Acknowledge(int64_t number);
  absl::StatusOr<Position> LockLease(postgres::Transaction& tx);
  void ReleaseLease();
  Step NotMine();
  void Publish(const Lag& lag);
  void Loop();

  postgres::Database& database_;
  postgres::WorkerRegistry& workers_;
  AuditSink& sink_;
  const RelayOptions options_;

  std::mutex step_;      // one RunOnce at a time; guards the four below
  int64_t fence_ = 0;    // of our lease; 0: not ours
  bool synced_ = false;  // next_ is what the log told us and has not been doubted since
  int64_t next_ = 0;
  int64_t looks_ = 0;

  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable wake_;
  bool stopping_ = false;
  Lag lag_;
  std::thread thread_;
};

}  // namespace yikatong::outbox
