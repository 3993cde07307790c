// Follows the gateway's outcomes: one replica at a time holds the cursor, applies chunk after
// chunk, and settles batches in which nothing moves any more.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/postgres/lease.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/outcome_store.h"
#include "services/dispatch/workers/feed_gauges.h"

namespace yikatong::dispatch {

class OutcomeFollower {
 public:
  // Everything outlives the follower. `gateway_name` names the cursor.
  OutcomeFollower(OutcomeStore& outcomes, ChunkStore& chunks, GatewayPort& gateway,
                  postgres::WorkerRegistry& registry, std::string gateway_name, FeedGauges gauges,
                  absl::Duration idle = absl::Milliseconds(200))
      : outcomes_(outcomes),
        chunks_(chunks),
        gateway_(gateway),
        registry_(registry),
        gateway_name_(std::move(gateway_name)),
        gauges_(gauges),
        idle_(idle) {}

  // Applies what there is, at most one answer of the gateway; how many chunks that was. 0 too where
  // another replica holds the cursor.
  absl::StatusOr<int> FollowOnce();

  // For one thread of its own: follows until `stop` is set.
  void Run(const std::atomic<bool>& stop);

 private:
  OutcomeStore& outcomes_;
  ChunkStore& chunks_;
  GatewayPort& gateway_;
  postgres::WorkerRegistry& registry_;
  const std::string gateway_name_;
  FeedGauges gauges_;
  const absl::Duration idle_;
  std::optional<OutcomeCursor> cursor_;
};

}  // namespace yikatong::dispatch
