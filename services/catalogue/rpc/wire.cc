#include "services/catalogue/rpc/wire.h"

#include <charconv>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/catalogue/domain/checks.h"
#include "services/catalogue/domain/publication.h"

namespace yikatong::catalogue {
namespace {

// The contract's enums begin with UNSPECIFIED and then have the order of ours, which begin with 0.
template <typename E>
absl::StatusOr<E> ReadEnum(std::string_view field, int wire, int count) {
  if (wire < 1 || wire > count) return BadField(field, "is not one of the known values");
  return static_cast<E>(wire - 1);
}

template <typename W, typename E>
W WriteEnum(E value) {
  return static_cast<W>(static_cast<int>(value) + 1);
}

// The two orders are kept alike by the compiler.
static_assert(static_cast<int>(policy::CalculationType::kAssessed) + 1 ==
              pb::CALCULATION_TYPE_ASSESSED);
static_assert(static_cast<int>(policy::CalculationType::kPercentCap) + 1 ==
              pb::CALCULATION_TYPE_PERCENT_CAP);
static_assert(static_cast<int>(policy::CalculationType::kProRata) + 1 ==
              pb::CALCULATION_TYPE_PRO_RATA);
static_assert(static_cast<int>(policy::KeyKind::kChild) + 1 == pb::KEY_KIND_CHILD);
static_assert(static_cast<int>(policy::KeyKind::kPlot) + 1 == pb::KEY_KIND_PLOT);
static_assert(static_cast<int>(base::SlotUnit::kLife) + 1 == pb::SLOT_UNIT_LIFE);
static_assert(static_cast<int>(policy::ResidenceRule::kDistrict) + 1 ==
              pb::RESIDENCE_RULE_DISTRICT);
static_assert(static_cast<int>(policy::PayeeRule::kGuardian) + 1 == pb::PAYEE_RULE_GUARDIAN);
static_assert(static_cast<int>(VersionState::kRejected) == pb::POLICY_VERSION_STATE_REJECTED);
static_assert(static_cast<int>(DivisionLevel::kVillage) == pb::DIVISION_LEVEL_VILLAGE);
static_assert(static_cast<int>(ExemptionState::kRefused) == pb::EXEMPTION_STATE_REFUSED);

absl::StatusOr<policy::Calculation> CalculationFromWire(const pb::Calculation& wire) {
  policy::Calculation c;
  YKT_ASSIGN_OR_RETURN(c.type, ReadEnum<policy::CalculationType>("calculation.type", wire.type(),
                                                                 pb::CALCULATION_TYPE_ASSESSED));
  c.rate_fen = wire.rate_fen();
  for (const pb::Tier& tier : wire.tiers()) {
    c.tiers.push_back({tier.tier(), tier.min_age(), tier.rate_fen()});
  }
  for (const pb::DistrictRate& rate : wire.district_rates()) {
    c.district_rates.push_back({rate.district(), rate.rate_fen()});
  }
  c.cap_fen = wire.cap_fen();
  c.min_fen = wire.min_fen();
  c.cap_quantity = wire.cap_quantity();
  c.percent_bp = wire.percent_bp();
  c.unit = wire.unit();
  return c;
}

void CalculationToWire(const policy::Calculation& c, pb::Calculation* wire) {
  wire->set_type(WriteEnum<pb::CalculationType>(c.type));
  wire->set_rate_fen(c.rate_fen);
  for (const policy::Tier& tier : c.tiers) {
    pb::Tier* out = wire->add_tiers();
    out->set_tier(tier.tier);
    out->set_min_age(tier.min_age);
    out->set_rate_fen(tier.rate_fen);
  }
  for (const policy::DistrictRate& rate : c.district_rates) {
    pb::DistrictRate* out = wire->add_district_rates();
    out->set_district(rate.district);
    out->set_rate_fen(rate.rate_fen);
  }
  wire->set_cap_fen(c.cap_fen);
  wire->set_min_fen(c.min_fen);
  wire->set_cap_quantity(c.cap_quantity);
  wire->set_percent_bp(c.percent_bp);
  wire->set_unit(c.unit);
}

absl::StatusOr<policy::Eligibility> EligibilityFromWire(const pb::Eligibility& wire) {
  policy::Eligibility e;
  if (wire.has_min_age()) e.min_age = wire.min_age();
  if (wire.has_max_age()) e.max_age = wire.max_age();
  YKT_ASSIGN_OR_RETURN(e.residence,
                       ReadEnum<policy::ResidenceRule>("eligibility.residence", wire.residence(),
                                                       pb::RESIDENCE_RULE_DISTRICT));
  e.death_grace_months = wire.death_grace_months();
  return e;
}

}  // namespace

absl::StatusOr<absl::CivilDay> ReadDay(std::string_view field, const std::string& text) {
  const std::optional<absl::CivilDay> day = base::ParseDate(text);
  if (!day.has_value()) return BadField(field, "is not a date YYYY-MM-DD");
  return *day;
}

absl::StatusOr<std::optional<absl::CivilDay>> ReadOptionalDay(std::string_view field,
                                                              const std::string& text) {
  if (text.empty()) return std::nullopt;
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay day, ReadDay(field, text));
  return day;
}

