#include "services/dispatch/store/batch_store.h"

#include <fmt/core.h>

#include <charconv>

#include "common/base/failpoint.h"
#include "common/outbox/outbox.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

BatchRow RowOf(const postgres::Row& row) {
  BatchRow batch;
  batch.district = row.Int(0);
  batch.batch_id = row.Int64(1);
  batch.department_id = row.Text(2);
  batch.field = row.Text(3);
  batch.policy_id = row.Text(4);
  batch.policy_version = row.Int(5);
  batch.period = row.Text(6);
  batch.rule = row.Bytes(7);
  batch.state = static_cast<BatchState>(row.Int(8));
  batch.declared_count = row.Int64(9);
  batch.declared_fen = row.Int64(10);
  batch.first_item = row.Int64(11);
  batch.salt_key = row.Bytes(12);
  batch.created_org = row.Text(13);
  batch.created_by = row.Text(14);
  batch.created_at = row.Time(15);
  batch.created_on = row.Date(16);
  batch.pay_on = row.MaybeDate(17);
  batch.state_since_on = row.Date(18);
  batch.released_by = row.Text(19);
  batch.reason = row.Text(20);
  return batch;
}

absl::StatusOr<BatchRow> Find(postgres::Transaction& tx, const postgres::Query& query,
                              const identity::Caller& caller, std::int64_t batch_id) {
  const identity::Scope scope = identity::ScopeOf(caller);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(query, DistrictOfBatch(batch_id), batch_id, scope.all_districts,
                              scope.districts, scope.all_fields, scope.fields));
  if (rows.empty()) return status::Refuse(Reason::kBatchUnknown);
  return RowOf(rows[0]);
}

// A sum that PostgreSQL gives as numeric; INVARIANT_BROKEN past int64, which no accepted row can
// cause.
absl::StatusOr<std::int64_t> SumOf(const std::string& text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  YKT_INVARIANT(read.ec == std::errc() && read.ptr == text.data() + text.size(),
                "a sum beyond 64 bits");
  return value;
}

}  // namespace

absl::StatusOr<BatchRow> FindBatch(postgres::Transaction& tx, const identity::Caller& caller,
                                   std::int64_t batch_id) {
  return Find(tx, sql::kBatchFindScoped, caller, batch_id);
}

absl::StatusOr<BatchRow> LockBatch(postgres::Transaction& tx, const identity::Caller& caller,
                                   std::int64_t batch_id) {
  return Find(tx, sql::kBatchLockScoped, caller, batch_id);
}

absl::StatusOr<std::vector<BatchRow>> BatchesBehind(
    postgres::Transaction& tx, const identity::Caller& caller, std::int32_t district,
    std::string_view policy_id, int state, absl::Time created, std::int64_t batch_id, int limit) {
  const identity::Scope scope = identity::ScopeOf(caller);
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kBatchesList, scope.all_districts, scope.districts, scope.all_fields,
             scope.fields, district, policy_id, state, created, batch_id, limit));
  std::vector<BatchRow> batches;
  for (const postgres::Row row : rows) batches.push_back(RowOf(row));
  return batches;
}

absl::StatusOr<Totals> ReadTotals(postgres::Transaction& tx, const BatchRow& batch) {
  Totals totals;
  YKT_ASSIGN_OR_RETURN(const postgres::Rows moved,
                       tx.Run(sql::kBatchTotals, batch.district, batch.batch_id));
  for (const postgres::Row row : moved) {
    const int bucket = row.Int(0);
    YKT_INVARIANT(bucket >= 0 && bucket < kBuckets,
                  "a movement names a bucket that there is none of");
    totals.in[static_cast<std::size_t>(bucket)] = {row.Int64(1), row.Int64(2)};
    if (bucket > 0 && bucket < static_cast<int>(Bucket::kReturned)) {
      totals.accepted.items += row.Int64(3);
      totals.accepted.fen += row.Int64(4);
    }
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows uploaded,
                       tx.Run(sql::kBatchUploaded, batch.district, batch.batch_id));
  totals.uploaded = uploaded[0].Int64(0);
  YKT_ASSIGN_OR_RETURN(totals.uploaded_fen, SumOf(uploaded[0].Text(1)));
  return totals;
}

