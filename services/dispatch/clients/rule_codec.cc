#include "services/dispatch/clients/rule_codec.h"

#include "common/base/dates.h"
#include "common/status/status.h"
#include "yikatong/catalogue/v1/catalogue.pb.h"

namespace yikatong::dispatch {
namespace {

namespace pb = catalogue::v1;

// The enums of the contract are ours, one higher, since 0 stands for none.
template <typename Ours, typename Wire>
absl::StatusOr<Ours> EnumOf(Wire wire, int most, const char* what) {
  const int value = static_cast<int>(wire);
  YKT_INVARIANT(value >= 1 && value <= most, what);
  return static_cast<Ours>(value - 1);
}

absl::StatusOr<absl::CivilDay> DateOf(const std::string& text) {
  const std::optional<absl::CivilDay> day = base::ParseDate(text);
  YKT_INVARIANT(day.has_value(), "the pinned rule holds a date that is none");
  return *day;
}

absl::StatusOr<policy::Calculation> CalculationOf(const pb::Calculation& wire) {
  policy::Calculation calculation;
  YKT_ASSIGN_OR_RETURN(calculation.type,
                       EnumOf<policy::CalculationType>(wire.type(), 14, "no calculation type"));
  calculation.rate_fen = wire.rate_fen();
  for (const pb::Tier& tier : wire.tiers()) {
    calculation.tiers.push_back({tier.tier(), tier.min_age(), tier.rate_fen()});
  }
  for (const pb::DistrictRate& rate : wire.district_rates()) {
    calculation.district_rates.push_back({rate.district(), rate.rate_fen()});
  }
  calculation.cap_fen = wire.cap_fen();
  calculation.min_fen = wire.min_fen();
  calculation.cap_quantity = wire.cap_quantity();
  calculation.percent_bp = wire.percent_bp();
  calculation.unit = wire.unit();
  return calculation;
}

absl::StatusOr<policy::Eligibility> EligibilityOf(const pb::Eligibility& wire) {
  policy::Eligibility eligibility;
  if (wire.has_min_age()) eligibility.min_age = wire.min_age();
  if (wire.has_max_age()) eligibility.max_age = wire.max_age();
  if (wire.residence() != pb::RESIDENCE_RULE_UNSPECIFIED) {
    YKT_ASSIGN_OR_RETURN(eligibility.residence,
                         EnumOf<policy::ResidenceRule>(wire.residence(), 3, "no residence rule"));
  }
  eligibility.death_grace_months = wire.death_grace_months();
  return eligibility;
}

absl::StatusOr<policy::Exclusion> ExclusionOf(const pb::Exclusion& wire) {
  policy::Exclusion exclusion;
  exclusion.exclusion_id = wire.exclusion_id();
  exclusion.policy_a = wire.policy_a();
  exclusion.policy_b = wire.policy_b();
  YKT_ASSIGN_OR_RETURN(exclusion.slot_unit,
                       EnumOf<base::SlotUnit>(wire.slot_unit(), 3, "no slot unit"));
  YKT_ASSIGN_OR_RETURN(exclusion.key_kind,
                       EnumOf<policy::KeyKind>(wire.key_kind(), 5, "no key kind"));
  exclusion.basis = wire.basis();
  YKT_INVARIANT(!exclusion.exclusion_id.empty(), "an exclusion without its identifier");
  return exclusion;
}

}  // namespace

absl::StatusOr<policy::PolicyRule> CatalogueRuleCodec::FromWire(
    const pb::GetPayableVersionResponse& wire) {
  const pb::Policy& policy = wire.policy();
  const pb::PolicyVersion& version = wire.version();
  YKT_INVARIANT(!policy.policy_id().empty() && version.policy_id() == policy.policy_id() &&
                    version.version() > 0,
                "a payable version that names no policy");
  policy::PolicyRule rule;
  rule.policy_id = policy.policy_id();
  rule.field = policy.field();
  rule.department_id = policy.department_id();
  rule.district = policy.district();
  YKT_ASSIGN_OR_RETURN(rule.slot_unit,
                       EnumOf<base::SlotUnit>(policy.slot_unit(), 3, "no slot unit"));
  YKT_ASSIGN_OR_RETURN(rule.key_kind, EnumOf<policy::KeyKind>(policy.key_kind(), 5, "no key kind"));
  rule.version = version.version();
  YKT_ASSIGN_OR_RETURN(rule.effective_from, DateOf(version.effective_from()));
  if (!version.effective_to().empty()) {
    YKT_ASSIGN_OR_RETURN(rule.effective_to, DateOf(version.effective_to()));
  }
  YKT_ASSIGN_OR_RETURN(rule.calculation, CalculationOf(version.calculation()));
  const std::optional<policy::Cadence> cadence = policy::ParseCadence(version.cadence());
  YKT_INVARIANT(cadence.has_value(), "a payable version of no cadence");
  rule.cadence = *cadence;
  YKT_ASSIGN_OR_RETURN(rule.eligibility, EligibilityOf(version.eligibility()));
  if (version.payee_rule() != pb::PAYEE_RULE_UNSPECIFIED) {
    YKT_ASSIGN_OR_RETURN(rule.payee_rule,
                         EnumOf<policy::PayeeRule>(version.payee_rule(), 3, "no payee rule"));
  }
  for (const pb::FundingShare& share : version.funding())
    rule.funding.push_back({share.source(), share.share_bp()});
  rule.notice = {version.notice().calendar_days(), version.notice().aggregate_only()};
  for (const pb::ReviewStep& step : version.review_steps()) {
    rule.review_steps.push_back({step.step(), step.role(), step.within_working_days()});
  }
  for (const pb::Exclusion& exclusion : wire.exclusions()) {
    YKT_ASSIGN_OR_RETURN(policy::Exclusion edge, ExclusionOf(exclusion));
    rule.exclusions.push_back(std::move(edge));
  }
  return rule;
}

absl::StatusOr<policy::PolicyRule> CatalogueRuleCodec::Decode(std::string_view bytes) const {
  pb::GetPayableVersionResponse wire;
  YKT_INVARIANT(wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
                "a pinned rule that cannot be read");
  return FromWire(wire);
}

}  // namespace yikatong::dispatch
