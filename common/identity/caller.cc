#include "common/identity/caller.h"

#include <algorithm>
#include <array>

namespace yikatong::identity {
namespace {

// In the order of Role.
constexpr std::array<std::string_view, kRoleCount> kRoleNames = {
    "department_operator",
    "department_reviewer",
    "town_operator",
    "town_reviewer",
    "district_finance_operator",
    "district_finance_reviewer",
    "payment_releaser",
    "city_finance",
    "joint_conference",
    "card_office",
    "bank_admin",
    "auditor",
    "system_admin",
    "clock_admin",
};

template <typename Values, typename ToText>
std::string ArrayLiteral(const Values& values, ToText to_text) {
  std::string literal = "{";
  for (const auto& value : values) {
    if (literal.size() > 1) literal += ',';
    literal += to_text(value);
  }
  literal += '}';
  return literal;
}

}  // namespace

std::string_view RoleName(Role role) { return kRoleNames.at(static_cast<size_t>(role)); }

std::optional<Role> ParseRole(std::string_view name) {
  const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), name);
  if (found == kRoleNames.end()) return std::nullopt;
  return static_cast<Role>(found - kRoleNames.begin());
}

std::vector<Role> RoleSet::ToVector() const {
  std::vector<Role> roles;
  for (int i = 0; i < kRoleCount; ++i) {
    if (Has(static_cast<Role>(i))) roles.push_back(static_cast<Role>(i));
  }
  return roles;
}

bool Caller::AllDistricts() const {
  return IsService() || std::binary_search(districts.begin(), districts.end(), kWholeCity);
}

bool Caller::AllFields() const {
  return IsService() || std::binary_search(fields.begin(), fields.end(), kEveryField);
}

bool Caller::InDistrict(int32_t district) const {
  return AllDistricts() || std::binary_search(districts.begin(), districts.end(), district);
}

bool Caller::InField(std::string_view field) const {
  return AllFields() || std::binary_search(fields.begin(), fields.end(), field);
}

std::string Caller::DistrictArray() const {
  if (AllDistricts()) return "{}";
  return ArrayLiteral(districts, [](int32_t district) { return std::to_string(district); });
}

// A field name that a verifier let through has only letters, digits and '_', and needs no quotes.
std::string Caller::FieldArray() const {
  if (AllFields()) return "{}";
  return ArrayLiteral(fields, [](const std::string& field) { return field; });
}

std::string Caller::Actor() const {
  return IsService() ? "service:" + service : person + "@" + organisation;
}

Scope ScopeOf(const Caller& caller) {
  return {.all_districts = caller.AllDistricts(),
          .districts = caller.DistrictArray(),
          .all_fields = caller.AllFields(),
          .fields = caller.FieldArray()};
}

}  // namespace yikatong::identity
