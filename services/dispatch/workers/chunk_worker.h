// Brings chunks of released batches through routing, submitting and sending. Any number of workers
// in any number of replicas work side by side; what one takes is its own until its fence is passed.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/postgres/lease.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/store/chunk_store.h"

namespace yikatong::dispatch {

struct ChunkWorkerOptions {
  absl::Duration window_from = absl::ZeroDuration();  // send window in Beijing's time of day
  absl::Duration window_to = absl::Hours(24);
  absl::Duration audit_backlog_limit = absl::Hours(24);
  absl::Duration idle = absl::Milliseconds(100);  // pause where nothing was to do
  int max_failures = 3;
  absl::Duration submit_timeout = absl::Seconds(10);  // less where the lease ends sooner
  // How long the gateway may still be at work on a submission whose answer was lost: a refusal
  // counts only when nothing was sent for so long before it.
  absl::Duration refusal_settles = absl::Minutes(2);
};

// Whether sending is allowed at `now`; a window may pass midnight (22:00-02:00). One that ends
// where it begins is the whole day.
bool InSendWindow(const ChunkWorkerOptions& options, absl::Time now);

// How long it is at `now` until the window opens; zero where it is open.
absl::Duration UntilSendWindow(const ChunkWorkerOptions& options, absl::Time now);

class ChunkWorker {
 public:
  // Everything outlives the worker.
  ChunkWorker(ChunkStore& store, AccountPort& accounts, GatewayPort& gateway, PolicyPort& policies,
              postgres::WorkerRegistry& registry, const base::Clock& clock,
              ChunkWorkerOptions options)
      : store_(store),
        accounts_(accounts),
        gateway_(gateway),
        policies_(policies),
        registry_(registry),
        clock_(clock),
        options_(options),
        slot_(store.NewSlot()) {}

  // Takes one chunk and brings it as far as it goes now; false where there was none to do. A
  // failure of the chunk is put away with it and is no failure of this call.
  absl::StatusOr<bool> WorkOnce();

  // For one thread of its own: works until `stop` is set. Failures of the database are logged and
  // waited out.
  void Run(const std::atomic<bool>& stop);

 private:
  // What a chunk's steps ask of catalogue and gateway, once for as long as it is held.
  struct Terms {
    bool card_required = true;
    Agreements agreements;
  };

  absl::Status Work(const TakenChunk& chunk);
  absl::Status MaySubmit();
  absl::StatusOr<Terms> AskTerms(const ChunkContent& content);
  // Finds what has nowhere to go while nothing may be sent; true where something is left to submit.
  absl::StatusOr<bool> RouteItems(const TakenChunk& chunk, const ChunkContent& content,
                                  const Terms& terms);
  // Routes and seals in one look, and commits what is to be sent: nothing where all items strayed.
  absl::StatusOr<std::vector<PendingSubmission>> SubmitItems(const TakenChunk& chunk,
                                                             const ChunkContent& content,
                                                             const Terms& terms);
  absl::Status SendSubmissions(const TakenChunk& chunk,
                               const std::vector<PendingSubmission>& pending);
  absl::Status SendOne(const TakenChunk& chunk, const PendingSubmission& submission,
                       bool refusal_is_final);
  absl::Duration DelayAfter(const TakenChunk& chunk, const absl::Status& status) const;

  ChunkStore& store_;
  AccountPort& accounts_;
  GatewayPort& gateway_;
  PolicyPort& policies_;
  postgres::WorkerRegistry& registry_;
  const base::Clock& clock_;
  const ChunkWorkerOptions options_;
  const int slot_;
};

}  // namespace yikatong::dispatch
