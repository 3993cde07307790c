// The business date of a service: today in Beijing, or, in a demonstration, the date that the
// clock's owner moves, asked of it a few times a second and remembered while that does not answer.
//
//   config::Schema schema("dispatch");
//   rpc::DeclareBusinessClock(schema);
//   …
//   rpc::ServiceBusinessClock clock(config, real, metrics,
//                                   rpc::AskAtOwner<pb::ClockService::Stub>(owner.get()));
//   YKT_RETURN_IF_ERROR(clock.Start());
//
// Keys: business_clock, business_clock_poll; and <owner>_address with DeclareClockOwner.
// Metric: yikatong_business_date_timestamp_seconds, the beginning of that day, so that replicas
// which live on different days are seen.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/rpc/client.h"
#include "common/rpc/unary.h"
#include "common/status/status.h"
#include "common/telemetry/metrics.h"

namespace yikatong::rpc {

void DeclareBusinessClock(config::Schema& schema);
// The owner's address, for a service that asks nothing else of it; needed only where the clock is
// adjustable.
void DeclareClockOwner(config::Schema& schema, std::string_view owner);
// Whether the settings say that the date is asked for.
bool HasAdjustableClock(const config::Config& config);

// Thread safe. The date never goes back.
class ServiceBusinessClock final : public base::BusinessClock {
 public:
  // One question to the owner: the date, YYYY-MM-DD. Called by Start and on a thread of its own,
  // only where the clock is adjustable.
  using AskOwner = std::function<absl::StatusOr<std::string>()>;

  // `real` and `metrics` must outlive it.
  ServiceBusinessClock(const config::Config& config, const base::Clock& real,
                       telemetry::Metrics& metrics, AskOwner ask);
  ~ServiceBusinessClock() override;

  // Asks until the owner has answered once, at most `patience`: no work may begin on a date that
  // nobody gave. Today in Beijing is known at once. Then a thread goes on looking, to learn an
  // adjustable date and to tell either as a metric.
  absl::Status Start(absl::Duration patience = absl::Minutes(1));

  // An adjustable date before Start has returned OK: the first day that any rule knows, so that
  // nothing is late and nothing due.
  absl::CivilDay Today() const override;

 private:
  absl::Status Look();
  absl::Status AskOnce();
  void Loop();

  const bool adjustable_;
  const absl::Duration poll_every_;
  const AskOwner ask_;
  const base::BeijingBusinessClock beijing_;
  base::ManualBusinessClock told_;
  telemetry::Gauge date_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// `Stub` is that of the owner's generated service, with GetBusinessDate. `owner` must outlive what
// is returned; it may be null where the clock is not adjustable.
template <typename Stub>
ServiceBusinessClock::AskOwner AskAtOwner(const Channel* owner) {
  return [owner]() -> absl::StatusOr<std::string> {
    YKT_ASSIGN_OR_RETURN(const auto answer,
                         Ask<&Stub::GetBusinessDate>(*owner, {}, absl::Seconds(2)));
    return answer.date();
  };
}

}  // namespace yikatong::rpc
