#include "common/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace yikatong::telemetry {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(MetricsTest, SeriesStandOnThePageWithTheirLabels) {
  Metrics metrics;
  const CounterFamily refused =
      metrics.Counters("refusals_total", "Refused calls.", {"method", "reason"});
  refused.With({"CreateBatch", "BATCH_EMPTY"}).Increment();
  refused.With({"CreateBatch", "BATCH_EMPTY"}).Increment(2);
  metrics.Gauges("chunks_open", "Open chunks.").With().Set(7);
  metrics.Histograms("call_seconds", "Calls.", {"method"}, {0.1, 1}).With({"Get"}).Observe(0.5);
  EXPECT_THAT(metrics.Exposition(),
              AllOf(HasSubstr("refusals_total{method=\"CreateBatch\",reason=\"BATCH_EMPTY\"} 3"),
                    HasSubstr("chunks_open 7"),
                    HasSubstr("call_seconds_bucket{method=\"Get\",le=\"0.1\"} 0"),
                    HasSubstr("call_seconds_bucket{method=\"Get\",le=\"1\"} 1")));
  EXPECT_NE(metrics.Registry(), nullptr);
}

TEST(MetricsTest, AskingAgainForANameGivesTheSameFamily) {
  Metrics metrics;
  metrics.Counters("a_total", "A.", {"x"}).With({"1"}).Increment();
  metrics.Counters("a_total", "A.", {"x"}).With({"1"}).Increment();
  EXPECT_EQ(metrics.Counters("a_total", "A.", {"x"}).With({"1"}).Value(), 2);
}

TEST(MetricsTest, ALabelCannotGrowWithoutBound) {
  Metrics metrics;
  const CounterFamily family = metrics.Counters("a_total", "A.", {"x"}, 10);
  for (int i = 0; i < 1000; ++i) family.With({std::to_string(i)}).Increment();
  EXPECT_EQ(family.With({"other"}).Value(), 991);
  EXPECT_EQ(family.With({"3"}).Value(), 1);
  EXPECT_THAT(metrics.Exposition(), Not(HasSubstr("x=\"10\"")));
}

TEST(MetricsTest, AGaugeThatIsTakenAwayIsNotOnThePageAndLeavesItsPlace) {
  Metrics metrics;
  const GaugeFamily family = metrics.Gauges("money_fen", "Money.", {"policy", "account"}, 3);
  family.With({"a", "paid"}).Set(1);
  family.With({"b", "paid"}).Set(2);
  family.With({"c", "paid"}).Set(3);
  EXPECT_THAT(metrics.Exposition(), HasSubstr("policy=\"other\"} 3"));
  family.Remove({"a", "paid"});
  family.Remove({"never", "there"});
  EXPECT_THAT(metrics.Exposition(), AllOf(Not(HasSubstr("policy=\"a\"")), HasSubstr("} 2")));
  family.Remove({"other", "other"});
  family.With({"c", "paid"}).Set(4);
  EXPECT_THAT(metrics.Exposition(), AllOf(HasSubstr("policy=\"c\"} 4"), Not(HasSubstr("other"))));
}

TEST(MetricsTest, ANumberOfAPersonIsNeverALabel) {
  Metrics metrics;
  const CounterFamily family = metrics.Counters("a_total", "A.", {"x"});
  for (const char* bad : {"120105198506159993", "6200000000000013", "13800000001"})
    family.With({bad}).Increment();
  family.With({std::string(81, 'a')}).Increment();
  EXPECT_EQ(family.With({"other"}).Value(), 4);
}

TEST(MetricsTest, CountsOfManyThreadsAddUp) {
  Metrics metrics;
  const CounterFamily family = metrics.Counters("a_total", "A.", {"x"});
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) family.With({k % 2 == 0 ? "even" : "odd"}).Increment();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(family.With({"even"}).Value(), 2000);
}

TEST(MetricsTest, AWrongNumberOfLabelsEndsTheProgram) {
  Metrics metrics;
  const CounterFamily family = metrics.Counters("a_total", "A.", {"x"});
  EXPECT_DEATH(family.With({"1", "2"}), "a_total: wrong number of label values");
  EXPECT_DEATH(metrics.Counters("a_total", "A.", {"y"}), "other labels");
}

}  // namespace
}  // namespace yikatong::telemetry
