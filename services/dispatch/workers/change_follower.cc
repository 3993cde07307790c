#include "services/dispatch/workers/change_follower.h"

#include <algorithm>
#include <vector>

#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/domain/payment_ports.h"

namespace yikatong::dispatch {
namespace {

constexpr int kChangesAnAnswer = 1'000;

}  // namespace

absl::StatusOr<int> ChangeFollower::FollowOnce() {
  const rpc::CallScope scope(rpc::Trace::New());
  if (!workers_.MayAct()) gauges_.NotMine();
  if (!cursor_.has_value()) {
    YKT_ASSIGN_OR_RETURN(
        cursor_, deaths_.TakeCursor(registry_name_, workers_.worker(), workers_.DeadWorkers()));
    mine_ = cursor_.has_value();
    if (!mine_) {
      gauges_.NotMine();
      return 0;
    }
  }
  YKT_ASSIGN_OR_RETURN(ChangePage page, feed_.ListChanges(cursor_->applied, kChangesAnAnswer));
  std::vector<PersonChange>& changes = page.changes;
  const absl::Time settled = clock_.Now() - options_.settles;
  const auto young = std::find_if(changes.begin(), changes.end(),
                                  [&](const PersonChange& c) { return c.recorded_at > settled; });
  // The last that is old enough: from the first that is not, all are too young. Told before any is
  // applied: what cannot be applied waits too.
  const std::int64_t last = young == changes.end() ? page.head : young->number - 1;
  gauges_.Behind(NumbersBehind(cursor_->applied, last));
  changes.erase(young, changes.end());
  if (changes.empty()) return 0;
  // Merged records are applied before what comes behind them: a death is then found under both.
  const auto merged = [](const PersonChange& c) { return c.kind == PersonChange::Kind::kMerged; };
  changes.erase(
      std::find_if_not(std::find_if(changes.begin(), changes.end(), merged), changes.end(), merged),
      changes.end());
  YKT_ASSIGN_OR_RETURN(const std::vector<WrongPayment> wrong, deaths_.FindWrong(changes));
  const absl::StatusOr<AppliedChanges> applied =
      deaths_.Apply(registry_name_, *cursor_, changes, wrong);
  if (!applied.ok()) {
    // Whether it was committed, or who holds the cursor now, is read anew.
    cursor_.reset();
    if (status::ReasonOf(applied.status()) == status::Reason::kLeaseLost) {
      mine_ = false;
      gauges_.NotMine();
    }
    return applied.status();
  }
  cursor_->applied = changes.back().number;
  gauges_.Behind(NumbersBehind(cursor_->applied, last));
  if (applied->recoveries > 0) {
    telemetry::Log::Warning("payments_after_death",
                            {{"deaths", std::to_string(applied->deaths)},
                             {"cases", std::to_string(applied->cases)},
                             {"recoveries", std::to_string(applied->recoveries)}});
  }
  return static_cast<int>(changes.size());
}

void ChangeFollower::Run(const std::atomic<bool>& stop,
                         const std::function<void(bool holds)>& each_look) {
  while (!stop.load()) {
    const absl::StatusOr<int> followed = FollowOnce();
    each_look(Holds());
    if (followed.ok() && *followed > 0) continue;
    if (!followed.ok()) {
      telemetry::Log::Warning("change_follower_waits",
                              {{"status", status::ReasonNameOf(followed.status())},
                               {"message", std::string(followed.status().message())}});
    }
    absl::SleepFor(options_.idle);
  }
}

}  // namespace yikatong::dispatch
