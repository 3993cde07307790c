// The service over real gRPC with mutual TLS: the whole seed of deploy/data from draft to
// published, who may do what, and what bad input gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status/status.h"
#include "fmt/format.h"
#include "services/catalogue/testing/rpc_rig.h"

namespace yikatong::catalogue::testing {
namespace {

TEST_F(RpcTest, EveryMethodHasARuleAndEveryRuleAMethod) {
  const identity::Authorizer authorizer(AccessRules());
  EXPECT_THAT(
      authorizer.Disagreements(rpc::MethodsOf({CatalogueServiceName(), ClockServiceName()})),
      ::testing::IsEmpty());
}

TEST_F(RpcTest, TheSeedGivesTheGoldenFigures) {
  EXPECT_EQ(Quoted("P001",
                   [](auto& in) {
                     in.set_members(3);
                     in.set_income_fen(180000);
                   }),
            133500);
  EXPECT_EQ(Quoted("P001", [](auto& in) { in.set_members(1); }), 104500);
  EXPECT_EQ(Quoted("P001",
                   [](auto& in) {
                     in.set_members(2);
                     in.set_income_fen(209000);
                   }),
            0);
  EXPECT_EQ(Quoted("P002", [](auto&) {}), 31400);
  EXPECT_EQ(Quoted(
                "P022", [](auto& in) { in.set_age(89); }, 120116),
            13500);
  EXPECT_EQ(Quoted(
                "P022", [](auto& in) { in.set_age(90); }, 120116),
            50000);
  EXPECT_EQ(Quoted(
                "P022", [](auto& in) { in.set_age(100); }, 120116),
            350000);
  EXPECT_EQ(Quoted(
                "P021", [](auto&) {}, 120105),
            50000);
  EXPECT_EQ(Quoted(
                "P021", [](auto&) {}, 120111),
            200000);
  EXPECT_EQ(Quoted("P042", [](auto& in) { in.set_quantity(1234); }), 6935);
  EXPECT_EQ(Quoted("P051", [](auto& in) { in.set_quantity(9000); }), 160000);
  EXPECT_EQ(Quoted("P014", [](auto& in) { in.set_bill_fen(240000); }), 125000);
  EXPECT_EQ(Quoted("P053", [](auto& in) { in.set_quantity(7); }), 210000);
  EXPECT_EQ(Quoted("P060", [](auto& in) { in.set_quantity(5); }), 344000);
  EXPECT_EQ(Quoted("P045",
                   [](auto& in) {
                     in.set_tier("demo-grain-harvester");
                     in.set_bill_fen(3000000);
                   }),
            900000);
}

TEST_F(RpcTest, FortyTwoPoliciesArePublishedAndDraftsAreHidden) {
  const auto count = [&](const Who& who, bool published) {
    std::size_t seen = 0;
    pb::ListPoliciesRequest request;
    request.set_published_only(published);
    request.set_page_size(10);
    for (;;) {
      const auto page = Ask(who, &Stub::ListPolicies, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return seen;
      seen += static_cast<std::size_t>(page->entries_size());
      if (page->next_page_token().empty()) return seen;
      request.set_page_token(page->next_page_token());
    }
  };
  EXPECT_EQ(count(Dispatch(), true), 42U);
  EXPECT_GE(count(Admin(), false), 76U);
  // A department of another field sees what is public and its own drafts.
  const std::size_t water = count(Operator("water.120000", "WATER"), false);
  EXPECT_GE(water, 42U);
  EXPECT_LE(water, 44U);
}

TEST_F(RpcTest, ABatchIsPinnedToTheRateOfItsPeriodWithAllExclusions) {
  const auto march = Payable("P001", "2026-03");
  ASSERT_TRUE(march.ok()) << march.status();
  EXPECT_EQ(march->version().version(), 6);
  EXPECT_EQ(march->version().calculation().rate_fen(), 104500);
  EXPECT_EQ(march->exclusions_size(), 4);
  EXPECT_EQ(march->policy().key_kind(), pb::KEY_KIND_HOUSEHOLD);
  EXPECT_EQ(Payable("P001", "2025-08")->version().calculation().rate_fen(), 101000);
  EXPECT_EQ(Payable("P001", "2025-08")->version().effective_to(), "2025-08-31");
  EXPECT_EQ(Payable("P026", "2024-06")->version().calculation().rate_fen(), 168000);
  EXPECT_EQ(ReasonName(Payable("P001", "2014-12")), "POLICY_NOT_IN_FORCE");
  EXPECT_EQ(ReasonName(Payable("P001", "2026")), "PERIOD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P001", "2026-13")), "PERIOD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P016", "2026-03")), "POLICY_VERSION_NOT_APPROVED");
  EXPECT_EQ(ReasonName(Payable("P999", "2026-03")), "POLICY_UNKNOWN");
  EXPECT_EQ(ReasonName(Payable("P022", "2026-03", 120105)), "DISTRICT_FOREIGN");
  EXPECT_TRUE(Payable("P032", "LIFE").ok());
  // Who pays is a department of that district which the policy's field belongs to.
  EXPECT_TRUE(Payable("P001", "2026-03", 120105, "civil.120105").ok());
  EXPECT_TRUE(Payable("P001", "2026-03", 120000, "civil.120000").ok());
  EXPECT_EQ(ReasonName(Payable("P001", "2026-03", 120105, "civil.120106")), "FIELD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P001", "2026-03", 120105, "civil.120000")), "FIELD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P001", "2026-03", 120105, "hrss.120105")), "FIELD_INVALID");
  EXPECT_EQ(ReasonName(Payable("P001", "2026-03", 120105, "civil.999999")), "DEPARTMENT_UNKNOWN");
}

