#include "services/bankgateway/workers/workers.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::bankgateway {
namespace {

constexpr int kRarestLookMs = 250;  // where nothing happens; less often only what is set so

// Whose turn it is at once when a worker has done something; nobody's where the next is the bank's.
const char* FollowerOf(std::string_view worker) {
  if (worker == "look_up") return "pack";
  if (worker == "pack") return "send";
  if (worker == "results" || worker == "day_end") return "number";
  return nullptr;
}

}  // namespace

Workers::Workers(Parts parts, telemetry::Metrics& metrics, WorkersOptions options)
    : parts_(parts),
      options_(options),
      steps_(metrics.Counters("yikatong_gateway_steps_total",
                              "Steps of the gateway's workers: done, idle (nothing was to be done) "
                              "or failed; the bank's code where a worker is of one bank.",
                              {"worker", "bank", "result"})),
      waiting_(metrics.Gauges("yikatong_gateway_waiting",
                              "Instructions unpacked, files open, instructions awaiting, outcomes "
                              "unknown, differences; after a restore chunks to look up and "
                              "payments that no chunk has asked for.",
                              {"what"})),
      awaiting_(metrics.Gauges("yikatong_gateway_awaiting",
                               "Instructions that a bank has told no outcome of, without those "
                               "that are told to be unknown.",
                               {"bank"})),
      oldest_(metrics.Gauges("yikatong_gateway_oldest_waiting_seconds",
                             "Since the oldest chunk was taken that is in no file yet, in an open "
                             "file, in a file that awaits results.",
                             {"what"})),
      unknown_(metrics.Gauges("yikatong_outcomes_unknown",
                              "Payments of which nobody knows the outcome, by days since they were "
                              "sent.",
                              {"age"})),
      cases_(metrics.Gauges("yikatong_gateway_cases",
                            "Open cases of reconciliation, and those of them that are overdue, by "
                            "kind and age in days.",
                            {"kind", "age", "what"})),
      suspense_(metrics.Gauges("yikatong_gateway_suspense_fen",
                               "Money of open cases, in fen: claimed from banks, owed to banks.",
                               {"kind", "account"})),
      restore_open_(metrics
                        .Gauges("yikatong_gateway_restore_open",
                                "1 from a restore until it is finished: no day is reconciled.")
                        .With()) {}

Workers::~Workers() { Stop(); }

