// An audit log in memory, with faults on demand, for tests of whoever has an outbox. Thread-safe.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/outbox/relay.h"

namespace yikatong::outbox {

class FakeSink : public AuditSink {
 public:
  enum class Fault {
    kAway,         // takes nothing, says UNAVAILABLE
    kTakesAndDies  // takes it all, but the answer is lost
  };

  absl::StatusOr<int64_t> NextNumber(std::string_view producer) override {
    std::lock_guard lock(mutex_);
    if (away_) return absl::UnavailableError("away");
    return static_cast<int64_t>(log_[std::string(producer)].size()) + 1;
  }

  absl::Status Append(std::string_view producer, int64_t first_number,
                      const std::vector<std::string>& bodies) override {
    std::lock_guard lock(mutex_);
    if (away_) return absl::UnavailableError("away");
    ++appends_;
    const bool fault = !faults_.empty();
    if (fault && faults_.front() == Fault::kAway) {
      faults_.pop_front();
      return absl::UnavailableError("away");
    }
    std::vector<std::string>& log = log_[std::string(producer)];
    if (first_number != static_cast<int64_t>(log.size()) + 1) {
      ++refused_;
      return absl::FailedPreconditionError("not the next number");
    }
    log.insert(log.end(), bodies.begin(), bodies.end());
    if (fault) {
      faults_.pop_front();
      return absl::UnavailableError("the answer was lost");
    }
    return absl::OkStatus();
  }

  // Faults of the next appends, one each.
  void Inject(std::vector<Fault> faults) {
    std::lock_guard lock(mutex_);
    faults_.assign(faults.begin(), faults.end());
  }
  void SetAway(bool away) {
    std::lock_guard lock(mutex_);
    away_ = away;
  }
  std::vector<std::string> Log(const std::string& producer) {
    std::lock_guard lock(mutex_);
    return log_[producer];
  }
  void Truncate(const std::string& producer, size_t entries) {
    std::lock_guard lock(mutex_);
    log_[producer].resize(entries);
  }
  int appends() {
    std::lock_guard lock(mutex_);
    return appends_;
  }
  int refused() {
    std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> log_;
  std::deque<Fault> faults_;
  bool away_ = false;
  int appends_ = 0, refused_ = 0;
};

}  // namespace yikatong::outbox
