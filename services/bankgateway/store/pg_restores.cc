#include "services/bankgateway/store/pg_restores.h"

#include <algorithm>
#include <ostream>
#include <set>
#include <utility>

#include "common/base/ranges.h"
#include "common/outbox/restore.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/outcome_writer.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

constexpr int kNamedUnclaimed = 20;

struct Found {
  std::string bank_code;
  BankResult result;
};

absl::StatusOr<std::vector<Found>> ReadFound(Transaction& tx, std::int32_t district,
                                             std::vector<std::int64_t> references) {
  std::sort(references.begin(), references.end());
  const base::Ranges ranges = base::DenseRanges(references, kNeighbourReferences);
  Columns columns;
  columns.Scalar(district).Int64s(ranges.first).Int64s(ranges.last);
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kFoundKnown, columns));
  std::vector<Found> found;
  for (const Row row : rows) {
    if (!std::binary_search(references.begin(), references.end(), row.Int64(0))) continue;
    Found& one = found.emplace_back();
    one.result.reference = row.Int64(0);
    one.bank_code = row.Text(1);
    one.result.number = row.Int64(2);
    one.result.state = static_cast<RowState>(row.Int(3));
    one.result.amount_fen = row.Int64(4);
    one.result.booked_on = row.MaybeDate(5);
    one.result.return_code = row.Text(6);
    one.result.bank_serial = row.Text(7);
    one.result.file_id = row.Text(8);
  }
  return found;
}

// What is withheld of a chunk, after its outcomes were recorded.
struct Withheld {
  std::int64_t rows = 0;
  std::int64_t fen = 0;
  absl::CivilDay since;  // the first day on which the bank booked any of it, or today
};

// Applies results in the order in which the bank gave them numbers. An answer counts only where no
// result is known: a return tells nothing of the day of its payment, whose result will come.
Withheld ApplyFound(OutcomeWriter& writer, const WaitingChunk& chunk,
                    const std::vector<Found>& found, absl::CivilDay today) {
  Withheld withheld{.since = today};
  std::set<std::int64_t> held;
  std::set<std::int64_t> elsewhere;
  for (const Found& one : found) {
    Known* const known = writer.Find(one.result.reference);
    if (known == nullptr) continue;  // of this very chunk, so that it is always known
    if (held.insert(one.result.reference).second) {
      ++withheld.rows;
      withheld.fen += known->amount_fen;
    }
    if (one.bank_code != chunk.bank_code) {
      elsewhere.insert(one.result.reference);
      continue;
    }
    if (one.result.booked_on) withheld.since = std::min(withheld.since, *one.result.booked_on);
    const bool answer = one.result.number == 0;
    if (answer && (known->last != OutcomeState::kNone || one.result.state == RowState::kReturned)) {
      continue;
    }
    writer.Apply(one.result);
  }
  // Only another bank has it: nobody can say here what became of it, and it is not sent.
  for (const std::int64_t reference : elsewhere) {
    Known* const known = writer.Find(reference);
    if (known->last != OutcomeState::kNone) continue;
    Ground ground;
    ground.reason = status::ReasonName(Reason::kBankUnknown);
    ground.amount_fen = known->amount_fen;
    writer.Record(reference, *known, OutcomeState::kUnknown, ground);
  }
  return withheld;
}

}  // namespace

absl::Status WriteFound(Transaction& tx, const std::string& restore_id,
                        const std::string& bank_code, const std::vector<BankResult>& results) {
  if (results.empty()) return absl::OkStatus();
  std::vector<std::int32_t> districts;
  std::vector<std::int64_t> references;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> files;
  std::vector<std::int16_t> states;
  std::vector<std::int64_t> amounts;
  std::vector<std::optional<absl::CivilDay>> days;
  std::vector<std::string> codes;
  std::vector<std::string> serials;
  for (const BankResult& result : results) {
    districts.push_back(DistrictOfReference(result.reference));
    references.push_back(result.reference);
    numbers.push_back(result.number);
    files.push_back(result.file_id);
    states.push_back(static_cast<std::int16_t>(result.state));
    amounts.push_back(result.amount_fen);
    days.push_back(result.booked_on);
    codes.push_back(result.return_code);
    serials.push_back(result.bank_serial);
  }
  Columns columns;
  columns.Scalar(bank_code)
      .Scalar(restore_id)
      .Int32s(districts)
      .Int64s(references)
      .Int64s(numbers)
      .Texts(files)
      .Int16s(states)
      .Int64s(amounts)
      .Dates(days)
      .Texts(codes)
      .Texts(serials);
  return tx.RunColumns(sql::kFoundInsert, columns).status();
}

