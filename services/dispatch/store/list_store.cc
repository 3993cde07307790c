// What can be read of batches. The token of a page is the key of the last row of the page before.
#include <fmt/format.h>

#include <charconv>

#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/intake_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

// `N` numbers that are parted by dots; the fallback for an empty token.
template <std::size_t N>
absl::StatusOr<std::array<std::int64_t, N>> KeysOf(std::string_view after,
                                                   std::array<std::int64_t, N> fallback) {
  if (after.empty()) return fallback;
  std::array<std::int64_t, N> keys{};
  const char* at = after.data();
  const char* const end = after.data() + after.size();
  for (std::size_t i = 0; i < N; ++i) {
    const auto read = std::from_chars(at, end, keys[i]);
    if (read.ec != std::errc() || keys[i] < 0) return status::Refuse(Reason::kPageTokenInvalid);
    at = read.ptr;
    const bool last = i + 1 == N;
    if (last ? at != end : (at == end || *at != '.'))
      return status::Refuse(Reason::kPageTokenInvalid);
    ++at;
  }
  return keys;
}

bool IsFull(std::size_t rows, const Page& page) {
  return rows == static_cast<std::size_t>(page.size);
}

bool IsItemState(std::string_view state) {
  static constexpr std::string_view kStates[] = {
      "",           "collected", "held",   "stopped", "unroutable", "waiting",
      "in_transit", "paid",      "failed", "unknown", "returned",   "cancelled"};
  for (const std::string_view known : kStates) {
    if (known == state) return true;
  }
  return false;
}

ItemView ItemOf(const postgres::Row& row, const BatchRow& batch) {
  ItemView item;
  item.item_id = row.Int64(0);
  item.row = batch.RowOfItem(item.item_id);
  item.masked_name = row.Text(1);
  item.village = row.Int64(2);
  item.amount_fen = row.Int64(3);
  item.person_id = row.Int64(4);
  item.state = row.Text(5);
  item.reason = row.Text(6);
  item.reference = row.Int64(7);
  item.attempt = AttemptOfReference(item.reference);
  return item;
}

}  // namespace

absl::StatusOr<Batch> PgIntakeStore::GetBatch(const identity::Caller& caller,
                                              std::int64_t batch_id) {
  Batch batch;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("get_batch", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const BatchRow row, dispatch::FindBatch(tx, caller, batch_id));
        YKT_ASSIGN_OR_RETURN(batch, ReadBatch(tx, row));
        return absl::OkStatus();
      }));
  return batch;
}

absl::StatusOr<Listed<BatchRow>> PgIntakeStore::ListBatches(const identity::Caller& caller,
                                                            const BatchFilter& filter,
                                                            const Page& page) {
  constexpr std::int64_t kFarFuture =
      253'402'300'799'000'000;  // the end of the year 9999, in microseconds
  YKT_ASSIGN_OR_RETURN(const auto keys, KeysOf<2>(page.after, {kFarFuture, 0}));
  Listed<BatchRow> listed;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_batches", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(listed.rows,
                             BatchesBehind(tx, caller, filter.district, filter.policy_id,
                                           filter.state ? static_cast<int>(*filter.state) : 0,
                                           absl::FromUnixMicros(keys[0]), keys[1], page.size));
        return absl::OkStatus();
      }));
  if (IsFull(listed.rows.size(), page)) {
    const BatchRow& last = listed.rows.back();
    listed.next = fmt::format("{}.{}", absl::ToUnixMicros(last.created_at), last.batch_id);
  }
  return listed;
}

absl::StatusOr<Listed<Departure>> PgIntakeStore::ListDepartures(const identity::Caller& caller,
                                                                std::int64_t batch_id,
                                                                bool unexplained_only,
                                                                const Page& page) {
  YKT_ASSIGN_OR_RETURN(const auto keys, KeysOf<1>(page.after, {0}));
  Listed<Departure> listed;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_departures", [&](postgres::Transaction& tx) -> absl::Status {
        listed = {};
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, dispatch::FindBatch(tx, caller, batch_id));
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kDeparturesList, batch.district, batch_id, keys[0],
                                    unexplained_only, page.size));
        for (const postgres::Row row : rows) {
          listed.rows.push_back({row.Int64(0), row.Text(1), row.Int64(2), row.Text(3)});
        }
        return absl::OkStatus();
      }));
  if (IsFull(listed.rows.size(), page)) listed.next = std::to_string(listed.rows.back().person_id);
  return listed;
}

