// What the gauges of money say, against batches that were really paid.
#include "services/dispatch/workers/money_watch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {
namespace {

class MoneyWatchTest : public MoneyTest {
 protected:
  void SetUp() override {
    MoneyTest::SetUp();
    watch_ = std::make_unique<MoneyWatch>(rig_->context, rig_->money, metrics_);
  }
  // The page's lines that begin with `name`.
  std::vector<std::string> Told(const std::string& name) {
    watch_->LookOnce();
    std::vector<std::string> lines;
    std::istringstream page(metrics_.Exposition());
    for (std::string line; std::getline(page, line);) {
      if (line.starts_with(name)) lines.push_back(line.substr(name.size()));
    }
    return lines;
  }
  telemetry::Metrics metrics_;
  std::unique_ptr<MoneyWatch> watch_;
};

TEST_F(MoneyWatchTest, MoneyIsToldByPolicyAndAccountOverAllLines) {
  PutPolicy("P002", true);
  const std::int64_t batch = Approved(4);
  const std::int64_t other = Approved(2, "P002", 50);
  Line("P001", "city", 1'000'000);
  Line("P002", "city", 500'000);
  Line("P002", "district", 300'000);
  for (const std::int64_t one : {batch, other}) {
    ASSERT_EQ(Outcome(Fund(one)), "OK");
    ASSERT_EQ(Outcome(Release(one)), "OK");
  }
  Replica replica(*rig_, "a");
  Work(replica);
  const auto ref = [&](int row) { return Item(batch, row) * 100 + 1; };
  Report({Paid(ref(1)), Failed(ref(2)), Paid(ref(3)), Returned(ref(3))});
  Follow(replica);
  EXPECT_THAT(Told("yikatong_budget_fen"),
              ::testing::UnorderedElementsAre(R"({account="available",policy="P001"} 686500)",
                                              R"({account="reserved",policy="P001"} 104500)",
                                              R"({account="in_transit",policy="P001"} 104500)",
                                              R"({account="paid",policy="P001"} 104500)",
                                              R"({account="owed_to_treasury",policy="P001"} 0)",
                                              R"({account="available",policy="P002"} 590998)",
                                              R"({account="reserved",policy="P002"} 0)",
                                              R"({account="in_transit",policy="P002"} 209002)",
                                              R"({account="paid",policy="P002"} 0)",
                                              R"({account="owed_to_treasury",policy="P002"} 0)"));
  EXPECT_THAT(Told("yikatong_ledger_differing_lines"), ::testing::ElementsAre(" 0"));
}

TEST_F(MoneyWatchTest, MoneyIsToldBySourceToo) {
  Line("P001", "city", 1'000);
  Line("P002", "city", 200);
  Line("P002", "district", 30);
  const auto told = Told("yikatong_budget_source_fen");
  EXPECT_THAT(told, ::testing::IsSupersetOf({R"({account="available",source="city"} 1200)",
                                             R"({account="available",source="district"} 30)"}));
  EXPECT_EQ(told.size(), 10U) << "five accounts of each";
}

TEST_F(MoneyWatchTest, OfManyPoliciesTheLargestAreNamedAndAllOthersAreOneSum) {
  // 1, 2, … 150 fen: those with more than 100 fen are named.
  std::int64_t others = 0;
  for (int policy = 1; policy <= 150; ++policy) {
    Line(fmt::format("P{:03}", policy), "city", policy);
    if (policy <= 100) others += policy;
  }
  const auto available = [&](const std::string& policy) {
    for (const std::string& line : Told("yikatong_budget_fen")) {
      const std::string label = fmt::format(R"({{account="available",policy="{}"}} )", policy);
      if (line.starts_with(label)) return line.substr(label.size());
    }
    return std::string("none");
  };
  EXPECT_EQ(Told("yikatong_budget_fen").size(), (MoneyWatch::kNamedPolicies + 1) * 5);
  EXPECT_EQ(available("other"), std::to_string(others));
  EXPECT_EQ(available("P101"), "101");
  EXPECT_EQ(available("P100"), "none");
  // P100 comes to be the largest, so the smallest of those that were named is one of the others.
  Sql("INSERT INTO ledger (district, line_id, entry_id, step, debit, credit, amount_fen, "
      "business_date) SELECT district, line_id, gen_random_uuid(), 'appropriate', 2, 1, 900, "
      "'2026-03-02' FROM budget_line WHERE policy_id = 'P100'");
  Sql("UPDATE budget_line SET available_fen = 1000 WHERE policy_id = 'P100'");
  EXPECT_EQ(available("P100"), "1000");
  EXPECT_EQ(available("P101"), "none");
  EXPECT_EQ(available("other"), std::to_string(others + 1));
  EXPECT_EQ(Told("yikatong_budget_fen").size(), (MoneyWatch::kNamedPolicies + 1) * 5);
}

TEST(NamingTheLargest, AddsUpToAllOfThemAndPrefersTheFirstOfEqualOnes) {
  std::map<std::string, Balances> of_policy;
  for (const char* policy : {"c", "a", "b", "d"}) of_policy[policy].paid_fen = 7;
  of_policy["d"].in_transit_fen = 1;
  const std::map<std::string, Balances> told = NameTheLargest(of_policy, 2);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told.at("d").in_transit_fen, 1);
  EXPECT_EQ(told.at("a").paid_fen, 7);
  EXPECT_EQ(told.at("other").paid_fen, 14);
  EXPECT_EQ(NameTheLargest(of_policy, 4).size(), 4U);
  EXPECT_TRUE(NameTheLargest({}, 4).empty());
}

TEST_F(MoneyWatchTest, ALineThatIsNotWhatItsLedgerSaysIsCounted) {
  std::string logged;
  const telemetry::LogCapture capture([&](std::string_view line) { logged += line; });
  Paying(3);
  ASSERT_THAT(Told("yikatong_ledger_differing_lines"), ::testing::ElementsAre(" 0"));
  Sql("UPDATE budget_line SET available_fen = available_fen + 1");
  EXPECT_THAT(Told("yikatong_ledger_differing_lines"), ::testing::ElementsAre(" 1"));
  EXPECT_THAT(logged,
              ::testing::ContainsRegex("\"ledger_differs\".*\"trace_id\":\"[0-9a-f]{32}\""));
  Sql("UPDATE budget_line SET available_fen = available_fen - 1");
  EXPECT_THAT(Told("yikatong_ledger_differing_lines"), ::testing::ElementsAre(" 0"));
  // More paid than was on its way.
  Sql("INSERT INTO ledger (district, line_id, entry_id, step, debit, credit, amount_fen, "
      "business_date) SELECT 120105, 1, gen_random_uuid(), 'paid', 5, 4, 1, '2026-03-09'");
  EXPECT_THAT(Told("yikatong_ledger_differing_lines"), ::testing::ElementsAre(" 1"));
}

TEST_F(MoneyWatchTest, LinesAreReadPageByPage) {
  for (int line = 0; line < 450; ++line) Line(fmt::format("P{:03}", line), "city", 100);
  Sql("UPDATE budget_line SET available_fen = 99 WHERE line_id IN (1, 200, 201, 450)");
  const auto figures = watch_->Read();
  ASSERT_EQ(Outcome(figures), "OK");
  EXPECT_EQ(figures->of_policy.size(), 450U);
  EXPECT_EQ(figures->differing_lines, 4);
}

TEST_F(MoneyWatchTest, HowLongReleasedMoneyHasWaitedEndsWithItsPayment) {
  const std::int64_t batch = Approved(2);
  Line("P001", "city", 1'000'000);
  ASSERT_EQ(Outcome(Fund(batch)), "OK");
  EXPECT_THAT(Told("yikatong_payments_oldest_unpaid_seconds"), ::testing::ElementsAre(" 0"));
  ASSERT_EQ(Outcome(Release(batch)), "OK");
  rig_->business.MoveTo(rig_->business.Today() + 3);
  EXPECT_THAT(Told("yikatong_payments_oldest_unpaid_seconds"), ::testing::ElementsAre(" 259200"));
  Replica replica(*rig_, "a");
  Work(replica);
  PayAll(replica);
  EXPECT_EQ(*rig_->chunks.SettleBatches(), 1);
  EXPECT_THAT(Told("yikatong_payments_oldest_unpaid_seconds"), ::testing::ElementsAre(" 0"));
}

TEST_F(MoneyWatchTest, SendingAnItemAgainDoesNotMakeTheWaitOfTheOthersYounger) {
  const std::int64_t batch = Paying(2);
  Replica replica(*rig_, "a");
  Work(replica);
  Report({Failed(Item(batch, 1) * 100 + 1)});
  Follow(replica);
  rig_->business.MoveTo(rig_->business.Today() + 3);
  ASSERT_EQ(Outcome(Reissue(batch, {Item(batch, 1)})), "OK");
  EXPECT_THAT(Told("yikatong_payments_oldest_unpaid_seconds"), ::testing::ElementsAre(" 259200"));
}

TEST_F(MoneyWatchTest, WhatCannotBeReadLeavesTheTimeOfTheLastLook) {
  const auto before = Told("yikatong_ledger_checked_timestamp_seconds");
  rig_->clock.Advance(absl::Minutes(5));
  Sql("ALTER TABLE ledger RENAME TO gone");
  EXPECT_EQ(Told("yikatong_ledger_checked_timestamp_seconds"), before);
  Sql("ALTER TABLE gone RENAME TO ledger");
  EXPECT_NE(Told("yikatong_ledger_checked_timestamp_seconds"), before);
}

}  // namespace
}  // namespace yikatong::dispatch::testing