Department FromWire(const pb::Department& wire) {
  return {.department_id = wire.department_id(),
          .name = wire.name(),
          .district = wire.district(),
          .fields = {wire.fields().begin(), wire.fields().end()}};
}

absl::StatusOr<std::optional<DivisionLevel>> ReadLevel(pb::DivisionLevel wire) {
  if (wire == pb::DIVISION_LEVEL_UNSPECIFIED) return std::nullopt;
  if (wire < 1 || wire > pb::DIVISION_LEVEL_VILLAGE) {
    return BadField("level", "is not one of the known values");
  }
  return static_cast<DivisionLevel>(wire);
}

absl::StatusOr<Division> FromWire(const pb::Division& wire) {
  YKT_ASSIGN_OR_RETURN(const std::optional<DivisionLevel> level, ReadLevel(wire.level()));
  if (!level.has_value()) return BadField("divisions.level", "is missing");
  return Division{.code = wire.code(),
                  .name = wire.name(),
                  .district = wire.district(),
                  .level = *level,
                  .fictitious = wire.fictitious()};
}

absl::StatusOr<Policy> FromWire(const pb::Policy& wire) {
  Policy policy;
  policy.policy_id = wire.policy_id();
  policy.name_zh = wire.name_zh();
  policy.name_en = wire.name_en();
  policy.field = wire.field();
  policy.department_id = wire.department_id();
  policy.district = wire.district();
  YKT_ASSIGN_OR_RETURN(
      policy.slot_unit,
      ReadEnum<base::SlotUnit>("policy.slot_unit", wire.slot_unit(), pb::SLOT_UNIT_LIFE));
  YKT_ASSIGN_OR_RETURN(
      policy.key_kind,
      ReadEnum<policy::KeyKind>("policy.key_kind", wire.key_kind(), pb::KEY_KIND_CHILD));
  policy.level = wire.level();
  policy.basis = wire.basis();
  policy.confidence = wire.confidence();
  policy.region = wire.region();
  return policy;
}

absl::StatusOr<Rules> FromWire(const pb::PolicyVersion& wire) {
  Rules rules;
  YKT_ASSIGN_OR_RETURN(rules.effective_from,
                       ReadOptionalDay("effective_from", wire.effective_from()));
  YKT_ASSIGN_OR_RETURN(rules.end_on, ReadOptionalDay("effective_to", wire.effective_to()));
  YKT_ASSIGN_OR_RETURN(rules.calculation, CalculationFromWire(wire.calculation()));
  const std::optional<policy::Cadence> cadence = policy::ParseCadence(wire.cadence());
  if (!cadence.has_value()) return BadField("cadence", "monthly, quarterly, yearly or once");
  rules.cadence = *cadence;
  YKT_ASSIGN_OR_RETURN(rules.eligibility, EligibilityFromWire(wire.eligibility()));
  YKT_ASSIGN_OR_RETURN(
      rules.payee_rule,
      ReadEnum<policy::PayeeRule>("payee_rule", wire.payee_rule(), pb::PAYEE_RULE_GUARDIAN));
  for (const pb::FundingShare& share : wire.funding()) {
    rules.funding.push_back({share.source(), share.share_bp()});
  }
  rules.notice = {wire.notice().calendar_days(), wire.notice().aggregate_only()};
  for (const pb::ReviewStep& step : wire.review_steps()) {
    rules.review_steps.push_back({step.step(), step.role(), step.within_working_days()});
  }
  rules.description = wire.description();
  return rules;
}

