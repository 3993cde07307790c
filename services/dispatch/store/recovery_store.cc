#include "services/dispatch/store/recovery_store.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/outbox/outbox.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/ids.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/archive_due.h"
#include "services/dispatch/store/chunk_store.h"
#include "services/dispatch/store/money_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

Recovery RecoveryOf(const postgres::Row& row) {
  Recovery recovery;
  recovery.recovery_id = row.Int64(0);
  recovery.case_id = row.Int64(1);
  recovery.district = row.Int(2);
  recovery.batch_id = row.Int64(3);
  recovery.item_id = row.Int64(4);
  recovery.cause = static_cast<RecoveryCause>(row.Int(5));
  recovery.state = static_cast<RecoveryState>(row.Int(6));
  recovery.due_fen = row.Int64(7);
  recovery.received_fen = row.Int64(8);
  recovery.reason = row.Text(9);
  recovery.opened_by = row.Text(10);
  recovery.opened_on = row.Date(11);
  recovery.approved_by = row.Text(12);
  recovery.notice = row.Text(13);
  recovery.due_on = row.MaybeDate(14);
  recovery.document = row.Text(15);
  recovery.write_off_by = row.Text(16);
  recovery.decision = row.Text(17);
  recovery.reference = row.Int64(18);
  return recovery;
}

Arrival ArrivalOf(const postgres::Row& row) {
  return {row.Int64(0),
          row.Int(1),
          row.Text(2),
          row.Int64(3),
          row.Date(4),
          row.Text(5),
          static_cast<ArrivalState>(row.Int(6)),
          row.Text(7),
          row.Int64(8),
          row.Text(9)};
}

// The batch of a recovery: outside of the caller's scope neither exists.
absl::StatusOr<BatchRow> BatchOf(postgres::Transaction& tx, const identity::Caller& caller,
                                 std::int64_t batch_id) {
  absl::StatusOr<BatchRow> batch = FindBatch(tx, caller, batch_id);
  if (status::ReasonOf(batch.status()) == Reason::kBatchUnknown)
    return status::Refuse(Reason::kRecoveryUnknown);
  return batch;
}

absl::Status AuditArrival(postgres::Transaction& tx, const StoreContext& context,
                          const identity::Caller& caller, const Arrival& arrival,
                          std::string_view kind, std::string_view request_id) {
  outbox::Entry entry;
  entry.service = "dispatch";
  entry.kind = kind;
  entry.district = arrival.district;
  entry.subject = fmt::format("arrivals/{}/{}", arrival.district, arrival.arrival_id);
  entry.actor_org = caller.IsService() ? "service:" + caller.service : caller.organisation;
  entry.actor_person = caller.person;
  entry.at = context.clock.Now();
  entry.business_date = context.business.Today();
  entry.request_id = request_id;
  entry.details = {{"amount_fen", std::to_string(arrival.amount_fen)},
                   {"receipt", arrival.receipt},
                   {"recovery", std::to_string(arrival.recovery_id)}};
  return outbox::Append(tx, context.ids.NewId(), entry);
}

// As the table of states has it; an audit entry does not tell one receipt from the last.
const char* TransitionName(RecoveryEvent event) {
  return event == RecoveryEvent::kReceivePart   ? "receive_part"
         : event == RecoveryEvent::kReceiveRest ? "receive_rest"
                                                : RecoveryEventName(event);
}

absl::Status TooMuch(std::int64_t asked_fen, std::int64_t left_fen) {
  return status::Refuse(
      Reason::kRecoveryAmount, "",
      {{"asked_fen", std::to_string(asked_fen)}, {"left_fen", std::to_string(left_fen)}});
}

// An item whose money can be asked back: it is there, paid, and nobody asks for it yet.
absl::StatusOr<PaidItem> PaidItemOf(postgres::Transaction& tx, const BatchRow& batch,
                                    std::int64_t item_id) {
  YKT_ASSIGN_OR_RETURN(const std::vector<PaidItem> items, ReadPaidItems(tx, batch, {item_id}));
  if (items.empty()) return status::Refuse(Reason::kItemUnknown);
  if (!items.front().paid)
    return status::Refuse(Reason::kItemNotPaid, "", {{"item", std::to_string(item_id)}});
  return items.front();
}

}  // namespace