absl::StatusOr<std::optional<OpenRestore>> PgRestoreBook::Open() {
  std::optional<OpenRestore> open;
  YKT_RETURN_IF_ERROR(context_.database.Read("open_restore", [&](Transaction& tx) -> absl::Status {
    open.reset();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kRestoreOpen));
    for (const Row row : rows) {
      if (!open.has_value()) open.emplace().restore_id = row.Text(0);
      if (row.Text(0) != open->restore_id) break;
      if (const auto bank = row.MaybeText(1)) open->behind.push_back(*bank);
    }
    return absl::OkStatus();
  }));
  return open;
}

absl::Status PgRestoreBook::MarkRead(const std::string& restore_id, const std::string& bank_code) {
  return context_.database.Transact("mark_read", [&](Transaction& tx) {
    return tx.Run(sql::kRestoreBankRead, restore_id, bank_code).status();
  });
}

absl::StatusOr<std::optional<WaitingChunk>> PgRestoreBook::NextToLookUp() {
  std::optional<WaitingChunk> chunk;
  YKT_RETURN_IF_ERROR(context_.database.Read("to_look_up", [&](Transaction& tx) -> absl::Status {
    chunk.reset();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kRestoreToLookUp));
    for (const Row row : rows) {
      if (!chunk.has_value()) chunk.emplace(WaitingChunk{row.Int64(0), row.Text(1), {}});
      chunk->references.push_back(row.Int64(2));
    }
    return absl::OkStatus();
  }));
  return chunk;
}

absl::StatusOr<int> PgRestoreBook::LookedUp(
    const std::string& restore_id, const WaitingChunk& chunk,
    const std::map<std::string, std::vector<BankResult>>& answers) {
  Withheld withheld;
  YKT_RETURN_IF_ERROR(context_.database.Transact("looked_up", [&](Transaction& tx) -> absl::Status {
    withheld = {};
    OutcomeWriter writer(context_, tx, chunk.bank_code, "looked_up");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kRestoreHold, chunk.submission_id));
    if (rows.empty()) return absl::OkStatus();  // another replica was faster
    const std::int32_t district = rows[0].Int(0);
    const std::string agreement_no = rows[0].Text(1);
    const std::string request_id = rows[0].Text(2);
    for (const auto& [bank_code, told] : answers) {
      std::vector<BankResult> has;
      for (BankResult answer : told) {
        answer.number = 0;
        if (answer.state != RowState::kNotFound) has.push_back(std::move(answer));
      }
      YKT_RETURN_IF_ERROR(WriteFound(tx, restore_id, bank_code, has));
    }
    YKT_ASSIGN_OR_RETURN(const std::vector<Found> found, ReadFound(tx, district, chunk.references));
    YKT_RETURN_IF_ERROR(writer.Load(chunk.references));
    const absl::CivilDay today = context_.today.Today();
    withheld = ApplyFound(writer, chunk, found, today);
    YKT_RETURN_IF_ERROR(writer.Finish());
    YKT_RETURN_IF_ERROR(
        tx.Run(sql::kRestoreLookedUp, chunk.submission_id, today, withheld.rows, withheld.fen)
            .status());
    if (withheld.rows == 0) return absl::OkStatus();
    YKT_RETURN_IF_ERROR(tx.Run(sql::kAgreementBegin, agreement_no, withheld.since).status());
    return Audit(context_, tx, nullptr,
                 {.kind = "instructions.withheld",
                  .district = district,
                  .subject = "agreements/" + agreement_no,
                  .details = {{"restore_id", restore_id},
                              {"submission", request_id},
                              {"rows", std::to_string(withheld.rows)},
                              {"total_fen", std::to_string(withheld.fen)}}});
  }));
  return static_cast<int>(withheld.rows);
}

