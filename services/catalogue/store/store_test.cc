// Policies and their versions over a real PostgreSQL: what is kept, what is locked, what is
// refused, what is told to the audit log.
#include <string>
#include <thread>
#include <vector>

#include "common/outbox/entry.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/catalogue/testing/store_rig.h"

namespace yikatong::catalogue::testing {
namespace {

class PolicyStore : public StoreTest {};

TEST_F(PolicyStore, AVersionGoesFromDraftToPublishedAndEveryStepIsTold) {
  ASSERT_TRUE(Create("P001").ok());
  const int before = Count("outbox");
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  EXPECT_EQ(Count("outbox") - before, 4);
  const auto payable = PayableOf("P001", "2026-03");
  ASSERT_TRUE(payable.ok()) << payable.status();
  EXPECT_EQ(payable->version.state, VersionState::kPublished);
  EXPECT_EQ(payable->version.published_on, CivilDay(2026, 3, 1));
  EXPECT_EQ(payable->version.rules, NewRules(CivilDay(2026, 1, 1)));
  EXPECT_EQ(payable->policy.latest_version, 1);
  const std::string body = db_->Sql(
      "SELECT convert_from(body, 'UTF8') FROM outbox WHERE convert_from(body, 'UTF8') LIKE "
      "'%version.approved%'");
  const auto entry = outbox::ParseBody(body);
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->subject, "policies/P001/versions/1");
  EXPECT_EQ(entry->actor_person, "chair");
  EXPECT_EQ(entry->business_date, CivilDay(2026, 3, 1));
}

TEST_F(PolicyStore, TheSameRequestGetsTheFirstAnswerAndOtherContentIsRefused) {
  int runs = 0;
  const auto work = [&](Repository& r) -> absl::StatusOr<std::string> {
    ++runs;
    YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P009")).status());
    return fmt::format("answer {}", runs);
  };
  const Call call = CallOf(testing::Operator(), "one", "content");
  EXPECT_EQ(storage_->Once(call, work).value(), "answer 1");
  EXPECT_EQ(storage_->Once(call, work).value(), "answer 1");
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(ReasonOf(storage_->Once(CallOf(testing::Operator(), "one", "other"), work).status()),
            Reason::kRequestIdReused);
  // Another organisation's id of the same name is another request.
  EXPECT_EQ(ReasonOf(storage_->Once(CallOf(testing::Admin(), "one", "content"), work).status()),
            Reason::kAlreadyExists);
}

TEST_F(PolicyStore, ARefusedRequestLeavesNothingAndItsIdMayBeUsedAgain) {
  const int entries = Count("outbox");
  const int requests = Count("request");
  const auto refused = [](Repository& r) -> absl::StatusOr<std::string> {
    YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P010")).status());
    return status::Refuse(Reason::kStateConflict);
  };
  EXPECT_FALSE(storage_->Once(CallOf(testing::Operator(), "again", "x"), refused).ok());
  EXPECT_EQ(Count("policy"), 0);
  EXPECT_EQ(Count("outbox"), entries);
  EXPECT_EQ(Count("request"), requests);
  EXPECT_TRUE(storage_
                  ->Once(CallOf(testing::Operator(), "again", "y"),
                         [](Repository& r) -> absl::StatusOr<std::string> {
                           YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P010")).status());
                           return std::string("made");
                         })
                  .ok());
}

TEST_F(PolicyStore, OneRequestSentTwiceAtOnceIsDoneOnce) {
  std::atomic<int> ok{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto answer =
          storage_->Once(CallOf(testing::Operator(), "both", "same"),
                         [](Repository& r) -> absl::StatusOr<std::string> {
                           YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P011")).status());
                           return std::string("made");
                         });
      if (answer.ok() && *answer == "made") ++ok;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ok, 4);
  EXPECT_EQ(Count("policy"), 1);
}

TEST_F(PolicyStore, AForeignDepartmentsPolicyDoesNotExist) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  const Caller foreign = testing::Operator("hrss.120000", "HRSS");
  EXPECT_EQ(
      ReasonOf(Do(foreign, [](Repository& r) { return SubmitVersion(r, "P001", 1).status(); })),
      Reason::kPolicyUnknown);
  EXPECT_EQ(ReasonOf(Do(foreign,
                        [](Repository& r) {
                          return CreateVersion(r, "P001", NewRules(CivilDay(2027, 1, 1))).status();
                        })),
            Reason::kPolicyUnknown);
  EXPECT_EQ(ReasonOf(Look(foreign, [](Repository& r) { return GetPolicy(r, "P001").status(); })),
            Reason::kPolicyUnknown);
  EXPECT_EQ(ReasonOf(Do(foreign,
                        [](Repository& r) { return CreatePolicy(r, NewPolicy("P077")).status(); })),
            Reason::kPermissionDenied);
  // What is approved is public.
  ASSERT_TRUE(Submit("P001", 1).ok());
  ASSERT_TRUE(Approve("P001", 1).ok());
  EXPECT_TRUE(Look(foreign, [](Repository& r) { return GetVersion(r, "P001", 1).status(); }).ok());
}

