#include "services/catalogue/store/rules_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::catalogue {
namespace {

using nlohmann::json;

// Names and dates are read by these; what does not read is an exception, caught in one place below.
template <typename T>
T Known(std::optional<T> value) {
  if (!value.has_value()) throw std::invalid_argument("a name that this build does not know");
  return *value;
}

json Day(std::optional<absl::CivilDay> day) {
  return day.has_value() ? json(base::FormatDate(*day)) : json();
}

std::optional<absl::CivilDay> DayOf(const json& value) {
  if (value.is_null()) return std::nullopt;
  return Known(base::ParseDate(value.get<std::string>()));
}

json CalculationJson(const policy::Calculation& c) {
  json tiers = json::array();
  for (const policy::Tier& tier : c.tiers) {
    tiers.push_back({{"tier", tier.tier}, {"min_age", tier.min_age}, {"rate_fen", tier.rate_fen}});
  }
  json districts = json::array();
  for (const policy::DistrictRate& rate : c.district_rates) {
    districts.push_back({{"district", rate.district}, {"rate_fen", rate.rate_fen}});
  }
  return {{"type", policy::CalculationTypeName(c.type)},
          {"rate_fen", c.rate_fen},
          {"tiers", std::move(tiers)},
          {"district_rates", std::move(districts)},
          {"cap_fen", c.cap_fen},
          {"min_fen", c.min_fen},
          {"cap_quantity", c.cap_quantity},
          {"percent_bp", c.percent_bp},
          {"unit", c.unit}};
}

policy::Calculation CalculationOf(const json& j) {
  policy::Calculation c;
  c.type = Known(policy::ParseCalculationType(j.at("type").get<std::string>()));
  c.rate_fen = j.value("rate_fen", std::int64_t{0});
  for (const json& tier : j.at("tiers")) {
    c.tiers.push_back({tier.value("tier", std::string()), tier.value("min_age", 0),
                       tier.value("rate_fen", std::int64_t{0})});
  }
  for (const json& rate : j.at("district_rates")) {
    c.district_rates.push_back(
        {rate.value("district", 0), rate.value("rate_fen", std::int64_t{0})});
  }
  c.cap_fen = j.value("cap_fen", std::int64_t{0});
  c.min_fen = j.value("min_fen", std::int64_t{0});
  c.cap_quantity = j.value("cap_quantity", std::int64_t{0});
  c.percent_bp = j.value("percent_bp", 0);
  c.unit = j.value("unit", std::string());
  return c;
}

json EligibilityJson(const policy::Eligibility& e) {
  json j = {{"residence", policy::ResidenceRuleName(e.residence)},
            {"death_grace_months", e.death_grace_months}};
  if (e.min_age.has_value()) j["min_age"] = *e.min_age;
  if (e.max_age.has_value()) j["max_age"] = *e.max_age;
  return j;
}

policy::Eligibility EligibilityOf(const json& j) {
  policy::Eligibility e;
  e.residence = Known(policy::ParseResidenceRule(j.at("residence").get<std::string>()));
  e.death_grace_months = j.value("death_grace_months", 0);
  if (j.contains("min_age")) e.min_age = j.at("min_age").get<std::int32_t>();
  if (j.contains("max_age")) e.max_age = j.at("max_age").get<std::int32_t>();
  return e;
}

json RulesJson(const Rules& rules) {
  json funding = json::array();
  for (const policy::FundingShare& share : rules.funding) {
    funding.push_back({{"source", share.source}, {"share_bp", share.share_bp}});
  }
  json steps = json::array();
  for (const policy::ReviewStep& step : rules.review_steps) {
    steps.push_back({{"step", step.step},
                     {"role", step.role},
                     {"within_working_days", step.within_working_days}});
  }
  return {{"calculation", CalculationJson(rules.calculation)},
          {"cadence", policy::CadenceName(rules.cadence)},
          {"eligibility", EligibilityJson(rules.eligibility)},
          {"payee_rule", policy::PayeeRuleName(rules.payee_rule)},
          {"funding", std::move(funding)},
          {"notice",
           {{"calendar_days", rules.notice.calendar_days},
            {"aggregate_only", rules.notice.aggregate_only}}},
          {"review_steps", std::move(steps)},
          {"description", rules.description}};
}

Rules RulesOf(const json& j) {
  Rules rules;
  rules.calculation = CalculationOf(j.at("calculation"));
  rules.cadence = Known(policy::ParseCadence(j.at("cadence").get<std::string>()));
  rules.eligibility = EligibilityOf(j.at("eligibility"));
  rules.payee_rule = Known(policy::ParsePayeeRule(j.at("payee_rule").get<std::string>()));
  for (const json& share : j.at("funding")) {
    rules.funding.push_back(
        {share.at("source").get<std::string>(), share.at("share_bp").get<int>()});
  }
  rules.notice.calendar_days = j.at("notice").value("calendar_days", 0);
  rules.notice.aggregate_only = j.at("notice").value("aggregate_only", false);
  for (const json& step : j.at("review_steps")) {
    rules.review_steps.push_back({step.at("step").get<std::string>(),
                                  step.at("role").get<std::string>(),
                                  step.at("within_working_days").get<int>()});
  }
  rules.description = j.value("description", std::string());
  return rules;
}

json VersionJson(const PolicyVersion& version) {
  return {
      {"policy_id", version.policy_id},
      {"version", version.version},
      {"state", static_cast<int>(version.state)},
      {"rules", RulesJson(version.rules)},
      {"effective_from", Day(version.rules.effective_from)},
      {"end_on", Day(version.rules.end_on)},
      {"effective_to", Day(version.effective_to)},
      {"submitted_by", version.submitted_by},
      {"approved_at",
       version.approved_at.has_value() ? json(absl::ToUnixMicros(*version.approved_at)) : json()},
      {"published_on", Day(version.published_on)},
      {"rejection_reason", version.rejection_reason},
      {"revision", version.revision}};
}

PolicyVersion VersionOf(const json& j) {
  PolicyVersion version;
  version.policy_id = j.at("policy_id").get<std::string>();
  version.version = j.at("version").get<std::int32_t>();
  version.state = static_cast<VersionState>(j.at("state").get<int>());
  version.rules = RulesOf(j.at("rules"));
  version.rules.effective_from = DayOf(j.at("effective_from"));
  version.rules.end_on = DayOf(j.at("end_on"));
  version.effective_to = DayOf(j.at("effective_to"));
  version.submitted_by = j.at("submitted_by").get<std::string>();
  if (!j.at("approved_at").is_null()) {
    version.approved_at = absl::FromUnixMicros(j.at("approved_at").get<std::int64_t>());
  }
  version.published_on = DayOf(j.at("published_on"));
  version.rejection_reason = j.at("rejection_reason").get<std::string>();
  version.revision = j.at("revision").get<std::int64_t>();
  return version;
}

}  // namespace

