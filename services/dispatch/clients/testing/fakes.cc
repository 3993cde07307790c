#include "services/dispatch/clients/testing/fakes.h"

#include <fmt/format.h>

#include <cstdlib>

#include "common/base/names.h"
#include "common/codes/id_number.h"
#include "common/status/status.h"
#include "services/dispatch/clients/rule_codec.h"

namespace yikatong::dispatch::testing {

namespace pb = catalogue::v1;

std::string IdOf(int n, int year, int month, int day, int area) {
  // Three digits of sequence, and the rest of n in the year's shift: a thousand people a year.
  const std::string first =
      fmt::format("{:06}{:04}{:02}{:02}{:03}", area, year - n / 1'000 % 60, month, day, n % 1'000);
  const auto check = codes::IdCheckCharacter(first);
  return first + (check ? *check : '?');
}

pb::GetPayableVersionResponse RuleOf(const std::string& policy_id, const std::string& field) {
  pb::GetPayableVersionResponse rule;
  pb::Policy* policy = rule.mutable_policy();
  policy->set_policy_id(policy_id);
  policy->set_field(field);
  policy->set_department_id("civil.120000");
  policy->set_district(120'000);
  policy->set_slot_unit(pb::SLOT_UNIT_MONTH);
  policy->set_key_kind(pb::KEY_KIND_PERSON);
  pb::PolicyVersion* version = rule.mutable_version();
  version->set_policy_id(policy_id);
  version->set_version(1);
  version->set_effective_from("2020-01-01");
  version->mutable_calculation()->set_type(pb::CALCULATION_TYPE_FIXED);
  version->mutable_calculation()->set_rate_fen(104'500);
  version->set_cadence("monthly");
  version->mutable_eligibility()->set_residence(pb::RESIDENCE_RULE_ANY);
  version->set_payee_rule(pb::PAYEE_RULE_SELF);
  pb::FundingShare* share = version->add_funding();
  share->set_source("city");
  share->set_share_bp(10'000);
  version->mutable_notice()->set_calendar_days(7);
  const auto step = [&](const char* name, const char* role) {
    pb::ReviewStep* review = version->add_review_steps();
    review->set_step(name);
    review->set_role(role);
    review->set_within_working_days(3);
  };
  step("town_review", "town_reviewer");
  step("department_review", "department_reviewer");
  return rule;
}

void Exclude(pb::GetPayableVersionResponse& a, pb::GetPayableVersionResponse& b, pb::SlotUnit slot,
             pb::KeyKind key) {
  pb::Exclusion edge;
  const std::string& one = a.policy().policy_id();
  const std::string& other = b.policy().policy_id();
  edge.set_policy_a(std::min(one, other));
  edge.set_policy_b(std::max(one, other));
  edge.set_exclusion_id(policy::ExclusionId(one, other));
  edge.set_slot_unit(slot);
  edge.set_key_kind(key);
  *a.add_exclusions() = edge;
  *b.add_exclusions() = edge;
}

policy::PolicyRule Decoded(const pb::GetPayableVersionResponse& wire) {
  absl::StatusOr<policy::PolicyRule> rule = CatalogueRuleCodec::FromWire(wire);
  if (!rule.ok()) std::abort();
  return *std::move(rule);
}

absl::StatusOr<PinnedRule> FakeCatalogue::PayableVersion(std::string_view policy_id,
                                                         std::string_view, std::int32_t,
                                                         std::string_view department_id) {
  ++calls;
  department = department_id;
  if (!refusal_.ok()) return refusal_;
  const auto found = rules_.find(policy_id);
  if (found == rules_.end()) return status::Refuse(status::Reason::kPolicyUnknown);
  return PinnedRule{Decoded(found->second), found->second.SerializeAsString()};
}

std::string FakePeople::NameOf(int n) {
  static constexpr const char* kGiven[] = {"测", "试", "样", "例", "甲",
                                           "乙", "丙", "丁", "戊", "己"};
  return fmt::format("张{}{}", kGiven[n / 10 % 10], kGiven[n % 10]);
}

ResolvedPerson& FakePeople::At(int n, int year, int month, int day) {
  Known& known = people_[IdOf(n, year, month, day)];
  if (known.person.person_id == 0) {
    known.name = NameOf(n);
    known.person.person_id = PersonId(n);
    known.person.born_on = absl::CivilDay(year - n / 1'000 % 60, month, day);
    known.person.village = 120'105'001'001 + n % 7;
    known.person.household_id = Household(n);
    known.person.head_person_id = PersonId(n);
  }
  return known.person;
}

void FakePeople::Populate(int count, int year, int month, int day) {
  for (int n = 0; n < count; ++n) At(n, year, month, day);
}

absl::StatusOr<std::vector<ResolvedPerson>> FakePeople::Resolve(
    std::span<const PersonLookup> lookups, bool with_head) {
  ++calls;
  if (!failure_.ok()) return failure_;
  std::vector<ResolvedPerson> answers;
  answers.reserve(lookups.size());
  for (const PersonLookup& lookup : lookups) {
    const auto found = people_.find(lookup.id_no);
    if (found == people_.end()) {
      answers.emplace_back();
      continue;
    }
    answers.push_back(found->second.person);
    answers.back().name_matches = lookup.name == found->second.name;
    if (!with_head) answers.back().head_person_id = 0;
  }
  return answers;
}

identity::Caller CallerOf(const std::string& person, identity::RoleSet roles,
                          std::vector<std::int32_t> districts, std::vector<std::string> fields,
                          const std::string& organisation) {
  identity::Caller caller;
  caller.organisation = organisation;
  caller.person = person;
  caller.roles = roles;
  caller.districts = std::move(districts);
  caller.fields = std::move(fields);
  return caller;
}

}  // namespace yikatong::dispatch::testing