TEST_F(PolicyStore, AnAdministratorDraftsForEverybodyAndSubmitsForNobody) {
  EXPECT_TRUE(Do(testing::Admin(), [](Repository& r) {
                YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P001")).status());
                return CreateVersion(r, "P001", NewRules(CivilDay(2026, 1, 1))).status();
              }).ok());
  EXPECT_EQ(ReasonOf(Do(testing::Admin(),
                        [](Repository& r) { return SubmitVersion(r, "P001", 1).status(); })),
            Reason::kPolicyUnknown);
}

TEST_F(PolicyStore, WhoSubmittedDoesNotApprove) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  ASSERT_TRUE(Submit("P001", 1).ok());
  const Caller same = testing::Person("op-civil.120000", "conference", {Role::kJointConference});
  EXPECT_EQ(ReasonOf(Approve("P001", 1, same)), Reason::kSamePerson);
  EXPECT_TRUE(Approve("P001", 1).ok());
  EXPECT_EQ(ReasonOf(Approve("P001", 1)), Reason::kStateConflict);
}

TEST_F(PolicyStore, ADraftIsHiddenFromTheConference) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  EXPECT_EQ(ReasonOf(Approve("P001", 1)), Reason::kPolicyVersionUnknown);
}

TEST_F(PolicyStore, ARejectedVersionKeepsItsReasonAndANewOneFollows) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  ASSERT_TRUE(Submit("P001", 1).ok());
  EXPECT_TRUE(Do(testing::Conference(), [](Repository& r) {
                return RejectVersion(r, "P001", 1, "标准无依据").status();
              }).ok());
  EXPECT_EQ(db_->Sql("SELECT rejection_reason FROM policy_version"), "标准无依据");
  // The same first day: the rejected one does not count.
  EXPECT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
}

TEST_F(PolicyStore, AnUpdateMustNameTheDraftItSaw) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  const auto update = [&](std::int64_t revision, std::int64_t rate) {
    return Do(testing::Operator(), [&](Repository& r) {
      return UpdateVersion(r, "P001", 1, revision, NewRules(CivilDay(2026, 1, 1), rate)).status();
    });
  };
  EXPECT_TRUE(update(1, 200).ok());
  EXPECT_EQ(ReasonOf(update(1, 300)), Reason::kConcurrentChange);
  EXPECT_TRUE(update(2, 300).ok());
  ASSERT_TRUE(Submit("P001", 1).ok());
  EXPECT_EQ(ReasonOf(update(4, 400)), Reason::kStateConflict);
}

TEST_F(PolicyStore, RulesThatLeftTheDraftCannotChangeEvenInStorage) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  ASSERT_TRUE(Do(testing::Operator(), [](Repository& r) -> absl::Status {
                YKT_ASSIGN_OR_RETURN(auto version, r.FindVersion("P001", 1));
                version->rules.calculation.rate_fen = 1;
                version->rules.effective_from = CivilDay(2020, 1, 1);
                return r.UpdateVersion(*version);
              }).ok());
  EXPECT_EQ(PayableOf("P001", "2026-03")->version.rules, NewRules(CivilDay(2026, 1, 1)));
}

TEST_F(PolicyStore, EarlierRatesEndTheDayBeforeTheNextAndCountForTheirPeriods) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2018, 4, 1), 92000));
  Standing("P001", 2, NewRules(CivilDay(2020, 1, 1), 101000));
  Standing("P001", 3, NewRules(CivilDay(2025, 9, 1), 104500));
  EXPECT_EQ(PayableOf("P001", "2019-12")->version.rules.calculation.rate_fen, 92000);
  EXPECT_EQ(PayableOf("P001", "2019-12")->version.effective_to, CivilDay(2019, 12, 31));
  EXPECT_EQ(PayableOf("P001", "2025-08")->version.rules.calculation.rate_fen, 101000);
  EXPECT_EQ(PayableOf("P001", "2025-09")->version.rules.calculation.rate_fen, 104500);
  EXPECT_EQ(PayableOf("P001", "2025-09")->version.effective_to, std::nullopt);
  EXPECT_EQ(ReasonOf(PayableOf("P001", "2018-03").status()), Reason::kPolicyNotInForce);
}

TEST_F(PolicyStore, AVersionBeginsAfterTheOneBeforeIt) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  EXPECT_EQ(ReasonOf(Draft("P001", NewRules(CivilDay(2026, 1, 1)))), Reason::kEffectiveDateOrder);
  EXPECT_EQ(ReasonOf(Draft("P001", NewRules(CivilDay(2025, 1, 1)))), Reason::kEffectiveDateOrder);
  EXPECT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 2))).ok());
}

