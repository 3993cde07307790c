#include "services/dispatch/store/new_batch.h"

#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {

absl::StatusOr<BatchRow> InsertBatch(postgres::Transaction& tx, const StoreContext& context,
                                     crypto::RandomSource& random, const identity::Caller& caller,
                                     std::string_view request_id, const NewBatch& wanted,
                                     const PinnedRule& pinned) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows numbers,
                       tx.Run(sql::kDistrictTakeSerials, wanted.district, wanted.declared_count));
  const std::int64_t number = numbers[0].Int64(0);
  const std::int64_t first_serial = numbers[0].Int64(1);
  const int epoch = numbers[0].Int(2);
  YKT_INVARIANT(
      number < kBatchesPerEpoch && first_serial + wanted.declared_count <= kSerialsPerEpoch,
      "the district has no numbers left: raise the epoch");
  const std::int64_t batch_id = MakeBatchId(wanted.district, epoch, number);
  const std::int64_t first_item = MakeItemId(wanted.district, epoch, first_serial);
  YKT_RETURN_IF_ERROR(tx.Run(sql::kBatchInsert, wanted.district, batch_id, wanted.department_id,
                             pinned.rule.field, pinned.rule.policy_id, pinned.rule.version,
                             wanted.period, postgres::Bytes{pinned.bytes}, wanted.declared_count,
                             wanted.declared_fen, first_item, postgres::Bytes{random.Bytes(32)},
                             caller.organisation, caller.person, context.business.Today(),
                             wanted.pay_on)
                          .status());
  YKT_ASSIGN_OR_RETURN(BatchRow batch, FindBatch(tx, caller, batch_id));
  YKT_RETURN_IF_ERROR(Audit(tx, context, caller, batch,
                            {"batch.created",
                             std::string(request_id),
                             "",
                             0,
                             {{"policy", batch.policy_id},
                              {"version", std::to_string(batch.policy_version)},
                              {"period", batch.period},
                              {"declared_count", std::to_string(batch.declared_count)},
                              {"declared_fen", std::to_string(batch.declared_fen)}},
                             ""})
                          .status());
  return batch;
}

absl::Status InsertOrigin(postgres::Transaction& tx, const BatchRow& batch,
                          const BatchOrigin& origin) {
  return tx
      .Run(sql::kBatchOriginInsert, batch.district, batch.batch_id, static_cast<int>(origin.kind),
           origin.of_batch)
      .status();
}

}  // namespace yikatong::dispatch
