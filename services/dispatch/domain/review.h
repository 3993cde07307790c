// The review steps of a version: in order, each by the role that it names, each by a different
// person than any earlier step, never by who entered the batch. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/calendar/calendar.h"
#include "common/identity/caller.h"
#include "common/policy/rule.h"
#include "services/dispatch/domain/batch.h"

namespace yikatong::dispatch {

// The step that a batch in review waits for; null where none is left.
const policy::ReviewStep* NextReviewStep(const policy::PolicyRule& rule, const Batch& batch);

// The last day for that step: its working days after the step before it, or after the notice ended.
// Nothing where the step has no limit, or where the calendar does not know the year yet.
std::optional<absl::CivilDay> ReviewDueOn(const policy::PolicyRule& rule, const Batch& batch,
                                          const calendar::Calendar& calendar);

// Whether `caller` may take `step` now. BATCH_STATE, STEP_ORDER, PERMISSION_DENIED (not the step's
// role), SAME_PERSON, REASON_MISSING (a return without a comment), FIELD_INVALID (a comment above
// 500 characters). Before the review a batch can only be returned, by whoever has the role of its
// first step. An approved one can be returned by whoever has the role of any step, with an empty
// `step`: so that of an approval and a return that race for the last step exactly one wins.
absl::Status CheckReview(const policy::PolicyRule& rule, const Batch& batch,
                         const identity::Caller& caller, std::string_view step, bool approve,
                         std::string_view comment);

// REASON_MISSING for an empty reason, FIELD_INVALID as status::CheckFreeText.
absl::Status CheckReason(std::string_view reason, std::string_view field = "reason");

}  // namespace yikatong::dispatch
