#include "services/catalogue/rpc/access_rules.h"

#define YKT_CATALOGUE "/yikatong.catalogue.v1.CatalogueService/"
#define YKT_CLOCK "/yikatong.catalogue.v1.ClockService/"

namespace yikatong::catalogue {
namespace {

using identity::Role;
using identity::RoleSet;
using identity::ServiceSet;

constexpr RoleSet kAnybody = RoleSet::All();
constexpr RoleSet kDrafters = {Role::kDepartmentOperator, Role::kSystemAdmin};
constexpr ServiceSet kServices = {"registry", "dispatch",  "bankgateway", "banksim",
                                  "auditlog", "oversight", "portal"};

constexpr identity::MethodRule kRules[] = {
    {YKT_CATALOGUE "ImportReferenceData", {Role::kSystemAdmin}, {}},
    {YKT_CATALOGUE "ListDepartments", kAnybody, kServices},
    {YKT_CATALOGUE "ListDivisions", kAnybody, kServices},
    {YKT_CATALOGUE "CreatePolicy", kDrafters, {}},
    {YKT_CATALOGUE "GetPolicy", kAnybody, kServices},
    {YKT_CATALOGUE "ListPolicies", kAnybody, kServices},
    {YKT_CATALOGUE "CreateExclusion", kDrafters, {}},
    {YKT_CATALOGUE "CreatePolicyVersion", kDrafters, {}},
    {YKT_CATALOGUE "UpdatePolicyVersion", kDrafters, {}},
    {YKT_CATALOGUE "SubmitPolicyVersion", {Role::kDepartmentOperator}, {}},
    {YKT_CATALOGUE "ApprovePolicyVersion", {Role::kJointConference}, {}},
    {YKT_CATALOGUE "RejectPolicyVersion", {Role::kJointConference}, {}},
    {YKT_CATALOGUE "PublishPolicyVersion",
     {Role::kDepartmentOperator, Role::kDepartmentReviewer},
     {}},
    {YKT_CATALOGUE "GetPolicyVersion", kAnybody, kServices},
    {YKT_CATALOGUE "ListPolicyVersions", kAnybody, kServices},
    {YKT_CATALOGUE "GetPayableVersion", kAnybody, kServices},
    {YKT_CATALOGUE "QuoteAmount", kAnybody, kServices},
    {YKT_CATALOGUE "PublishPolicyList", {Role::kCityFinance, Role::kDistrictFinanceReviewer}, {}},
    {YKT_CATALOGUE "GetPublishedList", kAnybody, kServices},
    {YKT_CATALOGUE "ListOverduePublications", kAnybody, kServices},
    {YKT_CATALOGUE "SetRollout", {Role::kJointConference}, {}},
    {YKT_CATALOGUE "GetRollout", kAnybody, kServices},
    {YKT_CATALOGUE "CheckCardRequired", kAnybody, kServices},
    {YKT_CATALOGUE "CreateExemption", {Role::kDepartmentOperator}, {}},
    {YKT_CATALOGUE "DecideExemption", {Role::kCardOffice, Role::kJointConference}, {}},
    {YKT_CATALOGUE "ListExemptions", kAnybody, kServices},
    {YKT_CATALOGUE "SetPerformanceTarget", {Role::kDepartmentOperator}, {}},
    {YKT_CATALOGUE "ApprovePerformanceTarget",
     {Role::kCityFinance, Role::kDistrictFinanceReviewer},
     {}},
    {YKT_CATALOGUE "GetPerformanceTarget", kAnybody, kServices},
    {YKT_CLOCK "GetBusinessDate", kAnybody, kServices},
    {YKT_CLOCK "AdvanceBusinessDate", {Role::kClockAdmin}, {}},
};

}  // namespace

std::span<const identity::MethodRule> AccessRules() { return kRules; }

}  // namespace yikatong::catalogue
