#include "common/outbox/relay.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/outbox/sql/queries.h"
#include "common/postgres/bulk.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "fmt/core.h"

namespace yikatong::outbox {
namespace {

using postgres::Rows;
using postgres::Transaction;
using status::Reason;

constexpr int64_t kLooksBetweenForgetting = 5'000;

}  // namespace

Relay::Relay(postgres::Database& database, postgres::WorkerRegistry& workers, AuditSink& sink,
             RelayOptions options)
    : database_(database), workers_(workers), sink_(sink), options_(std::move(options)) {}

Relay::~Relay() { Stop(); }

absl::Status Relay::TakeLease() {
  const std::vector<std::string> dead = workers_.DeadWorkers();
  return database_.Transact("outbox_take_lease", [&](Transaction& tx) -> absl::Status {
    fence_ = 0;
    YKT_RETURN_IF_ERROR(tx.Run(kOutboxAddProducer, options_.producer).status());
    postgres::Columns columns;
    columns.Scalar(options_.producer).Scalar(workers_.worker()).Texts(dead).Lone();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(kOutboxTakeLease, columns));
    if (rows.empty()) return absl::OkStatus();
    YKT_RETURN_IF_ERROR(tx.Run(kOutboxTakeBack, options_.producer).status());
    fence_ = rows[0].Int64(0);
    return absl::OkStatus();
  });
}

absl::StatusOr<Relay::Position> Relay::LockLease(Transaction& tx) {
  YKT_ASSIGN_OR_RETURN(const Rows rows,
                       tx.Run(kOutboxLockLease, options_.producer, workers_.worker(), fence_));
  if (rows.empty()) return status::Refuse(Reason::kLeaseLost);
  return Position{.last_number = rows[0].Int64(0), .acked_number = rows[0].Int64(1)};
}

absl::StatusOr<Relay::Position> Relay::NumberCommitted() {
  Position position;
  Lag lag;
  const bool forget = looks_++ % kLooksBetweenForgetting == 0;
  YKT_RETURN_IF_ERROR(database_.Transact("outbox_number", [&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(position, LockLease(tx));
    YKT_ASSIGN_OR_RETURN(const Rows numbered, tx.Run(kOutboxNumberCommitted, options_.producer,
                                                     position.last_number, options_.max_entries));
    if (!numbered.empty()) position.last_number += numbered[0].Int64(0);
    if (forget) YKT_RETURN_IF_ERROR(tx.Run(kOutboxForget, options_.keep_days).status());
    YKT_ASSIGN_OR_RETURN(lag, ReadLag(tx));
    return absl::OkStatus();
  }));
  Publish(lag);
  return position;
}

absl::Status Relay::Acknowledge(int64_t number) {
  return database_.Transact("outbox_acknowledge", [&](Transaction& tx) -> absl::Status {
    YKT_RETURN_IF_ERROR(LockLease(tx).status());
    return tx.Run(kOutboxAcknowledge, options_.producer, number).status();
  });
}

// Learns from the log where to go on. Only a log that stands between what we know to be
// acknowledged and what we have numbered tells of one history.
absl::Status Relay::Synchronise(const Position& position) {
  YKT_ASSIGN_OR_RETURN(const int64_t next, sink_.NextNumber(options_.producer));
  if (next > position.last_number + 1 || next <= position.acked_number) {
    telemetry::Log::Error("outbox_diverged", {{"producer", options_.producer},
                                              {"log_next", next},
                                              {"last_number", position.last_number},
                                              {"acked_number", position.acked_number}});
    return status::Refuse(Reason::kOutboxDiverged);
  }
  if (next - 1 > position.acked_number) YKT_RETURN_IF_ERROR(Acknowledge(next - 1));
  next_ = next;
  synced_ = true;
  return absl::OkStatus();
}

