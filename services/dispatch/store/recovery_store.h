// Recoveries and money given back over PostgreSQL. Each step runs inside the caller's transaction,
// begins by locking the row that it is about, and writes its audit entry with it. What lies outside
// of the caller's districts and fields does not exist. Thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/domain/recovery.h"
#include "services/dispatch/domain/rule_codec.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// Recoveries that somebody opens.
struct NewRecoveries {
  std::int64_t batch_id = 0;
  std::vector<std::int64_t> item_ids;  // sorted, each once
  RecoveryCause cause = RecoveryCause::kNotEntitled;
  std::int64_t due_fen = 0;  // of the one item; 0: what was paid
  std::string reason;
};

struct RecoveryFilter {
  std::int32_t district = 0;
  std::int64_t batch_id = 0;
  std::int64_t case_id = 0;
  int state = 0;
};

struct NewReceipt {
  std::string receipt;
  std::int64_t amount_fen = 0;
  absl::CivilDay received_on;
};

class RecoveryStore {
 public:
  RecoveryStore(const StoreContext& context, const RuleCodec& codec)
      : context_(context), codec_(codec) {}

  // ITEM_UNKNOWN, ITEM_NOT_PAID, RECOVERY_OPEN, RECOVERY_AMOUNT; FIELD_INVALID for items of two
  // people. By item id.
  absl::StatusOr<std::vector<Recovery>> Open(postgres::Transaction& tx,
                                             const identity::Caller& caller,
                                             const NewRecoveries& wanted,
                                             std::string_view request_id);
  absl::StatusOr<Recovery> Approve(postgres::Transaction& tx, const identity::Caller& caller,
                                   std::int64_t recovery_id, std::string_view request_id);
  absl::StatusOr<Recovery> Notify(postgres::Transaction& tx, const identity::Caller& caller,
                                  std::int64_t recovery_id, std::string_view notice,
                                  std::string_view request_id);
  absl::StatusOr<Recovery> Receive(postgres::Transaction& tx, const identity::Caller& caller,
                                   std::int64_t recovery_id, const NewReceipt& receipt,
                                   std::string_view request_id);
  absl::StatusOr<Recovery> AskWriteOff(postgres::Transaction& tx, const identity::Caller& caller,
                                       std::int64_t recovery_id, std::string_view document,
                                       std::string_view reason, std::string_view request_id);
  absl::StatusOr<Recovery> DecideWriteOff(postgres::Transaction& tx, const identity::Caller& caller,
                                          std::int64_t recovery_id, bool grant,
                                          std::string_view reason, std::string_view request_id);
  absl::StatusOr<Recovery> Cancel(postgres::Transaction& tx, const identity::Caller& caller,
                                  std::int64_t recovery_id, std::string_view reason,
                                  std::string_view request_id);
  absl::StatusOr<Recovery> Find(postgres::Transaction& tx, const identity::Caller& caller,
                                std::int64_t recovery_id);
  // Behind recovery `after`, by id.
  absl::StatusOr<std::vector<Recovery>> List(postgres::Transaction& tx,
                                             const identity::Caller& caller,
                                             const RecoveryFilter& filter, std::int64_t after,
                                             int limit);

  absl::StatusOr<Arrival> RecordArrival(postgres::Transaction& tx, const identity::Caller& caller,
                                        std::int32_t district, const NewReceipt& receipt,
                                        std::string_view note, std::string_view request_id);
  absl::StatusOr<Arrival> ConfirmArrival(postgres::Transaction& tx, const identity::Caller& caller,
                                         std::int64_t arrival_id, std::int64_t batch_id,
                                         std::int64_t item_id, std::string_view reason,
                                         std::string_view request_id);
  absl::StatusOr<Arrival> RefuseArrival(postgres::Transaction& tx, const identity::Caller& caller,
                                        std::int64_t arrival_id, std::string_view reason,
                                        std::string_view request_id);
  absl::StatusOr<std::vector<Arrival>> ListArrivals(postgres::Transaction& tx,
                                                    const identity::Caller& caller,
                                                    std::int32_t district, int state,
                                                    std::int64_t after, int limit);

