// Lists, reference data, rollout, targets and the business date over a real PostgreSQL.
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

class AdministrationStore : public StoreTest {};

TEST_F(AdministrationStore, FinancePublishesAListOnceForEachChange) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  const auto publish = [&](Caller caller, std::int32_t district) {
    return Do(std::move(caller), [&](Repository& r) { return PublishList(r, district).status(); });
  };
  EXPECT_EQ(ReasonOf(publish(testing::Operator(), 120000)), Reason::kPermissionDenied);
  EXPECT_TRUE(publish(testing::CityFinance(), 120000).ok());
  EXPECT_EQ(ReasonOf(publish(testing::CityFinance(), 120000)), Reason::kListUnchanged);
  ASSERT_TRUE(Create("P002").ok());
  Standing("P002", 1, NewRules(CivilDay(2026, 1, 1)));
  EXPECT_TRUE(publish(testing::CityFinance(), 120000).ok());
  EXPECT_EQ(db_->Sql("SELECT string_agg(edition || ':' || entry_count, ',' ORDER BY edition) FROM "
                     "published_list"),
            "1:1,2:2");
  const Caller hebei =
      testing::Person("f", "finance.120105", {Role::kDistrictFinanceReviewer}, {"*"}, {120105});
  EXPECT_EQ(ReasonOf(publish(hebei, 120000)), Reason::kPermissionDenied);
  EXPECT_EQ(ReasonOf(publish(hebei, 120115)), Reason::kPermissionDenied);
  EXPECT_EQ(ReasonOf(publish(hebei, 120105)), Reason::kListUnchanged);  // nothing to publish
}

TEST_F(AdministrationStore, ReferenceDataIsLoadedOnceAndNeedsItsParents) {
  const auto load = [&](std::vector<Division> divisions) {
    absl::StatusOr<Imported> imported = absl::InternalError("");
    const absl::Status done = Do(testing::Admin(), [&](Repository& r) {
      imported = ImportReferenceData(r, {}, divisions);
      return imported.status();
    });
    return done.ok() ? imported : absl::StatusOr<Imported>(done);
  };
  const Division town{120105001000, "光复道街道", 120105, DivisionLevel::kTown, false};
  const Division village{120105001001, "测试社区", 120105, DivisionLevel::kVillage, true};
  EXPECT_EQ(load({town, village})->divisions_changed, 2);
  EXPECT_EQ(load({town, village})->divisions_changed, 0);
  const Division orphan{120115101201, "镇东村", 120115, DivisionLevel::kVillage, true};
  EXPECT_EQ(ReasonOf(load({orphan}).status()), Reason::kDivisionUnknown);
  EXPECT_EQ(ReasonOf(load({{12010500100, "短", 120105, DivisionLevel::kTown, false}}).status()),
            Reason::kDivisionCodeInvalid);
  EXPECT_EQ(ReasonOf(load({{120105001001, "错", 120105, DivisionLevel::kTown, false}}).status()),
            Reason::kDivisionCodeInvalid);
}

TEST_F(AdministrationStore, TheRolloutAnswersWithItsExemptions) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2020, 1, 1)));
  ASSERT_TRUE(
      Do(testing::Conference(), [](Repository& r) {
        return SetRollout(
                   r, {{CivilDay(2022, 12, 31), {}, {"CIVIL"}, "津财农〔2021〕86号"},
                       {CivilDay(2021, 12, 31), {120105, 120115}, {"CIVIL"}, "津财农〔2021〕86号"}})
            .status();
      }).ok());
  const auto check = [&](std::int32_t district, std::optional<CivilDay> day) {
    CardDecision decision;
    EXPECT_TRUE(Look(testing::Dispatch(), [&](Repository& r) -> absl::Status {
                  YKT_ASSIGN_OR_RETURN(decision, CheckCard(r, district, "P001", day));
                  return absl::OkStatus();
                }).ok());
    return decision;
  };
  EXPECT_TRUE(check(120105, CivilDay(2022, 1, 1)).required);
  EXPECT_FALSE(check(120101, CivilDay(2022, 1, 1)).required);
  EXPECT_TRUE(check(120101, std::nullopt).required);
  Exemption asked;
  asked.district = 120101;
  asked.field = "CIVIL";
  asked.reason = "new cards are late";
  asked.valid_from = CivilDay(2026, 3, 1);
  asked.valid_to = CivilDay(2026, 3, 31);
  ASSERT_TRUE(Do(testing::Operator("civil.120101", "CIVIL", 120101), [&](Repository& r) {
                return CreateExemption(r, asked, "e1").status();
              }).ok());
  EXPECT_TRUE(check(120101, std::nullopt).required);
  const auto decide = [&](Caller caller) {
    return Do(std::move(caller),
              [](Repository& r) { return DecideExemption(r, "e1", true).status(); });
  };
  EXPECT_EQ(ReasonOf(decide(testing::Person("op-civil.120101", "card", {Role::kCardOffice}))),
            Reason::kSamePerson);
  EXPECT_EQ(ReasonOf(decide(testing::Person("x", "card", {Role::kCardOffice}, {"*"}, {120105}))),
            Reason::kNotFound);
  EXPECT_TRUE(decide(testing::Person("x", "card", {Role::kCardOffice})).ok());
  EXPECT_EQ(ReasonOf(decide(testing::Person("y", "card", {Role::kCardOffice}))),
            Reason::kStateConflict);
  EXPECT_FALSE(check(120101, std::nullopt).required);
  EXPECT_EQ(check(120101, std::nullopt).exemption_id, "e1");
  EXPECT_TRUE(check(120101, CivilDay(2026, 4, 1)).required);
  EXPECT_EQ(ReasonOf(Do(testing::Operator("civil.120101", "CIVIL", 120101),
                        [&](Repository& r) {
                          Exemption foreign = asked;
                          foreign.district = 120105;
                          return CreateExemption(r, foreign, "e2").status();
                        })),
            Reason::kPermissionDenied);
}

