#include "services/dispatch/store/pass_down_store.h"

#include <fmt/core.h>

#include <string>

#include "common/base/dates.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/budget_audit.h"
#include "services/dispatch/store/chunk_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

FundReceipt ReceiptOf(const postgres::Row& row) {
  FundReceipt receipt;
  receipt.district = row.Int(0);
  receipt.receipt_id = row.Int64(1);
  receipt.from_level = row.Text(2);
  receipt.document = row.Text(3);
  receipt.policy_id = row.Text(4);
  receipt.year = row.Int(5);
  receipt.source = row.Text(6);
  receipt.amount_fen = row.Int64(7);
  receipt.passed_fen = row.Int64(8);
  receipt.received_on = row.Date(9);
  receipt.due_on = row.Date(10);
  receipt.cancelled_on = row.MaybeDate(11);
  return receipt;
}

std::vector<PassDown> PassDownsOf(const postgres::Rows& rows) {
  std::vector<PassDown> downs;
  for (const postgres::Row row : rows) {
    downs.push_back({row.Int(0), row.Int64(1), row.Int64(2), row.Int(3), row.Int64(4), row.Int64(5),
                     row.Text(6), row.Date(7), row.Bool(8)});
  }
  return downs;
}

std::string ReceiptSubject(std::int32_t district, std::int64_t receipt_id) {
  return fmt::format("fund-receipts/{}/{}", district, receipt_id);
}

std::string PassDownSubject(const PassDown& down) {
  return fmt::format("pass-downs/{}/{}", down.district, down.pass_down_id);
}

}  // namespace

absl::Status PassDownStore::Record(postgres::Transaction& tx, const identity::Caller& caller,
                                   FundReceipt& receipt, std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows ids,
                       tx.Run(sql::kDistrictTakeDocument, receipt.district));
  receipt.receipt_id = ids[0].Int64(0);
  receipt.due_on = receipt.received_on + kPassDownDays;
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows inserted,
      tx.Run(sql::kFundReceiptInsert, receipt.district, receipt.receipt_id, receipt.from_level,
             receipt.document, receipt.policy_id, receipt.year, receipt.source, receipt.amount_fen,
             receipt.received_on, receipt.due_on));
  if (inserted.empty()) {
    return status::Refuse(Reason::kAlreadyExists,
                          "this document is recorded for the policy, year and source already");
  }
  return AuditBudget(tx, context_, caller, receipt.district,
                     ReceiptSubject(receipt.district, receipt.receipt_id), "budget.received",
                     request_id,
                     {{"from_level", receipt.from_level},
                      {"document", receipt.document},
                      {"policy", receipt.policy_id},
                      {"year", std::to_string(receipt.year)},
                      {"source", receipt.source},
                      {"amount_fen", std::to_string(receipt.amount_fen)},
                      {"received_on", base::FormatDate(receipt.received_on)}});
}

absl::StatusOr<FundReceipt> PassDownStore::Cancel(postgres::Transaction& tx,
                                                  const identity::Caller& caller,
                                                  std::int32_t district, std::int64_t receipt_id,
                                                  std::string_view reason,
                                                  std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows cancelled,
      tx.Run(sql::kFundReceiptCancel, district, receipt_id, context_.business.Today()));
  YKT_ASSIGN_OR_RETURN(FundReceipt receipt, Find(tx, district, receipt_id));
  if (cancelled.affected() == 0) {
    return status::Refuse(Reason::kFundReceiptInUse, "",
                          {{"passed_fen", std::to_string(receipt.passed_fen)}});
  }
  YKT_RETURN_IF_ERROR(AuditBudget(tx, context_, caller, district,
                                  ReceiptSubject(district, receipt_id), "budget.receipt_cancelled",
                                  request_id, {{"reason", std::string(reason)}}));
  return receipt;
}

absl::StatusOr<FundReceipt> PassDownStore::Find(postgres::Transaction& tx, std::int32_t district,
                                                std::int64_t receipt_id) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kFundReceiptRead, district, receipt_id));
  if (rows.empty()) return status::Refuse(Reason::kFundReceiptUnknown);
  return ReceiptOf(rows[0]);
}

absl::StatusOr<std::vector<FundReceipt>> PassDownStore::List(
    postgres::Transaction& tx, std::string_view districts, std::string_view policy_id,
    std::optional<absl::CivilDay> overdue_on, std::int32_t after_district,
    std::int64_t after_receipt, int limit) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kFundReceiptsList, districts, policy_id, overdue_on,
                              after_district, after_receipt, limit));
  std::vector<FundReceipt> receipts;
  for (const postgres::Row row : rows) receipts.push_back(ReceiptOf(row));
  return receipts;
}

