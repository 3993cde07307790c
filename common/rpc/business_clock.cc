#include "common/rpc/business_clock.h"

#include <chrono>
#include <optional>
#include <utility>

#include "common/base/dates.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::rpc {
namespace {

constexpr absl::CivilDay kBeforeAllRules(1949, 10, 1);

}  // namespace

void DeclareBusinessClock(config::Schema& schema) {
  schema
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: asked of its owner, for demonstrations only.")
      .Duration("business_clock_poll", "200ms", absl::Milliseconds(20), absl::Minutes(1),
                "How often the owner of an adjustable date is asked for it.");
}

void DeclareClockOwner(config::Schema& schema, std::string_view owner) {
  const std::string key = std::string(owner) + "_address";
  schema
      .Text(key, "",
            "Address of " + std::string(owner) + "; only with business_clock = adjustable.")
      .EachItsOwn()
      .Rule([key](const config::Config& config) -> std::optional<std::string> {
        if (!HasAdjustableClock(config) || !config.Text(key).empty()) return std::nullopt;
        return key + " is needed with business_clock = adjustable";
      });
}

bool HasAdjustableClock(const config::Config& config) {
  return config.Text("business_clock") == "adjustable";
}

ServiceBusinessClock::ServiceBusinessClock(const config::Config& config, const base::Clock& real,
                                           telemetry::Metrics& metrics, AskOwner ask)
    : adjustable_(HasAdjustableClock(config)),
      poll_every_(config.Duration("business_clock_poll")),
      ask_(std::move(ask)),
      beijing_(real),
      told_(kBeforeAllRules),
      date_(metrics
                .Gauges("yikatong_business_date_timestamp_seconds",
                        "The beginning, in Beijing, of the day that this process works on.")
                .With()) {}

ServiceBusinessClock::~ServiceBusinessClock() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::CivilDay ServiceBusinessClock::Today() const {
  return adjustable_ ? told_.Today() : beijing_.Today();
}

absl::Status ServiceBusinessClock::Start(absl::Duration patience) {
  const CallScope scope(Trace::New());
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(patience);
  absl::Status asked = Look();
  for (std::unique_lock lock(mutex_); !asked.ok() && std::chrono::steady_clock::now() < until;) {
    wake_.wait_for(lock, absl::ToChronoMilliseconds(poll_every_));
    asked = Look();
  }
  if (!asked.ok()) {
    telemetry::Log::Error("business_date", {{"status", asked}});
    return status::Refuse(status::Reason::kPeerUnavailable, "nobody gives the business date");
  }
  thread_ = std::thread([this] { Loop(); });
  return absl::OkStatus();
}

absl::Status ServiceBusinessClock::Look() {
  if (adjustable_) YKT_RETURN_IF_ERROR(AskOnce());
  date_.Set(static_cast<double>(absl::ToUnixSeconds(base::BeijingStartOf(Today()))));
  return absl::OkStatus();
}

absl::Status ServiceBusinessClock::AskOnce() {
  YKT_ASSIGN_OR_RETURN(const std::string date, ask_());
  const std::optional<absl::CivilDay> day = base::ParseDate(date);
  if (!day.has_value()) {
    return status::Refuse(status::Reason::kMessageMalformed, "the owner gave no date");
  }
  told_.MoveTo(*day);
  return absl::OkStatus();
}

void ServiceBusinessClock::Loop() {
  bool well = true;
  for (std::unique_lock lock(mutex_); !stopping_;) {
    lock.unlock();
    const CallScope scope(Trace::New());
    const absl::Status asked = Look();  // after a failure the date stays what it was
    if (asked.ok() != well) {
      well = asked.ok();
      telemetry::Log::Warning("business_date", {{"status", asked}});
    }
    lock.lock();
    wake_.wait_for(lock, absl::ToChronoMilliseconds(poll_every_), [this] { return stopping_; });
  }
}

}  // namespace yikatong::rpc
