#include "services/bankgateway/clients/business_date.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <optional>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::bankgateway {

CatalogueBusinessClock::CatalogueBusinessClock(const rpc::Channel& catalogue, int poll_every_ms)
    : catalogue_(catalogue),
      poll_every_ms_(poll_every_ms),
      date_(absl::CivilDay(1970, 1, 1)),
      thread_([this] { Loop(); }) {}

CatalogueBusinessClock::~CatalogueBusinessClock() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

absl::Status CatalogueBusinessClock::AskOnce() {
  const auto stub = catalogue::v1::ClockService::NewStub(catalogue_.grpc());
  grpc::ClientContext context;
  catalogue_.Prepare(context, absl::Seconds(2));
  catalogue::v1::GetBusinessDateResponse response;
  YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub->GetBusinessDate(&context, {}, &response)));
  const std::optional<absl::CivilDay> day = base::ParseDate(response.date());
  if (!day.has_value())
    return status::Refuse(status::Reason::kMessageMalformed, "the catalogue gave no date");
  date_.MoveTo(*day);
  return absl::OkStatus();
}

void CatalogueBusinessClock::Loop() {
  bool well = true;
  for (std::unique_lock lock(mutex_); !stopping_;) {
    lock.unlock();
    const absl::Status asked = AskOnce();
    if (asked.ok() != well) {
      well = asked.ok();
      telemetry::Log::Warning("business_date", {{"status", asked}});
    }
    lock.lock();
    wake_.wait_for(lock, std::chrono::milliseconds(poll_every_ms_), [this] { return stopping_; });
  }
}

}  // namespace yikatong::bankgateway