absl::Status PassDownStore::PassDownTo(postgres::Transaction& tx, const identity::Caller& caller,
                                       PassDown& down, std::string_view request_id) {
  YKT_ASSIGN_OR_RETURN(const FundReceipt receipt, Find(tx, down.district, down.receipt_id));
  YKT_ASSIGN_OR_RETURN(const BudgetLine line, money_.FindLine(tx, down.to_district, down.line_id));
  YKT_RETURN_IF_ERROR(CheckPassDown(receipt, line));
  YKT_ASSIGN_OR_RETURN(const postgres::Rows ids, tx.Run(sql::kDistrictTakeDocument, down.district));
  down.pass_down_id = ids[0].Int64(0);
  down.passed_on = context_.business.Today();
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows inserted,
      tx.Run(sql::kPassDownInsert, down.district, down.pass_down_id, down.receipt_id,
             down.to_district, down.line_id, down.amount_fen, down.document, down.passed_on));
  if (inserted.empty()) {
    // Of two at one moment the one that waited sees here what the other has left.
    YKT_ASSIGN_OR_RETURN(const FundReceipt now, Find(tx, down.district, down.receipt_id));
    return status::Refuse(
        Reason::kFundReceiptExhausted, now.cancelled_on.has_value() ? "it is cancelled" : "",
        {{"left_fen", std::to_string(now.cancelled_on.has_value() ? 0 : now.left_fen())},
         {"needed_fen", std::to_string(down.amount_fen)}});
  }
  return AuditBudget(tx, context_, caller, down.district, PassDownSubject(down),
                     "budget.passed_down", request_id,
                     {{"receipt", ReceiptSubject(down.district, down.receipt_id)},
                      {"line", fmt::format("budget-lines/{}/{}", down.to_district, down.line_id)},
                      {"amount_fen", std::to_string(down.amount_fen)},
                      {"document", down.document}});
}

absl::StatusOr<std::vector<PassDown>> PassDownStore::ListPassDowns(postgres::Transaction& tx,
                                                                   std::int32_t district,
                                                                   std::int64_t receipt_id,
                                                                   std::int64_t after, int limit) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kPassDownsList, district, receipt_id, after, limit));
  return PassDownsOf(rows);
}

absl::Status PassDownStore::Book(const PassDown& down) {
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("book_pass_down", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows booked,
                             tx.Run(sql::kPassDownBook, down.to_district, down.district,
                                    down.pass_down_id, down.line_id, context_.business.Today()));
        if (booked.empty()) return absl::OkStatus();
        YKT_ASSIGN_OR_RETURN(const BudgetLine line,
                             money_.LockLine(tx, down.to_district, down.line_id));
        const Account account =
            line.closed_on.has_value() ? Account::kOwedToTreasury : Account::kAvailable;
        Posting posting;
        posting.MoveOnLine(down.line_id, "pass_down", PassDownSubject(down), account,
                           Account::kAppropriation, down.amount_fen);
        YKT_RETURN_IF_ERROR(WritePosting(tx, context_, down.to_district, posting));
        return AuditBudget(tx, context_, OwnCaller(), down.to_district,
                           fmt::format("budget-lines/{}/{}", down.to_district, down.line_id),
                           "budget.pass_down_booked", "",
                           {{"pass_down", PassDownSubject(down)},
                            {"account", AccountName(account)},
                            {"amount_fen", std::to_string(down.amount_fen)}});
      }));
  return context_.database.Transact(
      "pass_down_booked", [&](postgres::Transaction& tx) -> absl::Status {
        return tx.Run(sql::kPassDownBooked, down.district, down.pass_down_id).status();
      });
}

absl::StatusOr<int> PassDownStore::BookLeftBehind(int limit) {
  std::vector<PassDown> left;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("unbooked_pass_downs", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kPassDownsUnbooked, limit));
        left = PassDownsOf(rows);
        return absl::OkStatus();
      }));
  // One that cannot be booked now stops nobody else.
  absl::Status first;
  for (const PassDown& down : left) {
    const rpc::CallScope scope(rpc::Trace::New());
    first.Update(Book(down));
  }
  if (!first.ok()) return first;
  return static_cast<int>(left.size());
}

absl::StatusOr<PassDownFigures> PassDownStore::Figures() {
  PassDownFigures figures;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("pass_down_figures", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kPassDownFigures, context_.business.Today()));
        figures = {rows[0].Int64(0), rows[0].Int64(1), rows[0].Int64(2), rows[0].Int64(3)};
        return absl::OkStatus();
      }));
  return figures;
}

}  // namespace yikatong::dispatch
