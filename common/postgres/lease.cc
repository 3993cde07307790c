#include "common/postgres/lease.h"

#include <chrono>
#include <utility>

#include "common/postgres/sql/queries.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::postgres {
WorkerRegistry::WorkerRegistry(Database& database, const base::Clock& clock, std::string worker,
                               WorkerOptions options)
    : database_(database), clock_(clock), worker_(std::move(worker)), options_(options) {}

WorkerRegistry::~WorkerRegistry() { Stop(); }

absl::Status WorkerRegistry::BeatOnce() {
  // Taken before the beat: others may count from no earlier moment than this one.
  const int64_t before_ms = clock_.MonotonicMillis();
  std::map<std::string, int64_t> beats;
  // Two transactions, so that our own row is never locked while we look at others'.
  YKT_RETURN_IF_ERROR(database_.Transact(
      "worker_beat", [&](Transaction& tx) { return tx.Run(sql::kWorkerBeat, worker_).status(); }));
  {
    std::lock_guard lock(mutex_);
    last_beat_ms_ = before_ms;
    beaten_ = true;
  }
  // A value is first seen at the end of a look and last seen at the beginning of one: counted
  // short.
  const int64_t look_ms = clock_.MonotonicMillis();
  YKT_RETURN_IF_ERROR(database_.Read("worker_look", [&](Transaction& tx) -> absl::Status {
    beats.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kWorkerLook, worker_));
    for (const Row row : rows) beats[row.Text(0)] = row.Int64(1);
    return absl::OkStatus();
  }));

  std::vector<std::pair<std::string, int64_t>> forgotten;
  {
    const int64_t now_ms = clock_.MonotonicMillis();
    std::lock_guard lock(mutex_);
    last_look_ms_ = look_ms;
    std::erase_if(others_, [&](const auto& other) { return !beats.contains(other.first); });
    for (const auto& [worker, beat] : beats) {
      const auto [at, is_new] = others_.try_emplace(worker, Seen{beat, now_ms});
      if (!is_new && at->second.beat != beat) at->second = {beat, now_ms};
      if (now_ms - at->second.since_ms >= options_.forget_after_ms)
        forgotten.emplace_back(worker, beat);
    }
  }
  if (forgotten.empty()) return absl::OkStatus();
  return database_.Transact("worker_forget", [&](Transaction& tx) -> absl::Status {
    for (const auto& [worker, beat] : forgotten) {
      YKT_RETURN_IF_ERROR(tx.Run(sql::kWorkerForget, worker, beat).status());
    }
    return absl::OkStatus();
  });
}

absl::Status WorkerRegistry::Start() {
  YKT_RETURN_IF_ERROR(BeatOnce());
  thread_ = std::thread([this] { Loop(); });
  return absl::OkStatus();
}

void WorkerRegistry::Loop() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(options_.beat_every_ms),
                         [&] { return stopping_; })) {
    lock.unlock();
    if (const absl::Status status = BeatOnce(); !status.ok()) {
      telemetry::Log::Warning("worker_beat_failed", {{"reason", status::ReasonNameOf(status)}});
    }
    lock.lock();
  }
}

void WorkerRegistry::Stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  bool beaten = false;
  {
    std::lock_guard lock(mutex_);
    beaten = std::exchange(beaten_, false);
  }
  // Others would see us dead in any case; this is sooner. A database that is away changes nothing.
  if (beaten) {
    database_
        .Transact("worker_leave",
                  [&](Transaction& tx) { return tx.Run(sql::kWorkerLeave, worker_).status(); })
        .IgnoreError();
  }
}

std::vector<std::string> WorkerRegistry::DeadWorkers() const {
  std::vector<std::string> dead;
  std::lock_guard lock(mutex_);
  for (const auto& [worker, seen] : others_) {
    if (last_look_ms_ - seen.since_ms >= options_.dead_after_ms) dead.push_back(worker);
  }
  return dead;
}

int64_t WorkerRegistry::ActUntilMillis() const {
  std::lock_guard lock(mutex_);
  return beaten_ ? last_beat_ms_ + options_.dead_after_ms - options_.margin_ms : 0;
}

bool WorkerRegistry::MayAct() const { return clock_.MonotonicMillis() < ActUntilMillis(); }

}  // namespace yikatong::postgres
