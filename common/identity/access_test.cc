#include "common/identity/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/status.h"

namespace yikatong::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr MethodRule kRules[] = {
    {"/a.A/Create", {Role::kDepartmentOperator, Role::kTownOperator}, {}},
    {"/a.A/Read", RoleSet::All(), {"oversight"}},
    {"/a.A/Pull", {}, {"bankgateway", "dispatch"}},
};

Caller Person(RoleSet roles) {
  return {.organisation = "agri-120105", .person = "p-1", .roles = roles, .districts = {120105}};
}
Caller Service(std::string name) { return {.service = std::move(name)}; }

TEST(Access, APersonNeedsOneOfTheRolesOfTheMethod) {
  const Authorizer authorizer(kRules);
  EXPECT_TRUE(authorizer.Check("/a.A/Create", Person({Role::kTownOperator})).ok());
  EXPECT_TRUE(authorizer.Check("/a.A/Read", Person({Role::kClockAdmin})).ok());
  const absl::Status refused = authorizer.Check("/a.A/Create", Person({Role::kAuditor}));
  EXPECT_EQ(status::ReasonOf(refused), status::Reason::kPermissionDenied);
  EXPECT_EQ(status::MetadataOf(refused)["method"], "/a.A/Create");
}

TEST(Access, APersonCannotCallWhatOnlyServicesMay) {
  const Authorizer authorizer(kRules);
  EXPECT_EQ(status::ReasonOf(authorizer.Check("/a.A/Pull", Person(RoleSet::All()))),
            status::Reason::kPermissionDenied);
}

TEST(Access, AServiceNeedsItsNameInTheRule) {
  const Authorizer authorizer(kRules);
  EXPECT_TRUE(authorizer.Check("/a.A/Pull", Service("dispatch")).ok());
  EXPECT_FALSE(authorizer.Check("/a.A/Pull", Service("oversight")).ok());
  EXPECT_FALSE(authorizer.Check("/a.A/Create", Service("dispatch")).ok());
}

TEST(Access, AServiceGainsNothingFromRolesInItsCaller) {
  const Authorizer authorizer(kRules);
  Caller odd = Service("dispatch");
  odd.roles = RoleSet::All();
  EXPECT_FALSE(authorizer.Check("/a.A/Create", odd).ok());
}

TEST(Access, AMethodWithoutARuleIsRefusedToEverybody) {
  const Authorizer authorizer(kRules);
  EXPECT_FALSE(authorizer.Check("/a.A/Forgotten", Person(RoleSet::All())).ok());
  EXPECT_FALSE(authorizer.Check("/a.A/Forgotten", Service("dispatch")).ok());
}

TEST(Access, TheTableAndTheServiceAreComparedBothWays) {
  EXPECT_THAT(Authorizer(kRules).Disagreements({"/a.A/Create", "/a.A/Read", "/a.A/Pull"}),
              IsEmpty());
  EXPECT_THAT(Authorizer(kRules).Disagreements({"/a.A/Create", "/a.A/Read", "/a.A/Write"}),
              ElementsAre("a rule for unknown /a.A/Pull", "no rule for /a.A/Write"));
  constexpr MethodRule kOdd[] = {
      {"/a.A/Create", {}, {}}, {"/a.A/Read", RoleSet::All(), {}}, {"/a.A/Read", {}, {"dispatch"}}};
  EXPECT_THAT(
      Authorizer(kOdd).Disagreements({"/a.A/Create", "/a.A/Read"}),
      ElementsAre("the rule for /a.A/Create lets nobody call it", "two rules for /a.A/Read"));
}

TEST(Caller, SeesItsOwnDistrictsAndFieldsOnly) {
  const Caller caller = {.organisation = "agri",
                         .person = "p-1",
                         .fields = {"agriculture", "hr"},
                         .districts = {120105, 120106}};
  EXPECT_TRUE(caller.InDistrict(120106));
  EXPECT_FALSE(caller.InDistrict(120107));
  EXPECT_FALSE(caller.InDistrict(kWholeCity));
  EXPECT_TRUE(caller.InField("hr"));
  EXPECT_FALSE(caller.InField("civil_affairs"));
  const Scope scope = ScopeOf(caller);
  EXPECT_FALSE(scope.all_districts);
  EXPECT_FALSE(scope.all_fields);
  EXPECT_EQ(scope.districts, "{120105,120106}");
  EXPECT_EQ(scope.fields, "{agriculture,hr}");
}

TEST(Caller, OfTheWholeCitySeesEveryDistrict) {
  const Caller caller = {
      .organisation = "finance", .person = "p-2", .fields = {"*"}, .districts = {kWholeCity}};
  EXPECT_TRUE(caller.InDistrict(120105));
  EXPECT_TRUE(caller.InField("anything"));
  const Scope scope = ScopeOf(caller);
  EXPECT_TRUE(scope.all_districts);
  EXPECT_TRUE(scope.all_fields);
  EXPECT_EQ(scope.districts, "{}");
}

TEST(Caller, WithNothingSeesNothing) {
  const Scope scope = ScopeOf({.organisation = "x", .person = "p"});
  EXPECT_FALSE(scope.all_districts);
  EXPECT_FALSE(scope.all_fields);
  EXPECT_EQ(scope.districts, "{}");
}

TEST(Caller, IsNamedForRowsAndAuditEntries) {
  EXPECT_EQ(Person({}).Actor(), "p-1@agri-120105");
  EXPECT_EQ(Service("dispatch").Actor(), "service:dispatch");
}

TEST(Roles, HaveNamesThatReadBack) {
  for (int i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_EQ(RoleName(Role::kClockAdmin), "clock_admin");
  EXPECT_EQ(ParseRole("Department_Operator"), std::nullopt);
  EXPECT_EQ(RoleSet::All().ToVector().size(), static_cast<size_t>(kRoleCount));
}

}  // namespace
}  // namespace yikatong::identity
