// Seals archives of closed batches: one package after the other, a file of records a transaction,
// with what the gateway tells of each chunk. Any number of workers in any number of replicas work
// side by side; what one takes is its own until its fence is passed, and whoever takes over goes on
// behind the last file. It waits for bank statements, and stops nobody.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/postgres/lease.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/store/archive_seal_store.h"

namespace yikatong::dispatch {

struct ArchiveWorkerOptions {
  absl::Duration idle = absl::Seconds(1);              // pause where nothing was to do
  absl::Duration statement_waits = absl::Seconds(30);  // until an open statement is looked at again
  absl::Duration longest_delay = absl::Minutes(10);    // between two tries of what fails
  absl::Duration figures_every = absl::Seconds(15);    // at which what is open is counted
};

class ArchiveWorker {
 public:
  // Everything outlives the worker. `metrics` may be null.
  ArchiveWorker(ArchiveSealStore& store, GatewayPort& gateway, postgres::WorkerRegistry& registry,
                const base::Clock& clock, telemetry::Metrics* metrics,
                ArchiveWorkerOptions options = {});

  // Takes one package and brings it as far as it goes now; false where there was none to make. A
  // failure of the package is put away with it and is no failure of this call.
  absl::StatusOr<bool> WorkOnce();

  // For one thread of its own: works until `stop` is set, which ends it behind the file in hand,
  // for others to go on. Failures of the database are logged and waited out.
  void Run(const std::atomic<bool>& stop);

 private:
  absl::Status Seal(TakenArchive& taken);
  absl::Status SealNextChunk(TakenArchive& taken);
  absl::Duration DelayAfter(const TakenArchive& taken, const absl::Status& status) const;
  void CountOpen();

  ArchiveSealStore& store_;
  GatewayPort& gateway_;
  postgres::WorkerRegistry& registry_;
  const base::Clock& clock_;
  telemetry::Metrics* const metrics_;
  const ArchiveWorkerOptions options_;
  const int slot_;
  std::int64_t count_at_ms_ = 0;
  const std::atomic<bool>* stop_ = nullptr;  // of Run
};

}  // namespace yikatong::dispatch
