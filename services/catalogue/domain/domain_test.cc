// The pure rules of the catalogue: states, publication clock, payable version, rollout, list hash,
// pages.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/catalogue/domain/page.h"
#include "services/catalogue/domain/policy_list.h"
#include "services/catalogue/domain/publication.h"
#include "services/catalogue/domain/rollout.h"
#include "services/catalogue/domain/version_state.h"

namespace yikatong::catalogue {
namespace {

using absl::CivilDay;
using base::Period;
using status::Reason;

std::optional<Reason> ReasonOf(const absl::Status& status) { return status::ReasonOf(status); }

Policy Dibao() {
  Policy policy;
  policy.policy_id = "P001";
  policy.name_zh = "最低生活保障金";
  policy.field = "CIVIL";
  policy.department_id = "civil.120000";
  policy.confidence = "A";
  policy.slot_unit = base::SlotUnit::kMonth;
  return policy;
}

Rules GoodRules(CivilDay from, std::int64_t rate_fen = 104500) {
  Rules rules;
  rules.effective_from = from;
  rules.calculation.type = policy::CalculationType::kTopUp;
  rules.calculation.rate_fen = rate_fen;
  rules.calculation.unit = "person";
  rules.funding = {{"city", 5000}, {"district", 5000}};
  rules.review_steps = {{"town_review", "town_reviewer", 3}};
  return rules;
}

PolicyVersion Version(int number, VersionState state, CivilDay from,
                      std::optional<CivilDay> to = std::nullopt) {
  PolicyVersion version;
  version.policy_id = "P001";
  version.version = number;
  version.state = state;
  version.rules = GoodRules(from);
  version.effective_to = to;
  return version;
}

TEST(VersionStateTest, OnlyFiveTransitionsExist) {
  struct Step {
    VersionState from;
    VersionEvent event;
    VersionState to;
  };
  const Step steps[] = {
      {VersionState::kDraft, VersionEvent::kUpdate, VersionState::kDraft},
      {VersionState::kDraft, VersionEvent::kSubmit, VersionState::kSubmitted},
      {VersionState::kSubmitted, VersionEvent::kApprove, VersionState::kApproved},
      {VersionState::kSubmitted, VersionEvent::kReject, VersionState::kRejected},
      {VersionState::kApproved, VersionEvent::kPublish, VersionState::kPublished},
  };
  int allowed = 0;
  for (int s = 1; s <= 5; ++s) {
    for (int e = 0; e < 5; ++e) {
      const auto next = Next(static_cast<VersionState>(s), static_cast<VersionEvent>(e));
      if (!next.ok()) {
        EXPECT_EQ(ReasonOf(next.status()), Reason::kStateConflict);
        continue;
      }
      ++allowed;
      const bool listed = std::any_of(std::begin(steps), std::end(steps), [&](const Step& step) {
        return static_cast<int>(step.from) == s && static_cast<int>(step.event) == e &&
               step.to == *next;
      });
      EXPECT_TRUE(listed) << s << " " << e;
    }
  }
  EXPECT_EQ(allowed, 5);
}

TEST(VersionStateTest, ARefusalNamesStateAndEvent) {
  const auto refused = Next(VersionState::kPublished, VersionEvent::kUpdate);
  EXPECT_EQ(status::MetadataOf(refused.status())["state"], "PUBLISHED");
  EXPECT_EQ(status::MetadataOf(refused.status())["event"], "update");
}

TEST(PublicationTest, TheClockRunsTenCalendarDays) {
  const CivilDay from(2026, 2, 20);
  EXPECT_EQ(PublicationDueOn(from), CivilDay(2026, 3, 2));
  EXPECT_EQ(DaysOverdue(from, CivilDay(2026, 3, 2)), 0);
  EXPECT_EQ(DaysOverdue(from, CivilDay(2026, 3, 3)), 1);
}

TEST(PublicationTest, ApprovedButUnpublishedMayBePaidUntilTheTenthDay) {
  const std::vector<PolicyVersion> versions = {
      Version(1, VersionState::kApproved, CivilDay(2026, 3, 1))};
  const Period march = Period::Month(2026, 3);
  EXPECT_TRUE(SelectPayable(Dibao(), versions, march, CivilDay(2026, 3, 11)).ok());
  EXPECT_EQ(ReasonOf(SelectPayable(Dibao(), versions, march, CivilDay(2026, 3, 12)).status()),
            Reason::kPolicyPublicationOverdue);
}

TEST(PublicationTest, APublishedVersionIsNeverOverdue) {
  const std::vector<PolicyVersion> versions = {
      Version(1, VersionState::kPublished, CivilDay(2020, 1, 1))};
  EXPECT_TRUE(SelectPayable(Dibao(), versions, Period::Month(2026, 3), CivilDay(2026, 3, 31)).ok());
}

TEST(PublicationTest, TheRateOfThePaidPeriodCountsNotTodays) {
  const std::vector<PolicyVersion> versions = {
      Version(2, VersionState::kPublished, CivilDay(2025, 9, 1)),
      Version(1, VersionState::kPublished, CivilDay(2020, 1, 1), CivilDay(2025, 8, 31))};
  const CivilDay today(2026, 3, 1);
  EXPECT_EQ(SelectPayable(Dibao(), versions, Period::Month(2025, 8), today)->version, 1);
  EXPECT_EQ(SelectPayable(Dibao(), versions, Period::Month(2025, 9), today)->version, 2);
  // The quarter began under the earlier rate.
  EXPECT_EQ(SelectPayable(Dibao(), versions, Period::Quarter(2025, 3), today)->version, 1);
  EXPECT_EQ(ReasonOf(SelectPayable(Dibao(), versions, Period::Month(2019, 12), today).status()),
            Reason::kPolicyNotInForce);
}

TEST(PublicationTest, ADraftAloneIsNotApproved) {
  for (const VersionState state : {VersionState::kDraft, VersionState::kSubmitted}) {
    const std::vector<PolicyVersion> versions = {Version(1, state, CivilDay(2026, 1, 1))};
    EXPECT_EQ(
        ReasonOf(SelectPayable(Dibao(), versions, Period::Month(2026, 3), CivilDay(2026, 3, 1))
                     .status()),
        Reason::kPolicyVersionNotApproved);
  }
  const std::vector<PolicyVersion> rejected = {
      Version(1, VersionState::kRejected, CivilDay(2026, 1, 1))};
  EXPECT_EQ(
      ReasonOf(
          SelectPayable(Dibao(), rejected, Period::Month(2026, 3), CivilDay(2026, 3, 1)).status()),
      Reason::kPolicyNotInForce);
}

TEST(PublicationTest, ALaterDraftDoesNotHideTheRateInForce) {
  const std::vector<PolicyVersion> versions = {
      Version(2, VersionState::kDraft, CivilDay(2026, 2, 1)),
      Version(1, VersionState::kPublished, CivilDay(2020, 1, 1))};
  EXPECT_EQ(SelectPayable(Dibao(), versions, Period::Month(2026, 3), CivilDay(2026, 3, 1))->version,
            1);
}

TEST(PublicationTest, APeriodOfAnotherCadenceIsRefused) {
  const std::vector<PolicyVersion> versions = {
      Version(1, VersionState::kPublished, CivilDay(2020, 1, 1))};
  EXPECT_EQ(
      ReasonOf(SelectPayable(Dibao(), versions, Period::Year(2026), CivilDay(2026, 3, 1)).status()),
      Reason::kPeriodInvalid);
}

TEST(PublicationTest, ADraftMayLackWhatSubmissionDemands) {
  Rules rules;
  EXPECT_TRUE(CheckDraft(Dibao(), rules).ok());
  EXPECT_EQ(ReasonOf(CheckComplete(Dibao(), rules)), Reason::kPolicyInvalid);
  rules = GoodRules(CivilDay(2026, 1, 1));
  EXPECT_TRUE(CheckComplete(Dibao(), rules).ok());
  rules.funding[0].share_bp = 4999;
  EXPECT_EQ(ReasonOf(CheckComplete(Dibao(), rules)), Reason::kPolicyInvalid);
}

TEST(PublicationTest, AnAmountFromMemoryIsNotSubmitted) {
  Policy policy = Dibao();
  policy.confidence = "C";
  EXPECT_EQ(ReasonOf(CheckComplete(policy, GoodRules(CivilDay(2026, 1, 1)))),
            Reason::kPolicyAmountUnsure);
}

TEST(PublicationTest, NegativeFiguresAndForeignCadencesAreRefusedInADraft) {
  Rules rules = GoodRules(CivilDay(2026, 1, 1), -1);
  EXPECT_EQ(ReasonOf(CheckDraft(Dibao(), rules)), Reason::kPolicyInvalid);
  rules = GoodRules(CivilDay(2026, 1, 1));
  rules.cadence = policy::Cadence::kYearly;
  EXPECT_EQ(status::MetadataOf(CheckDraft(Dibao(), rules))["field"], "cadence");
  rules = GoodRules(CivilDay(2026, 1, 1));
  rules.end_on = CivilDay(2025, 12, 31);
  EXPECT_EQ(status::MetadataOf(CheckDraft(Dibao(), rules))["field"], "effective_to");
}

std::vector<RolloutStage> Notice86() {
  return {{CivilDay(2021, 12, 31), {120105, 120115}, {"AGRI", "HRSS", "CIVIL"}, "n"},
          {CivilDay(2022, 12, 31), {}, {"AGRI", "HRSS", "CIVIL"}, "n"},
          {CivilDay(2023, 12, 31), {}, {}, "n"}};
}

bool Required(std::int32_t district, std::string_view field, CivilDay day) {
  return DecideCard(Notice86(), {}, district, field, "P001", day).required;
}

TEST(RolloutTest, PilotsThenAllDistrictsThenEverything) {
  EXPECT_FALSE(Required(120105, "CIVIL", CivilDay(2021, 12, 30)));
  EXPECT_TRUE(Required(120105, "CIVIL", CivilDay(2021, 12, 31)));
  EXPECT_FALSE(Required(120101, "CIVIL", CivilDay(2022, 6, 1)));
  EXPECT_FALSE(Required(120105, "VETERAN", CivilDay(2022, 6, 1)));
  EXPECT_TRUE(Required(120101, "AGRI", CivilDay(2022, 12, 31)));
  EXPECT_FALSE(Required(120101, "HEALTH", CivilDay(2023, 12, 30)));
  EXPECT_TRUE(Required(120101, "HEALTH", CivilDay(2023, 12, 31)));
  EXPECT_FALSE(Required(policy::kCityDivision, "CIVIL", CivilDay(2022, 6, 1)));
  EXPECT_TRUE(Required(policy::kCityDivision, "CIVIL", CivilDay(2024, 1, 1)));
  EXPECT_EQ(DecideCard(Notice86(), {}, 120105, "CIVIL", "P001", CivilDay(2026, 1, 1)).stage_from,
            CivilDay(2021, 12, 31));
}

Exemption Approved() {
  Exemption exemption;
  exemption.exemption_id = "e1";
  exemption.district = 120101;
  exemption.field = "HEALTH";
  exemption.reason = "cards of the new-born are not made yet";
  exemption.valid_from = CivilDay(2026, 1, 1);
  exemption.valid_to = CivilDay(2026, 6, 30);
  exemption.state = ExemptionState::kApproved;
  return exemption;
}

TEST(RolloutTest, AnApprovedExemptionLiftsTheDemandUntilItExpires) {
  const CivilDay day(2026, 6, 30);
  const auto decide = [&](const Exemption& exemption, CivilDay on) {
    return DecideCard(Notice86(), {exemption}, 120101, "HEALTH", "P053", on);
  };
  EXPECT_FALSE(decide(Approved(), day).required);
  EXPECT_EQ(decide(Approved(), day).exemption_id, "e1");
  EXPECT_TRUE(decide(Approved(), day + 1).required);
  Exemption other = Approved();
  other.state = ExemptionState::kRequested;
  EXPECT_TRUE(decide(other, day).required);
  other = Approved();
  other.policy_id = "P054";
  EXPECT_TRUE(decide(other, day).required);
  other.policy_id = "P053";
  EXPECT_FALSE(decide(other, day).required);
  other = Approved();
  other.district = 120102;
  EXPECT_TRUE(decide(other, day).required);
}

TEST(RolloutTest, AnExemptionLastsAYearAtMostAndEndsInTheFuture) {
  const CivilDay today(2026, 3, 1);
  Exemption exemption = Approved();
  EXPECT_TRUE(CheckExemption(exemption, today).ok());
  exemption.valid_to = CivilDay(2027, 1, 2);
  EXPECT_EQ(ReasonOf(CheckExemption(exemption, today)), Reason::kExemptionPeriod);
  exemption.valid_to = CivilDay(2026, 2, 28);
  EXPECT_EQ(ReasonOf(CheckExemption(exemption, today)), Reason::kExemptionPeriod);
  exemption.valid_to = CivilDay(2025, 12, 31);
  EXPECT_EQ(ReasonOf(CheckExemption(exemption, today)), Reason::kExemptionPeriod);
  exemption = Approved();
  exemption.reason.clear();
  EXPECT_EQ(ReasonOf(CheckExemption(exemption, today)), Reason::kFieldInvalid);
}

TEST(PolicyListTest, TheHashIsOverEveryFigureAndNothingElse) {
  const PolicyVersion version = Version(6, VersionState::kPublished, CivilDay(2025, 9, 1));
  const std::string line = CanonicalEntry(Dibao(), version);
  EXPECT_THAT(line, testing::StartsWith(
                        "P001|6|最低生活保障金|CIVIL|civil.120000|2025-09-01|TOP_UP|104500|"));
  PolicyVersion other = version;
  other.rules.calculation.rate_fen = 104501;
  EXPECT_NE(ListHash(120000, {line}), ListHash(120000, {CanonicalEntry(Dibao(), other)}));
  EXPECT_NE(ListHash(120000, {line}), ListHash(120105, {line}));
  EXPECT_NE(ListHash(120000, {line}), ListHash(120000, {line, line}));
  other = version;
  other.revision = 99;
  EXPECT_EQ(CanonicalEntry(Dibao(), other), line);
}

TEST(PolicyListTest, TextsCannotForgeFieldsOrLines) {
  Policy a = Dibao();
  a.basis = "x|y\nz\\";
  const std::string line =
      CanonicalEntry(a, Version(1, VersionState::kPublished, CivilDay(2025, 9, 1)));
  EXPECT_THAT(line, testing::HasSubstr("x\\py\\nz\\\\"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(PageTest, SizesAndTokensAreChecked) {
  EXPECT_EQ(ReadPage("policies", 0, "")->size, kDefaultPageSize);
  EXPECT_EQ(ReadPage("policies", 5000, "")->size, kMaxPageSize);
  EXPECT_EQ(ReasonOf(ReadPage("policies", -1, "").status()), Reason::kFieldInvalid);
  EXPECT_EQ(ReadPage("policies", 10, "policies/P001")->after, "P001");
  for (const char* bad : {"divisions/1", "policies", "policies/", "x", "policies\\P001"}) {
    EXPECT_EQ(ReasonOf(ReadPage("policies", 0, bad).status()), Reason::kPageTokenInvalid) << bad;
  }
}

TEST(PageTest, ASurplusRowSaysThatAPageFollows) {
  PageRequest page;
  page.size = 2;
  const auto key = [](const std::string& row) { return row; };
  std::vector<std::string> rows = {"a", "b", "c"};
  EXPECT_EQ(CutPage("x", page, rows, key), "x/b");
  EXPECT_EQ(rows.size(), 2U);
  rows = {"d", "e"};
  EXPECT_EQ(CutPage("x", page, rows, key), "");
}

}  // namespace
}  // namespace yikatong::catalogue
