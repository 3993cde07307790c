// How much work waits, for the people on watch.
#pragma once

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "common/postgres/database.h"

namespace yikatong::dispatch {

// Chunks that are due, of one step: route, submit, send. What comes back again and again since a
// peer is away is due all the time; what waits for the send window is not.
struct DueChunks {
  const char* step = "";
  std::int64_t chunks = 0;
  double oldest_seconds = 0;  // since the one that waits longest is due in this step
};

// Of every step, also where none is due; those of all districts.
absl::StatusOr<std::array<DueChunks, 3>> CountDueChunks(postgres::Database& database);

}  // namespace yikatong::dispatch
