// Tells what waits for somebody, by kind: gauges, counted now and again by the one replica that
// follows the registry, since counting reads all that is open.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/store/repair_list_store.h"

namespace yikatong::dispatch {

class RepairWatch {
 public:
  static constexpr absl::Duration kEvery = absl::Minutes(5);

  // Everything outlives the watch.
  RepairWatch(RepairListStore& repairs, const base::Clock& clock, telemetry::Metrics& metrics);

  // Counts where it is `mine` to do so, and the last time was long enough ago; else tells 0, as
  // another replica tells what waits. What cannot be counted is logged, and the gauges stay as they
  // are, with the time of the last count. For one thread at a time.
  void Look(bool mine);

 private:
  void Tell(const RepairCounts& counts);

  RepairListStore& repairs_;
  const base::Clock& clock_;
  const telemetry::GaugeFamily open_, overdue_;
  telemetry::Gauge counted_at_;
  std::int64_t count_at_ms_ = 0;  // monotonic; not before then
  bool telling_ = false;          // since the last count nobody else has had it
};

}  // namespace yikatong::dispatch