absl::StatusOr<std::vector<PaidItem>> ReadPaidItems(postgres::Transaction& tx,
                                                    const BatchRow& batch,
                                                    const std::vector<std::int64_t>& item_ids) {
  postgres::Columns columns;
  columns.Scalar(batch.district).Scalar(batch.batch_id).Int64s(item_ids).Lone();
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.RunColumns(sql::kRecoveryTargets, columns));
  std::vector<PaidItem> items;
  for (const postgres::Row row : rows) {
    items.push_back({row.Int64(0), row.Int64(1), row.Int64(2),
                     static_cast<AttemptState>(row.Int(3)) == AttemptState::kPaid, row.Bool(4),
                     row.Int64(5)});
  }
  return items;
}

absl::StatusOr<std::int64_t> TakeRecoveryIds(postgres::Transaction& tx, std::int32_t district,
                                             std::int64_t count) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows numbers,
                       tx.Run(sql::kDistrictTakeRecoveries, district, count));
  return MakeRecoveryId(district, numbers[0].Int(1), numbers[0].Int64(0));
}

absl::Status InsertRecoveries(postgres::Transaction& tx, const StoreContext& context,
                              const RecoveryRows& rows) {
  std::vector<std::int64_t> references = rows.references;
  references.resize(rows.item_ids.size(), 0);
  postgres::Columns columns;
  columns.Scalar(rows.district)
      .Scalar(rows.case_id)
      .Scalar(static_cast<int>(rows.cause))
      .Scalar(static_cast<int>(rows.state))
      .Scalar(rows.reason)
      .Scalar(rows.opened_by)
      .Scalar(context.business.Today())
      .Int64s(rows.recovery_ids)
      .Int64s(rows.batch_ids)
      .Int64s(rows.item_ids)
      .Int64s(rows.due_fen)
      .Int64s(references);
  absl::Status inserted = tx.RunColumns(sql::kRecoveryInsert, columns).status();
  if (postgres::ConstraintOf(inserted) == "recovery_open_of_item")
    return status::Refuse(Reason::kRecoveryOpen);
  return inserted;
}

absl::Status ProposePaidBesides(postgres::Transaction& tx, const StoreContext& context,
                                const BatchRow& batch, const PaidBesides& attempt) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows known,
                       tx.Run(sql::kRecoveryOfReference, batch.district, attempt.reference));
  if (!known.empty()) return absl::OkStatus();
  YKT_ASSIGN_OR_RETURN(const std::int64_t id, TakeRecoveryIds(tx, batch.district, 1));
  const std::int64_t item = ItemOfReference(attempt.reference);
  const RecoveryRows rows{batch.district,
                          id,
                          RecoveryCause::kPaidBesides,
                          RecoveryState::kProposed,
                          "paid after all, when the item had been sent again or given up",
                          "",
                          {id},
                          {batch.batch_id},
                          {item},
                          {attempt.amount_fen},
                          {attempt.reference}};
  YKT_RETURN_IF_ERROR(tx.Run(sql::kRecoveryCaseInsert, batch.district, id, attempt.person_id,
                             static_cast<int>(rows.cause), nullptr, 0, rows.reason, rows.opened_by,
                             context.business.Today())
                          .status());
  YKT_RETURN_IF_ERROR(InsertRecoveries(tx, context, rows));
  return Audit(tx, context, OwnCaller(), batch,
               {.kind = "recovery.proposed",
                .details = {{"cause", RecoveryCauseName(rows.cause)},
                            {"items", std::to_string(item)},
                            {"reference", std::to_string(attempt.reference)}},
                .subject_tail = fmt::format("/cases/{}", id)})
      .status();
}

