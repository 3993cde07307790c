// Rows of the books as records of archives: what is read when a package is sealed, and read anew
// when it is exported, is the same code. Field names and their order are never changed; whatever
// has to be told besides is a new part. Stateless; thread safe as the transaction is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "services/dispatch/domain/archive.h"
#include "services/dispatch/domain/payment_ports.h"
#include "services/dispatch/domain/record.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// Which rows belong to a package: chunks of work behind `chunks_after`; and what the gateway told
// behind `outcomes_after`, whichever chunk it is of, up to `outcomes_through`.
struct PackageCut {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::int32_t package_no = 0;
  std::int32_t run = 0;
  std::int32_t chunks_after = 0;
  std::int32_t chunks_through = 0;
  std::int64_t outcomes_after = 0;
  std::int64_t outcomes_through = 0;
};

// The records of a part that is read anew, for one chunk. None for a chunk that has none.
absl::StatusOr<Records> ReadChunkRecords(postgres::Transaction& tx, const PackageCut& cut,
                                         ArchivePart part, std::int32_t chunk);

// The same for outcomes, with the last day on which any of them was booked as paid.
struct ChunkOutcomes {
  Records records;
  std::optional<absl::CivilDay> last_paid_on;
};
absl::StatusOr<ChunkOutcomes> ReadOutcomeRecords(postgres::Transaction& tx, const PackageCut& cut,
                                                 std::int32_t chunk);

// Where a page begins: behind this key.
struct PagePlace {
  std::int64_t after_id = 0;
  std::string after_text;
};

struct RecordPage {
  Records records;
  PagePlace next;
  bool more = false;  // there may be another page
};

// One page of a part that is kept as it was sealed.
absl::StatusOr<RecordPage> ReadPageRecords(postgres::Transaction& tx, const BatchRow& batch,
                                           ArchivePart part, const PagePlace& place);

// What the gateway told of a chunk's submissions.
Records TraceRecords(const std::vector<SubmissionTrace>& traces);

}  // namespace yikatong::dispatch