absl::StatusOr<Listed<Rejection>> PgIntakeStore::ListRejections(const identity::Caller& caller,
                                                                std::int64_t batch_id,
                                                                const Page& page) {
  YKT_ASSIGN_OR_RETURN(const auto keys, KeysOf<2>(page.after, {0, 0}));
  Listed<Rejection> listed;
  std::int64_t last_chunk = 0;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_rejections", [&](postgres::Transaction& tx) -> absl::Status {
        listed = {};
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, dispatch::FindBatch(tx, caller, batch_id));
        YKT_ASSIGN_OR_RETURN(
            const postgres::Rows rows,
            tx.Run(sql::kRejectionsList, batch.district, batch_id, keys[0], keys[1], page.size));
        for (const postgres::Row row : rows) {
          listed.rows.push_back({row.Int64(0), row.Text(2), row.Text(3), row.Int64(4)});
          last_chunk = row.Int64(1);
        }
        return absl::OkStatus();
      }));
  if (IsFull(listed.rows.size(), page))
    listed.next = fmt::format("{}.{}", listed.rows.back().row, last_chunk);
  return listed;
}

absl::StatusOr<Listed<ItemView>> PgIntakeStore::ListItems(const identity::Caller& caller,
                                                          std::int64_t batch_id,
                                                          std::string_view state,
                                                          const Page& page) {
  if (!IsItemState(state)) return status::Refuse(Reason::kFieldInvalid, "", {{"field", "state"}});
  YKT_ASSIGN_OR_RETURN(const auto keys, KeysOf<1>(page.after, {0}));
  Listed<ItemView> listed;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_items", [&](postgres::Transaction& tx) -> absl::Status {
        listed = {};
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, dispatch::FindBatch(tx, caller, batch_id));
        std::int64_t after = std::max(keys[0], batch.first_item - 1);
        // Without a state a page is a stretch of its own; with one, bounded stretches are looked
        // through for it.
        for (int window = 0; window < options_.list_windows && after < batch.last_item();
             ++window) {
          const std::int64_t to = std::min(batch.last_item(), after + options_.list_window);
          const int wanted = page.size - static_cast<int>(listed.rows.size());
          YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                               tx.Run(sql::kItemsList, batch.district, batch_id, after, to, wanted,
                                      static_cast<int>(batch.state), state));
          for (const postgres::Row row : rows) listed.rows.push_back(ItemOf(row, batch));
          after = rows.size() == wanted ? listed.rows.back().item_id : to;
          if (rows.size() == wanted) break;
        }
        if (after < batch.last_item()) listed.next = std::to_string(after);
        return absl::OkStatus();
      }));
  return listed;
}

absl::StatusOr<BatchProgress> PgIntakeStore::Progress(std::int64_t batch_id) {
  BatchProgress progress;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("progress", [&](postgres::Transaction& tx) -> absl::Status {
        // The poller asks for whoever was admitted to the batch before.
        identity::Caller everyone;
        everyone.service = "dispatch";
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, dispatch::FindBatch(tx, everyone, batch_id));
        YKT_ASSIGN_OR_RETURN(const Totals totals, ReadTotals(tx, batch));
        progress.state = batch.state;
        if (batch.state == BatchState::kCollecting) {
          progress.stage = "collect";
          progress.done = totals.uploaded;
          progress.total = batch.declared_count;
        } else if (batch.state < BatchState::kPaying || batch.state > BatchState::kClosed) {
          progress.stage = "prepare";
          progress.done = 0;
          progress.total = totals.accepted.items;
        } else {
          const std::int64_t moving =
              totals.Of(Bucket::kWaiting).items + totals.Of(Bucket::kInTransit).items;
          progress.stage = totals.Of(Bucket::kWaiting).items > 0 ? "submit" : "outcome";
          progress.done = totals.accepted.items - moving;
          progress.total = totals.accepted.items;
        }
        return absl::OkStatus();
      }));
  return progress;
}

}  // namespace yikatong::dispatch