absl::StatusOr<std::vector<Recovery>> RecoveryStore::Open(postgres::Transaction& tx,
                                                          const identity::Caller& caller,
                                                          const NewRecoveries& wanted,
                                                          std::string_view request_id) {
  // Under the batch's lock, so that nobody asks for the same money twice.
  YKT_ASSIGN_OR_RETURN(const BatchRow batch, LockBatch(tx, caller, wanted.batch_id));
  YKT_ASSIGN_OR_RETURN(const std::vector<PaidItem> items,
                       ReadPaidItems(tx, batch, wanted.item_ids));
  if (items.size() != wanted.item_ids.size()) return status::Refuse(Reason::kItemUnknown);
  RecoveryRows rows;
  for (const PaidItem& item : items) {
    const status::Metadata which = {{"item", std::to_string(item.item_id)}};
    if (item.person_id != items.front().person_id) {
      return status::Refuse(Reason::kFieldInvalid, "a case is about one person",
                            {{"field", "item_ids"}});
    }
    if (item.recovery_open) return status::Refuse(Reason::kRecoveryOpen, "", which);
    if (!item.paid) return status::Refuse(Reason::kItemNotPaid, "", which);
    const std::int64_t left = item.amount_fen - item.received_fen;
    const std::int64_t due = wanted.due_fen == 0 ? left : wanted.due_fen;
    if (due <= 0 || due > left) return TooMuch(due, left);
    rows.item_ids.push_back(item.item_id);
    rows.batch_ids.push_back(batch.batch_id);
    rows.due_fen.push_back(due);
  }
  YKT_ASSIGN_OR_RETURN(
      const std::int64_t first,
      TakeRecoveryIds(tx, batch.district, static_cast<std::int64_t>(items.size())));
  for (std::size_t i = 0; i < items.size(); ++i)
    rows.recovery_ids.push_back(first + static_cast<std::int64_t>(i));
  rows.district = batch.district;
  rows.case_id = first;
  rows.cause = wanted.cause;
  rows.reason = wanted.reason;
  rows.opened_by = caller.Actor();
  YKT_RETURN_IF_ERROR(tx.Run(sql::kRecoveryCaseInsert, batch.district, rows.case_id,
                             items.front().person_id, static_cast<int>(wanted.cause), nullptr, 0,
                             wanted.reason, rows.opened_by, context_.business.Today())
                          .status());
  YKT_RETURN_IF_ERROR(InsertRecoveries(tx, context_, rows));
  YKT_RETURN_IF_ERROR(
      Audit(tx, context_, caller, batch,
            {.kind = "recovery.opened",
             .request_id = std::string(request_id),
             .details = {{"cause", RecoveryCauseName(wanted.cause)},
                         {"items", fmt::format("{}", fmt::join(rows.item_ids, ","))}},
             .subject_tail = fmt::format("/cases/{}", rows.case_id)})
          .status());
  std::vector<Recovery> opened;
  for (const std::int64_t id : rows.recovery_ids) {
    YKT_ASSIGN_OR_RETURN(Recovery recovery, Find(tx, caller, id));
    opened.push_back(std::move(recovery));
  }
  return opened;
}

absl::StatusOr<RecoveryStore::Locked> RecoveryStore::Lock(postgres::Transaction& tx,
                                                          const identity::Caller& caller,
                                                          std::int64_t recovery_id) {
  // Found before it is locked: who may not see it must not be able to make others wait.
  YKT_RETURN_IF_ERROR(Find(tx, caller, recovery_id).status());
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kRecoveryLock, DistrictOfRecovery(recovery_id), recovery_id));
  YKT_INVARIANT(rows.size() == 1, "a recovery went away");
  Locked locked;
  locked.recovery = RecoveryOf(rows[0]);
  locked.before = locked.recovery.state;
  YKT_ASSIGN_OR_RETURN(locked.batch, BatchOf(tx, caller, locked.recovery.batch_id));
  return locked;
}

absl::StatusOr<std::int64_t> RecoveryStore::AlreadyBack(postgres::Transaction& tx,
                                                        const BatchRow& batch,
                                                        const Recovery& recovery) {
  // What was paid besides is no payment of its item, whatever became of that.
  if (recovery.reference != 0) return recovery.received_fen;
  YKT_ASSIGN_OR_RETURN(const PaidItem item, PaidItemOf(tx, batch, recovery.item_id));
  return item.received_fen;
}

