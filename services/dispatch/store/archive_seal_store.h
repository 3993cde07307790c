// Makes packages of closed batches over PostgreSQL: taken under a fence, a file of records a
// transaction, sealed at the end.
//
// Every writing method begins by locking the package's row with the fence and the run that it was
// taken under: LEASE_LOST where somebody else makes it now, or where something happened to the
// batch and it has to begin again; then nothing is written. Thread safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/dispatch/domain/archive.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/store/archive_records.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// A package as it was taken, and how far it is.
struct TakenArchive {
  PackageCut cut;
  SealStep step = SealStep::kBegin;
  PagePlace place;  // within the step
  std::int32_t page = 0;
  std::int64_t fence = 0;
  int taken = 0;  // times since it last went on, this one included
};

// A chunk of work whose records are next.
struct ChunkToSeal {
  std::int32_t chunk = 0;
  bool told = false;                     // it has records in this package
  std::vector<std::string> submissions;  // that the gateway took
};

struct SealedPackage {
  std::int32_t package_no = 0;
  std::int64_t files = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

// What is to be made.
struct ArchiveFigures {
  std::int64_t open = 0;
  std::int64_t failing = 0;  // failed three times or more since they last went on
  std::int64_t oldest_seconds = 0;
};

class ArchiveSealStore {
 public:
  // `gateway` names the cursor of the gateway's outcomes.
  ArchiveSealStore(const StoreContext& context, std::string gateway)
      : context_(context), gateway_(std::move(gateway)) {}

  // A number for one worker thread of this process.
  int NewSlot() { return slots_++; }
  // Takes one package for slot `slot` of `worker`, as ChunkStore::Take does. Nothing where there is
  // none to make.
  absl::StatusOr<std::optional<TakenArchive>> Take(const std::string& worker, int slot,
                                                   std::span<const std::string> dead);

  // The first step: where the package begins and ends. BATCH_STATE where the batch was opened
  // again.
  absl::Status Begin(TakenArchive& taken);
  // The next uploaded chunk; goes on to the next step behind the last one.
  absl::Status SealUpload(TakenArchive& taken);
  // The next chunk of work, for the gateway to be asked about it; nothing behind the last one.
  absl::StatusOr<std::optional<ChunkToSeal>> NextChunk(const TakenArchive& taken);
  // Its records, with what the gateway told.
  absl::Status SealChunk(TakenArchive& taken, const ChunkToSeal& chunk,
                         const std::vector<SubmissionTrace>& traces);
  // No chunk is left.
  absl::Status EndChunks(TakenArchive& taken);
  // The next page of a step of pages; goes on to the next step behind the last one.
  absl::Status SealPage(TakenArchive& taken);
  // The last step: manifest, audit entry, and the package is sealed. BATCH_STATE as above.
  absl::StatusOr<SealedPackage> Finish(TakenArchive& taken);

  // Gives the package back for `delay`; `counts` where it was a failure.
  absl::Status PutBack(const TakenArchive& taken, absl::Duration delay, bool counts,
                       std::string_view why);
  absl::StatusOr<ArchiveFigures> Figures();

 private:
  struct Locked {
    std::optional<crypto::Digest> former;
    std::optional<absl::CivilDay> last_paid_on;
  };
  struct NewFile {
    ArchivePart part = ArchivePart::kRoster;
    std::int32_t file_no = 0;
    Records records;
  };

  absl::StatusOr<Locked> Lock(postgres::Transaction& tx, const TakenArchive& taken);
  // Stores what has records.
  absl::Status InsertFiles(postgres::Transaction& tx, const TakenArchive& taken,
                           std::vector<NewFile> files);
  // Writes where the package goes on.
  absl::Status Advance(postgres::Transaction& tx, const TakenArchive& taken,
                       const TakenArchive& next,
                       std::optional<absl::CivilDay> last_paid_on = std::nullopt);

  const StoreContext context_;
  const std::string gateway_;
  std::atomic<int> slots_{0};
};

}  // namespace yikatong::dispatch
