// The use cases over a real PostgreSQL: what is kept, what is locked, what is refused, what is told
// to the audit log.
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/outbox/entry.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/redis/cache.h"
#include "common/status/status.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/catalogue/domain/administration.h"
#include "services/catalogue/domain/policies.h"
#include "services/catalogue/store/pg_storage.h"
#include "services/catalogue/store/rules_json.h"
#include "services/catalogue/testing/callers.h"
#include "services/catalogue/wiring.h"

namespace yikatong::catalogue {
namespace {

using absl::CivilDay;
using base::Period;
using identity::Caller;
using identity::Role;
using status::Reason;

namespace people = catalogue::testing;
using people::CallOf;

// A cache that never forgets, so that a stale entry would be seen.
class MapCache final : public redis::Cache {
 public:
  std::optional<std::string> Get(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto at = values_.find(std::string(key));
    if (at == values_.end()) return std::nullopt;
    ++hits;
    return at->second;
  }
  void Set(std::string_view key, std::string_view value, std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    values_[std::string(key)] = value;
  }
  void Delete(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    values_.erase(std::string(key));
  }
  void Publish(std::string_view, std::string_view) override {}
  std::unique_ptr<redis::Subscription> Subscribe(std::string_view, OnMessage) override {
    return nullptr;
  }
  bool AllowRate(std::string_view, int64_t, std::chrono::milliseconds) override { return true; }
  void Spoil() {
    const std::lock_guard lock(mutex_);
    for (auto& [key, value] : values_) value = "not what was put here";
  }

  int hits = 0;

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> values_;
};

class StoreTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pg_ = postgres::PgFixture::Start({.service = "catalogue", .migrations = Migrations()});
  }
  static void TearDownTestSuite() { pg_.reset(); }

  void SetUp() override {
    db_ = pg_->FreshDatabase();
    storage_ = std::make_unique<PgStorage>(db_->database(), cache_, clock_, ids_,
                                           StorageOptions{.clock_adjustable = true});
    ASSERT_TRUE(storage_->StartClock(CivilDay(2026, 3, 1)).ok());
    ASSERT_TRUE(Do(people::Admin(), [](Repository& r) {
                  return ImportReferenceData(
                             r,
                             {{"civil.120000", "市民政局", 120000, {"CIVIL"}},
                              {"civil.120116", "滨海新区民政局", 120116, {"CIVIL"}},
                              {"hrss.120000", "市人社局", 120000, {"HRSS"}},
                              {"agriculture.120000", "市农业农村委", 120000, {"AGRI"}}},
                             {{120000000000, "天津市", 120000, DivisionLevel::kCity, false},
                              {120105000000, "河北区", 120105, DivisionLevel::kDistrict, false}})
                      .status();
                }).ok());
  }

  // Runs `work` as a mutation with a request id of its own.
  absl::Status Do(Caller caller, const std::function<absl::Status(Repository&)>& work) {
    return storage_
        ->Once(CallOf(std::move(caller), fmt::format("r{}", ++requests_)),
               [&](Repository& r) -> absl::StatusOr<std::string> {
                 const absl::Status done = work(r);
                 if (!done.ok()) return done;
                 return std::string("done");
               })
        .status();
  }
  absl::Status Look(Caller caller, const std::function<absl::Status(Repository&)>& work) {
    return storage_->Read(CallOf(std::move(caller)), work);
  }

