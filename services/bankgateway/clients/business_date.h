// The business date where it can be moved (a demonstration): asked of its owner, the catalogue, a
// few times a second, and remembered while that does not answer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/rpc/client.h"

namespace yikatong::bankgateway {

// Thread safe. The date never goes back. `catalogue` must outlive it.
class CatalogueBusinessClock final : public base::BusinessClock {
 public:
  // Until the catalogue has answered the date is that of 1970, on which nothing can be done: today
  // in Beijing could be later than the date of a demonstration, and a date never goes back.
  CatalogueBusinessClock(const rpc::Channel& catalogue, int poll_every_ms);
  ~CatalogueBusinessClock() override;

  absl::CivilDay Today() const override { return date_.Today(); }

  // One question; the thread asks, a starting service may.
  absl::Status AskOnce();

 private:
  void Loop();

  const rpc::Channel& catalogue_;
  const int poll_every_ms_;
  base::ManualBusinessClock date_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yikatong::bankgateway
