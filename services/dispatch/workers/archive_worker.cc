#include "services/dispatch/workers/archive_worker.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/dates.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr std::size_t kSubmissionsACall = 64;
constexpr int kMostDoublings = 16;

// What is nobody's failure: the statement of a day comes by the bank's own hours.
bool Waits(const absl::Status& status) {
  return status::ReasonOf(status) == Reason::kStatementOpen ||
         status::ReasonOf(status) == Reason::kBatchState || absl::IsCancelled(status);
}

absl::Status CheckStatements(const std::vector<SubmissionTrace>& traces) {
  for (const SubmissionTrace& trace : traces) {
    for (const StatementShare& share : trace.statements) {
      if (share.complete) continue;
      return status::Refuse(
          Reason::kStatementOpen, "",
          {{"agreement", share.agreement_no}, {"day", base::FormatDate(share.day)}});
    }
  }
  return absl::OkStatus();
}

}  // namespace

ArchiveWorker::ArchiveWorker(ArchiveSealStore& store, GatewayPort& gateway,
                             postgres::WorkerRegistry& registry, const base::Clock& clock,
                             telemetry::Metrics* metrics, ArchiveWorkerOptions options)
    : store_(store),
      gateway_(gateway),
      registry_(registry),
      clock_(clock),
      metrics_(metrics),
      options_(options),
      slot_(store.NewSlot()) {}

void ArchiveWorker::Run(const std::atomic<bool>& stop) {
  stop_ = &stop;
  while (!stop.load()) {
    const absl::StatusOr<bool> worked = WorkOnce();
    CountOpen();
    if (worked.ok() && *worked) continue;
    if (!worked.ok()) {
      telemetry::Log::Warning("archive_worker_waits",
                              {{"status", status::ReasonNameOf(worked.status())}});
    }
    absl::SleepFor(options_.idle);
  }
}

absl::StatusOr<bool> ArchiveWorker::WorkOnce() {
  const rpc::CallScope scope(rpc::Trace::New());
  if (!registry_.MayAct()) return false;
  YKT_ASSIGN_OR_RETURN(std::optional<TakenArchive> taken,
                       store_.Take(registry_.worker(), slot_, registry_.DeadWorkers()));
  if (!taken.has_value()) return false;
  const absl::Status status = Seal(*taken);
  if (status.ok()) return true;
  const bool waits = Waits(status);
  if (!waits) {
    telemetry::Log::Warning("archive_step_failed",
                            {{"batch", std::to_string(taken->cut.batch_id)},
                             {"package", std::to_string(taken->cut.package_no)},
                             {"step", SealStepName(taken->step)},
                             {"reason", status::ReasonNameOf(status)},
                             {"message", std::string(status.message())}});
  }
  if (status::ReasonOf(status) == Reason::kLeaseLost) return true;
  std::string why = status::ReasonNameOf(status);
  if (why.empty()) why = absl::StatusCodeToString(status.code());
  YKT_RETURN_IF_ERROR(store_.PutBack(*taken, DelayAfter(*taken, status), !waits, why));
  return true;
}

absl::Duration ArchiveWorker::DelayAfter(const TakenArchive& taken,
                                         const absl::Status& status) const {
  if (stop_ != nullptr && stop_->load()) return absl::ZeroDuration();
  if (Waits(status)) return options_.statement_waits;
  return std::min(options_.longest_delay,
                  absl::Seconds(1LL << std::clamp(taken.taken - 1, 0, kMostDoublings)));
}

absl::Status ArchiveWorker::Seal(TakenArchive& taken) {
  while (true) {
    // Who may be taken for dead goes no further: somebody else is at it already, or soon.
    if (!registry_.MayAct())
      return status::Refuse(Reason::kLeaseLost, "this worker was away for too long");
    if (stop_ != nullptr && stop_->load()) return absl::CancelledError("this process ends");
    switch (taken.step) {
      case SealStep::kBegin:
        YKT_RETURN_IF_ERROR(store_.Begin(taken));
        break;
      case SealStep::kUploads:
        YKT_RETURN_IF_ERROR(store_.SealUpload(taken));
        break;
      case SealStep::kChunks:
        YKT_RETURN_IF_ERROR(SealNextChunk(taken));
        break;
      case SealStep::kFinish: {
        YKT_ASSIGN_OR_RETURN(const SealedPackage sealed, store_.Finish(taken));
        telemetry::Log::Info("archive_sealed", {{"batch", std::to_string(taken.cut.batch_id)},
                                                {"package", std::to_string(sealed.package_no)},
                                                {"files", std::to_string(sealed.files)},
                                                {"records", std::to_string(sealed.records)},
                                                {"bytes", std::to_string(sealed.bytes)}});
        if (metrics_ != nullptr) {
          metrics_->Counters("yikatong_archives_sealed_total", "Packages that were sealed.")
              .With()
              .Increment();
          metrics_->Counters("yikatong_archive_records_total", "Records in sealed packages.")
              .With()
              .Increment(static_cast<double>(sealed.records));
        }
        return absl::OkStatus();
      }
      default:
        YKT_RETURN_IF_ERROR(store_.SealPage(taken));
    }
    taken.taken = 1;  // it went on: what fails from here on fails for the first time
  }
}

absl::Status ArchiveWorker::SealNextChunk(TakenArchive& taken) {
  YKT_ASSIGN_OR_RETURN(const std::optional<ChunkToSeal> chunk, store_.NextChunk(taken));
  if (!chunk.has_value()) return store_.EndChunks(taken);
  std::vector<SubmissionTrace> traces;
  if (chunk->told) {
    const std::vector<std::string>& all = chunk->submissions;
    for (std::size_t first = 0; first < all.size(); first += kSubmissionsACall) {
      const std::size_t last = std::min(all.size(), first + kSubmissionsACall);
      const std::vector<std::string> some(all.begin() + static_cast<std::ptrdiff_t>(first),
                                          all.begin() + static_cast<std::ptrdiff_t>(last));
      YKT_ASSIGN_OR_RETURN(std::vector<SubmissionTrace> told,
                           gateway_.TraceSubmissions(taken.cut.district, some));
      YKT_INVARIANT(told.size() == some.size(),
                    "the gateway told of other submissions than were asked for");
      for (std::size_t i = 0; i < some.size(); ++i) {
        YKT_INVARIANT(told[i].submission == some[i],
                      "the gateway told of submissions in another order than was asked for");
        traces.push_back(std::move(told[i]));
      }
    }
    YKT_RETURN_IF_ERROR(CheckStatements(traces));
  }
  return store_.SealChunk(taken, *chunk, traces);
}

void ArchiveWorker::CountOpen() {
  if (metrics_ == nullptr || clock_.MonotonicMillis() < count_at_ms_) return;
  count_at_ms_ = clock_.MonotonicMillis() + absl::ToInt64Milliseconds(options_.figures_every);
  const absl::StatusOr<ArchiveFigures> figures = store_.Figures();
  if (!figures.ok()) return;
  metrics_->Gauges("yikatong_archives_open", "Closed batches with a package to be sealed.")
      .With()
      .Set(static_cast<double>(figures->open));
  metrics_
      ->Gauges("yikatong_archives_failing", "Of them, packages that failed three times or more.")
      .With()
      .Set(static_cast<double>(figures->failing));
  metrics_
      ->Gauges("yikatong_archives_oldest_seconds", "How long the oldest of them has been waiting.")
      .With()
      .Set(static_cast<double>(figures->oldest_seconds));
}

}  // namespace yikatong::dispatch