std::string RulesToJson(const Rules& rules) { return RulesJson(rules).dump(); }

absl::StatusOr<Rules> RulesFromJson(std::string_view text) {
  try {
    return RulesOf(json::parse(text));
  } catch (const std::exception&) {
    // The driver's or parser's text could quote the row; it says nothing that the row does not.
    return status::Invariant("stored rules that this build cannot read");
  }
}

std::string BundleToJson(const PolicyBundle& bundle) {
  json versions = json::array();
  for (const PolicyVersion& version : bundle.versions) versions.push_back(VersionJson(version));
  json exclusions = json::array();
  for (const policy::Exclusion& one : bundle.exclusions) {
    exclusions.push_back({{"exclusion_id", one.exclusion_id},
                          {"policy_a", one.policy_a},
                          {"policy_b", one.policy_b},
                          {"slot_unit", base::SlotUnitName(one.slot_unit)},
                          {"key_kind", policy::KeyKindName(one.key_kind)},
                          {"basis", one.basis}});
  }
  return json({{"versions", std::move(versions)}, {"exclusions", std::move(exclusions)}}).dump();
}

std::optional<PolicyBundle> BundleFromJson(std::string_view text) {
  try {
    const json j = json::parse(text);
    PolicyBundle bundle;
    for (const json& version : j.at("versions")) bundle.versions.push_back(VersionOf(version));
    for (const json& one : j.at("exclusions")) {
      bundle.exclusions.push_back(
          {.exclusion_id = one.at("exclusion_id").get<std::string>(),
           .policy_a = one.at("policy_a").get<std::string>(),
           .policy_b = one.at("policy_b").get<std::string>(),
           .slot_unit = Known(base::ParseSlotUnit(one.at("slot_unit").get<std::string>())),
           .key_kind = Known(policy::ParseKeyKind(one.at("key_kind").get<std::string>())),
           .basis = one.at("basis").get<std::string>()});
    }
    return bundle;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace yikatong::catalogue
