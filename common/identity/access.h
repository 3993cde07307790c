// The one policy table of a service: which roles and which services may call which method.
// What has no row is refused.
//
//   constexpr identity::MethodRule kRules[] = {
//       {"/yikatong.dispatch.v1.DispatchService/CreateBatch", {Role::kDepartmentOperator}, {}},
//       {"/yikatong.dispatch.v1.DispatchService/GetBatch", RoleSet::All(), {"oversight"}},
//       {"/yikatong.dispatch.v1.DispatchService/PullWork", {}, {"bankgateway"}},
//   };
//   const identity::Authorizer authorizer(kRules);   // kRules must outlive it
//
// A rule says who may try; field and district scope is checked where the row is (see caller.h).
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "common/identity/caller.h"
#include "common/identity/role.h"

namespace yikatong::identity {

// Names of our services that may call a method; fixed size, so that a table can be constexpr.
class ServiceSet {
 public:
  static constexpr size_t kMax = 8;
  constexpr ServiceSet() = default;
  constexpr ServiceSet(std::initializer_list<std::string_view> names) {  // NOLINT: {"dispatch"}
    for (std::string_view name : names) names_[size_++] = name;  // more than kMax does not compile
  }
  constexpr bool Has(std::string_view name) const {
    for (size_t i = 0; i < size_; ++i) {
      if (names_[i] == name) return true;
    }
    return false;
  }
  constexpr bool empty() const { return size_ == 0; }

 private:
  std::array<std::string_view, kMax> names_{};
  size_t size_ = 0;
};

struct MethodRule {
  std::string_view method;  // "/package.Service/Method"
  RoleSet roles;            // a person with any of these
  ServiceSet services;      // one of our services, by its certificate alone
};

// Thread safe after construction.
class Authorizer {
 public:
  explicit Authorizer(std::span<const MethodRule> rules);

  // OK, or PERMISSION_DENIED (also where the method has no rule).
  absl::Status Check(std::string_view method, const Caller& caller) const;

  bool HasRule(std::string_view method) const;

  // For a start-up check: those of `methods` that have no rule, and rules that name none of them.
  // Empty when table and service agree.
  std::vector<std::string> Disagreements(const std::vector<std::string>& methods) const;

 private:
  std::unordered_map<std::string_view, const MethodRule*> rules_;
  std::vector<std::string> duplicates_;
};

}  // namespace yikatong::identity