absl::StatusOr<Relay::Step> Relay::SendBatch() {
  std::vector<std::string> bodies;
  YKT_RETURN_IF_ERROR(database_.Read("outbox_read", [&](Transaction& tx) -> absl::Status {
    bodies.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(kOutboxReadBatch, options_.producer, next_, options_.max_entries));
    size_t bytes = 0;
    for (const postgres::Row row : rows) {
      YKT_INVARIANT(row.Int64(0) == next_ + static_cast<int64_t>(bodies.size()),
                    "outbox numbers have a gap");
      std::string body = row.Bytes(1);
      bytes += body.size();
      if (!bodies.empty() && bytes > static_cast<size_t>(options_.max_bytes)) break;
      bodies.push_back(std::move(body));
    }
    return absl::OkStatus();
  }));
  if (bodies.empty()) return Step::kIdle;
  if (absl::Status sent = sink_.Append(options_.producer, next_, bodies); !sent.ok()) {
    synced_ = false;  // it may have taken them all the same
    return sent;
  }
  next_ += static_cast<int64_t>(bodies.size());
  YKT_RETURN_IF_ERROR(Acknowledge(next_ - 1));
  return Step::kSent;
}

absl::StatusOr<Relay::Step> Relay::RunOnce() {
  std::lock_guard lock(step_);
  if (!workers_.MayAct()) return NotMine();
  if (fence_ == 0) {
    synced_ = false;
    YKT_RETURN_IF_ERROR(TakeLease());
    if (fence_ == 0) return NotMine();
  }
  auto step = [&]() -> absl::StatusOr<Step> {
    YKT_ASSIGN_OR_RETURN(const Position position, NumberCommitted());
    if (!synced_) YKT_RETURN_IF_ERROR(Synchronise(position));
    return SendBatch();
  }();
  if (status::ReasonOf(step.status()) == Reason::kLeaseLost) return NotMine();
  // Lost in COMMIT or before it: what we believe of the lease and of the log is asked anew.
  if (!step.ok()) synced_ = false;
  return step;
}

// The lag is told by whoever holds the lease: what we saw when it was ours would be told for ever.
Relay::Step Relay::NotMine() {
  fence_ = 0;
  Publish({});
  return Step::kNotMine;
}

void Relay::Publish(const Lag& lag) {
  {
    std::lock_guard lock(mutex_);
    lag_ = lag;
  }
  if (options_.metrics == nullptr) return;
  options_.metrics
      ->Gauges("yikatong_outbox_lag_entries", "Audit entries that the log has not acknowledged.")
      .With()
      .Set(static_cast<double>(lag.entries));
  options_.metrics
      ->Gauges("yikatong_outbox_lag_seconds",
               "Age of the oldest entry that the log has not acknowledged.")
      .With()
      .Set(static_cast<double>(lag.oldest_age_seconds));
}

Lag Relay::last_lag() const {
  std::lock_guard lock(mutex_);
  return lag_;
}

void Relay::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Relay::Loop() {
  int backoff_ms = options_.idle_ms;
  for (;;) {
    const rpc::CallScope scope(rpc::Trace::New());
    const absl::StatusOr<Step> step = RunOnce();
    int wait_ms = 0;
    if (!step.ok()) {
      telemetry::Log::Warning("outbox_relay_failed",
                              {{"producer", options_.producer},
                               {"reason", status::ReasonNameOf(step.status())},
                               {"again_in_ms", backoff_ms}});
      wait_ms = backoff_ms;
      backoff_ms = std::min(backoff_ms * 2, options_.max_backoff_ms);
    } else {
      backoff_ms = options_.idle_ms;
      // One that holds no lease looks less often.
      wait_ms = *step == Step::kSent   ? 0
                : *step == Step::kIdle ? options_.idle_ms
                                       : 5 * options_.idle_ms;
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] { return stopping_; })) return;
  }
}

void Relay::ReleaseLease() {
  std::lock_guard lock(step_);
  if (fence_ == 0) return;
  // Without this others wait until we are taken for dead; that is all.
  database_
      .Transact("outbox_release",
                [&](Transaction& tx) {
                  return tx.Run(kOutboxReleaseLease, options_.producer, workers_.worker(), fence_)
                      .status();
                })
      .IgnoreError();
  fence_ = 0;
}

void Relay::Stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  ReleaseLease();
}

}  // namespace yikatong::outbox
