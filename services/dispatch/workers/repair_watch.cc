#include "services/dispatch/workers/repair_watch.h"

#include <string>

#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::dispatch {

RepairWatch::RepairWatch(RepairListStore& repairs, const base::Clock& clock,
                         telemetry::Metrics& metrics)
    : repairs_(repairs),
      clock_(clock),
      open_(metrics.Gauges("yikatong_repairs_open", "What waits for somebody, by kind.", {"kind"})),
      overdue_(
          metrics.Gauges("yikatong_repairs_overdue", "Of it, what is past its due day.", {"kind"})),
      counted_at_(metrics
                      .Gauges("yikatong_repairs_counted_timestamp_seconds",
                              "When it was last counted what waits for somebody.")
                      .With()) {}

void RepairWatch::Look(bool mine) {
  if (!mine) {
    if (telling_) Tell({});
    telling_ = false;
    return;
  }
  // Whoever has it anew counts at once: nobody else tells any more.
  if (telling_ && clock_.MonotonicMillis() < count_at_ms_) return;
  telling_ = true;
  count_at_ms_ = clock_.MonotonicMillis() + absl::ToInt64Milliseconds(kEvery);
  const absl::StatusOr<RepairCounts> counts = repairs_.Count();
  if (!counts.ok()) {
    telemetry::Log::Warning("repairs_not_counted",
                            {{"status", status::ReasonNameOf(counts.status())}});
    return;
  }
  Tell(*counts);
  counted_at_.Set(static_cast<double>(absl::ToUnixSeconds(clock_.Now())));
}

void RepairWatch::Tell(const RepairCounts& counts) {
  for (int kind = 1; kind < kRepairKinds; ++kind) {
    const std::string name = RepairKindName(static_cast<RepairKind>(kind));
    const auto at = static_cast<std::size_t>(kind);
    open_.With({name}).Set(static_cast<double>(counts.open.at(at)));
    overdue_.With({name}).Set(static_cast<double>(counts.overdue.at(at)));
  }
}

}  // namespace yikatong::dispatch