absl::StatusOr<Recovery> RecoveryStore::Step(postgres::Transaction& tx,
                                             const identity::Caller& caller, Locked& locked,
                                             RecoveryEvent event, std::string_view request_id,
                                             std::map<std::string, std::string> details) {
  Recovery& recovery = locked.recovery;
  YKT_ASSIGN_OR_RETURN(recovery.state, Next(locked.before, event));
  if (recovery.reference != 0 && locked.before == RecoveryState::kProposed) {
    // Also where it is cancelled, and the person may keep it: the bank paid it out of these lines.
    YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(locked.batch.rule));
    YKT_ASSIGN_OR_RETURN(const BatchFunding funding, ReadFunding(tx, locked.batch, rule));
    Posting posting;
    YKT_RETURN_IF_ERROR(PostPaidBesides(posting, funding, recovery.batch_id, recovery.due_fen));
    YKT_RETURN_IF_ERROR(LockLines(tx, recovery.district, posting));
    YKT_RETURN_IF_ERROR(WritePosting(tx, context_, recovery.district, posting));
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows updated,
                       tx.Run(sql::kRecoveryUpdate, recovery.district, recovery.recovery_id,
                              static_cast<int>(locked.before), static_cast<int>(recovery.state),
                              recovery.received_fen, recovery.approved_by, recovery.notice,
                              recovery.due_on, recovery.document, recovery.write_off_by,
                              IsOpen(recovery.state) ? std::string() : caller.Actor(),
                              recovery.decision, context_.business.Today()));
  YKT_INVARIANT(updated.affected() == 1, "a recovery changed its state under our lock");
  // However it ended belongs into the archive of its batch, which may be sealed already.
  if (!IsOpen(recovery.state)) YKT_RETURN_IF_ERROR(MarkArchiveDue(tx, locked.batch));
  base::failpoint::Note("recovery", RecoveryStateName(locked.before), TransitionName(event));
  details["item"] = std::to_string(recovery.item_id);
  details["state"] = RecoveryStateName(recovery.state);
  YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, locked.batch,
                            {.kind = std::string("recovery.") + RecoveryEventName(event),
                             .request_id = std::string(request_id),
                             .details = std::move(details),
                             .subject_tail = fmt::format("/recoveries/{}", recovery.recovery_id)})
                          .status());
  return recovery;
}

absl::StatusOr<Recovery> RecoveryStore::Approve(postgres::Transaction& tx,
                                                const identity::Caller& caller,
                                                std::int64_t recovery_id,
                                                std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Locked locked, Lock(tx, caller, recovery_id));
  YKT_RETURN_IF_ERROR(Next(locked.before, RecoveryEvent::kApprove).status());
  if (locked.recovery.opened_by == caller.Actor())
    return status::Refuse(Reason::kSamePerson, "", {{"earlier", "opened"}});
  // Found while it was on its way, or sent back since: then there is nothing to take back.
  YKT_RETURN_IF_ERROR(AlreadyBack(tx, locked.batch, locked.recovery).status());
  locked.recovery.approved_by = caller.Actor();
  return Step(tx, caller, locked, RecoveryEvent::kApprove, request_id);
}

absl::StatusOr<Recovery> RecoveryStore::Notify(postgres::Transaction& tx,
                                               const identity::Caller& caller,
                                               std::int64_t recovery_id, std::string_view notice,
                                               std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Locked locked, Lock(tx, caller, recovery_id));
  locked.recovery.notice = notice;
  locked.recovery.due_on = context_.business.Today() + kRecoveryDays;
  const std::string due_on = base::FormatDate(*locked.recovery.due_on);
  return Step(tx, caller, locked, RecoveryEvent::kNotify, request_id, {{"due_on", due_on}});
}

