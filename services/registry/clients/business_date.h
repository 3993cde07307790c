// The business date where it can be moved (a demonstration): asked of its owner, the catalogue, a
// few times a second, and remembered while that does not answer.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/rpc/client.h"

namespace yikatong::registry {

// Thread safe. Until the catalogue has answered it is today in Beijing; what the catalogue says
// first stands whatever that was, and from then on the date never goes back. `clock` and
// `catalogue` must outlive it.
class CatalogueBusinessClock final : public base::BusinessClock {
 public:
  CatalogueBusinessClock(const base::Clock& clock, const rpc::Channel& catalogue,
                         int poll_every_ms);
  ~CatalogueBusinessClock() override;

  absl::CivilDay Today() const override;

  // One question; the thread asks, tests may.
  absl::Status AskOnce();

 private:
  void Loop();

  const rpc::Channel& catalogue_;
  const base::Clock& clock_;
  const int poll_every_ms_;
  mutable std::mutex mutex_;  // guards the rest
  std::optional<absl::CivilDay> told_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yikatong::registry
