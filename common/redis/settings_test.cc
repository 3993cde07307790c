#include "common/redis/settings.h"

#include <gtest/gtest.h>

#include "common/status/status.h"
#include "common/telemetry/metrics.h"

namespace yikatong::redis {
namespace {

absl::StatusOr<config::Config> Load(const config::Environment& environment) {
  config::Schema schema("probe");
  DeclareRedis(schema);
  return config::Load(schema, std::nullopt, environment);
}

class RateLimitTest : public testing::Test {
 protected:
  base::ManualClock clock_{absl::FromUnixSeconds(1'790'000'000)};
};

TEST_F(RateLimitTest, HoldsForEachOrganisationByItselfAndBeginsAnewEverySecond) {
  const auto config = Load({{"YKT_PROBE_RATE_LIMIT", "3"}});
  ASSERT_TRUE(config.ok()) << config.status();
  const auto cache = OpenCache(*config, "probe", clock_);
  const auto allow = RateLimitOf(*config, *cache);
  for (int second = 0; second < 2; ++second) {
    for (int call = 0; call < 3; ++call) EXPECT_TRUE(allow("civil.120105"));
    EXPECT_FALSE(allow("civil.120105"));
    EXPECT_TRUE(allow("hrss.120105"));
    clock_.Advance(absl::Seconds(1));
  }
}

TEST_F(RateLimitTest, LeavesAServiceItsOwnFarHigherShare) {
  const auto config = Load({{"YKT_PROBE_RATE_LIMIT", "1"}, {"YKT_PROBE_SERVICE_RATE_LIMIT", "50"}});
  ASSERT_TRUE(config.ok()) << config.status();
  const auto cache = OpenCache(*config, "probe", clock_);
  const auto allow = RateLimitOf(*config, *cache);
  for (int call = 0; call < 50; ++call) EXPECT_TRUE(allow("service:dispatch"));
  EXPECT_FALSE(allow("service:dispatch")) << "a loop that ran wild is still stopped";
  EXPECT_TRUE(allow("service:registry"));
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(allow("service:dispatch")) << "within the second it goes on";
}

TEST_F(RateLimitTest, HoldsWithinTheProcessWhereRedisDoesNotAnswer) {
  const auto config = Load(
      {{"YKT_PROBE_RATE_LIMIT", "2"}, {"YKT_PROBE_REDIS_ADDRESS", "unix:/no/such/redis.sock"}});
  ASSERT_TRUE(config.ok()) << config.status();
  const auto cache = OpenCache(*config, "probe", clock_);
  const auto allow = RateLimitOf(*config, *cache);
  EXPECT_TRUE(allow("civil.120105"));
  EXPECT_TRUE(allow("civil.120105"));
  EXPECT_FALSE(allow("civil.120105"));
}

TEST_F(RateLimitTest, IsCountedWhereThereIsARedisAndNotWhereThereIsNone) {
  for (const char* address : {"", "unix:/no/such/redis.sock"}) {
    telemetry::Metrics metrics;
    const auto config = Load({{"YKT_PROBE_REDIS_ADDRESS", address}});
    ASSERT_TRUE(config.ok()) << config.status();
    const auto cache = OpenCache(*config, "probe", clock_, &metrics);
    EXPECT_TRUE(RateLimitOf(*config, *cache)("civil.120105"));
    EXPECT_EQ(metrics.Exposition().find(
                  R"(yikatong_redis_commands_total{command="rate",result="unreachable"} 1)") !=
                  std::string::npos,
              *address != '\0');
  }
}

TEST(RedisSettings, TakeAHostWithAPortOrASocketAndNothingElse) {
  for (const char* good : {"", "redis:6379", "[::1]:1", "unix:/run/redis.sock"}) {
    EXPECT_TRUE(Load({{"YKT_PROBE_REDIS_ADDRESS", good}}).ok()) << good;
  }
  for (const char* bad :
       {"redis", ":6379", "redis:", "redis:0", "redis:65536", "redis:6379x", "unix:"}) {
    const auto config = Load({{"YKT_PROBE_REDIS_ADDRESS", bad}});
    EXPECT_EQ(status::ReasonOf(config.status()), status::Reason::kConfigInvalid) << bad;
  }
}

}  // namespace
}  // namespace yikatong::redis
