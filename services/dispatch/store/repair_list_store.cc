#include "services/dispatch/store/repair_list_store.h"

#include <fmt/core.h>

#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/chunk_store.h"

namespace yikatong::dispatch {
namespace {

constexpr int kBatchesAPage = 20;
constexpr int kCountPage = 1'000;
// Behind the last arrival: the first place of the first batch.
constexpr std::int64_t kFirstBatch = 1;

struct OpenBatch {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::int64_t first_item = 0;
  std::int64_t last_item = 0;
};

absl::StatusOr<std::vector<OpenBatch>> BatchesFrom(postgres::Transaction& tx,
                                                   const identity::Scope& scope,
                                                   const RepairFilter& filter, std::int64_t from) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kRepairBatches, scope.all_districts, scope.districts, scope.all_fields,
             scope.fields, filter.district, filter.batch_id, from, kBatchesAPage));
  std::vector<OpenBatch> batches;
  for (const postgres::Row row : rows)
    batches.push_back({row.Int(0), row.Int64(1), row.Int64(2), row.Int64(3)});
  return batches;
}

absl::Status AddArrivals(postgres::Transaction& tx, const identity::Scope& scope,
                         const RepairFilter& filter, int limit, RepairPage& page) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kRepairArrivals, scope.all_districts, scope.districts,
                              filter.district, page.next.key, limit));
  for (const postgres::Row row : rows) {
    Repair repair;
    repair.kind = RepairKind::kArrival;
    repair.subject_id = row.Int64(0);
    repair.amount_fen = row.Int64(1);
    repair.since_on = row.Date(2);
    page.next.key = repair.subject_id;
    page.repairs.push_back(std::move(repair));
  }
  return absl::OkStatus();
}

absl::Status AddOfBatch(postgres::Transaction& tx, const OpenBatch& batch, int limit,
                        RepairPage& page) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kRepairsOfBatch, batch.district, batch.batch_id, batch.first_item,
             batch.last_item, page.next.place, page.next.key, limit));
  for (const postgres::Row row : rows) {
    Repair repair;
    repair.kind = static_cast<RepairKind>(row.Int(2));
    repair.batch_id = batch.batch_id;
    repair.item_id = row.Int64(3);
    if (repair.kind == RepairKind::kSetAside || repair.kind == RepairKind::kRecovery)
      repair.subject_id = row.Int64(1);
    repair.amount_fen = row.Int64(4);
    repair.reason = row.Text(5);
    repair.since_on = row.Date(6);
    repair.granted_until = row.MaybeDate(7);
    page.next.place = row.Int(0);
    page.next.key = row.Int64(1);
    page.repairs.push_back(std::move(repair));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RepairPage> RepairListStore::List(const identity::Caller& caller,
                                                 const RepairFilter& filter,
                                                 const RepairPlace& after, int limit) {
  const identity::Scope scope = identity::ScopeOf(caller);
  RepairPage page;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_repairs", [&](postgres::Transaction& tx) -> absl::Status {
        page = {};
        page.next = after;
        const auto room = [&] { return limit - static_cast<int>(page.repairs.size()); };
        if (page.next.batch_id == 0) {
          if (filter.batch_id == 0)
            YKT_RETURN_IF_ERROR(AddArrivals(tx, scope, filter, limit, page));
          if (room() > 0) page.next = {kFirstBatch, 0, 0};
        }
        if (room() > 0) {
          YKT_ASSIGN_OR_RETURN(const std::vector<OpenBatch> batches,
                               BatchesFrom(tx, scope, filter, page.next.batch_id));
          for (const OpenBatch& batch : batches) {
            if (batch.batch_id != page.next.batch_id) page.next = {batch.batch_id, 0, 0};
            YKT_RETURN_IF_ERROR(AddOfBatch(tx, batch, room(), page));
            if (room() == 0) break;
            page.next = {batch.batch_id + 1, 0, 0};
          }
          page.more = room() == 0 || batches.size() == kBatchesAPage;
          return absl::OkStatus();
        }
        page.more = true;
        return absl::OkStatus();
      }));
  return page;
}

absl::StatusOr<RepairCounts> RepairListStore::Count() {
  RepairCounts counts;
  const absl::CivilDay today = context_.business.Today();
  RepairPage page;
  do {
    YKT_ASSIGN_OR_RETURN(page, List(OwnCaller(), {}, page.next, kCountPage));
    for (const Repair& repair : page.repairs) {
      const auto kind = static_cast<std::size_t>(repair.kind);
      ++counts.open[kind];
      if (DeadlineOf(repair, today, calendar_).overdue) ++counts.overdue[kind];
    }
  } while (page.more);
  return counts;
}

absl::StatusOr<std::vector<AsideChunk>> RepairListStore::ListAside(const identity::Caller& caller,
                                                                   const RepairFilter& filter,
                                                                   std::int64_t after_batch,
                                                                   std::int32_t after_chunk,
                                                                   int limit) {
  const identity::Scope scope = identity::ScopeOf(caller);
  std::vector<AsideChunk> chunks;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_set_aside", [&](postgres::Transaction& tx) -> absl::Status {
        chunks.clear();
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kChunksAsideList, scope.all_districts, scope.districts,
                                    scope.all_fields, scope.fields, filter.district,
                                    filter.batch_id, after_batch, after_chunk, limit));
        for (const postgres::Row row : rows) {
          chunks.push_back({row.Int64(0), row.Int(1), row.Bool(2), row.Text(3), row.Bool(4)});
        }
        return absl::OkStatus();
      }));
  return chunks;
}

absl::StatusOr<bool> RepairListStore::Resume(postgres::Transaction& tx,
                                             const identity::Caller& caller, const BatchRow& batch,
                                             std::int32_t chunk, std::string_view reason,
                                             std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows resumed,
                       tx.Run(sql::kChunkResume, batch.district, batch.batch_id, chunk));
  if (resumed.empty()) return status::Refuse(status::Reason::kChunkNotAside);
  const bool sending = static_cast<ChunkStage>(resumed[0].Int(0)) == ChunkStage::kSend;
  YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                            {.kind = "chunk.resumed",
                             .request_id = std::string(request_id),
                             .details = {{"chunk", std::to_string(chunk)},
                                         {"reason", std::string(reason)},
                                         {"sending", sending ? "true" : "false"}},
                             .subject_tail = fmt::format("/chunks/{}", chunk)})
                          .status());
  return sending;
}

}  // namespace yikatong::dispatch
