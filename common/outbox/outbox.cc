#include "common/outbox/outbox.h"

#include <string>

#include "common/outbox/sql/queries.h"
#include "common/status/status.h"

namespace yikatong::outbox {

absl::Status Append(postgres::Transaction& tx, std::string_view outbox_id, const Entry& entry) {
  YKT_ASSIGN_OR_RETURN(const std::string body, CanonicalBody(entry));
  return tx.Run(kOutboxAppend, entry.district, outbox_id, postgres::Bytes{body}).status();
}

absl::StatusOr<Lag> ReadLag(postgres::Transaction& tx) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(kOutboxLag));
  return Lag{.entries = rows[0].Int64(0), .oldest_age_seconds = rows[0].Int64(1)};
}

}  // namespace yikatong::outbox
