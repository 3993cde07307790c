// What an attempt can become, by what the gateway reports. Pure; thread safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace yikatong::dispatch {

// Numbered as yikatong.bankgateway.v1.OutcomeState; kSent is an attempt that has no outcome yet.
enum class AttemptState : std::int16_t {
  kSent = 0,
  kPaid = 1,
  kFailed = 2,
  kUnknown = 3,
  kReturned = 4
};

const char* AttemptStateName(AttemptState state);  // sent, paid, failed, unknown, returned

// The state after a report. An unknown outcome ends only by the bank's answer, a payment can only
// come back, and what has failed or come back stays so, unless two persons decided a case of the
// gateway against what the bank had told (`decided`): OUTCOME_CONTRADICTS for anything else, which
// changes nothing.
//
//   from \ reported   paid      failed    unknown   returned
//   sent              paid      failed    unknown   -
//   unknown           paid      failed    -         -
//   paid              -         decided   -         returned
//   failed            decided   -         -         -
//   returned          -         -         -         -
absl::StatusOr<AttemptState> NextAttemptState(AttemptState from, AttemptState reported,
                                              bool decided = false);

// Whether an outcome's reason says that two persons decided it.
bool IsDecided(std::string_view reason);

}  // namespace yikatong::dispatch