void Workers::Start() {
  Run("pack", "", options_.idle_ms, [this]() -> absl::StatusOr<int> {
    YKT_ASSIGN_OR_RETURN(const bool packed, parts_.files.PackOne());
    return packed ? 1 : 0;
  });
  for (int i = 0; i < options_.senders; ++i) {
    Run("send", "", options_.idle_ms, [this]() -> absl::StatusOr<int> {
      YKT_ASSIGN_OR_RETURN(const SendStep step, parts_.sender.RunOnce());
      return step == SendStep::kIdle ? 0 : 1;
    });
  }
  Run("number", "", options_.idle_ms * 4, [this]() -> absl::StatusOr<int> {
    YKT_ASSIGN_OR_RETURN(const std::int64_t numbered, parts_.outcomes.NumberChunks());
    return static_cast<int>(numbered);
  });
  Run("look_up", "", 1'000, [this] { return parts_.look_up.RunOnce(); });
  Run("banks", "", 1'000, [this] { return LookForBanks(); });
  Run("measure", "", 10'000, [this] { return Measure(); });
}

void Workers::Stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  // The one that looks for banks may still start threads before it ends.
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    if (threads.empty()) return;
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
}

void Workers::Run(std::string name, std::string bank_code, int idle_ms, Step step) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  threads_.emplace_back([this, name = std::move(name), bank_code = std::move(bank_code), idle_ms,
                         step = std::move(step)] { Loop(name, bank_code, idle_ms, step); });
}

void Workers::Loop(const std::string& name, const std::string& bank_code, int idle_ms,
                   const Step& step) {
  int backoff_ms = 0;
  int quiet_ms = idle_ms;
  telemetry::Counter done = steps_.With({name, bank_code, "done"});
  telemetry::Counter idle = steps_.With({name, bank_code, "idle"});
  telemetry::Counter failed = steps_.With({name, bank_code, "failed"});
  for (;;) {
    const rpc::CallScope scope(rpc::Trace::New());
    const absl::StatusOr<int> did = step();
    int rest_ms = quiet_ms;
    if (!did.ok()) {
      failed.Increment();
      // A bank or database that is away is said once for each longer wait, not at every try.
      telemetry::Log::Warning("worker_failed",
                              {{"worker", name}, {"bank", bank_code}, {"status", did.status()}});
      const int least = std::max(idle_ms, 100);
      backoff_ms = std::clamp(backoff_ms * 2, least, std::max(least, options_.max_backoff_ms));
      rest_ms = backoff_ms;
    } else {
      backoff_ms = 0;
      // The longer there was nothing to do, the rarer the looks: a day has many idle hours.
      quiet_ms = std::min(quiet_ms * 2, std::max(idle_ms, kRarestLookMs));
      if (*did > 0) {
        done.Increment();
        rest_ms = 0;
        quiet_ms = idle_ms;
        if (const char* next = FollowerOf(name); next != nullptr) {
          const std::lock_guard lock(mutex_);
          due_.insert(next);
          wake_.notify_all();
        }
      } else {
        idle.Increment();
      }
    }
    if (!Rest(rest_ms, did.ok() ? name : "")) return;
  }
}

bool Workers::Rest(int ms, const std::string& name) {
  std::unique_lock lock(mutex_);
  if (ms > 0) {
    wake_.wait_for(lock, std::chrono::milliseconds(ms),
                   [&] { return stopping_ || due_.contains(name); });
  }
  due_.erase(name);
  return !stopping_;
}

// Banks come and move while we run; each has two threads of its own, so that a slow one delays no
// other.
absl::StatusOr<int> Workers::LookForBanks() {
  YKT_ASSIGN_OR_RETURN(const std::vector<Bank> banks, parts_.directory.ListBanks("", 1'000));
  int fresh = 0;
  for (const Bank& bank : banks) {
    if (bank.address.empty()) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!banks_.insert_or_assign(bank.bank_code, bank).second) continue;
    }
    ++fresh;
    Run("results", bank.bank_code, options_.poll_ms,
        [this, code = bank.bank_code] { return parts_.collector.TakeResults(Now(code)); });
    Run("day_end", bank.bank_code, options_.day_ms,
        [this, code = bank.bank_code]() -> absl::StatusOr<int> {
          const Bank now = Now(code);
          YKT_ASSIGN_OR_RETURN(const int closed, parts_.collector.Reconcile(now));
          YKT_ASSIGN_OR_RETURN(const int late, parts_.collector.AskAboutLate(now));
          YKT_ASSIGN_OR_RETURN(const int asked, parts_.collector.AskAboutCases(now));
          YKT_ASSIGN_OR_RETURN(const int withheld,
                               parts_.look_up.AskAboutLate(now, options_.unknown_after_days));
          return closed + late + asked + withheld;
        });
  }
  return fresh;
}

Bank Workers::Now(const std::string& bank_code) {
  const std::lock_guard lock(mutex_);
  return banks_[bank_code];
}

absl::StatusOr<int> Workers::Measure() {
  YKT_ASSIGN_OR_RETURN(const Statistics counts, parts_.directory.Count(0));
  const auto set = [&](const char* what, std::int64_t value) {
    waiting_.With({what}).Set(static_cast<double>(value));
  };
  set("unpacked", counts.unpacked);
  set("files_open", counts.files_open);
  set("awaiting", counts.awaiting);
  set("unknown", counts.unknown);
  set("differences", counts.differences);
  YKT_ASSIGN_OR_RETURN(const auto awaited, parts_.directory.AwaitedByBank());
  for (const auto& [bank, rows] : awaited) {
    awaiting_.With({bank}).Set(static_cast<double>(rows));
  }
  YKT_RETURN_IF_ERROR(MeasureAges(counts));
  YKT_RETURN_IF_ERROR(MeasureCases());
  YKT_RETURN_IF_ERROR(MeasureRestore());
  return 0;
}

absl::Status Workers::MeasureAges(const Statistics& counts) {
  YKT_ASSIGN_OR_RETURN(const QueueAges ages, parts_.directory.Ages(counts.unknown));
  oldest_.With({"unpacked"}).Set(static_cast<double>(ages.unpacked_seconds));
  oldest_.With({"files_open"}).Set(static_cast<double>(ages.files_open_seconds));
  oldest_.With({"awaiting"}).Set(static_cast<double>(ages.awaiting_seconds));
  for (const auto& [age, rows] : ages.unknown) unknown_.With({age}).Set(static_cast<double>(rows));
  return absl::OkStatus();
}

absl::Status Workers::MeasureRestore() {
  YKT_ASSIGN_OR_RETURN(const RestoreBook::Left left, parts_.restores.Count());
  restore_open_.Set(left.open ? 1 : 0);
  waiting_.With({"to_look_up"}).Set(static_cast<double>(left.to_look_up));
  waiting_.With({"unclaimed"}).Set(static_cast<double>(left.unclaimed));
  return absl::OkStatus();
}

absl::Status Workers::MeasureCases() {
  YKT_ASSIGN_OR_RETURN(std::vector<CaseCount> counts, parts_.cases.CountOpen());
  // What is no longer there is 0, and not what it was.
  for (const CaseCount& before : counted_) {
    cases_.With({before.kind, before.age, "open"}).Set(0);
    cases_.With({before.kind, before.age, "overdue"}).Set(0);
    suspense_.With({before.kind, "claim"}).Set(0);
    suspense_.With({before.kind, "owed"}).Set(0);
  }
  for (const CaseCount& one : counts) {
    cases_.With({one.kind, one.age, "open"}).Set(static_cast<double>(one.open));
    cases_.With({one.kind, one.age, "overdue"}).Set(static_cast<double>(one.overdue));
    suspense_.With({one.kind, "claim"}).Add(static_cast<double>(one.claim_fen));
    suspense_.With({one.kind, "owed"}).Add(static_cast<double>(one.owed_fen));
  }
  counted_ = std::move(counts);
  return absl::OkStatus();
}

}  // namespace yikatong::bankgateway
