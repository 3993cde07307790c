#include "services/auditlog/watchman.h"

#include <chrono>
#include <string>

#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;
using telemetry::Log;

}  // namespace

Watchman::Watchman(AuditLog& log, LogStore& store, Integrity& integrity, CheckpointMemory* memory,
                   const base::Clock& clock, telemetry::Metrics& metrics, WatchmanOptions options)
    : log_(log),
      store_(store),
      integrity_(integrity),
      memory_(memory),
      clock_(clock),
      options_(options),
      intact_(metrics
                  .Gauges("yikatong_auditlog_intact",
                          "1 while the stored log fits its head and the remembered checkpoint.")
                  .With()),
      tree_size_(metrics.Gauges("yikatong_auditlog_tree_size", "Entries in the log.").With()),
      checks_(metrics.Counters("yikatong_auditlog_checks_total", "Checks of the stored log.",
                               {"kind", "result"})),
      last_check_(metrics.Gauges("yikatong_auditlog_last_check_seconds",
                                 "Unix time of the last check that found nothing.", {"kind"})) {
  intact_.Set(1);
}

Watchman::~Watchman() { Stop(); }

void Watchman::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Watchman::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchman::Loop() {
  std::optional<std::int64_t> whole_ms;
  do {
    CheckEnds();
    const std::int64_t now_ms = clock_.MonotonicMillis();
    if (!whole_ms || absl::Milliseconds(now_ms - *whole_ms) >= options_.check_whole_every) {
      whole_ms = now_ms;
      CheckWhole();
    }
  } while (WaitFor(options_.check_every));
}

bool Watchman::WaitFor(absl::Duration pause) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, absl::ToChronoMilliseconds(pause), [this] { return stopping_; });
}

bool Watchman::Stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Watchman::CheckEnds() {
  const rpc::CallScope scope(rpc::Trace::New());
  const absl::StatusOr<VerifyReport> report = VerifyEnds(store_, memory_);
  Conclude("ends", report);
  // A good tree is remembered, so that a database that is cut short after this is found out.
  if (!report.ok() || !report->ok() || !integrity_.intact()) return;
  const absl::Status remembered = log_.NewestCheckpoint().status();
  if (!remembered.ok()) Log::Error("checkpoint_not_remembered", {{"status", remembered}});
}

void Watchman::CheckWhole() {
  const rpc::CallScope scope(rpc::Trace::New());
  Conclude("whole", VerifyWhole(store_, memory_,
                                [this](std::uint64_t, std::uint64_t) { return !Stopping(); }));
}

void Watchman::Conclude(std::string_view kind, const absl::StatusOr<VerifyReport>& report) {
  if (!report.ok() && status::ReasonOf(report.status()) != Reason::kAuditLogAltered) {
    checks_.With({kind, "not_done"}).Increment();
    if (report.status().code() != absl::StatusCode::kCancelled) {
      Log::Warning("audit_log_not_checked", {{"kind", kind}, {"status", report.status()}});
    }
    return;
  }
  if (!report.ok()) {
    static_cast<void>(integrity_.MarkAltered(std::string(report.status().message())));
    Log::Error("audit_log_altered", {{"kind", kind}, {"status", report.status()}});
  } else {
    tree_size_.Set(static_cast<double>(report->size));
    for (const Finding& finding : report->findings) {
      static_cast<void>(integrity_.MarkAltered(finding.what));
      const std::string index = finding.index ? std::to_string(*finding.index) : "";
      Log::Error("audit_log_altered", {{"kind", kind}, {"index", index}, {"what", finding.what}});
    }
  }
  const bool good = report.ok() && report->ok();
  checks_.With({kind, good ? "good" : "altered"}).Increment();
  if (good) {
    last_check_.With({kind}).Set(static_cast<double>(absl::ToUnixSeconds(clock_.Now())));
  }
  intact_.Set(integrity_.intact() ? 1 : 0);
}

}  // namespace yikatong::auditlog
