#include "services/dispatch/domain/attempt_state.h"

#include <fmt/core.h>

#include "common/status/status.h"

namespace yikatong::dispatch {

const char* AttemptStateName(AttemptState state) {
  switch (state) {
    case AttemptState::kSent:
      return "sent";
    case AttemptState::kPaid:
      return "paid";
    case AttemptState::kFailed:
      return "failed";
    case AttemptState::kUnknown:
      return "unknown";
    case AttemptState::kReturned:
      return "returned";
  }
  return "invalid";
}

absl::StatusOr<AttemptState> NextAttemptState(AttemptState from, AttemptState reported,
                                              bool decided) {
  using enum AttemptState;
  const bool open = from == kSent || from == kUnknown;
  const bool allowed =
      (open && (reported == kPaid || reported == kFailed)) ||
      (from == kSent && reported == kUnknown) || (from == kPaid && reported == kReturned) ||
      (decided &&
       ((from == kFailed && reported == kPaid) || (from == kPaid && reported == kFailed)));
  if (allowed) return reported;
  return status::Refuse(
      status::Reason::kOutcomeContradicts,
      fmt::format("{} was reported after {}", AttemptStateName(reported), AttemptStateName(from)));
}

bool IsDecided(std::string_view reason) {
  return reason == status::ReasonName(status::Reason::kPaidByDecision) ||
         reason == status::ReasonName(status::Reason::kNotPaidByDecision);
}

}  // namespace yikatong::dispatch
