#include "services/dispatch/workers/outcome_follower.h"

#include <vector>

#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::dispatch {
namespace {

constexpr int kChunksAnAnswer = 4;
constexpr absl::Duration kSettleEvery = absl::Seconds(1);

}  // namespace

absl::StatusOr<int> OutcomeFollower::FollowOnce() {
  const rpc::CallScope scope(rpc::Trace::New());
  if (!registry_.MayAct()) gauges_.NotMine();
  if (!cursor_.has_value()) {
    YKT_ASSIGN_OR_RETURN(
        cursor_, outcomes_.TakeCursor(gateway_name_, registry_.worker(), registry_.DeadWorkers()));
    if (!cursor_.has_value()) {
      gauges_.NotMine();
      return 0;
    }
  }
  YKT_ASSIGN_OR_RETURN(const OutcomePage page,
                       gateway_.ListOutcomes(cursor_->applied, kChunksAnAnswer));
  // Told before it is applied: what cannot be applied waits too.
  gauges_.Behind(NumbersBehind(cursor_->applied, page.head));
  for (const OutcomeChunk& chunk : page.chunks) {
    const absl::StatusOr<AppliedOutcomes> applied = outcomes_.Apply(gateway_name_, *cursor_, chunk);
    if (!applied.ok()) {
      // Whether it was committed, or who holds the cursor now, is read anew.
      cursor_.reset();
      if (status::ReasonOf(applied.status()) == status::Reason::kLeaseLost) gauges_.NotMine();
      return applied.status();
    }
    cursor_->applied = chunk.number;
    gauges_.Behind(NumbersBehind(cursor_->applied, page.head));
    if (applied->contradicting + applied->unknown > 0) {
      telemetry::Log::Warning("outcomes_left_out",
                              {{"chunk", std::to_string(chunk.number)},
                               {"contradicting", std::to_string(applied->contradicting)},
                               {"unknown", std::to_string(applied->unknown)}});
    }
    if (applied->paid_besides > 0) {
      telemetry::Log::Error("paid_besides",
                            {{"chunk", std::to_string(chunk.number)},
                             {"items", std::to_string(applied->paid_besides)},
                             {"amount_fen", std::to_string(applied->paid_besides_fen)}});
    }
  }
  return static_cast<int>(page.chunks.size());
}

void OutcomeFollower::Run(const std::atomic<bool>& stop) {
  absl::Duration idle = absl::ZeroDuration();
  while (!stop.load()) {
    const absl::StatusOr<int> followed = FollowOnce();
    if (followed.ok() && *followed > 0) {
      idle = absl::ZeroDuration();
      continue;
    }
    if (!followed.ok()) {
      telemetry::Log::Warning("outcome_follower_waits",
                              {{"status", status::ReasonNameOf(followed.status())},
                               {"message", std::string(followed.status().message())}});
    }
    // At the first pause, and then now and again.
    if (idle == absl::ZeroDuration() || idle >= kSettleEvery) {
      idle = absl::ZeroDuration();
      if (const absl::StatusOr<int> settled = chunks_.SettleBatches(); !settled.ok()) {
        telemetry::Log::Warning("settling_waits",
                                {{"status", status::ReasonNameOf(settled.status())}});
      }
    }
    const absl::Duration pause = followed.ok() ? idle_ : absl::Seconds(1);
    absl::SleepFor(pause);
    idle += pause;
  }
}

}  // namespace yikatong::dispatch
