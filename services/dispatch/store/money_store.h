// Budget lines, reservations and repairs over PostgreSQL: what a person does with money, as against
// what workers do by chunks. Each method runs inside the caller's transaction; the batch's row is
// locked where one is given. Thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/domain/budget.h"
#include "services/dispatch/domain/posting.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/store/batch_store.h"
#include "services/dispatch/store/money_port.h"

namespace yikatong::dispatch {

struct LedgerLine {
  std::string entry_id;
  std::int64_t batch_id = 0;
  std::int32_t chunk = 0;
  std::string step;
  Account debit = Account::kAvailable;
  Account credit = Account::kAppropriation;
  std::int64_t amount_fen = 0;
  absl::CivilDay business_date;
  absl::Time at;
  std::string reason;
};

// An item that may be sent again or ended.
struct RepairCandidate {
  std::int64_t item_id = 0;
  std::int64_t amount_fen = 0;
  bool unroutable = false;  // it has no way; else its last attempt failed or came back
  bool returned = false;
  int attempts = 0;
  std::string agreement_no;  // of the last attempt, where its statement matters; else empty
  absl::CivilDay sent_on;
};

class MoneyStore final : public MoneyPort {
 public:
  MoneyStore(const StoreContext& context, const RuleCodec& codec)
      : context_(context), codec_(codec) {}

  // ALREADY_EXISTS for a second line of one policy, year and source.
  absl::StatusOr<std::int64_t> CreateLine(postgres::Transaction& tx, const identity::Caller& caller,
                                          const BudgetLine& line, std::string_view request_id);
  // What a line is for, and whether it is closed; without a lock. BUDGET_LINE_UNKNOWN.
  absl::StatusOr<BudgetLine> FindLine(postgres::Transaction& tx, std::int32_t district,
                                      std::int64_t line_id);
  // Locks a line. BUDGET_LINE_UNKNOWN.
  absl::StatusOr<BudgetLine> LockLine(postgres::Transaction& tx, std::int32_t district,
                                      std::int64_t line_id);
  // BUDGET_LINE_CLOSED.
  absl::Status Appropriate(postgres::Transaction& tx, const identity::Caller& caller,
                           const BudgetLine& line, std::int64_t amount_fen, std::string_view basis,
                           std::string_view request_id);
  // Lines after (district, line_id), in `districts` (an array literal).
  absl::StatusOr<std::vector<BudgetLine>> ListLines(postgres::Transaction& tx,
                                                    std::string_view districts,
                                                    std::string_view policy_id,
                                                    std::int32_t after_district,
                                                    std::int64_t after_line, int limit);
  absl::StatusOr<std::vector<LedgerLine>> ListLedger(postgres::Transaction& tx,
                                                     std::int32_t district, std::int64_t line_id,
                                                     absl::Time after, std::string_view after_entry,
                                                     int limit);

  // Reserves the batch's sum from the lines of its sources, all or nothing. BUDGET_LINE_MISSING,
  // BUDGET_LINE_CLOSED, FUNDS_INSUFFICIENT with the source and what it lacks.
  absl::Status Fund(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                    std::string_view request_id);
  // SAME_PERSON for who entered or reviewed it, PAY_DATE_EARLY before its day.
  absl::Status Release(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                       std::string_view request_id);
  // ITEMS_OPEN where something is not ended.
  absl::Status Close(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                     std::string_view request_id);

  // The named items (ITEM_NOT_REPAIRABLE with the first that is none, ITEM_UNKNOWN), or all of the
  // batch that can be repaired, up to `limit`, for an empty list.
  absl::StatusOr<std::vector<RepairCandidate>> Repairable(postgres::Transaction& tx,
                                                          const BatchRow& batch,
                                                          const std::vector<std::int64_t>& item_ids,
                                                          int limit);
  // Sends items again in a repair chunk. A returned item's money is reserved anew:
  // FUNDS_INSUFFICIENT.
  absl::Status Reissue(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                       const std::vector<RepairCandidate>& items, std::string_view reason,
                       std::string_view request_id);
  // Ends items and releases their money.
  absl::Status Abandon(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                       const std::vector<RepairCandidate>& items, std::string_view reason,
                       std::string_view request_id);

  // MoneyPort.
  absl::Status ReleaseReservation(postgres::Transaction& tx, const identity::Caller& caller,
                                  const BatchRow& batch) override;
  absl::Status ItemStopped(postgres::Transaction& tx, const identity::Caller& caller,
                           const BatchRow& batch, std::int64_t item_id,
                           std::int64_t amount_fen) override;
  absl::Status ItemFreed(postgres::Transaction& tx, const identity::Caller& caller, BatchRow& batch,
                         std::int64_t item_id) override;

 private:
  absl::StatusOr<BatchFunding> FundingOf(postgres::Transaction& tx, const BatchRow& batch);
  absl::Status InsertRepairChunk(postgres::Transaction& tx, BatchRow& batch,
                                 std::vector<std::int64_t> items);

  const StoreContext context_;
  const RuleCodec& codec_;
};

// Locks the lines whose available money `posting` changes, in their order. FUNDS_INSUFFICIENT where
// one does not suffice; the posting can be written otherwise.
absl::Status LockLines(postgres::Transaction& tx, std::int32_t district, const Posting& posting);

}  // namespace yikatong::dispatch
