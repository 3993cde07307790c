#include "services/dispatch/workers/feed_gauges.h"

#include "absl/time/time.h"

namespace yikatong::dispatch {

FeedGauges FeedGauges::OfOutcomes(const base::Clock& clock, telemetry::Metrics& metrics) {
  return {clock,
          metrics
              .Gauges("yikatong_outcomes_behind",
                      "Chunks of outcomes that the gateway has told and that are not applied yet.")
              .With(),
          metrics
              .Gauges("yikatong_outcomes_followed_timestamp_seconds",
                      "When all outcomes that the gateway had told were applied last.")
              .With()};
}

FeedGauges FeedGauges::OfChanges(const base::Clock& clock, telemetry::Metrics& metrics) {
  return {clock,
          metrics
              .Gauges("yikatong_changes_behind",
                      "Changes of the registry that are old enough and are not applied yet.")
              .With(),
          metrics
              .Gauges("yikatong_changes_followed_timestamp_seconds",
                      "When all changes of the registry that were old enough were applied last.")
              .With()};
}

void FeedGauges::Behind(std::int64_t count) {
  behind_.Set(static_cast<double>(count));
  if (count == 0) followed_at_.Set(static_cast<double>(absl::ToUnixSeconds(clock_.Now())));
}

void FeedGauges::NotMine() { behind_.Set(0); }

}  // namespace yikatong::dispatch