absl::StatusOr<Batch> ReadBatch(postgres::Transaction& tx, const BatchRow& row) {
  Batch batch;
  static_cast<BatchRow&>(batch) = row;
  YKT_ASSIGN_OR_RETURN(batch.totals, ReadTotals(tx, row));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows reviews,
                       tx.Run(sql::kBatchReviews, row.district, row.batch_id));
  for (const postgres::Row r : reviews) {
    batch.reviews.push_back(
        {r.Text(0), r.Text(1), r.Time(2), r.Date(3), r.Bool(4), r.Text(5), r.Bool(6)});
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows evidence,
                       tx.Run(sql::kBatchAttachments, row.district, row.batch_id));
  for (const postgres::Row r : evidence) {
    batch.attachments.push_back({r.Text(0), r.Bytes(1), r.Int64(2), r.Text(3), r.Text(4)});
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows left,
                       tx.Run(sql::kBatchUnexplained, row.district, row.batch_id));
  batch.unexplained_departures = left[0].Int64(0);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows origin,
                       tx.Run(sql::kBatchOriginFind, row.district, row.batch_id));
  if (!origin.empty()) {
    batch.origin = {static_cast<BatchOrigin::Kind>(origin[0].Int(0)), origin[0].Int64(1)};
  }
  return batch;
}

absl::Status Advance(postgres::Transaction& tx, const StoreContext& context, BatchRow& batch,
                     BatchEvent event, std::string_view reason) {
  YKT_ASSIGN_OR_RETURN(const BatchState to, Next(batch.state, event));
  const absl::CivilDay today = context.business.Today();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows updated,
                       tx.Run(sql::kBatchAdvance, batch.district, batch.batch_id,
                              static_cast<int>(batch.state), static_cast<int>(to), today, reason));
  YKT_INVARIANT(updated.affected() == 1, "a batch changed its state under our lock");
  base::failpoint::Note("batch", BatchStateName(batch.state), BatchEventName(event));
  if (batch.state != to) batch.state_since_on = today;
  batch.state = to;
  if (!reason.empty()) batch.reason = reason;
  return absl::OkStatus();
}

absl::Status AppendMovements(postgres::Transaction& tx, const StoreContext& context,
                             const BatchRow& batch, const std::vector<Movement>& movements) {
  std::vector<std::int64_t> batches, items, fen;
  std::vector<std::string> ids, reasons;
  std::vector<std::int16_t> from, to;
  for (const Movement& movement : movements) {
    if (movement.moved.items == 0) continue;
    batches.push_back(batch.batch_id);
    ids.push_back(context.ids.NewId());
    from.push_back(static_cast<std::int16_t>(movement.from));
    to.push_back(static_cast<std::int16_t>(movement.to));
    reasons.push_back(movement.reason);
    items.push_back(movement.moved.items);
    fen.push_back(movement.moved.fen);
  }
  if (batches.empty()) return absl::OkStatus();
  postgres::Columns columns;
  columns.Scalar(batch.district)
      .Int64s(batches)
      .Uuids(ids)
      .Int16s(from)
      .Int16s(to)
      .Texts(reasons)
      .Int64s(items)
      .Int64s(fen);
  return tx.RunColumns(sql::kMovementInsert, columns).status();
}

std::string BatchSubject(const BatchRow& batch) {
  return fmt::format("batches/{}/{}", batch.district, batch.batch_id);
}

absl::StatusOr<std::string> Audit(postgres::Transaction& tx, const StoreContext& context,
                                  const identity::Caller& caller, const BatchRow& batch,
                                  const AuditFacts& facts) {
  outbox::Entry entry;
  entry.service = "dispatch";
  entry.kind = facts.kind;
  entry.district = batch.district;
  entry.subject = BatchSubject(batch) + facts.subject_tail;
  entry.actor_org = caller.IsService() ? "service:" + caller.service : caller.organisation;
  entry.actor_person = caller.person;
  entry.at = context.clock.Now();
  entry.business_date = context.business.Today();
  entry.request_id = facts.request_id;
  entry.root = facts.root;
  entry.leaves = facts.leaves;
  entry.details = facts.details;
  std::string id = context.ids.NewId();
  YKT_RETURN_IF_ERROR(outbox::Append(tx, id, entry));
  return id;
}

}  // namespace yikatong::dispatch