  static Policy NewPolicy(const std::string& id, const std::string& department = "civil.120000",
                          const std::string& field = "CIVIL", std::int32_t district = 120000) {
    Policy policy;
    policy.policy_id = id;
    policy.name_zh = "测试" + id;
    policy.field = field;
    policy.department_id = department;
    policy.district = district;
    policy.confidence = "A";
    return policy;
  }
  static Rules NewRules(CivilDay from, std::int64_t rate_fen = 104500) {
    Rules rules;
    rules.effective_from = from;
    rules.calculation.type = policy::CalculationType::kFixed;
    rules.calculation.rate_fen = rate_fen;
    rules.calculation.unit = "person";
    rules.eligibility.min_age = 60;
    rules.funding = {{"city", 6000}, {"district", 4000}};
    rules.review_steps = {{"town_review", "town_reviewer", 3},
                          {"department_review", "department_reviewer", 10}};
    rules.description = "说明";
    return rules;
  }
  absl::Status Create(const std::string& id) {
    return Do(people::Operator(),
              [&](Repository& r) { return CreatePolicy(r, NewPolicy(id)).status(); });
  }
  absl::Status Draft(const std::string& id, Rules rules) {
    return Do(people::Operator(),
              [&](Repository& r) { return CreateVersion(r, id, rules).status(); });
  }
  absl::Status Submit(const std::string& id, int version) {
    return Do(people::Operator(),
              [&](Repository& r) { return SubmitVersion(r, id, version).status(); });
  }
  absl::Status Approve(const std::string& id, int version, Caller caller = people::Conference()) {
    return Do(std::move(caller),
              [&](Repository& r) { return ApproveVersion(r, id, version, clock_.Now()).status(); });
  }
  absl::Status Publish(const std::string& id, int version) {
    return Do(people::Operator(),
              [&](Repository& r) { return PublishVersion(r, id, version).status(); });
  }
  void Standing(const std::string& id, int version, Rules rules, bool publish = true) {
    ASSERT_TRUE(Draft(id, std::move(rules)).ok());
    ASSERT_TRUE(Submit(id, version).ok());
    ASSERT_TRUE(Approve(id, version).ok());
    if (publish) {
      ASSERT_TRUE(Publish(id, version).ok());
    }
  }
  absl::StatusOr<Payable> PayableOf(const std::string& id, const char* period,
                                    std::int32_t district = 120105) {
    absl::StatusOr<Payable> payable = absl::InternalError("not run");
    const absl::Status looked = Look(people::Dispatch(), [&](Repository& r) {
      payable = GetPayable(r, id, *Period::Parse(period), district);
      return payable.status();
    });
    if (!looked.ok()) return looked;
    return payable;
  }
  void MoveTo(CivilDay day) {
    ASSERT_TRUE(Do(people::Person("c", "operations", {Role::kClockAdmin}), [&](Repository& r) {
                  return AdvanceClock(r, 0, day).status();
                }).ok());
  }
  static std::optional<Reason> ReasonOf(const absl::Status& status) {
    return status::ReasonOf(status);
  }
  int Count(const std::string& table) {
    return std::stoi(db_->Sql("SELECT count(*) FROM " + table));
  }

  static inline std::unique_ptr<postgres::PgFixture> pg_;
  std::unique_ptr<postgres::TestDatabase> db_;
  MapCache cache_;
  base::ManualClock clock_{absl::FromUnixSeconds(1772323200)};  // 2026-03-01 in Beijing
  base::SequentialIdSource ids_;
  std::unique_ptr<PgStorage> storage_;
  std::atomic<int> requests_{0};
};

