#include "common/identity/access.h"

#include <algorithm>
#include <unordered_set>

#include "common/status/status.h"

namespace yikatong::identity {

Authorizer::Authorizer(std::span<const MethodRule> rules) {
  for (const MethodRule& rule : rules) {
    if (!rules_.emplace(rule.method, &rule).second) duplicates_.emplace_back(rule.method);
  }
}

absl::Status Authorizer::Check(std::string_view method, const Caller& caller) const {
  const auto found = rules_.find(method);
  if (found != rules_.end()) {
    const MethodRule& rule = *found->second;
    if (caller.IsService() ? rule.services.Has(caller.service)
                           : rule.roles.Intersects(caller.roles)) {
      return absl::OkStatus();
    }
  }
  return status::Refuse(status::Reason::kPermissionDenied, {}, {{"method", std::string(method)}});
}

bool Authorizer::HasRule(std::string_view method) const { return rules_.contains(method); }

std::vector<std::string> Authorizer::Disagreements(const std::vector<std::string>& methods) const {
  std::vector<std::string> out;
  std::unordered_set<std::string_view> served;
  for (const std::string& method : methods) {
    served.insert(method);
    const auto rule = rules_.find(method);
    if (rule == rules_.end()) {
      out.push_back("no rule for " + method);
    } else if (rule->second->roles.empty() && rule->second->services.empty()) {
      out.push_back("the rule for " + method + " lets nobody call it");
    }
  }
  for (const auto& [method, rule] : rules_) {
    if (!served.contains(method)) out.push_back("a rule for unknown " + std::string(method));
  }
  for (const std::string& method : duplicates_) out.push_back("two rules for " + method);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace yikatong::identity