TEST_F(PolicyStore, AnUnpublishedVersionStopsBeingPayableAfterTenDays) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 2, 25)), /*publish=*/false);
  EXPECT_TRUE(PayableOf("P001", "2026-03").ok());
  MoveTo(CivilDay(2026, 3, 7));
  EXPECT_TRUE(PayableOf("P001", "2026-03").ok());
  MoveTo(CivilDay(2026, 3, 8));
  EXPECT_EQ(ReasonOf(PayableOf("P001", "2026-03").status()), Reason::kPolicyPublicationOverdue);
  PageRequest page;
  EXPECT_TRUE(Look(testing::Dispatch(), [&](Repository& r) -> absl::Status {
                YKT_ASSIGN_OR_RETURN(const auto overdue, r.Overdue(CivilDay(2026, 3, 8), page));
                EXPECT_EQ(overdue.size(), 1U);
                YKT_ASSIGN_OR_RETURN(const auto early, r.Overdue(CivilDay(2026, 3, 7), page));
                EXPECT_TRUE(early.empty());
                return absl::OkStatus();
              }).ok());
  ASSERT_TRUE(Publish("P001", 1).ok());
  EXPECT_TRUE(PayableOf("P001", "2026-03").ok());
}

TEST_F(PolicyStore, OverduePagesFollowEachOtherWithoutGaps) {
  for (const char* id : {"A1", "A2", "A3"}) {
    ASSERT_TRUE(Create(id).ok());
    Standing(id, 1, NewRules(CivilDay(2026, 1, 1)), /*publish=*/false);
  }
  std::vector<std::string> seen;
  PageRequest page;
  page.size = 1;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Look(testing::Dispatch(), [&](Repository& r) -> absl::Status {
                  YKT_ASSIGN_OR_RETURN(const auto rows, r.Overdue(CivilDay(2026, 3, 1), page));
                  seen.push_back(rows.at(0).policy_id);
                  page.after = "2026-01-01.1." + rows[0].policy_id;
                  return absl::OkStatus();
                }).ok());
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("A1", "A2", "A3"));
}

TEST_F(PolicyStore, ADistrictsPolicyIsForeignToOthers) {
  const Caller binhai = testing::Operator("civil.120116", "CIVIL", 120116);
  ASSERT_TRUE(Do(binhai, [](Repository& r) -> absl::Status {
                YKT_RETURN_IF_ERROR(
                    CreatePolicy(r, NewPolicy("P022", "civil.120116", "CIVIL", 120116)).status());
                YKT_RETURN_IF_ERROR(
                    CreateVersion(r, "P022", NewRules(CivilDay(2026, 1, 1))).status());
                return SubmitVersion(r, "P022", 1).status();
              }).ok());
  ASSERT_TRUE(Approve("P022", 1).ok());
  ASSERT_TRUE(Do(binhai, [](Repository& r) { return PublishVersion(r, "P022", 1).status(); }).ok());
  EXPECT_TRUE(PayableOf("P022", "2026-03", 120116).ok());
  EXPECT_EQ(ReasonOf(PayableOf("P022", "2026-03", 120105).status()), Reason::kDistrictForeign);
}

TEST_F(PolicyStore, TheCacheIsNeverStale) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2020, 1, 1), 100));
  EXPECT_EQ(PayableOf("P001", "2026-03")->version.rules.calculation.rate_fen, 100);
  const int hits = cache_.hits;
  EXPECT_EQ(PayableOf("P001", "2026-03")->version.rules.calculation.rate_fen, 100);
  EXPECT_GT(cache_.hits, hits);
  Standing("P001", 2, NewRules(CivilDay(2026, 1, 1), 200));
  EXPECT_EQ(PayableOf("P001", "2026-03")->version.rules.calculation.rate_fen, 200);
  cache_.Spoil();
  EXPECT_EQ(PayableOf("P001", "2026-03")->version.rules.calculation.rate_fen, 200);
}

TEST_F(PolicyStore, AnExclusionTakesTheCoarserUnitAndKey) {
  ASSERT_TRUE(Create("P003").ok());
  ASSERT_TRUE(Do(testing::Operator(), [](Repository& r) {
                Policy policy = NewPolicy("P001");
                policy.slot_unit = base::SlotUnit::kYear;
                policy.key_kind = policy::KeyKind::kHousehold;
                return CreatePolicy(r, policy).status();
              }).ok());
  const auto exclude = [&](const char* a, const char* b) {
    return Do(testing::Operator(),
              [&](Repository& r) { return CreateExclusion(r, a, b, "测试").status(); });
  };
  EXPECT_TRUE(exclude("P003", "P001").ok());
  EXPECT_EQ(db_->Sql("SELECT exclusion_id || ' ' || slot_unit || ' ' || key_kind FROM exclusion"),
            "P001~P003 YEAR HOUSEHOLD");
  EXPECT_EQ(ReasonOf(exclude("P001", "P003")), Reason::kAlreadyExists);
  EXPECT_EQ(ReasonOf(exclude("P001", "P999")), Reason::kPolicyUnknown);
  EXPECT_EQ(ReasonOf(exclude("P001", "P001")), Reason::kFieldInvalid);
  ASSERT_TRUE(Do(testing::Operator(), [](Repository& r) {
                Policy policy = NewPolicy("P037");
                policy.key_kind = policy::KeyKind::kPlot;
                return CreatePolicy(r, policy).status();
              }).ok());
  EXPECT_EQ(ReasonOf(exclude("P037", "P003")), Reason::kPolicyInvalid);
}

}  // namespace
}  // namespace yikatong::catalogue::testing