TEST_F(StoreTest, AVersionGoesFromDraftToPublishedAndEveryStepIsTold) {
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

TEST_F(StoreTest, TheSameRequestGetsTheFirstAnswerAndOtherContentIsRefused) {
  int runs = 0;
  const auto work = [&](Repository& r) -> absl::StatusOr<std::string> {
    ++runs;
    YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P009")).status());
    return fmt::format("answer {}", runs);
  };
  const Call call = CallOf(people::Operator(), "one", "content");
  EXPECT_EQ(storage_->Once(call, work).value(), "answer 1");
  EXPECT_EQ(storage_->Once(call, work).value(), "answer 1");
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(ReasonOf(storage_->Once(CallOf(people::Operator(), "one", "other"), work).status()),
            Reason::kRequestIdReused);
  // Another organisation's id of the same name is another request.
  EXPECT_EQ(ReasonOf(storage_->Once(CallOf(people::Admin(), "one", "content"), work).status()),
            Reason::kAlreadyExists);
}

TEST_F(StoreTest, ARefusedRequestLeavesNothingAndItsIdMayBeUsedAgain) {
  const int entries = Count("outbox");
  const int requests = Count("request");
  const auto refused = [](Repository& r) -> absl::StatusOr<std::string> {
    YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P010")).status());
    return status::Refuse(Reason::kStateConflict);
  };
  EXPECT_FALSE(storage_->Once(CallOf(people::Operator(), "again", "x"), refused).ok());
  EXPECT_EQ(Count("policy"), 0);
  EXPECT_EQ(Count("outbox"), entries);
  EXPECT_EQ(Count("request"), requests);
  EXPECT_TRUE(storage_
                  ->Once(CallOf(people::Operator(), "again", "y"),
                         [](Repository& r) -> absl::StatusOr<std::string> {
                           YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P010")).status());
                           return std::string("made");
                         })
                  .ok());
}

TEST_F(StoreTest, OneRequestSentTwiceAtOnceIsDoneOnce) {
  std::atomic<int> ok{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto answer =
          storage_->Once(CallOf(people::Operator(), "both", "same"),
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

TEST_F(StoreTest, AForeignDepartmentsPolicyDoesNotExist) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  const Caller foreign = people::Operator("hrss.120000", "HRSS");
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

TEST_F(StoreTest, AnAdministratorDraftsForEverybodyAndSubmitsForNobody) {
  EXPECT_TRUE(Do(people::Admin(), [](Repository& r) {
                YKT_RETURN_IF_ERROR(CreatePolicy(r, NewPolicy("P001")).status());
                return CreateVersion(r, "P001", NewRules(CivilDay(2026, 1, 1))).status();
              }).ok());
  EXPECT_EQ(ReasonOf(Do(people::Admin(),
                        [](Repository& r) { return SubmitVersion(r, "P001", 1).status(); })),
            Reason::kPolicyUnknown);
}

TEST_F(StoreTest, WhoSubmittedDoesNotApprove) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  ASSERT_TRUE(Submit("P001", 1).ok());
  const Caller same = people::Person("op-civil.120000", "conference", {Role::kJointConference});
  EXPECT_EQ(ReasonOf(Approve("P001", 1, same)), Reason::kSamePerson);
  EXPECT_TRUE(Approve("P001", 1).ok());
  EXPECT_EQ(ReasonOf(Approve("P001", 1)), Reason::kStateConflict);
}

TEST_F(StoreTest, ADraftIsHiddenFromTheConference) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  EXPECT_EQ(ReasonOf(Approve("P001", 1)), Reason::kPolicyVersionUnknown);
}

TEST_F(StoreTest, ARejectedVersionKeepsItsReasonAndANewOneFollows) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  ASSERT_TRUE(Submit("P001", 1).ok());
  EXPECT_TRUE(Do(people::Conference(), [](Repository& r) {
                return RejectVersion(r, "P001", 1, "标准无依据").status();
              }).ok());
  EXPECT_EQ(db_->Sql("SELECT rejection_reason FROM policy_version"), "标准无依据");
  // The same first day: the rejected one does not count.
  EXPECT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
}

TEST_F(StoreTest, AnUpdateMustNameTheDraftItSaw) {
  ASSERT_TRUE(Create("P001").ok());
  ASSERT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 1))).ok());
  const auto update = [&](std::int64_t revision, std::int64_t rate) {
    return Do(people::Operator(), [&](Repository& r) {
      return UpdateVersion(r, "P001", 1, revision, NewRules(CivilDay(2026, 1, 1), rate)).status();
    });
  };
  EXPECT_TRUE(update(1, 200).ok());
  EXPECT_EQ(ReasonOf(update(1, 300)), Reason::kConcurrentChange);
  EXPECT_TRUE(update(2, 300).ok());
  ASSERT_TRUE(Submit("P001", 1).ok());
  EXPECT_EQ(ReasonOf(update(4, 400)), Reason::kStateConflict);
}

TEST_F(StoreTest, RulesThatLeftTheDraftCannotChangeEvenInStorage) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  ASSERT_TRUE(Do(people::Operator(), [](Repository& r) -> absl::Status {
                YKT_ASSIGN_OR_RETURN(auto version, r.FindVersion("P001", 1));
                version->rules.calculation.rate_fen = 1;
                version->rules.effective_from = CivilDay(2020, 1, 1);
                return r.UpdateVersion(*version);
              }).ok());
  EXPECT_EQ(PayableOf("P001", "2026-03")->version.rules, NewRules(CivilDay(2026, 1, 1)));
}

TEST_F(StoreTest, EarlierRatesEndTheDayBeforeTheNextAndCountForTheirPeriods) {
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

TEST_F(StoreTest, AVersionBeginsAfterTheOneBeforeIt) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  EXPECT_EQ(ReasonOf(Draft("P001", NewRules(CivilDay(2026, 1, 1)))), Reason::kEffectiveDateOrder);
  EXPECT_EQ(ReasonOf(Draft("P001", NewRules(CivilDay(2025, 1, 1)))), Reason::kEffectiveDateOrder);
  EXPECT_TRUE(Draft("P001", NewRules(CivilDay(2026, 1, 2))).ok());
}

