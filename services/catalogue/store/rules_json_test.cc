#include "services/catalogue/store/rules_json.h"

#include <gtest/gtest.h>

#include "common/status/status.h"

namespace yikatong::catalogue {
namespace {

using status::Reason;

TEST(RulesJson, EveryRuleReadsBackAsItself) {
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
