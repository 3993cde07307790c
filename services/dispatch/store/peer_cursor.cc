#include "services/dispatch/store/peer_cursor.h"

#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {

absl::StatusOr<std::optional<PeerCursor>> TakePeerCursor(const StoreContext& context,
                                                         std::string_view peer,
                                                         const std::string& worker,
                                                         std::span<const std::string> dead) {
  std::optional<PeerCursor> cursor;
  YKT_RETURN_IF_ERROR(
      context.database.Transact("take_peer_cursor", [&](postgres::Transaction& tx) -> absl::Status {
        cursor.reset();
        postgres::Columns columns;
        columns.Scalar(peer).Scalar(worker).Texts(dead).Lone();
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.RunColumns(sql::kOutcomeCursorTake, columns));
        if (!rows.empty()) cursor = PeerCursor{rows[0].Int64(0), rows[0].Int64(1)};
        return absl::OkStatus();
      }));
  return cursor;
}

absl::StatusOr<std::int64_t> LockPeerCursor(postgres::Transaction& tx, std::string_view peer,
                                            const PeerCursor& cursor) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows held,
                       tx.Run(sql::kOutcomeCursorLock, peer, cursor.fence));
  if (held.empty()) return status::Refuse(status::Reason::kLeaseLost);
  return held[0].Int64(0);
}

absl::Status AdvancePeerCursor(postgres::Transaction& tx, std::string_view peer,
                               const PeerCursor& cursor, std::int64_t applied) {
  return tx.Run(sql::kOutcomeCursorAdvance, peer, cursor.fence, applied).status();
}

}  // namespace yikatong::dispatch