absl::StatusOr<std::int64_t> ReadEtag(const std::string& etag) {
  std::int64_t revision = 0;
  const char* const end = etag.data() + etag.size();
  const std::from_chars_result read = std::from_chars(etag.data(), end, revision);
  if (etag.empty() || read.ec != std::errc() || read.ptr != end) {
    return BadField("version.etag", "is none that this service gave");
  }
  return revision;
}

policy::AmountInput FromWire(const pb::CalculationInput& wire) {
  return {.quantity = wire.quantity(),
          .members = wire.members(),
          .income_fen = wire.income_fen(),
          .bill_fen = wire.bill_fen(),
          .tier = wire.tier(),
          .age = wire.age(),
          .assessed_fen = wire.assessed_fen()};
}

absl::StatusOr<std::vector<RolloutStage>> FromWire(
    const google::protobuf::RepeatedPtrField<pb::RolloutStage>& wire) {
  std::vector<RolloutStage> stages;
  for (const pb::RolloutStage& one : wire) {
    RolloutStage stage;
    YKT_ASSIGN_OR_RETURN(stage.from_date, ReadDay("stages.from_date", one.from_date()));
    stage.districts.assign(one.districts().begin(), one.districts().end());
    stage.fields.assign(one.fields().begin(), one.fields().end());
    stage.basis = one.basis();
    stages.push_back(std::move(stage));
  }
  return stages;
}

absl::StatusOr<Exemption> FromWire(const pb::Exemption& wire) {
  Exemption exemption;
  exemption.district = wire.district();
  exemption.field = wire.field();
  exemption.policy_id = wire.policy_id();
  exemption.reason = wire.reason();
  YKT_ASSIGN_OR_RETURN(exemption.valid_from, ReadDay("exemption.valid_from", wire.valid_from()));
  YKT_ASSIGN_OR_RETURN(exemption.valid_to, ReadDay("exemption.valid_to", wire.valid_to()));
  return exemption;
}

PerformanceTarget FromWire(const pb::PerformanceTarget& wire) {
  PerformanceTarget target;
  target.policy_id = wire.policy_id();
  target.district = wire.district();
  target.year = wire.year();
  target.target_people = wire.target_people();
  target.target_fen = wire.target_fen();
  target.goal = wire.goal();
  return target;
}

void ToWire(const Department& value, pb::Department* wire) {
  wire->set_department_id(value.department_id);
  wire->set_name(value.name);
  wire->set_district(value.district);
  for (const std::string& field : value.fields) wire->add_fields(field);
}

void ToWire(const Division& value, pb::Division* wire) {
  wire->set_code(value.code);
  wire->set_name(value.name);
  wire->set_district(value.district);
  wire->set_level(static_cast<pb::DivisionLevel>(value.level));
  wire->set_fictitious(value.fictitious);
}

void ToWire(const Policy& value, pb::Policy* wire) {
  wire->set_policy_id(value.policy_id);
  wire->set_name_zh(value.name_zh);
  wire->set_name_en(value.name_en);
  wire->set_field(value.field);
  wire->set_department_id(value.department_id);
  wire->set_district(value.district);
  wire->set_slot_unit(WriteEnum<pb::SlotUnit>(value.slot_unit));
  wire->set_key_kind(WriteEnum<pb::KeyKind>(value.key_kind));
  wire->set_level(value.level);
  wire->set_basis(value.basis);
  wire->set_confidence(value.confidence);
  wire->set_region(value.region);
  wire->set_latest_version(value.latest_version);
}