TEST_F(RpcTest, FinancePublishesTheCitysListAndItCanBeReadBack) {
  pb::PublishPolicyListRequest publish;
  publish.set_request_id(NewId());
  publish.set_district(120000);
  const auto list = Ask(Finance(), &Stub::PublishPolicyList, publish);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->entry_count(), 41);  // P022 is Binhai's own
  EXPECT_EQ(list->sha256().size(), 32U);
  pb::GetPublishedListRequest read;
  read.set_district(120000);
  read.set_page_size(40);
  const auto first = Ask(Dispatch(), &Stub::GetPublishedList, read);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->entries_size(), 40);
  read.set_page_token(first->next_page_token());
  EXPECT_EQ(Ask(Dispatch(), &Stub::GetPublishedList, read)->entries_size(), 1);
  publish.set_request_id(NewId());
  EXPECT_EQ(ReasonName(Ask(Finance(), &Stub::PublishPolicyList, publish)), "LIST_UNCHANGED");
  read.set_page_token("policies/P001");
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::GetPublishedList, read)), "PAGE_TOKEN_INVALID");
  read.set_page_token("");
  read.set_edition(99);
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::GetPublishedList, read)), "NOT_FOUND");
}

TEST_F(RpcTest, TheCardIsDemandedByDistrictFieldAndDay) {
  const auto check = [&](std::int32_t district, const std::string& policy,
                         const std::string& date) {
    pb::CheckCardRequiredRequest request;
    request.set_district(district);
    request.set_policy_id(policy);
    request.set_date(date);
    const auto answer = Ask(Dispatch(), &Stub::CheckCardRequired, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() && answer->required();
  };
  EXPECT_TRUE(check(120105, "P001", "2021-12-31"));
  EXPECT_FALSE(check(120101, "P001", "2021-12-31"));
  EXPECT_FALSE(check(120105, "P053", "2021-12-31"));
  EXPECT_TRUE(check(120101, "P053", ""));
}

TEST_F(RpcTest, ARoleThatHasNoRuleIsRefusedAndTheRefusalIsAnAuditEntry) {
  const std::string before = world_->Sql(
      "SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE '%call.refused%'");
  EXPECT_EQ(Ask(Conference(), &Stub::CreatePolicy, NewPolicy("T001")).status().code(),
            absl::StatusCode::kPermissionDenied);
  pb::SetRolloutRequest rollout;
  rollout.set_request_id(NewId());
  EXPECT_EQ(Ask(Operator("civil.120000"), &Stub::SetRollout, rollout).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Ask(Dispatch(), &Stub::SetRollout, rollout).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(
      std::stoi(world_->Sql("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
                            "'%call.refused%'")),
      std::stoi(before) + 3);
}

TEST_F(RpcTest, AForeignDepartmentsPolicyIsUnknown) {
  pb::CreatePolicyVersionRequest request = NewVersion("P001");
  EXPECT_EQ(ReasonName(Ask(Operator("hrss.120000", "HRSS"), &Stub::CreatePolicyVersion, request)),
            "POLICY_UNKNOWN");
  // The right department, with a token for another field.
  request.set_request_id(NewId());
  EXPECT_EQ(ReasonName(Ask(Operator("civil.120000", "HRSS"), &Stub::CreatePolicyVersion, request)),
            "POLICY_UNKNOWN");
  pb::GetPolicyRequest get;
  get.set_policy_id("P034");  // a draft of the HR department
  EXPECT_EQ(ReasonName(Ask(Operator("water.120000", "WATER"), &Stub::GetPolicy, get)),
            "POLICY_UNKNOWN");
  EXPECT_TRUE(Ask(Operator("hrss.120000", "HRSS"), &Stub::GetPolicy, get).ok());
}

TEST_F(RpcTest, ACallerWithoutATokenOrWithAForeignOneIsNotKnown) {
  pb::GetPolicyRequest get;
  get.set_policy_id("P001");
  EXPECT_EQ(Ask({"organisations/civil.120000", ""}, &Stub::GetPolicy, get).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(
      ReasonName(Ask({"organisations/civil.120000", Conference().token}, &Stub::GetPolicy, get)),
      "TOKEN_ORGANISATION");
}

TEST_F(RpcTest, TheSameRequestIsAnsweredTheSameAndOtherContentIsRefused) {
  pb::CreatePolicyRequest request = NewPolicy("T010");
  const auto first = Ask(Operator("civil.120000"), &Stub::CreatePolicy, request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Ask(Operator("civil.120000"), &Stub::CreatePolicy, request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->SerializeAsString(), first->SerializeAsString());
  request.mutable_policy()->set_name_zh("别的");
  EXPECT_EQ(ReasonName(Ask(Operator("civil.120000"), &Stub::CreatePolicy, request)),
            "REQUEST_ID_REUSED");
  request.set_request_id(NewId());
  EXPECT_EQ(ReasonName(Ask(Operator("civil.120000"), &Stub::CreatePolicy, request)),
            "ALREADY_EXISTS");
  EXPECT_EQ(world_->Sql("SELECT count(*) FROM policy WHERE policy_id = 'T010'"), "1");
}

TEST_F(RpcTest, BadInputIsNamedByItsField) {
  const Who civil = Operator("civil.120000");
  const auto field = [&](const pb::CreatePolicyRequest& request) {
    const auto made = Ask(civil, &Stub::CreatePolicy, request);
    return ReasonName(made) + " " + status::MetadataOf(made.status())["field"];
  };
  pb::CreatePolicyRequest bad = NewPolicy("T011");
  bad.mutable_policy()->set_slot_unit(pb::SLOT_UNIT_UNSPECIFIED);
  EXPECT_EQ(field(bad), "FIELD_INVALID policy.slot_unit");
  bad = NewPolicy("不 行");
  EXPECT_EQ(field(bad), "FIELD_INVALID policy.policy_id");
  bad = NewPolicy("T011");
  bad.mutable_policy()->set_confidence("Z");
  EXPECT_EQ(field(bad), "FIELD_INVALID policy.confidence");
  bad = NewPolicy("T011");
  bad.clear_request_id();
  EXPECT_THAT(ReasonName(Ask(civil, &Stub::CreatePolicy, bad)),
              ::testing::StartsWith("REQUEST_ID_"));

  ASSERT_TRUE(Ask(civil, &Stub::CreatePolicy, NewPolicy("T011")).ok());
  const auto version = [&](const std::function<void(pb::PolicyVersion&)>& spoil) {
    pb::CreatePolicyVersionRequest request = NewVersion("T011");
    spoil(*request.mutable_version());
    const auto made = Ask(civil, &Stub::CreatePolicyVersion, request);
    return ReasonName(made) + " " + status::MetadataOf(made.status())["field"];
  };
  EXPECT_EQ(version([](auto& v) { v.set_effective_from("2026-02-30"); }),
            "FIELD_INVALID effective_from");
  EXPECT_EQ(version([](auto& v) { v.set_cadence("weekly"); }), "FIELD_INVALID cadence");
  EXPECT_EQ(version([](auto& v) { v.mutable_calculation()->clear_type(); }),
            "FIELD_INVALID calculation.type");
  EXPECT_EQ(version([](auto& v) { v.mutable_calculation()->set_rate_fen(-1); }),
            "POLICY_INVALID calculation");
  EXPECT_EQ(version([](auto& v) { v.set_cadence("yearly"); }), "POLICY_INVALID cadence");
  EXPECT_EQ(world_->Sql("SELECT count(*) FROM policy_version WHERE policy_id = 'T011'"), "0");
  // A draft may be incomplete; submission says what is missing.
  ASSERT_EQ(version([](auto&) {}), "OK ");
  pb::SubmitPolicyVersionRequest submit;
  submit.set_request_id(NewId());
  submit.set_policy_id("T011");
  submit.set_version(1);
  const auto submitted = Ask(civil, &Stub::SubmitPolicyVersion, submit);
  EXPECT_EQ(ReasonName(submitted), "POLICY_INVALID");
  EXPECT_EQ(status::MetadataOf(submitted.status())["field"], "funding");
}

TEST_F(RpcTest, AQuoteNamesWhatTheRowLacks) {
  pb::QuoteAmountRequest request;
  request.set_policy_id("P022");
  request.mutable_input()->set_age(70);
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::QuoteAmount, request)), "STANDARD_MISSING");
  request.set_policy_id("P001");
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::QuoteAmount, request)), "QUANTITY_INVALID");
  request.set_version(77);
  EXPECT_EQ(ReasonName(Ask(Dispatch(), &Stub::QuoteAmount, request)), "POLICY_VERSION_UNKNOWN");
}

TEST_F(RpcTest, TheClockMovesForItsAdministratorOnly) {
  using Clock = pb::ClockService::Stub;
  const Who keeper = {"organisations/operations",
                      world_->Token("keeper", "operations", {Role::kClockAdmin})};
  const auto today = [&] {
    const auto date = Ask(Dispatch(), &Clock::GetBusinessDate, pb::GetBusinessDateRequest());
    EXPECT_TRUE(date.ok() && date->adjustable()) << date.status();
    return date.ok() ? date->date() : "";
  };
  pb::AdvanceBusinessDateRequest advance;
  advance.set_request_id(NewId());
  advance.set_to_date(today());
  EXPECT_TRUE(Ask(keeper, &Clock::AdvanceBusinessDate, advance).ok());
  advance.set_request_id(NewId());
  advance.set_to_date("2020-01-01");
  EXPECT_EQ(ReasonName(Ask(keeper, &Clock::AdvanceBusinessDate, advance)), "CLOCK_NOT_BACK");
  advance.set_request_id(NewId());
  EXPECT_EQ(Ask(Admin(), &Clock::AdvanceBusinessDate, advance).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(today(), "2026-03-01");
}

}  // namespace
}  // namespace yikatong::catalogue::testing
