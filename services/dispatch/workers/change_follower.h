// Follows the registry's changes: one replica at a time holds the cursor, and opens a case for each
// death that makes payments wrong. It takes no money: what it opens waits for a person.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/postgres/lease.h"
#include "services/dispatch/domain/change_feed.h"
#include "services/dispatch/store/death_store.h"
#include "services/dispatch/workers/feed_gauges.h"

namespace yikatong::dispatch {

struct ChangeFollowerOptions {
  absl::Duration idle = absl::Seconds(1);
  // How old a change must be: a chunk that was sealed before a death was recorded has its attempts
  // committed by then, or has lost its lease.
  absl::Duration settles = absl::Seconds(30);
};

class ChangeFollower {
 public:
  // Everything outlives the follower. `registry_name` names the cursor.
  ChangeFollower(DeathStore& deaths, ChangeFeed& feed, postgres::WorkerRegistry& workers,
                 const base::Clock& clock, std::string registry_name, FeedGauges gauges,
                 ChangeFollowerOptions options = {})
      : deaths_(deaths),
        feed_(feed),
        workers_(workers),
        clock_(clock),
        registry_name_(std::move(registry_name)),
        gauges_(gauges),
        options_(options) {}

  // Applies what there is, at most one answer of the registry; how many changes that was. 0 too
  // where another replica holds the cursor.
  absl::StatusOr<int> FollowOnce();

  // Whether this replica held the cursor when it looked last, and is not taken for dead since.
  bool Holds() const { return mine_ && workers_.MayAct(); }

  // For one thread of its own: follows until `stop` is set. `each_look` runs after every look, with
  // whether this replica holds the cursor, so that one replica of all does what is done once.
  void Run(const std::atomic<bool>& stop, const std::function<void(bool holds)>& each_look);

 private:
  DeathStore& deaths_;
  ChangeFeed& feed_;
  postgres::WorkerRegistry& workers_;
  const base::Clock& clock_;
  const std::string registry_name_;
  FeedGauges gauges_;
  const ChangeFollowerOptions options_;
  std::optional<PeerCursor> cursor_;  // none: to be read anew
  bool mine_ = false;                 // also while it is to be read anew
};

}  // namespace yikatong::dispatch