TEST_F(StoreTest, AnUnpublishedVersionStopsBeingPayableAfterTenDays) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 2, 25)), /*publish=*/false);
  EXPECT_TRUE(PayableOf("P001", "2026-03").ok());
  MoveTo(CivilDay(2026, 3, 7));
  EXPECT_TRUE(PayableOf("P001", "2026-03").ok());
  MoveTo(CivilDay(2026, 3, 8));
  EXPECT_EQ(ReasonOf(PayableOf("P001", "2026-03").status()), Reason::kPolicyPublicationOverdue);
  PageRequest page;
  EXPECT_TRUE(Look(people::Dispatch(), [&](Repository& r) -> absl::Status {
                YKT_ASSIGN_OR_RETURN(const auto overdue, r.Overdue(CivilDay(2026, 3, 8), page));
                EXPECT_EQ(overdue.size(), 1U);
                YKT_ASSIGN_OR_RETURN(const auto early, r.Overdue(CivilDay(2026, 3, 7), page));
                EXPECT_TRUE(early.empty());
                return absl::OkStatus();
              }).ok());
  ASSERT_TRUE(Publish("P001", 1).ok());
  EXPECT_TRUE(PayableOf("P001", "2026-03").ok());
}

TEST_F(StoreTest, OverduePagesFollowEachOtherWithoutGaps) {
  for (const char* id : {"A1", "A2", "A3"}) {
    ASSERT_TRUE(Create(id).ok());
    Standing(id, 1, NewRules(CivilDay(2026, 1, 1)), /*publish=*/false);
  }
  std::vector<std::string> seen;
  PageRequest page;
  page.size = 1;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Look(people::Dispatch(), [&](Repository& r) -> absl::Status {
                  YKT_ASSIGN_OR_RETURN(const auto rows, r.Overdue(CivilDay(2026, 3, 1), page));
                  seen.push_back(rows.at(0).policy_id);
                  page.after = "2026-01-01.1." + rows[0].policy_id;
                  return absl::OkStatus();
                }).ok());
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("A1", "A2", "A3"));
}

TEST_F(StoreTest, ADistrictsPolicyIsForeignToOthers) {
  const Caller binhai = people::Operator("civil.120116", "CIVIL", 120116);
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

TEST_F(StoreTest, TheCacheIsNeverStale) {
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

TEST_F(StoreTest, AnExclusionTakesTheCoarserUnitAndKey) {
  ASSERT_TRUE(Create("P003").ok());
  ASSERT_TRUE(Do(people::Operator(), [](Repository& r) {
                Policy policy = NewPolicy("P001");
                policy.slot_unit = base::SlotUnit::kYear;
                policy.key_kind = policy::KeyKind::kHousehold;
                return CreatePolicy(r, policy).status();
              }).ok());
  const auto exclude = [&](const char* a, const char* b) {
    return Do(people::Operator(),
              [&](Repository& r) { return CreateExclusion(r, a, b, "测试").status(); });
  };
  EXPECT_TRUE(exclude("P003", "P001").ok());
  EXPECT_EQ(db_->Sql("SELECT exclusion_id || ' ' || slot_unit || ' ' || key_kind FROM exclusion"),
            "P001~P003 YEAR HOUSEHOLD");
  EXPECT_EQ(ReasonOf(exclude("P001", "P003")), Reason::kAlreadyExists);
  EXPECT_EQ(ReasonOf(exclude("P001", "P999")), Reason::kPolicyUnknown);
  EXPECT_EQ(ReasonOf(exclude("P001", "P001")), Reason::kFieldInvalid);
  ASSERT_TRUE(Do(people::Operator(), [](Repository& r) {
                Policy policy = NewPolicy("P037");
                policy.key_kind = policy::KeyKind::kPlot;
                return CreatePolicy(r, policy).status();
              }).ok());
  EXPECT_EQ(ReasonOf(exclude("P037", "P003")), Reason::kPolicyInvalid);
}

TEST_F(StoreTest, FinancePublishesAListOnceForEachChange) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2026, 1, 1)));
  const auto publish = [&](Caller caller, std::int32_t district) {
    return Do(std::move(caller), [&](Repository& r) { return PublishList(r, district).status(); });
  };
  EXPECT_EQ(ReasonOf(publish(people::Operator(), 120000)), Reason::kPermissionDenied);
  EXPECT_TRUE(publish(people::CityFinance(), 120000).ok());
  EXPECT_EQ(ReasonOf(publish(people::CityFinance(), 120000)), Reason::kListUnchanged);
  ASSERT_TRUE(Create("P002").ok());
  Standing("P002", 1, NewRules(CivilDay(2026, 1, 1)));
  EXPECT_TRUE(publish(people::CityFinance(), 120000).ok());
  EXPECT_EQ(db_->Sql("SELECT string_agg(edition || ':' || entry_count, ',' ORDER BY edition) FROM "
                     "published_list"),
            "1:1,2:2");
  const Caller hebei =
      people::Person("f", "finance.120105", {Role::kDistrictFinanceReviewer}, {"*"}, {120105});
  EXPECT_EQ(ReasonOf(publish(hebei, 120000)), Reason::kPermissionDenied);
  EXPECT_EQ(ReasonOf(publish(hebei, 120115)), Reason::kPermissionDenied);
  EXPECT_EQ(ReasonOf(publish(hebei, 120105)), Reason::kListUnchanged);  // nothing to publish
}