absl::StatusOr<Recovery> RecoveryStore::ReceiveLocked(postgres::Transaction& tx,
                                                      const identity::Caller& caller,
                                                      Locked& locked, const NewReceipt& receipt,
                                                      std::string_view request_id) {
  Recovery& recovery = locked.recovery;
  const std::int64_t left = recovery.due_fen - recovery.received_fen;
  const RecoveryEvent event =
      receipt.amount_fen >= left ? RecoveryEvent::kReceiveRest : RecoveryEvent::kReceivePart;
  YKT_RETURN_IF_ERROR(Next(locked.before, event).status());
  if (receipt.amount_fen > left) return TooMuch(receipt.amount_fen, left);
  YKT_ASSIGN_OR_RETURN(const std::int64_t before_fen, AlreadyBack(tx, locked.batch, recovery));
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows kept,
      tx.Run(sql::kReceiptInsert, recovery.district, receipt.receipt, recovery.recovery_id,
             recovery.batch_id, recovery.item_id, receipt.amount_fen, receipt.received_on,
             caller.Actor(), context_.business.Today()));
  if (kept.empty()) return status::Refuse(Reason::kReceiptKnown);
  YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, codec_.Decode(locked.batch.rule));
  YKT_ASSIGN_OR_RETURN(const BatchFunding funding, ReadFunding(tx, locked.batch, rule));
  Posting posting;
  YKT_RETURN_IF_ERROR(PostMoneyBack(posting, funding, recovery.batch_id, recovery.cause, before_fen,
                                    receipt.amount_fen, context_.business.Today()));
  YKT_RETURN_IF_ERROR(WritePosting(tx, context_, recovery.district, posting));
  recovery.received_fen += receipt.amount_fen;
  return Step(tx, caller, locked, event, request_id,
              {{"amount_fen", std::to_string(receipt.amount_fen)}, {"receipt", receipt.receipt}});
}

absl::StatusOr<Recovery> RecoveryStore::Receive(postgres::Transaction& tx,
                                                const identity::Caller& caller,
                                                std::int64_t recovery_id, const NewReceipt& receipt,
                                                std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Locked locked, Lock(tx, caller, recovery_id));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows given_back,
                       tx.Run(sql::kReceiptInArrival, locked.recovery.district, receipt.receipt));
  if (given_back[0].Bool(0)) return status::Refuse(Reason::kReceiptKnown);
  return ReceiveLocked(tx, caller, locked, receipt, request_id);
}

absl::StatusOr<Recovery> RecoveryStore::AskWriteOff(
    postgres::Transaction& tx, const identity::Caller& caller, std::int64_t recovery_id,
    std::string_view document, std::string_view reason, std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Locked locked, Lock(tx, caller, recovery_id));
  locked.recovery.document = document;
  locked.recovery.write_off_by = caller.Actor();
  locked.recovery.decision = reason;
  return Step(tx, caller, locked, RecoveryEvent::kAskWriteOff, request_id,
              {{"document", std::string(document)}});
}

absl::StatusOr<Recovery> RecoveryStore::DecideWriteOff(postgres::Transaction& tx,
                                                       const identity::Caller& caller,
                                                       std::int64_t recovery_id, bool grant,
                                                       std::string_view reason,
                                                       std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Locked locked, Lock(tx, caller, recovery_id));
  const RecoveryEvent event =
      grant ? RecoveryEvent::kGrantWriteOff : RecoveryEvent::kRefuseWriteOff;
  YKT_RETURN_IF_ERROR(Next(locked.before, event).status());
  if (locked.recovery.write_off_by == caller.Actor())
    return status::Refuse(Reason::kSamePerson, "", {{"earlier", "asked"}});
  locked.recovery.decision = reason;
  return Step(
      tx, caller, locked, event, request_id,
      {{"document", locked.recovery.document},
       {"given_up_fen",
        std::to_string(grant ? locked.recovery.due_fen - locked.recovery.received_fen : 0)}});
}

absl::StatusOr<Recovery> RecoveryStore::Cancel(postgres::Transaction& tx,
                                               const identity::Caller& caller,
                                               std::int64_t recovery_id, std::string_view reason,
                                               std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Locked locked, Lock(tx, caller, recovery_id));
  if (locked.recovery.received_fen > 0) {
    return status::Refuse(Reason::kRecoveryState, "money came back for it",
                          {{"state", RecoveryStateName(locked.before)}, {"step", "cancel"}});
  }
  locked.recovery.decision = reason;
  return Step(tx, caller, locked, RecoveryEvent::kCancel, request_id);
}

