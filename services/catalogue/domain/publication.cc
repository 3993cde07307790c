#include "services/catalogue/domain/publication.h"

#include <string_view>

#include "common/base/dates.h"
#include "common/policy/rule.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/domain/checks.h"

namespace yikatong::catalogue {
namespace {

using status::Reason;

bool Approved(const PolicyVersion& version) {
  return version.state == VersionState::kApproved || version.state == VersionState::kPublished;
}

bool Pending(const PolicyVersion& version) {
  return version.state == VersionState::kDraft || version.state == VersionState::kSubmitted;
}

absl::Status BadRule(std::string_view field, std::string_view why) {
  return status::Refuse(Reason::kPolicyInvalid, fmt::format("{}: {}", field, why),
                        {{"field", std::string(field)}});
}

status::Metadata About(const Policy& policy, absl::CivilDay day) {
  return {{"policy", policy.policy_id}, {"date", base::FormatDate(day)}};
}

}  // namespace

absl::CivilDay PublicationDueOn(absl::CivilDay effective_from) {
  return effective_from + kPublicationDays;
}

int DaysOverdue(absl::CivilDay effective_from, absl::CivilDay today) {
  return static_cast<int>(today - PublicationDueOn(effective_from));
}

bool InForce(const PolicyVersion& version, absl::CivilDay day) {
  return Approved(version) && version.rules.effective_from.has_value() &&
         *version.rules.effective_from <= day &&
         (!version.effective_to.has_value() || day <= *version.effective_to);
}

absl::StatusOr<PolicyVersion> SelectPayable(const Policy& policy,
                                            const std::vector<PolicyVersion>& versions,
                                            const base::Period& period, absl::CivilDay today) {
  const absl::CivilDay day = period.FirstDay().value_or(today);
  const PolicyVersion* in_force = nullptr;
  bool pending = false;
  for (const PolicyVersion& version : versions) {
    if (InForce(version, day)) in_force = &version;
    pending = pending || (Pending(version) && (!version.rules.effective_from.has_value() ||
                                               *version.rules.effective_from <= day));
  }
  if (in_force == nullptr) {
    return status::Refuse(pending ? Reason::kPolicyVersionNotApproved : Reason::kPolicyNotInForce,
                          "", About(policy, day));
  }
  YKT_RETURN_IF_ERROR(policy::CheckPeriod(in_force->rules.cadence, policy.slot_unit, period));
  const absl::CivilDay from = *in_force->rules.effective_from;
  if (in_force->state == VersionState::kApproved && DaysOverdue(from, today) > 0) {
    status::Metadata metadata = About(policy, day);
    metadata["version"] = std::to_string(in_force->version);
    metadata["due_on"] = base::FormatDate(PublicationDueOn(from));
    return status::Refuse(Reason::kPolicyPublicationOverdue, "", metadata);
  }
  return *in_force;
}

absl::Status CheckDraft(const Policy& policy, const Rules& rules) {
  const policy::Calculation& c = rules.calculation;
  if (c.rate_fen < 0 || c.cap_fen < 0 || c.min_fen < 0 || c.cap_quantity < 0 || c.percent_bp < 0) {
    return BadRule("calculation", "no figure may be negative");
  }
  if (c.tiers.size() > policy::kMaxTiers || c.district_rates.size() > policy::kMaxTiers) {
    return BadRule("calculation.tiers", fmt::format("at most {}", policy::kMaxTiers));
  }
  if (rules.funding.size() > policy::kMaxFundingShares ||
      rules.review_steps.size() > policy::kMaxReviewSteps) {
    return BadRule("funding", "more shares or review steps than a version can have");
  }
  if (!IsTextOrEmpty(rules.description, 4000))
    return BadRule("description", "at most 4000 bytes of UTF-8");
  // Texts that go into the database must be text even in a draft.
  bool readable = IsTextOrEmpty(c.unit, 32);
  for (const policy::Tier& tier : c.tiers) readable = readable && IsTextOrEmpty(tier.tier, 100);
  for (const policy::FundingShare& share : rules.funding) {
    readable = readable && IsTextOrEmpty(share.source, 32);
  }
  for (const policy::ReviewStep& step : rules.review_steps) {
    readable = readable && IsTextOrEmpty(step.step, 64) && IsTextOrEmpty(step.role, 64);
  }
  if (!readable) return BadRule("rules", "a text is too long or not UTF-8");
  if (rules.end_on.has_value() && rules.effective_from.has_value() &&
      *rules.end_on < *rules.effective_from) {
    return BadRule("effective_to", "lies before effective_from");
  }
  // A slot must hold every period of the cadence: months and quarters are counted in months.
  const bool by_month =
      rules.cadence == policy::Cadence::kMonthly || rules.cadence == policy::Cadence::kQuarterly;
  const bool by_year = rules.cadence == policy::Cadence::kYearly;
  if ((by_month && policy.slot_unit != base::SlotUnit::kMonth) ||
      (by_year && policy.slot_unit != base::SlotUnit::kYear)) {
    return BadRule("cadence", fmt::format("does not fit a policy that is counted by {}",
                                          base::SlotUnitName(policy.slot_unit)));
  }
  return absl::OkStatus();
}

absl::Status CheckComplete(const Policy& policy, const Rules& rules) {
  YKT_RETURN_IF_ERROR(CheckDraft(policy, rules));
  if (policy.confidence == "C") {
    return status::Refuse(Reason::kPolicyAmountUnsure, "", {{"policy", policy.policy_id}});
  }
  if (!rules.effective_from.has_value()) return BadRule("effective_from", "is missing");
  YKT_RETURN_IF_ERROR(policy::CheckCalculation(rules.calculation));
  YKT_RETURN_IF_ERROR(policy::CheckFunding(rules.funding));
  YKT_RETURN_IF_ERROR(policy::CheckEligibility(rules.eligibility));
  YKT_RETURN_IF_ERROR(policy::CheckNotice(rules.notice));
  return policy::CheckReviewSteps(rules.review_steps);
}

}  // namespace yikatong::catalogue
