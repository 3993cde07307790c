#include "services/dispatch/store/due_chunks.h"

#include <cstddef>

#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {

absl::StatusOr<std::array<DueChunks, 3>> CountDueChunks(postgres::Database& database) {
  std::array<DueChunks, 3> due;
  YKT_RETURN_IF_ERROR(database.Read("due_chunks", [&](postgres::Transaction& tx) -> absl::Status {
    due = {{{.step = "route"}, {.step = "submit"}, {.step = "send"}}};
    YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kChunksDue));
    for (const postgres::Row row : rows) {
      // The statement gives stages 1 to 3 (ChunkStage) and no other.
      DueChunks& one = due.at(static_cast<std::size_t>(row.Int(0) - 1));
      one.chunks = row.Int64(1);
      one.oldest_seconds = static_cast<double>(row.Int64(2)) / 1'000;
    }
    return absl::OkStatus();
  }));
  return due;
}

}  // namespace yikatong::dispatch
