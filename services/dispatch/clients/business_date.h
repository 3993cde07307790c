// The business date where it can be moved (a demonstration): asked of its owner, the catalogue, a
// few times a second, and remembered while that does not answer.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/rpc/client.h"

namespace yikatong::dispatch {

// Thread safe. The date never goes back. `catalogue` must outlive it.
class CatalogueBusinessClock final : public base::BusinessClock {
 public:
  CatalogueBusinessClock(const rpc::Channel& catalogue, absl::Duration poll_every);
  ~CatalogueBusinessClock() override;

  // Asks until the catalogue has answered once, at most `patience`: no work may begin on a date
  // that nobody gave. Then a thread goes on asking.
  absl::Status Start(absl::Duration patience);

  // Before Start has returned OK: the first day that any rule knows, so that nothing is late and
  // nothing due.
  absl::CivilDay Today() const override { return date_.Today(); }

 private:
  absl::Status AskOnce();
  void Loop();

  const rpc::Channel& catalogue_;
  const absl::Duration poll_every_;
  base::ManualBusinessClock date_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yikatong::dispatch
