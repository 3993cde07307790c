// What a change does to a person. Events come late and out of order: each is put in its place by
// the day on which it happened, and one that something later has overtaken goes into the history
// and changes nothing else.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/civil_time.h"
#include "common/status/reason.h"
#include "services/registry/domain/types.h"

namespace yikatong::registry {

// A person as far as changes care. A day that is not set is one we were never told (the load says
// what holds, not since when); every event is taken to be later than it.
struct PersonState {
  std::int64_t person_id = 0;
  absl::CivilDay born_on;
  std::optional<absl::CivilDay> died_on;
  std::int64_t village_code = 0;
  std::optional<absl::CivilDay> residence_since;
  AccountSnapshot account;
  std::optional<absl::CivilDay> card_issued_on;
  std::optional<absl::CivilDay> card_state_on;
  std::optional<absl::CivilDay> card_name_on;
};

struct Effect {
  std::optional<status::Reason> refused;  // set: nothing was changed, and the event is not kept
  bool changed = false;                   // false: kept in the history only
  bool account_changed = false;           // the account gets its next version
};

// The state table of a card. Nothing where the event cannot happen to a card in that state; the
// same state where it says what is known already.
//
//   now \ event      LOST        CANCELLED   ACTIVATED
//   NOT_ACTIVE       LOST        CANCELLED   ACTIVE
//   IN_PRODUCTION    LOST        CANCELLED   ACTIVE
//   ACTIVE           LOST        CANCELLED   ACTIVE
//   LOST             LOST        CANCELLED   ACTIVE
//   CANCELLED        -           CANCELLED   -
std::optional<CardState> NextCardState(CardState now, ChangeKind event);

// Applies `change` to `state`. Reasons: CARD_UNKNOWN (the person has no card, or none with an
// account), CHANGE_INVALID (before birth; a cancelled card lost or activated afterwards).
//
// A death: the earliest day that anybody reported stands. A card: what happened before the present
// card was issued, or names another card, concerns an earlier one. Of two events on one day the one
// that arrived later stands. Cancelling is final, so it stands even when a later day's event came
// first.
Effect Apply(const Change& change, PersonState& state);

}  // namespace yikatong::registry
