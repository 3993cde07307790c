#include "services/dispatch/store/archive_due.h"

#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {

absl::Status MarkArchiveDue(postgres::Transaction& tx, const BatchRow& batch) {
  return tx.Run(sql::kArchiveDue, batch.district, batch.batch_id).status();
}

}  // namespace yikatong::dispatch
