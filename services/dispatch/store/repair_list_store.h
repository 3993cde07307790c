// What waits for somebody, over PostgreSQL; and the chunks that were set aside, which a person
// takes back into work. Thread safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/calendar/calendar.h"
#include "services/dispatch/domain/repairs.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

struct RepairFilter {
  std::int32_t district = 0;  // 0: all of the caller's
  std::int64_t batch_id = 0;  // 0: all
};

// A place in the list of repairs: arrivals come first, then batch by batch.
struct RepairPlace {
  std::int64_t batch_id = 0;  // 0: among the arrivals
  int place = 0;              // in the batch: itself, chunks, items, recoveries
  std::int64_t key = 0;
};

struct RepairPage {
  std::vector<Repair> repairs;
  RepairPlace next;
  bool more = false;  // there is something behind `next`, or may be
};

struct AsideChunk {
  std::int64_t batch_id = 0;
  std::int32_t chunk = 0;
  bool repair = false;
  std::string why;
  bool committed = false;
};

// How much waits, by kind.
struct RepairCounts {
  std::array<std::int64_t, kRepairKinds> open{};
  std::array<std::int64_t, kRepairKinds> overdue{};
};

class RepairListStore {
 public:
  RepairListStore(const StoreContext& context, const calendar::Calendar& calendar)
      : context_(context), calendar_(calendar) {}

  // At most `limit` behind `after`; looks at no more than a few batches, so that a page can be
  // short and yet have a next one.
  absl::StatusOr<RepairPage> List(const identity::Caller& caller, const RepairFilter& filter,
                                  const RepairPlace& after, int limit);
  // All that waits in all districts, page by page: for metrics.
  absl::StatusOr<RepairCounts> Count();

  absl::StatusOr<std::vector<AsideChunk>> ListAside(const identity::Caller& caller,
                                                    const RepairFilter& filter,
                                                    std::int64_t after_batch,
                                                    std::int32_t after_chunk, int limit);
  // Whether it goes on with sending. CHUNK_NOT_ASIDE. Inside the caller's transaction, the batch's
  // row locked.
  absl::StatusOr<bool> Resume(postgres::Transaction& tx, const identity::Caller& caller,
                              const BatchRow& batch, std::int32_t chunk, std::string_view reason,
                              std::string_view request_id);

 private:
  const StoreContext context_;
  const calendar::Calendar& calendar_;
};

}  // namespace yikatong::dispatch