absl::StatusOr<std::optional<WaitingChunk>> PgRestoreBook::LateChunk(const std::string& bank_code,
                                                                     absl::CivilDay looked_up_by) {
  std::optional<WaitingChunk> chunk;
  YKT_RETURN_IF_ERROR(context_.database.Read("late_chunk", [&](Transaction& tx) -> absl::Status {
    chunk.reset();
    YKT_ASSIGN_OR_RETURN(const Rows rows,
                         tx.Run(sql::kFoundLate, bank_code, looked_up_by, context_.today.Today()));
    for (const Row row : rows) {
      if (!chunk.has_value()) chunk.emplace(WaitingChunk{row.Int64(0), bank_code, {}});
      if (const auto reference = row.MaybeInt64(1)) chunk->references.push_back(*reference);
    }
    return absl::OkStatus();
  }));
  return chunk;
}

absl::Status PgRestoreBook::MarkAsked(const WaitingChunk& chunk) {
  return context_.database.Transact("mark_chunk_asked", [&](Transaction& tx) {
    return tx
        .Run(sql::kFoundAsked, chunk.submission_id, context_.today.Today(),
             chunk.references.empty())
        .status();
  });
}

absl::StatusOr<RestoreBook::Left> PgRestoreBook::Count() {
  Left left;
  YKT_RETURN_IF_ERROR(context_.database.Read("count_restore", [&](Transaction& tx) -> absl::Status {
    left = {};
    YKT_ASSIGN_OR_RETURN(const Rows open, tx.Run(sql::kRestoreOpen));
    if (open.empty()) return absl::OkStatus();
    left.open = true;
    YKT_ASSIGN_OR_RETURN(const Rows waiting, tx.Run(sql::kRestoreWaiting));
    left.to_look_up = waiting[0].Int64(0);
    YKT_ASSIGN_OR_RETURN(const Rows unclaimed, tx.Run(sql::kRestoreUnclaimed, open[0].Text(0), 1));
    left.unclaimed = unclaimed.empty() ? 0 : unclaimed[0].Int64(4);
    return absl::OkStatus();
  }));
  return left;
}

absl::Status FinishRestore(const postgres::DatabaseOptions& options, bool leave_unclaimed,
                           std::ostream& out) {
  postgres::Database database(options);
  std::string said;
  absl::Status done = database.Transact("finish_restore", [&](Transaction& tx) -> absl::Status {
    said.clear();
    YKT_ASSIGN_OR_RETURN(const Rows open, tx.Run(sql::kRestoreOpen));
    if (open.empty()) {
      said = "no restore is open\n";
      return absl::OkStatus();
    }
    const std::string restore_id = open[0].Text(0);
    std::string behind;
    for (const Row row : open) {
      if (const auto bank = row.MaybeText(1)) behind += " " + *bank;
    }
    if (!behind.empty()) {
      return status::Refuse(Reason::kStateConflict,
                            "let the service read the results of the banks first:" + behind);
    }
    YKT_ASSIGN_OR_RETURN(const Rows waiting, tx.Run(sql::kRestoreWaiting));
    if (waiting[0].Int64(0) > 0) {
      return status::Refuse(Reason::kStateConflict,
                            "let the service ask the banks about waiting chunks first: " +
                                std::to_string(waiting[0].Int64(0)));
    }
    YKT_ASSIGN_OR_RETURN(const Rows unclaimed,
                         tx.Run(sql::kRestoreUnclaimed, restore_id, kNamedUnclaimed));
    const std::int64_t count = unclaimed.empty() ? 0 : unclaimed[0].Int64(4);
    const std::int64_t fen = unclaimed.empty() ? 0 : unclaimed[0].Int64(5);
    for (const Row row : unclaimed) {
      said += "reference " + ReferenceText(row.Int64(1)) + ", bank " + row.Text(2) + ": " +
              std::to_string(row.Int64(3)) + " fen\n";
    }
    said += "payments that no chunk has asked for: " + std::to_string(count) + ", " +
            std::to_string(fen) + " fen\n";
    if (count > 0 && !leave_unclaimed) {
      return status::Refuse(Reason::kStateConflict,
                            "payments of the undone time belong to nobody; pay their batches "
                            "again, or set leave_unclaimed to make them cases");
    }
    YKT_RETURN_IF_ERROR(tx.Run(sql::kRestoreFinish, restore_id).status());
    said += "restore " + restore_id + " is finished\n";
    return outbox::AppendOwn(tx, "bankgateway", "restore.finished",
                             {{"restore_id", restore_id},
                              {"unclaimed", std::to_string(count)},
                              {"unclaimed_fen", std::to_string(fen)}});
  });
  out << said;
  return done;
}

}  // namespace yikatong::bankgateway
