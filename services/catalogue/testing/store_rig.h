// The catalogue's storage over a real PostgreSQL, with a cache that shows a stale entry.
#pragma once

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

namespace yikatong::catalogue::testing {

using absl::CivilDay;
using base::Period;
using identity::Caller;
using identity::Role;
using status::Reason;

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
    ASSERT_TRUE(Do(testing::Admin(), [](Repository& r) {
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
    return Do(testing::Operator(),
              [&](Repository& r) { return CreatePolicy(r, NewPolicy(id)).status(); });
  }
  absl::Status Draft(const std::string& id, Rules rules) {
    return Do(testing::Operator(),
              [&](Repository& r) { return CreateVersion(r, id, rules).status(); });
  }
  absl::Status Submit(const std::string& id, int version) {
    return Do(testing::Operator(),
              [&](Repository& r) { return SubmitVersion(r, id, version).status(); });
  }
  absl::Status Approve(const std::string& id, int version, Caller caller = testing::Conference()) {
    return Do(std::move(caller),
              [&](Repository& r) { return ApproveVersion(r, id, version, clock_.Now()).status(); });
  }
  absl::Status Publish(const std::string& id, int version) {
    return Do(testing::Operator(),
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
    const absl::Status looked = Look(testing::Dispatch(), [&](Repository& r) {
      payable = GetPayable(r, id, *Period::Parse(period), district);
      return payable.status();
    });
    if (!looked.ok()) return looked;
    return payable;
  }
  void MoveTo(CivilDay day) {
    ASSERT_TRUE(Do(testing::Person("c", "operations", {Role::kClockAdmin}), [&](Repository& r) {
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

}  // namespace yikatong::catalogue::testing
