// The roles that a token can give a person, and a set of them that fits in one word.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace yikatong::identity {

enum class Role : uint8_t {
  kDepartmentOperator,
  kDepartmentReviewer,
  kTownOperator,
  kTownReviewer,
  kDistrictFinanceOperator,
  kDistrictFinanceReviewer,
  kPaymentReleaser,
  kCityFinance,
  kJointConference,
  kCardOffice,
  kBankAdmin,
  kAuditor,
  kSystemAdmin,
  kClockAdmin,
};
inline constexpr int kRoleCount = 14;

// Names as tokens carry them, in snake case: "department_operator".
std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view name);

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {  // NOLINT: {Role::kX} reads as a set
    for (Role role : roles) bits_ |= Bit(role);
  }
  // Every role there is: for reads that any person with a valid token may make, within scope.
  static constexpr RoleSet All() {
    RoleSet all;
    all.bits_ = (1u << kRoleCount) - 1;
    return all;
  }

  constexpr void Add(Role role) { bits_ |= Bit(role); }
  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool Intersects(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  std::vector<Role> ToVector() const;

  friend constexpr bool operator==(RoleSet, RoleSet) = default;

 private:
  static constexpr uint32_t Bit(Role role) { return 1u << static_cast<uint32_t>(role); }
  uint32_t bits_ = 0;
};

}  // namespace yikatong::identity
