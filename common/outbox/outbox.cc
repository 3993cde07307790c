#include "common/outbox/outbox.h"

#include <string>

#include "common/outbox/sql/queries.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"

namespace yikatong::outbox {

absl::Status Append(postgres::Transaction& tx, std::string_view outbox_id, const Entry& entry) {
  Entry traced = entry;
  if (const rpc::CallScope* scope = rpc::CallScope::Current(); scope != nullptr)
    traced.details.try_emplace("trace_id", scope->trace().trace_id);
  YKT_ASSIGN_OR_RETURN(const std::string body, CanonicalBody(traced));
  return tx.Run(kOutboxAppend, entry.district, outbox_id, postgres::Bytes{body}).status();
}

absl::StatusOr<Lag> ReadLag(postgres::Transaction& tx) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(kOutboxLag));
  return Lag{.entries = rows[0].Int64(0), .oldest_age_seconds = rows[0].Int64(1)};
}

}  // namespace yikatong::outbox
