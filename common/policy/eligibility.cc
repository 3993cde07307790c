#include "common/policy/eligibility.h"

#include <string>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "fmt/format.h"

namespace yikatong::policy {
namespace {

using status::Reason;

// The last month that is still paid after a death.
absl::CivilMonth LastPayableMonth(const Eligibility& rule, absl::CivilDay died_on) {
  return absl::CivilMonth(died_on) + rule.death_grace_months;
}

absl::Status Deceased(absl::CivilMonth last_payable) {
  return status::Refuse(Reason::kPersonDeceased, "",
                        {{"last_payable_month", fmt::format("{:04d}-{:02d}", last_payable.year(),
                                                            last_payable.month())}});
}

}  // namespace

absl::CivilDay ReferenceDate(const base::Period& period, absl::CivilDay collected_on) {
  return period.FirstDay().value_or(collected_on);
}

absl::Status CheckAge(const Eligibility& rule, absl::CivilDay born_on, const base::Period& period,
                      absl::CivilDay collected_on) {
  const int age = base::AgeAt(born_on, ReferenceDate(period, collected_on));
  const bool unborn = born_on > period.LastDay().value_or(collected_on);
  // A child born within the period has no age on its first day, and no lower bound to miss.
  const bool too_young = rule.min_age.value_or(0) > 0 && age < *rule.min_age;
  const bool too_old = rule.max_age.has_value() && age > *rule.max_age;
  if (!unborn && !too_young && !too_old) return absl::OkStatus();
  status::Metadata metadata = {{"age", std::to_string(age)}};
  if (rule.min_age.has_value()) metadata["min_age"] = std::to_string(*rule.min_age);
  if (rule.max_age.has_value()) metadata["max_age"] = std::to_string(*rule.max_age);
  return status::Refuse(Reason::kAgeOutOfRange, "", metadata);
}

absl::Status CheckResidence(const Eligibility& rule, std::int32_t lives_in, std::int32_t pays) {
  // The city itself pays people of all its districts; 12xxxx is the city.
  const bool in_city = lives_in / 10000 == kCityDivision / 10000;
  bool fits = true;
  switch (rule.residence) {
    case ResidenceRule::kAny:
      break;
    case ResidenceRule::kCity:
      fits = in_city;
      break;
    case ResidenceRule::kDistrict:
      fits = pays == kCityDivision ? in_city : lives_in == pays;
      break;
  }
  if (fits) return absl::OkStatus();
  return status::Refuse(Reason::kResidenceOutside, "",
                        {{"residence_rule", std::string(ResidenceRuleName(rule.residence))}});
}

absl::Status CheckAlive(const Eligibility& rule, std::optional<absl::CivilDay> died_on,
                        const base::Period& period, absl::CivilDay collected_on) {
  if (!died_on.has_value()) return absl::OkStatus();
  const absl::CivilMonth last_payable = LastPayableMonth(rule, *died_on);
  if (period.kind() == base::Period::Kind::kLife && rule.death_grace_months == 0) {
    // There is no month of entitlement: who is dead on the day of collection gets nothing.
    return *died_on <= collected_on ? Deceased(last_payable) : absl::OkStatus();
  }
  if (absl::CivilMonth(ReferenceDate(period, collected_on)) <= last_payable) {
    return absl::OkStatus();
  }
  return Deceased(last_payable);
}

absl::Status CheckEligible(const Eligibility& rule, const Person& person,
                           const base::Period& period, std::int32_t pays,
                           absl::CivilDay collected_on) {
  YKT_RETURN_IF_ERROR(CheckAlive(rule, person.died_on, period, collected_on));
  YKT_RETURN_IF_ERROR(CheckAge(rule, person.born_on, period, collected_on));
  return CheckResidence(rule, person.district, pays);
}

absl::Status CheckAliveAtSending(const Eligibility& rule, std::optional<absl::CivilDay> died_on,
                                 const base::Period& period, absl::CivilDay today) {
  if (!died_on.has_value() || *died_on > today) return absl::OkStatus();
  if (rule.death_grace_months > 0) return CheckAlive(rule, died_on, period, today);
  return Deceased(LastPayableMonth(rule, *died_on));
}

}  // namespace yikatong::policy
