// Who may be paid, by age, residence and life. Pure rules over plain values; thread safe.
//
// **The reference date** of a row is the first day of its period; for LIFE it is the day on which
// the row is collected. Ages, and with them the tier of TIERED_AGE, are taken on that day: whoever
// turns 80 on March 15 is 79 for 2026-03 and 80 for 2026-04. (Sources differ between the month of
// the birthday and the next one; one choice for all policies keeps a quarter and its months alike,
// and rates are taken at the same day.)
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "common/base/period.h"
#include "common/policy/rule.h"

namespace yikatong::policy {

// First day of `period`; `collected_on` for LIFE.
absl::CivilDay ReferenceDate(const base::Period& period, absl::CivilDay collected_on);

// What is known of a beneficiary.
struct Person {
  absl::CivilDay born_on;
  std::optional<absl::CivilDay> died_on = {};
  std::int32_t district = 0;  // of residence, six digits; 0 where unknown or outside of the city
};

// AGE_OUT_OF_RANGE where the age on the reference date is outside of the bounds (both belong to the
// range), or the beneficiary was born after the period's end. Metadata: `age`, and the bounds there
// are.
absl::Status CheckAge(const Eligibility& rule, absl::CivilDay born_on, const base::Period& period,
                      absl::CivilDay collected_on);

// RESIDENCE_OUTSIDE where the rule asks for the city or the paying district and the beneficiary
// lives elsewhere.
absl::Status CheckResidence(const Eligibility& rule, std::int32_t lives_in, std::int32_t pays);

// PERSON_DECEASED where the beneficiary died before the reference date's month and the grace is
// over: the month of death is paid, and `death_grace_months` after it. For LIFE, any death up to
// the day of collection ends the right unless the grace still runs. Metadata: `last_payable_month`.
absl::Status CheckAlive(const Eligibility& rule, std::optional<absl::CivilDay> died_on,
                        const base::Period& period, absl::CivilDay collected_on);

// All three, in the order alive, age, residence.
absl::Status CheckEligible(const Eligibility& rule, const Person& person,
                           const base::Period& period, std::int32_t pays,
                           absl::CivilDay collected_on);

// Just before sending: whoever died by `today` is not paid any more, unless the policy has a grace
// and it still covers the period (it then goes to the family). PERSON_DECEASED.
absl::Status CheckAliveAtSending(const Eligibility& rule, std::optional<absl::CivilDay> died_on,
                                 const base::Period& period, absl::CivilDay today);

}  // namespace yikatong::policy
