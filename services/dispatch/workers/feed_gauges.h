// How far this service is behind what another one tells it, and when it had all of it. One replica
// follows a feed and all others tell 0, so that the maximum over replicas is what is so now. Thread
// safe.
#pragma once

#include <cstdint>

#include "common/base/clock.h"
#include "common/telemetry/metrics.h"

namespace yikatong::dispatch {

class FeedGauges {
 public:
  // Of the gateway's outcomes, and of the registry's changes. `clock` and `metrics` outlive them.
  static FeedGauges OfOutcomes(const base::Clock& clock, telemetry::Metrics& metrics);
  static FeedGauges OfChanges(const base::Clock& clock, telemetry::Metrics& metrics);

  // So many wait to be applied; with none this is the time at which all was.
  void Behind(std::int64_t count);
  // Another replica follows, or may: it tells what waits, and when all was applied.
  void NotMine();

 private:
  FeedGauges(const base::Clock& clock, telemetry::Gauge behind, telemetry::Gauge followed_at)
      : clock_(clock), behind_(behind), followed_at_(followed_at) {}

  const base::Clock& clock_;
  telemetry::Gauge behind_, followed_at_;
};

}  // namespace yikatong::dispatch
