#include "services/dispatch/clients/business_date.h"

#include <grpcpp/client_context.h>

#include <chrono>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/dispatch/clients/peer_status.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::dispatch {

CatalogueBusinessClock::CatalogueBusinessClock(const rpc::Channel& catalogue,
                                               absl::Duration poll_every)
    : catalogue_(catalogue), poll_every_(poll_every), date_(absl::CivilDay(1949, 10, 1)) {}

CatalogueBusinessClock::~CatalogueBusinessClock() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status CatalogueBusinessClock::Start(absl::Duration patience) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(patience);
  absl::Status asked = AskOnce();
  for (std::unique_lock lock(mutex_); !asked.ok() && std::chrono::steady_clock::now() < until;) {
    wake_.wait_for(lock, absl::ToChronoMilliseconds(poll_every_));
    asked = AskOnce();
  }
  if (!asked.ok()) return asked;
  thread_ = std::thread([this] { Loop(); });
  return absl::OkStatus();
}

absl::Status CatalogueBusinessClock::AskOnce() {
  const auto stub = catalogue::v1::ClockService::NewStub(catalogue_.grpc());
  grpc::ClientContext context;
  catalogue_.Prepare(context, absl::Seconds(2));
  catalogue::v1::GetBusinessDateResponse response;
  YKT_RETURN_IF_ERROR(FromPeer("catalogue", stub->GetBusinessDate(&context, {}, &response)));
  const std::optional<absl::CivilDay> day = base::ParseDate(response.date());
  if (!day) return status::Refuse(status::Reason::kMessageMalformed, "the catalogue gave no date");
  date_.MoveTo(*day);
  return absl::OkStatus();
}

void CatalogueBusinessClock::Loop() {
  for (std::unique_lock lock(mutex_); !stopping_;) {
    lock.unlock();
    const absl::Status asked = AskOnce();  // a failure is logged there; the date stays what it was
    if (!asked.ok()) telemetry::Log::Debug("business_date", {{"status", asked}});
    lock.lock();
    wake_.wait_for(lock, absl::ToChronoMilliseconds(poll_every_), [this] { return stopping_; });
  }
}

}  // namespace yikatong::dispatch