absl::StatusOr<Recovery> RecoveryStore::Find(postgres::Transaction& tx,
                                             const identity::Caller& caller,
                                             std::int64_t recovery_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kRecoveryFind, DistrictOfRecovery(recovery_id), recovery_id));
  if (rows.empty()) return status::Refuse(Reason::kRecoveryUnknown);
  Recovery recovery = RecoveryOf(rows[0]);
  YKT_RETURN_IF_ERROR(BatchOf(tx, caller, recovery.batch_id).status());
  return recovery;
}

absl::StatusOr<std::vector<Recovery>> RecoveryStore::List(postgres::Transaction& tx,
                                                          const identity::Caller& caller,
                                                          const RecoveryFilter& filter,
                                                          std::int64_t after, int limit) {
  const identity::Scope scope = identity::ScopeOf(caller);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kRecoveriesList, scope.all_districts, scope.districts,
                              scope.all_fields, scope.fields, filter.district, filter.batch_id,
                              filter.case_id, filter.state, after, limit));
  std::vector<Recovery> recoveries;
  for (const postgres::Row row : rows) recoveries.push_back(RecoveryOf(row));
  return recoveries;
}

absl::StatusOr<Arrival> RecoveryStore::RecordArrival(
    postgres::Transaction& tx, const identity::Caller& caller, std::int32_t district,
    const NewReceipt& receipt, std::string_view note, std::string_view request_id) {
  Arrival arrival;
  arrival.district = district;
  arrival.receipt = receipt.receipt;
  arrival.amount_fen = receipt.amount_fen;
  arrival.arrived_on = receipt.received_on;
  arrival.note = note;
  arrival.recorded_by = caller.Actor();
  YKT_ASSIGN_OR_RETURN(arrival.arrival_id, TakeRecoveryIds(tx, district, 1));
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows kept,
      tx.Run(sql::kArrivalInsert, district, arrival.arrival_id, receipt.receipt, receipt.amount_fen,
             receipt.received_on, note, arrival.recorded_by, context_.business.Today()));
  if (kept.empty()) return status::Refuse(Reason::kReceiptKnown);
  YKT_RETURN_IF_ERROR(AuditArrival(tx, context_, caller, arrival, "arrival.recorded", request_id));
  return arrival;
}

absl::StatusOr<Arrival> RecoveryStore::LockArrival(postgres::Transaction& tx,
                                                   const identity::Caller& caller,
                                                   std::int64_t arrival_id) {
  const std::int32_t district = DistrictOfRecovery(arrival_id);
  if (!caller.InDistrict(district)) return status::Refuse(Reason::kArrivalUnknown);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kArrivalLock, district, arrival_id));
  if (rows.empty()) return status::Refuse(Reason::kArrivalUnknown);
  Arrival arrival = ArrivalOf(rows[0]);
  if (arrival.state != ArrivalState::kOpen) return status::Refuse(Reason::kArrivalDecided);
  return arrival;
}

absl::StatusOr<Arrival> RecoveryStore::Decide(postgres::Transaction& tx,
                                              const identity::Caller& caller, Arrival arrival,
                                              ArrivalState state, std::string_view reason,
                                              std::string_view request_id) {
  arrival.state = state;
  arrival.decision = reason;
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows decided,
      tx.Run(sql::kArrivalDecide, arrival.district, arrival.arrival_id, static_cast<int>(state),
             arrival.recovery_id, caller.Actor(), reason));
  YKT_INVARIANT(decided.affected() == 1, "an arrival was decided under our lock");
  base::failpoint::Note("arrival", "OPEN",
                        state == ArrivalState::kConfirmed ? "confirm" : "refuse");
  YKT_RETURN_IF_ERROR(AuditArrival(
      tx, context_, caller, arrival,
      state == ArrivalState::kConfirmed ? "arrival.confirmed" : "arrival.refused", request_id));
  return arrival;
}