TEST_F(AdministrationStore, APerformanceTargetIsApprovedByAnotherPersonAndThenFixed) {
  ASSERT_TRUE(Create("P001").ok());
  const PerformanceTarget target{.policy_id = "P001",
                                 .district = 120105,
                                 .year = 2026,
                                 .target_people = 100,
                                 .target_fen = 1'000'000,
                                 .goal = "应保尽保",
                                 .approved = false,
                                 .set_by = ""};
  const auto set = [&](std::int64_t fen) {
    PerformanceTarget other = target;
    other.target_fen = fen;
    return Do(testing::Operator("civil.120105", "CIVIL", 120105),
              [&](Repository& r) { return SetTarget(r, other).status(); });
  };
  const auto approve = [&](Caller caller) {
    return Do(std::move(caller),
              [](Repository& r) { return ApproveTarget(r, "P001", 120105, 2026).status(); });
  };
  const Caller finance =
      testing::Person("fin", "finance.120105", {Role::kDistrictFinanceReviewer}, {"*"}, {120105});
  EXPECT_EQ(ReasonOf(approve(finance)), Reason::kNotFound);
  EXPECT_TRUE(set(1'000'000).ok());
  EXPECT_TRUE(set(2'000'000).ok());
  EXPECT_EQ(ReasonOf(approve(testing::Person("op-civil.120105", "finance.120105",
                                             {Role::kDistrictFinanceReviewer}, {"*"}, {120105}))),
            Reason::kSamePerson);
  EXPECT_EQ(ReasonOf(approve(testing::Person("fin", "finance.120115",
                                             {Role::kDistrictFinanceReviewer}, {"*"}, {120115}))),
            Reason::kNotFound);
  EXPECT_TRUE(approve(finance).ok());
  EXPECT_EQ(ReasonOf(set(3'000'000)), Reason::kStateConflict);
  EXPECT_EQ(db_->Sql("SELECT target_fen FROM performance_target WHERE approved"), "2000000");
  EXPECT_EQ(ReasonOf(set(0)), Reason::kFieldInvalid);
}

TEST_F(AdministrationStore, TheBusinessDateGoesForwardOnlyAndOutlivesTheProcess) {
  const auto advance = [&](std::int32_t days, std::optional<CivilDay> to) {
    return Do(testing::Person("c", "operations", {Role::kClockAdmin}),
              [&](Repository& r) { return AdvanceClock(r, days, to).status(); });
  };
  EXPECT_TRUE(advance(7, std::nullopt).ok());
  EXPECT_EQ(ReasonOf(advance(0, CivilDay(2026, 3, 7))), Reason::kClockNotBack);
  EXPECT_EQ(ReasonOf(advance(-1, std::nullopt)), Reason::kClockNotBack);
  EXPECT_EQ(ReasonOf(advance(0, std::nullopt)), Reason::kFieldInvalid);
  EXPECT_EQ(ReasonOf(advance(1, CivilDay(2026, 4, 1))), Reason::kFieldInvalid);
  EXPECT_EQ(ReasonOf(advance(3661, std::nullopt)), Reason::kFieldInvalid);
  PgStorage restarted(db_->database(), cache_, clock_, ids_, {.clock_adjustable = true});
  ASSERT_TRUE(restarted.StartClock(CivilDay(2026, 3, 1)).ok());
  EXPECT_EQ(db_->Sql("SELECT today FROM business_date"), "2026-03-08");
}

TEST_F(AdministrationStore, AProductionClockIsTodayInBeijingAndCannotBeMoved) {
  PgStorage production(db_->database(), cache_, clock_, ids_, {.clock_adjustable = false});
  EXPECT_EQ(
      ReasonOf(production
                   .Once(CallOf(testing::Person("c", "operations", {Role::kClockAdmin}), "clock"),
                         [](Repository& r) -> absl::StatusOr<std::string> {
                           YKT_RETURN_IF_ERROR(AdvanceClock(r, 1, std::nullopt).status());
                           return std::string();
                         })
                   .status()),
      Reason::kClockNotAdjustable);
  clock_.JumpWallClock(absl::Hours(48));
  EXPECT_TRUE(production
                  .Read(CallOf(testing::Dispatch()),
                        [&](Repository& r) -> absl::Status {
                          YKT_ASSIGN_OR_RETURN(const CivilDay today, r.Today());
                          EXPECT_EQ(today, base::BeijingDate(clock_.Now()));
                          return absl::OkStatus();
                        })
                  .ok());
}

TEST_F(AdministrationStore, ARefusalIsAnAuditEntryOfItsOwn) {
  const int before = Count("outbox");
  storage_->RecordRefusal(testing::Operator(),
                          "/yikatong.catalogue.v1.CatalogueService/CreatePolicy",
                          status::Refuse(Reason::kPermissionDenied));
  EXPECT_EQ(Count("outbox"), before + 1);
}

TEST_F(AdministrationStore, TheAuditTablesCannotBeRewrittenByTheService) {
  const absl::Status tried = db_->database().Transact("tamper", [](postgres::Transaction& tx) {
    return tx.Run(postgres::Query{"tamper", "UPDATE outbox SET body = ''"}).status();
  });
  EXPECT_FALSE(tried.ok());
}

}  // namespace
}  // namespace yikatong::catalogue::testing
