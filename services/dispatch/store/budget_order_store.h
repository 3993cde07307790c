// Orders to move money of lines, what keeps a year open, and statements, over PostgreSQL. Each
// method runs inside the caller's transaction. Thread safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/domain/budget.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/money_store.h"

namespace yikatong::dispatch {

// A batch that has money of a line.
struct YearEndBlocker {
  std::int64_t batch_id = 0;
  std::int64_t reserved_fen = 0;
  std::int64_t in_transit_fen = 0;
};

class BudgetOrderStore {
 public:
  BudgetOrderStore(const StoreContext& context, MoneyStore& money)
      : context_(context), money_(money) {}

  // Numbers `order` and keeps it; nothing moves. BUDGET_LINE_UNKNOWN, what CheckOrderLines says,
  // and ALREADY_EXISTS for a second one that would close the same year.
  absl::Status Request(postgres::Transaction& tx, const identity::Caller& caller,
                       BudgetOrder& order, std::string_view request_id);
  // BUDGET_ORDER_UNKNOWN.
  absl::StatusOr<BudgetOrder> Find(postgres::Transaction& tx, std::int32_t district,
                                   std::int64_t order_id);
  // Approves and carries out, refuses, or withdraws. The lines are locked in the order of their
  // ids.
  absl::StatusOr<BudgetOrder> Decide(postgres::Transaction& tx, const identity::Caller& caller,
                                     std::int32_t district, std::int64_t order_id, OrderEvent event,
                                     std::string_view why, std::string_view request_id);
  // Orders after (district, order_id) in `districts`; a line or state of 0 is any.
  absl::StatusOr<std::vector<BudgetOrder>> List(postgres::Transaction& tx,
                                                std::string_view districts, std::int64_t line_id,
                                                int state, std::int32_t after_district,
                                                std::int64_t after_order, int limit);
  // By batch, after one. BUDGET_LINE_UNKNOWN.
  absl::StatusOr<std::vector<YearEndBlocker>> Blockers(postgres::Transaction& tx,
                                                       std::int32_t district, std::int64_t line_id,
                                                       std::int64_t after_batch, int limit);
  // BUDGET_LINE_UNKNOWN.
  absl::StatusOr<Statement> StatementFor(postgres::Transaction& tx, std::int32_t district,
                                         std::int64_t line_id, absl::CivilDay day);

 private:
  absl::Status Carry(postgres::Transaction& tx, BudgetOrder& order);

  const StoreContext context_;
  MoneyStore& money_;
};

}  // namespace yikatong::dispatch