absl::StatusOr<Arrival> RecoveryStore::ConfirmArrival(postgres::Transaction& tx,
                                                      const identity::Caller& caller,
                                                      std::int64_t arrival_id,
                                                      std::int64_t batch_id, std::int64_t item_id,
                                                      std::string_view reason,
                                                      std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Arrival arrival, LockArrival(tx, caller, arrival_id));
  if (arrival.recorded_by == caller.Actor())
    return status::Refuse(Reason::kSamePerson, "", {{"earlier", "recorded"}});
  YKT_ASSIGN_OR_RETURN(const BatchRow batch, LockBatch(tx, caller, batch_id));
  // It came to the account of the district that paid.
  if (batch.district != arrival.district) return status::Refuse(Reason::kItemUnknown);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows open,
                       tx.Run(sql::kRecoveryOpenOfItem, batch.district, item_id));
  Locked locked;
  locked.batch = batch;
  if (!open.empty()) {
    locked.recovery = RecoveryOf(open[0]);
    YKT_RETURN_IF_ERROR(AlreadyBack(tx, batch, locked.recovery).status());
    if (locked.recovery.state == RecoveryState::kProposed) {
      // What the person did by himself needs no order any more.
      locked.recovery.approved_by = caller.Actor();
      locked.before = locked.recovery.state;
      YKT_RETURN_IF_ERROR(Step(tx, caller, locked, RecoveryEvent::kApprove, request_id).status());
    }
  } else {
    YKT_ASSIGN_OR_RETURN(const PaidItem item, PaidItemOf(tx, batch, item_id));
    const std::int64_t left = item.amount_fen - item.received_fen;
    if (arrival.amount_fen > left) return TooMuch(arrival.amount_fen, left);
    YKT_ASSIGN_OR_RETURN(const std::int64_t id, TakeRecoveryIds(tx, batch.district, 1));
    RecoveryRows rows{batch.district,
                      id,
                      RecoveryCause::kGivenBack,
                      RecoveryState::kOrdered,
                      std::string(reason),
                      arrival.recorded_by,
                      {id},
                      {batch_id},
                      {item_id},
                      {arrival.amount_fen}};
    YKT_RETURN_IF_ERROR(tx.Run(sql::kRecoveryCaseInsert, batch.district, id, item.person_id,
                               static_cast<int>(rows.cause), nullptr, 0, reason, rows.opened_by,
                               context_.business.Today())
                            .status());
    YKT_RETURN_IF_ERROR(InsertRecoveries(tx, context_, rows));
    YKT_ASSIGN_OR_RETURN(locked.recovery, Find(tx, caller, id));
    locked.recovery.approved_by = caller.Actor();
  }
  locked.before = locked.recovery.state;
  YKT_ASSIGN_OR_RETURN(
      const Recovery received,
      ReceiveLocked(tx, caller, locked, {arrival.receipt, arrival.amount_fen, arrival.arrived_on},
                    request_id));
  arrival.recovery_id = received.recovery_id;
  return Decide(tx, caller, std::move(arrival), ArrivalState::kConfirmed, reason, request_id);
}

absl::StatusOr<Arrival> RecoveryStore::RefuseArrival(postgres::Transaction& tx,
                                                     const identity::Caller& caller,
                                                     std::int64_t arrival_id,
                                                     std::string_view reason,
                                                     std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(Arrival arrival, LockArrival(tx, caller, arrival_id));
  return Decide(tx, caller, std::move(arrival), ArrivalState::kRefused, reason, request_id);
}

absl::StatusOr<std::vector<Arrival>> RecoveryStore::ListArrivals(postgres::Transaction& tx,
                                                                 const identity::Caller& caller,
                                                                 std::int32_t district, int state,
                                                                 std::int64_t after, int limit) {
  const identity::Scope scope = identity::ScopeOf(caller);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArrivalsList, scope.all_districts, scope.districts, district,
                              state, after, limit));
  std::vector<Arrival> arrivals;
  for (const postgres::Row row : rows) arrivals.push_back(ArrivalOf(row));
  return arrivals;
}

}  // namespace yikatong::dispatch
