#include "services/banksim/clients/day_source.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/dates.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::banksim {

DaySource CalendarDay(const base::Clock& clock) {
  return [&clock]() -> absl::StatusOr<absl::CivilDay> { return base::BeijingDate(clock.Now()); };
}

DaySource CatalogueDay(const rpc::Channel& channel) {
  std::shared_ptr<catalogue::v1::ClockService::Stub> stub =
      catalogue::v1::ClockService::NewStub(channel.grpc());
  return [&channel, stub]() -> absl::StatusOr<absl::CivilDay> {
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(2));
    catalogue::v1::GetBusinessDateResponse response;
    YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub->GetBusinessDate(&context, {}, &response)));
    const std::optional<absl::CivilDay> day = base::ParseDate(response.date());
    if (!day) return absl::InternalError("the clock gave no date");
    return *day;
  };
}

DayKeeper::DayKeeper(Bank& bank, DaySource source, int every_ms)
    : bank_(bank), source_(std::move(source)), every_ms_(every_ms), thread_([this] { Loop(); }) {}

DayKeeper::~DayKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

absl::Status DayKeeper::Once() {
  YKT_ASSIGN_OR_RETURN(const absl::CivilDay day, source_());
  return bank_.AdvanceTo(day);
}

void DayKeeper::Loop() {
  bool well = true;
  for (std::unique_lock lock(mutex_); !stopping_;) {
    lock.unlock();
    const rpc::CallScope scope(rpc::Trace::New());
    const absl::Status done = Once();
    if (done.ok() != well) {
      well = done.ok();
      telemetry::Log::Warning("business_date", {{"status", done}});
    }
    lock.lock();
    wake_.wait_for(lock, std::chrono::milliseconds(every_ms_), [this] { return stopping_; });
  }
}

}  // namespace yikatong::banksim