 private:
  // A recovery with its batch; its row is locked.
  struct Locked {
    Recovery recovery;
    BatchRow batch;
    RecoveryState before = RecoveryState::kProposed;
  };
  absl::StatusOr<Locked> Lock(postgres::Transaction& tx, const identity::Caller& caller,
                              std::int64_t recovery_id);
  // Takes `event`, writes the row and the audit entry. What was paid besides is charged to its
  // lines with the first: FUNDS_INSUFFICIENT where they do not suffice.
  absl::StatusOr<Recovery> Step(postgres::Transaction& tx, const identity::Caller& caller,
                                Locked& locked, RecoveryEvent event, std::string_view request_id,
                                std::map<std::string, std::string> details = {});
  // Whether there is something to take back, and how much of it came back: ITEM_NOT_PAID.
  absl::StatusOr<std::int64_t> AlreadyBack(postgres::Transaction& tx, const BatchRow& batch,
                                           const Recovery& recovery);
  // Money that came back: receipt, ledger, and the step that follows from the sum.
  absl::StatusOr<Recovery> ReceiveLocked(postgres::Transaction& tx, const identity::Caller& caller,
                                         Locked& locked, const NewReceipt& receipt,
                                         std::string_view request_id);
  absl::StatusOr<Arrival> LockArrival(postgres::Transaction& tx, const identity::Caller& caller,
                                      std::int64_t arrival_id);
  absl::StatusOr<Arrival> Decide(postgres::Transaction& tx, const identity::Caller& caller,
                                 Arrival arrival, ArrivalState state, std::string_view reason,
                                 std::string_view request_id);

  const StoreContext context_;
  const RuleCodec& codec_;
};

// What the wrong payments of one person need to be written: ids are taken, the case is there.
struct RecoveryRows {
  std::int32_t district = 0;
  std::int64_t case_id = 0;
  RecoveryCause cause = RecoveryCause::kNotEntitled;
  RecoveryState state = RecoveryState::kProposed;
  std::string reason;
  std::string opened_by;
  std::vector<std::int64_t> recovery_ids, batch_ids, item_ids, due_fen;
  std::vector<std::int64_t> references = {};  // of attempts paid besides; empty where none is one
};
// RECOVERY_OPEN where one of the items has an open recovery already.
absl::Status InsertRecoveries(postgres::Transaction& tx, const StoreContext& context,
                              const RecoveryRows& rows);
// Takes `count` numbers; the first of consecutive ids.
absl::StatusOr<std::int64_t> TakeRecoveryIds(postgres::Transaction& tx, std::int32_t district,
                                             std::int64_t count);

// An attempt that a bank paid, as two persons decided, after its item was sent again or given up.
struct PaidBesides {
  std::int64_t reference = 0;
  std::int64_t person_id = 0;
  std::int64_t amount_fen = 0;
};
// Proposes to take such an attempt's money back; nothing where that was done before. Its lines are
// charged when somebody approves or cancels it. The batch is locked by the caller.
absl::Status ProposePaidBesides(postgres::Transaction& tx, const StoreContext& context,
                                const BatchRow& batch, const PaidBesides& attempt);

// What is known of an item that may have been paid wrongly.
struct PaidItem {
  std::int64_t item_id = 0;
  std::int64_t person_id = 0;
  std::int64_t amount_fen = 0;
  bool paid = false;  // and has not come back
  bool recovery_open = false;
  std::int64_t received_fen = 0;  // by recoveries, so far
};
// By item id; what is no item of the batch is left out.
absl::StatusOr<std::vector<PaidItem>> ReadPaidItems(postgres::Transaction& tx,
                                                    const BatchRow& batch,
                                                    const std::vector<std::int64_t>& item_ids);

}  // namespace yikatong::dispatch
