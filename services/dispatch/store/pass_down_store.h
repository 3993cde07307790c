// Money from above over PostgreSQL: receipts, and their passing down to lines. A receipt belongs to
// the district that received it and a line to its own, and the two are never locked together: a
// passing down is written beside its receipt first, and booked on its line by a transaction of its
// own, once, by whoever comes to it. Thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/domain/budget.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/money_store.h"

namespace yikatong::dispatch {

// What a watch is told; without names or ids.
struct PassDownFigures {
  std::int64_t overdue = 0;      // receipts
  std::int64_t overdue_fen = 0;  // what is left of them
  std::int64_t oldest_days = 0;  // age of the oldest of them
  std::int64_t unbooked = 0;     // passings down that their line does not have yet
};

class PassDownStore {
 public:
  PassDownStore(const StoreContext& context, MoneyStore& money)
      : context_(context), money_(money) {}

  // Inside the caller's transaction. Numbers `receipt` and says by when it is due. ALREADY_EXISTS.
  absl::Status Record(postgres::Transaction& tx, const identity::Caller& caller,
                      FundReceipt& receipt, std::string_view request_id);
  // FUND_RECEIPT_UNKNOWN, FUND_RECEIPT_IN_USE.
  absl::StatusOr<FundReceipt> Cancel(postgres::Transaction& tx, const identity::Caller& caller,
                                     std::int32_t district, std::int64_t receipt_id,
                                     std::string_view reason, std::string_view request_id);
  absl::StatusOr<FundReceipt> Find(postgres::Transaction& tx, std::int32_t district,
                                   std::int64_t receipt_id);
  // Receipts after (district, receipt_id), in `districts` (an array literal, or "*"); with a day,
  // those that are overdue on it.
  absl::StatusOr<std::vector<FundReceipt>> List(postgres::Transaction& tx,
                                                std::string_view districts,
                                                std::string_view policy_id,
                                                std::optional<absl::CivilDay> overdue_on,
                                                std::int32_t after_district,
                                                std::int64_t after_receipt, int limit);
  // Takes `down.amount_fen` from the receipt and numbers it; the line does not have it yet.
  // FUND_RECEIPT_EXHAUSTED, and what CheckPassDown says.
  absl::Status PassDownTo(postgres::Transaction& tx, const identity::Caller& caller, PassDown& down,
                          std::string_view request_id);
  absl::StatusOr<std::vector<PassDown>> ListPassDowns(postgres::Transaction& tx,
                                                      std::int32_t district,
                                                      std::int64_t receipt_id, std::int64_t after,
                                                      int limit);

  // In transactions of its own: gives the line its money, once however often it is called, and
  // remembers that it has it. What reaches a line after its closing is the treasury's.
  absl::Status Book(const PassDown& down);
  // Books what a process left behind that ended in between, up to `limit`; how many, or a failure.
  absl::StatusOr<int> BookLeftBehind(int limit);

  absl::StatusOr<PassDownFigures> Figures();

 private:
  const StoreContext context_;
  MoneyStore& money_;
};

}  // namespace yikatong::dispatch
