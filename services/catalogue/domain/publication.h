// Which version of a policy may be paid, and until when a change must be public
// (津财农〔2021〕86号: changes of the list are disclosed within 10 calendar days, 自然日, after the
// policy takes effect). Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/base/period.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

inline constexpr int kPublicationDays = 10;

// The last day for publication.
absl::CivilDay PublicationDueOn(absl::CivilDay effective_from);

// Calendar days since that day; 0 or less while the clock runs.
int DaysOverdue(absl::CivilDay effective_from, absl::CivilDay today);

// Whether the rules of an approved version stand on `day`.
bool InForce(const PolicyVersion& version, absl::CivilDay day);

// The version that a new batch for `period` is pinned to: of those approved, the one in force on
// the first day of the period, for LIFE on `today`. `versions` are all of the policy, in any order.
//   POLICY_VERSION_NOT_APPROVED  the only rules for that day are still a draft or before the joint
//   conference POLICY_NOT_IN_FORCE          there are none for that day POLICY_PUBLICATION_OVERDUE
//   approved, in force, and not public 10 days after taking effect PERIOD_INVALID               the
//   period does not fit its cadence
absl::StatusOr<PolicyVersion> SelectPayable(const Policy& policy,
                                            const std::vector<PolicyVersion>& versions,
                                            const base::Period& period, absl::CivilDay today);

// What a version must have before the joint conference sees it: a date, figures that fit the
// calculation, shares, notice and review. POLICY_INVALID, or POLICY_AMOUNT_UNSURE where the list
// has the amount from memory.
absl::Status CheckComplete(const Policy& policy, const Rules& rules);

// What even a draft must not be: a figure that is negative, a text or list beyond its limit.
// POLICY_INVALID.
absl::Status CheckDraft(const Policy& policy, const Rules& rules);

}  // namespace yikatong::catalogue