void ToWire(const PolicyVersion& value, pb::PolicyVersion* wire) {
  const Rules& rules = value.rules;
  wire->set_policy_id(value.policy_id);
  wire->set_version(value.version);
  wire->set_state(static_cast<pb::PolicyVersionState>(value.state));
  if (rules.effective_from.has_value()) {
    wire->set_effective_from(base::FormatDate(*rules.effective_from));
  }
  if (value.effective_to.has_value()) wire->set_effective_to(base::FormatDate(*value.effective_to));
  CalculationToWire(rules.calculation, wire->mutable_calculation());
  wire->set_cadence(std::string(policy::CadenceName(rules.cadence)));
  pb::Eligibility* eligibility = wire->mutable_eligibility();
  if (rules.eligibility.min_age.has_value()) eligibility->set_min_age(*rules.eligibility.min_age);
  if (rules.eligibility.max_age.has_value()) eligibility->set_max_age(*rules.eligibility.max_age);
  eligibility->set_residence(WriteEnum<pb::ResidenceRule>(rules.eligibility.residence));
  eligibility->set_death_grace_months(rules.eligibility.death_grace_months);
  wire->set_payee_rule(WriteEnum<pb::PayeeRule>(rules.payee_rule));
  for (const policy::FundingShare& share : rules.funding) {
    pb::FundingShare* out = wire->add_funding();
    out->set_source(share.source);
    out->set_share_bp(share.share_bp);
  }
  wire->mutable_notice()->set_calendar_days(rules.notice.calendar_days);
  wire->mutable_notice()->set_aggregate_only(rules.notice.aggregate_only);
  for (const policy::ReviewStep& step : rules.review_steps) {
    pb::ReviewStep* out = wire->add_review_steps();
    out->set_step(step.step);
    out->set_role(step.role);
    out->set_within_working_days(step.within_working_days);
  }
  wire->set_description(rules.description);
  if (value.published_on.has_value()) wire->set_published_on(base::FormatDate(*value.published_on));
  if (value.approved_at.has_value()) {
    const std::int64_t micros = absl::ToUnixMicros(*value.approved_at);
    wire->mutable_approved_at()->set_seconds(micros / 1'000'000);
    wire->mutable_approved_at()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
  }
  wire->set_etag(std::to_string(value.revision));
  wire->set_rejection_reason(value.rejection_reason);
}

void ToWire(const policy::Exclusion& value, pb::Exclusion* wire) {
  wire->set_exclusion_id(value.exclusion_id);
  wire->set_policy_a(value.policy_a);
  wire->set_policy_b(value.policy_b);
  wire->set_slot_unit(WriteEnum<pb::SlotUnit>(value.slot_unit));
  wire->set_key_kind(WriteEnum<pb::KeyKind>(value.key_kind));
  wire->set_basis(value.basis);
}

void ToWire(const ListEntry& value, pb::ListEntry* wire) {
  ToWire(value.policy, wire->mutable_policy());
  if (value.version.has_value()) ToWire(*value.version, wire->mutable_version());
}

void ToWire(const PublishedList& value, pb::PublishedList* wire) {
  wire->set_district(value.district);
  wire->set_edition(value.edition);
  wire->set_published_on(base::FormatDate(value.published_on));
  wire->set_sha256(value.sha256);
  wire->set_entry_count(value.entry_count);
}

void ToWire(const OverduePublication& value, absl::CivilDay today, pb::OverduePublication* wire) {
  wire->set_policy_id(value.policy_id);
  wire->set_version(value.version);
  wire->set_effective_from(base::FormatDate(value.effective_from));
  wire->set_due_on(base::FormatDate(PublicationDueOn(value.effective_from)));
  wire->set_days_overdue(DaysOverdue(value.effective_from, today));
}

void ToWire(const RolloutStage& value, pb::RolloutStage* wire) {
  wire->set_from_date(base::FormatDate(value.from_date));
  for (const std::int32_t district : value.districts) wire->add_districts(district);
  for (const std::string& field : value.fields) wire->add_fields(field);
  wire->set_basis(value.basis);
}

void ToWire(const Exemption& value, pb::Exemption* wire) {
  wire->set_exemption_id(value.exemption_id);
  wire->set_district(value.district);
  wire->set_field(value.field);
  wire->set_policy_id(value.policy_id);
  wire->set_reason(value.reason);
  wire->set_valid_from(base::FormatDate(value.valid_from));
  wire->set_valid_to(base::FormatDate(value.valid_to));
  wire->set_state(static_cast<pb::ExemptionState>(value.state));
}

void ToWire(const PerformanceTarget& value, pb::PerformanceTarget* wire) {
  wire->set_policy_id(value.policy_id);
  wire->set_district(value.district);
  wire->set_year(value.year);
  wire->set_target_people(value.target_people);
  wire->set_target_fen(value.target_fen);
  wire->set_goal(value.goal);
  wire->set_approved(value.approved);
}

}  // namespace yikatong::catalogue
