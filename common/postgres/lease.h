// Who is alive: life signs of workers that share one database, for taking over the work of the
// dead.
//
// Each worker has one row with a counter that it raises every beat. The others never compare clocks
// with it: a worker is dead for me when I have watched its counter stand still for `dead_after_ms`
// on my own monotonic clock. A worker that wakes later finds that its fence has moved; and it can
// tell by itself: MayAct() turns false before anyone else may judge it dead.
//
// A service puts the table into its own migrations by
//   -- include common/postgres/sql/worker_heartbeat_v1.sql
// and writes the chunk-taking SQL itself (fence, SKIP LOCKED). A held chunk is free to take when
//   holder = ANY($dead) OR NOT EXISTS (SELECT FROM worker_heartbeat h WHERE h.worker = holder)
// with DeadWorkers() as $dead: a worker has a row before it takes anything, and loses it only when
// it stopped in order or stood still for very long.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/postgres/database.h"

namespace yikatong::postgres {

struct WorkerOptions {
  int beat_every_ms = 1'000;
  int dead_after_ms = 15'000;  // longer than idle_in_transaction_timeout_ms and any send's deadline
  int margin_ms = 2'000;       // MayAct ends this much before others may take over
  int forget_after_ms = 600'000;  // rows standing still this long are deleted
};

// Thread-safe. `worker` is a new random id for each start of a process, so a restarted worker never
// passes for its former self.
class WorkerRegistry {
 public:
  WorkerRegistry(Database& database, const base::Clock& clock, std::string worker,
                 WorkerOptions options = {});
  ~WorkerRegistry();  // stops the thread, if one runs

  // First beat, then a thread that goes on. Fails when the first beat does.
  absl::Status Start();
  // Stops the thread and removes the row, so that others need not wait. Safe to call twice.
  void Stop();

  // One beat: raises our counter and looks at the others'. Start's thread calls it; tests may.
  absl::Status BeatOnce();

  // Workers whose counter has stood still for dead_after_ms, from our first sight of its value to
  // our last look. (Not until now: we may have been paused ourselves.)
  std::vector<std::string> DeadWorkers() const;
  // Whether our last beat is recent enough that nobody may have taken our work yet.
  bool MayAct() const;
  // By when, on Clock::MonotonicMillis, whatever we send under a lease must have ended. Read it
  // before the fenced transaction that announces the send, not after.
  int64_t ActUntilMillis() const;

  const std::string& worker() const { return worker_; }

 private:
  struct Seen {
    int64_t beat = 0;
    int64_t since_ms = 0;  // when this value was first seen, on our monotonic clock
  };
  void Loop();

  Database& database_;
  const base::Clock& clock_;
  const std::string worker_;
  const WorkerOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool beaten_ = false;       // we have a row
  int64_t last_look_ms_ = 0;  // our last successful look at the others
  int64_t last_beat_ms_ = 0;  // start of our last successful beat
  std::map<std::string, Seen> others_;
  std::thread thread_;
};

}  // namespace yikatong::postgres
