// The threads of the gateway: pack, send, take results, number outcomes, close days; and, after a
// restore, look up what banks have already. Each turns one
// step of a use case in a loop; what a step does and how it is safe beside other replicas stands
// there.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/telemetry/metrics.h"
#include "services/bankgateway/domain/case_book.h"
#include "services/bankgateway/domain/collector.h"
#include "services/bankgateway/domain/look_up.h"
#include "services/bankgateway/domain/ports.h"
#include "services/bankgateway/domain/sender.h"

namespace yikatong::bankgateway {

struct WorkersOptions {
  int senders = 2;
  int idle_ms = 50;   // between looks when there was nothing to do
  int poll_ms = 100;  // between questions for results
  int day_ms = 500;   // between looks for closed days and late rows
  int max_backoff_ms = 5'000;
  int unknown_after_days = 2;  // as CollectorOptions has it
};

// Thread safe. Everything that it is given must outlive it.
class Workers {
 public:
  struct Parts {
    FileBook& files;
    Directory& directory;
    OutcomeBook& outcomes;
    CaseBook& cases;
    RestoreBook& restores;
    Sender& sender;
    Collector& collector;
    LookUp& look_up;
  };
  Workers(Parts parts, telemetry::Metrics& metrics, WorkersOptions options);
  ~Workers();  // stops
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void Start();
  // Ends every thread after the step that it is at.
  void Stop();

 private:
  // One step: how much it did; 0 for nothing to do.
  using Step = std::function<absl::StatusOr<int>()>;
  // A thread of the worker `name`, for one bank or (empty) for all.
  void Run(std::string name, std::string bank_code, int idle_ms, Step step);
  void Loop(const std::string& name, const std::string& bank_code, int idle_ms, const Step& step);
  // Sleeps, unless there is new work for `name` (empty: sleeps in any case) or an end. False at the
  // end.
  bool Rest(int ms, const std::string& name);
  absl::StatusOr<int> LookForBanks();
  // A bank that has threads, where it is to be reached now.
  Bank Now(const std::string& bank_code);
  absl::Status MeasureCases();
  absl::Status MeasureRestore();
  absl::Status MeasureAges(const Statistics& counts);
  absl::StatusOr<int> Measure();

  const Parts parts_;
  const WorkersOptions options_;
  telemetry::CounterFamily steps_;
  telemetry::GaugeFamily waiting_;
  telemetry::GaugeFamily awaiting_;
  telemetry::GaugeFamily oldest_;
  telemetry::GaugeFamily unknown_;
  telemetry::GaugeFamily cases_;
  telemetry::GaugeFamily suspense_;
  telemetry::Gauge restore_open_;
  std::vector<CaseCount> counted_;  // by Measure, which one thread runs

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::set<std::string, std::less<>> due_;  // workers that others have made work for
  std::vector<std::thread> threads_;
  std::map<std::string, Bank> banks_;  // that have threads, by code, as they are now
};

}  // namespace yikatong::bankgateway
