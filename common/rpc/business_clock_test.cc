#include "common/rpc/business_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/rpc/trace.h"

namespace yikatong::rpc {
namespace {

config::Config Settings(const config::Environment& environment) {
  config::Schema schema("probe");
  DeclareBusinessClock(schema);
  DeclareClockOwner(schema, "owner");
  auto config = config::Load(schema, std::nullopt, environment);
  EXPECT_TRUE(config.ok()) << config.status();
  return *std::move(config);
}

config::Config Adjustable() {
  return Settings({{"YKT_PROBE_BUSINESS_CLOCK", "adjustable"},
                   {"YKT_PROBE_BUSINESS_CLOCK_POLL", "20ms"},
                   {"YKT_PROBE_OWNER_ADDRESS", "127.0.0.1:1"}});
}

std::int64_t ToldDate(telemetry::Metrics& metrics) {
  return static_cast<std::int64_t>(
      metrics.Gauges("yikatong_business_date_timestamp_seconds", "").With().Value());
}

TEST(ServiceBusinessClock, IsTodayInBeijingAndAsksNobodyWhereItIsNotAdjustable) {
  const base::ManualClock real(absl::FromUnixSeconds(1'772'409'600));  // 2026-03-02 08:00
  telemetry::Metrics metrics;
  ServiceBusinessClock clock(Settings({}), real, metrics, nullptr);
  EXPECT_TRUE(clock.Start().ok());
  EXPECT_EQ(clock.Today(), absl::CivilDay(2026, 3, 2));
  EXPECT_EQ(ToldDate(metrics), 1'772'380'800) << "midnight in Beijing";
}

TEST(ServiceBusinessClock, WaitsForTheFirstAnswerFollowsItsOwnerAndNeverGoesBack) {
  const base::SystemClock real;
  telemetry::Metrics metrics;
  std::atomic<int> asked{0}, without_trace{0};
  std::atomic<int> day{2};
  ServiceBusinessClock clock(Adjustable(), real, metrics, [&]() -> absl::StatusOr<std::string> {
    if (CallScope::Current() == nullptr) ++without_trace;
    if (++asked < 3) return absl::UnavailableError("not up yet");
    if (day == 0) return absl::UnavailableError("away again");
    return "2026-03-0" + std::to_string(day.load());
  });
  EXPECT_LT(clock.Today(), absl::CivilDay(1950, 1, 1)) << "nothing is late on it";
  ASSERT_TRUE(clock.Start().ok());
  EXPECT_EQ(clock.Today(), absl::CivilDay(2026, 3, 2));
  day = 9;
  while (clock.Today() < absl::CivilDay(2026, 3, 9)) std::this_thread::yield();
  while (ToldDate(metrics) < 1'772'985'600) std::this_thread::yield();
  for (const int told : {1, 0}) {
    day = told;
    for (const int seen = asked; asked < seen + 3;) std::this_thread::yield();
    EXPECT_EQ(clock.Today(), absl::CivilDay(2026, 3, 9)) << told;
  }
  EXPECT_EQ(without_trace, 0);
}

TEST(ServiceBusinessClock, DoesNotStartOnADateThatNobodyGave) {
  const base::SystemClock real;
  telemetry::Metrics metrics;
  for (const char* answer : {"", "soon"}) {
    ServiceBusinessClock clock(Adjustable(), real, metrics, [&]() -> absl::StatusOr<std::string> {
      if (*answer == '\0') return absl::UnavailableError("away");
      return answer;
    });
    EXPECT_EQ(status::ReasonOf(clock.Start(absl::Milliseconds(60))),
              status::Reason::kPeerUnavailable);
  }
}

TEST(ServiceBusinessClock, NeedsItsOwnersAddressOnlyWhereItIsAdjustable) {
  config::Schema schema("probe");
  DeclareBusinessClock(schema);
  DeclareClockOwner(schema, "owner");
  EXPECT_FALSE(HasAdjustableClock(Settings({})));
  EXPECT_TRUE(HasAdjustableClock(Adjustable()));
  const auto refused =
      config::Load(schema, std::nullopt, {{"YKT_PROBE_BUSINESS_CLOCK", "adjustable"}});
  EXPECT_EQ(status::ReasonOf(refused.status()), status::Reason::kConfigInvalid);
}

}  // namespace
}  // namespace yikatong::rpc
