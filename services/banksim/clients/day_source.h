// Where the bank learns its business date: from the suite's clock where one is configured (a
// demonstration moves it), else from the calendar in Beijing.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/base/clock.h"
#include "common/rpc/client.h"
#include "services/banksim/domain/bank.h"

namespace yikatong::banksim {

using DaySource = std::function<absl::StatusOr<absl::CivilDay>()>;

// Both must outlive what is returned.
DaySource CalendarDay(const base::Clock& clock);
DaySource CatalogueDay(const rpc::Channel& channel);

// Moves the bank's day, and so books what is due, a few times a second. Thread safe.
class DayKeeper {
 public:
  DayKeeper(Bank& bank, DaySource source, int every_ms);
  ~DayKeeper();  // stops
  DayKeeper(const DayKeeper&) = delete;
  DayKeeper& operator=(const DayKeeper&) = delete;

  // The thread calls it; tests may.
  absl::Status Once();

 private:
  void Loop();

  Bank& bank_;
  const DaySource source_;
  const int every_ms_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yikatong::banksim