TEST_F(StoreTest, ReferenceDataIsLoadedOnceAndNeedsItsParents) {
  const auto load = [&](std::vector<Division> divisions) {
    absl::StatusOr<Imported> imported = absl::InternalError("");
    const absl::Status done = Do(people::Admin(), [&](Repository& r) {
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

TEST_F(StoreTest, TheRolloutAnswersWithItsExemptions) {
  ASSERT_TRUE(Create("P001").ok());
  Standing("P001", 1, NewRules(CivilDay(2020, 1, 1)));
  ASSERT_TRUE(
      Do(people::Conference(), [](Repository& r) {
        return SetRollout(
                   r, {{CivilDay(2022, 12, 31), {}, {"CIVIL"}, "津财农〔2021〕86号"},
                       {CivilDay(2021, 12, 31), {120105, 120115}, {"CIVIL"}, "津财农〔2021〕86号"}})
            .status();
      }).ok());
  const auto check = [&](std::int32_t district, std::optional<CivilDay> day) {
    CardDecision decision;
    EXPECT_TRUE(Look(people::Dispatch(), [&](Repository& r) -> absl::Status {
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
  ASSERT_TRUE(Do(people::Operator("civil.120101", "CIVIL", 120101), [&](Repository& r) {
                return CreateExemption(r, asked, "e1").status();
              }).ok());
  EXPECT_TRUE(check(120101, std::nullopt).required);
  const auto decide = [&](Caller caller) {
    return Do(std::move(caller),
              [](Repository& r) { return DecideExemption(r, "e1", true).status(); });
  };
  EXPECT_EQ(ReasonOf(decide(people::Person("op-civil.120101", "card", {Role::kCardOffice}))),
            Reason::kSamePerson);
  EXPECT_EQ(ReasonOf(decide(people::Person("x", "card", {Role::kCardOffice}, {"*"}, {120105}))),
            Reason::kNotFound);
  EXPECT_TRUE(decide(people::Person("x", "card", {Role::kCardOffice})).ok());
  EXPECT_EQ(ReasonOf(decide(people::Person("y", "card", {Role::kCardOffice}))),
            Reason::kStateConflict);
  EXPECT_FALSE(check(120101, std::nullopt).required);
  EXPECT_EQ(check(120101, std::nullopt).exemption_id, "e1");
  EXPECT_TRUE(check(120101, CivilDay(2026, 4, 1)).required);
  EXPECT_EQ(ReasonOf(Do(people::Operator("civil.120101", "CIVIL", 120101),
                        [&](Repository& r) {
                          Exemption foreign = asked;
                          foreign.district = 120105;
                          return CreateExemption(r, foreign, "e2").status();
                        })),
            Reason::kPermissionDenied);
}

TEST_F(StoreTest, APerformanceTargetIsApprovedByAnotherPersonAndThenFixed) {
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
    return Do(people::Operator("civil.120105", "CIVIL", 120105),
              [&](Repository& r) { return SetTarget(r, other).status(); });
  };
  const auto approve = [&](Caller caller) {
    return Do(std::move(caller),
              [](Repository& r) { return ApproveTarget(r, "P001", 120105, 2026).status(); });
  };
  const Caller finance =
      people::Person("fin", "finance.120105", {Role::kDistrictFinanceReviewer}, {"*"}, {120105});
  EXPECT_EQ(ReasonOf(approve(finance)), Reason::kNotFound);
  EXPECT_TRUE(set(1'000'000).ok());
  EXPECT_TRUE(set(2'000'000).ok());
  EXPECT_EQ(ReasonOf(approve(people::Person("op-civil.120105", "finance.120105",
                                            {Role::kDistrictFinanceReviewer}, {"*"}, {120105}))),
            Reason::kSamePerson);
  EXPECT_EQ(ReasonOf(approve(people::Person("fin", "finance.120115",
                                            {Role::kDistrictFinanceReviewer}, {"*"}, {120115}))),
            Reason::kNotFound);
  EXPECT_TRUE(approve(finance).ok());
  EXPECT_EQ(ReasonOf(set(3'000'000)), Reason::kStateConflict);
  EXPECT_EQ(db_->Sql("SELECT target_fen FROM performance_target WHERE approved"), "2000000");
  EXPECT_EQ(ReasonOf(set(0)), Reason::kFieldInvalid);
}

TEST_F(StoreTest, TheBusinessDateGoesForwardOnlyAndOutlivesTheProcess) {
  const auto advance = [&](std::int32_t days, std::optional<CivilDay> to) {
    return Do(people::Person("c", "operations", {Role::kClockAdmin}),
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

TEST_F(StoreTest, AProductionClockIsTodayInBeijingAndCannotBeMoved) {
  PgStorage production(db_->database(), cache_, clock_, ids_, {.clock_adjustable = false});
  EXPECT_EQ(
      ReasonOf(production
                   .Once(CallOf(people::Person("c", "operations", {Role::kClockAdmin}), "clock"),
                         [](Repository& r) -> absl::StatusOr<std::string> {
                           YKT_RETURN_IF_ERROR(AdvanceClock(r, 1, std::nullopt).status());
                           return std::string();
                         })
                   .status()),
      Reason::kClockNotAdjustable);
  clock_.JumpWallClock(absl::Hours(48));
  EXPECT_TRUE(production
                  .Read(CallOf(people::Dispatch()),
                        [&](Repository& r) -> absl::Status {
                          YKT_ASSIGN_OR_RETURN(const CivilDay today, r.Today());
                          EXPECT_EQ(today, base::BeijingDate(clock_.Now()));
                          return absl::OkStatus();
                        })
                  .ok());
}

TEST_F(StoreTest, ARefusalIsAnAuditEntryOfItsOwn) {
  const int before = Count("outbox");
  storage_->RecordRefusal(people::Operator(),
                          "/yikatong.catalogue.v1.CatalogueService/CreatePolicy",
                          status::Refuse(Reason::kPermissionDenied));
  EXPECT_EQ(Count("outbox"), before + 1);
}

TEST_F(StoreTest, TheAuditTablesCannotBeRewrittenByTheService) {
  const absl::Status tried = db_->database().Transact("tamper", [](postgres::Transaction& tx) {
    return tx.Run(postgres::Query{"tamper", "UPDATE outbox SET body = ''"}).status();
  });
  EXPECT_FALSE(tried.ok());
}

TEST(RulesJsonTest, EveryRuleReadsBackAsItself) {
  Rules rules;
  rules.calculation = {.type = policy::CalculationType::kTieredAge,
                       .rate_fen = 0,
                       .tiers = {{"a", 80, 13500}, {"百岁", 100, 350000}},
                       .district_rates = {{120116, 5}},
                       .cap_fen = 7,
                       .min_fen = 3,
                       .cap_quantity = 9,
                       .percent_bp = 6000,
                       .unit = "0.01mu"};
  rules.cadence = policy::Cadence::kOnce;
  rules.eligibility = {.min_age = 0,
                       .max_age = 17,
                       .residence = policy::ResidenceRule::kDistrict,
                       .death_grace_months = 6};
  rules.payee_rule = policy::PayeeRule::kGuardian;
  rules.funding = {{"fund", 10000}};
  rules.notice = {10, true};
  rules.review_steps = {{"s", "r", 5}};
  rules.description = "说明 \"quoted\"";
  EXPECT_EQ(RulesFromJson(RulesToJson(rules)).value(), rules);
  EXPECT_EQ(status::ReasonOf(RulesFromJson("{}").status()), Reason::kInvariantBroken);
  EXPECT_EQ(status::ReasonOf(RulesFromJson("nonsense").status()), Reason::kInvariantBroken);
  EXPECT_FALSE(BundleFromJson("[1]").has_value());
}

}  // namespace
}  // namespace yikatong::catalogue
