#include "services/catalogue/domain/policy_list.h"

#include "common/base/dates.h"
#include "common/crypto/sha256.h"
#include "fmt/format.h"

namespace yikatong::catalogue {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '|':
        out += "\\p";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Tiers(const policy::Calculation& c) {
  std::string out;
  for (const policy::Tier& tier : c.tiers) {
    out += fmt::format("{}{}/{}/{}", out.empty() ? "" : ",", Escaped(tier.tier), tier.min_age,
                       tier.rate_fen);
  }
  return out;
}

std::string DistrictRates(const policy::Calculation& c) {
  std::string out;
  for (const policy::DistrictRate& rate : c.district_rates) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", rate.district, rate.rate_fen);
  }
  return out;
}

std::string Funding(const Rules& rules) {
  std::string out;
  for (const policy::FundingShare& share : rules.funding) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", share.source, share.share_bp);
  }
  return out;
}

std::string Age(std::optional<std::int32_t> age) {
  return age.has_value() ? std::to_string(*age) : "";
}

std::string Day(std::optional<absl::CivilDay> day) {
  return day.has_value() ? base::FormatDate(*day) : "";
}

}  // namespace

std::string CanonicalEntry(const Policy& policy, const PolicyVersion& version) {
  const Rules& rules = version.rules;
  const policy::Calculation& c = rules.calculation;
  // The policy itself.
  std::string line =
      fmt::format("{}|{}|{}|{}|{}|{}|", policy.policy_id, version.version, Escaped(policy.name_zh),
                  policy.field, policy.department_id, Day(rules.effective_from));
  // How much.
  line += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|", policy::CalculationTypeName(c.type),
                      c.rate_fen, c.cap_fen, c.min_fen, c.cap_quantity, c.percent_bp,
                      Escaped(c.unit), Tiers(c), DistrictRates(c));
  // How often, from where, to whom.
  line += fmt::format("{}|{}|{}|{}|", policy::CadenceName(rules.cadence), Funding(rules),
                      rules.notice.calendar_days, rules.notice.aggregate_only ? 1 : 0);
  line += fmt::format(
      "{}|{}|{}|{}|{}|{}|{}|{}|{}", Age(rules.eligibility.min_age), Age(rules.eligibility.max_age),
      policy::ResidenceRuleName(rules.eligibility.residence), rules.eligibility.death_grace_months,
      policy::PayeeRuleName(rules.payee_rule), base::SlotUnitName(policy.slot_unit),
      policy::KeyKindName(policy.key_kind), Escaped(policy.basis), Escaped(rules.description));
  return line;
}

std::string ListHash(std::int32_t district, const std::vector<std::string>& lines) {
  crypto::Sha256Hasher hasher;
  hasher.Update(fmt::format("yikatong-policy-list/v1\n{}|{}\n", district, lines.size()));
  for (const std::string& line : lines) {
    hasher.Update(line);
    hasher.Update("\n");
  }
  return crypto::StringOf(hasher.Finish());
}

}  // namespace yikatong::catalogue
