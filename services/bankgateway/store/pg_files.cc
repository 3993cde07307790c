#include "services/bankgateway/store/pg_files.h"

#include <set>

#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_chunk.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/bank_file.h"
#include "services/bankgateway/domain/chunk.h"
#include "services/bankgateway/sql/queries.h"
#include "services/bankgateway/store/outcome_writer.h"
#include "services/bankgateway/store/pg_instructions.h"

namespace yikatong::bankgateway {
namespace {

using postgres::Columns;
using postgres::Row;
using postgres::Rows;
using postgres::Transaction;
using status::Reason;

constexpr int kMaxChunksOfFile = 500;

std::string PartKey(std::string_view file_id, std::int32_t part) {
  return std::string(file_id) + "/" + std::to_string(part);
}

// Locks the file with the fence of its lease: who finds nothing has lost it.
absl::StatusOr<Rows> LockFile(Transaction& tx, const FileToSend& file) {
  YKT_ASSIGN_OR_RETURN(Rows rows, tx.Run(sql::kFileLock, file.file_id, file.fence));
  if (rows.empty()) return status::Refuse(Reason::kLeaseLost);
  return rows;
}

}  // namespace

struct PgFileBook::Waiting {
  std::int64_t submission_id;
  std::string request_id;
  std::int64_t rows;
  std::int64_t total_fen;
  std::string summary;
  bool withheld;  // a bank has some of its rows already; they are not counted above
};

// One transaction and nothing outside of it: the locks on the chunks are lease enough.
absl::StatusOr<bool> PgFileBook::PackOne() {
  bool packed = false;
  YKT_RETURN_IF_ERROR(context_.database.Transact("pack", [&](Transaction& tx) -> absl::Status {
    packed = false;
    YKT_ASSIGN_OR_RETURN(const Rows agreements,
                         tx.Run(sql::kPackChoose, context_.today.Today(), options_.max_rows,
                                std::to_string(options_.wait_ms) + " milliseconds"));
    for (const Row row : agreements) {
      YKT_ASSIGN_OR_RETURN(packed, PackAgreement(tx, row.Text(0), row.Int(1), row.Text(2)));
      if (packed) break;
    }
    return absl::OkStatus();
  }));
  return packed;
}

absl::StatusOr<bool> PgFileBook::PackAgreement(Transaction& tx, const std::string& agreement_no,
                                               std::int32_t district,
                                               const std::string& bank_code) {
  YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kPackTake, agreement_no, kMaxChunksOfFile));
  std::vector<Waiting> chunks;
  FileHeader header;
  for (const Row row : rows) {
    if (header.rows + row.Int64(2) > options_.max_rows && !chunks.empty()) break;
    chunks.push_back(
        {row.Int64(0), row.Text(1), row.Int64(2), row.Int64(3), row.Text(4), row.Bool(5)});
    header.rows += chunks.back().rows;
    header.total_fen += chunks.back().total_fen;
  }
  if (chunks.empty()) return false;
  YKT_ASSIGN_OR_RETURN(const Rows numbers, tx.Run(sql::kFileNextNumber));
  const std::int64_t number = numbers[0].Int64(0);
  header.business_date = context_.today.Today();
  header.agreement_no = agreement_no;
  header.file_id = MakeFileId(district, header.business_date, numbers[0].Int64(1), number);

  std::vector<std::string> parts;
  BankFileWriter writer(header, [&](std::int32_t part, std::string_view bytes) {
    parts.push_back(
        context_.cipher.Encrypt({"file_part", "bytes", PartKey(header.file_id, part)}, bytes));
    return absl::OkStatus();
  });
  std::vector<std::int64_t> ids;
  std::vector<std::int32_t> offsets;
  std::int64_t offset = 0;
  for (const Waiting& chunk : chunks) {
    YKT_ASSIGN_OR_RETURN(const Rows stored, tx.Run(sql::kPackAccounts, chunk.submission_id));
    YKT_ASSIGN_OR_RETURN(
        const std::string payments,
        context_.cipher.Decrypt(AccountsPlace(chunk.request_id), stored[0].Bytes(0)));
    std::set<std::int64_t> withheld;
    if (chunk.withheld) {
      YKT_ASSIGN_OR_RETURN(const Rows found, tx.Run(sql::kFoundOfSubmission, chunk.submission_id));
      for (const Row row : found) withheld.insert(row.Int64(0));
    }
    YKT_RETURN_IF_ERROR(DecodePayments(payments, [&](const Payment& payment) {
      if (withheld.contains(payment.reference)) return absl::OkStatus();
      return writer.Add(payment, chunk.summary);
    }));
    ids.push_back(chunk.submission_id);
    offsets.push_back(static_cast<std::int32_t>(offset));
    offset += chunk.rows;
  }
  YKT_RETURN_IF_ERROR(writer.Finish());
  const std::string signature = context_.file_signer.Sign(crypto::BytesOf(writer.sha256()));
  YKT_RETURN_IF_ERROR(tx.Run(sql::kFileInsert, header.file_id, number, district, agreement_no,
                             bank_code, header.business_date, header.rows, header.total_fen,
                             writer.byte_size(), writer.parts(),
                             postgres::Bytes{crypto::BytesOf(writer.sha256())},
                             postgres::Bytes{signature},
                             base::ToHex(crypto::KeyId(context_.file_signer.PublicKey())))
                          .status());
  // A file has few parts (two for 10,000 rows): they are gathered, and written behind the row they
  // refer to.
  for (std::size_t part = 0; part < parts.size(); ++part) {
    Columns columns;
    columns.Scalar(header.file_id)
        .Scalar(static_cast<std::int64_t>(part))
        .Scalar(postgres::Bytes{parts[part]});
    YKT_RETURN_IF_ERROR(tx.RunColumns(sql::kFilePartInsert, columns).status());
  }
  Columns columns;
  columns.Scalar(header.file_id).Int64s(ids).Int32s(offsets);
  YKT_ASSIGN_OR_RETURN(const Rows marked, tx.RunColumns(sql::kPackMark, columns));
  YKT_INVARIANT(marked.affected() == static_cast<std::int64_t>(ids.size()),
                "a locked chunk is in another file");
  YKT_RETURN_IF_ERROR(tx.Run(sql::kAgreementBegin, agreement_no, header.business_date).status());
  YKT_RETURN_IF_ERROR(Audit(context_, tx, nullptr,
                            {.kind = "file.packed",
                             .district = district,
                             .subject = "files/" + header.file_id,
                             .details = {{"agreement", agreement_no},
                                         {"rows", std::to_string(header.rows)},
                                         {"total_fen", std::to_string(header.total_fen)},
                                         {"sha256", crypto::HexOf(writer.sha256())}}}));
  return true;
}

absl::StatusOr<std::optional<FileToSend>> PgFileBook::Take(
    const std::vector<std::string>& skip_files, const std::vector<std::string>& skip_banks) {
  std::optional<FileToSend> taken;
  if (!context_.workers.MayAct()) return taken;
  const std::int64_t act_until_ms = context_.workers.ActUntilMillis();
  const std::string& worker = context_.workers.worker();
  // Ours are free too: the caller names those that it is still at.
  std::vector<std::string> free = context_.workers.DeadWorkers();
  free.push_back(worker);
  const absl::CivilDay today = context_.today.Today();
  YKT_RETURN_IF_ERROR(context_.database.Transact("take_file", [&](Transaction& tx) -> absl::Status {
    taken.reset();
    YKT_ASSIGN_OR_RETURN(const Rows found,
                         tx.Run(sql::kSendFind, today, ArrayLiteral(free), ArrayLiteral(skip_files),
                                ArrayLiteral(skip_banks)));
    if (found.empty()) return absl::OkStatus();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kSendTake, found[0].Text(0),
                                                 found[0].Int64(1), worker, today));
    if (rows.empty()) return absl::OkStatus();
    const Row row = rows[0];
    FileToSend file;
    file.file_id = found[0].Text(0);
    file.fresh = found[0].Int(2) == static_cast<int>(FileState::kPacked);
    base::failpoint::Note("file", file.fresh ? "packed" : "sending", "sending");
    file.fence = row.Int64(0);
    file.district = row.Int(1);
    file.agreement_no = row.Text(2);
    file.bank_code = row.Text(3);
    file.business_date = row.Date(4);
    file.rows = row.Int(5);
    file.total_fen = row.Int64(6);
    file.byte_size = row.Int64(7);
    file.parts = row.Int(8);
    file.sha256 = row.Bytes(9);
    file.signature = row.Bytes(10);
    file.signer_key_id = row.Text(11);
    file.sent_on = row.Date(12);
    file.refuses_duplicates = row.Bool(13);
    file.may_send = row.Bool(14);
    file.act_until_ms = act_until_ms;
    file.stopped = row.Text(15) == kOtherContent;
    taken = std::move(file);
    return absl::OkStatus();
  }));
  return taken;
}

absl::StatusOr<std::string> PgFileBook::ReadPart(const std::string& file_id, std::int32_t part) {
  std::string bytes;
  YKT_RETURN_IF_ERROR(context_.database.Read("read_part", [&](Transaction& tx) -> absl::Status {
    Columns columns;
    columns.Scalar(file_id).Scalar(part);
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(sql::kFilePartRead, columns));
    YKT_INVARIANT(rows.size() == 1, "a part of a file is missing");
    YKT_ASSIGN_OR_RETURN(
        bytes,
        context_.cipher.Decrypt({"file_part", "bytes", PartKey(file_id, part)}, rows[0].Bytes(0)));
    return absl::OkStatus();
  }));
  return bytes;
}

absl::Status PgFileBook::MarkSent(const FileToSend& file) {
  return context_.database.Transact("mark_sent", [&](Transaction& tx) -> absl::Status {
    // The case of a stopped file ends here; whoever touches cases holds the bank's row first.
    OutcomeWriter writer(context_, tx, file.bank_code, "file_sent");
    if (file.stopped) YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_ASSIGN_OR_RETURN(const Rows rows, LockFile(tx, file));
    if (file.stopped) {
      YKT_RETURN_IF_ERROR(writer.cases().SettleSubject(
          file.agreement_no, difference::kFileOtherContent, file.file_id));
      YKT_RETURN_IF_ERROR(writer.Finish());
    }
    // Results can be faster than the answer to the file.
    const bool done = rows[0].Int(6) == rows[0].Int(3);
    const FileState state = done ? FileState::kDone : FileState::kSent;
    base::failpoint::Note("file", "sending", done ? "done" : "sent");
    YKT_RETURN_IF_ERROR(
        tx.Run(sql::kFileSetState, file.file_id, static_cast<int>(state), "").status());
    return Audit(context_, tx, nullptr,
                 {.kind = "file.sent",
                  .district = file.district,
                  .subject = "files/" + file.file_id,
                  .details = {{"bank", file.bank_code}, {"sha256", base::ToHex(file.sha256)}}});
  });
}

absl::Status FailRowsOfFile(Transaction& tx, OutcomeWriter& writer, const std::string& file_id,
                            Reason reason) {
  Columns columns;
  columns.Scalar(file_id);
  YKT_ASSIGN_OR_RETURN(const Rows chunks, tx.RunColumns(sql::kFileReferences, columns));
  std::vector<std::int64_t> references;
  for (const Row row : chunks) references.push_back(row.Int64(0));
  YKT_RETURN_IF_ERROR(writer.Load(references));
  for (const std::int64_t reference : references) {
    BankResult failed;
    failed.reference = reference;
    failed.state = RowState::kFailed;
    Known* const known = writer.Find(reference);
    YKT_INVARIANT(known != nullptr, "a row of a file has no instruction");
    if (Next(known->last, BankSays::kFailed) == Verdict::kFailed) {
      Ground ground;
      ground.reason = status::ReasonName(reason);
      ground.amount_fen = known->amount_fen;
      writer.Record(reference, *known, OutcomeState::kFailed, ground);
    } else {
      writer.Apply(failed);
    }
  }
  return absl::OkStatus();
}

absl::Status PgFileBook::MarkRefused(const FileToSend& file, std::string_view word, Reason reason) {
  return context_.database.Transact("mark_refused", [&](Transaction& tx) -> absl::Status {
    // The bank's row before the file's, as every writer of outcomes.
    OutcomeWriter writer(context_, tx, file.bank_code, "file_refused");
    YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_ASSIGN_OR_RETURN(const Rows rows, LockFile(tx, file));
    YKT_RETURN_IF_ERROR(FailRowsOfFile(tx, writer, file.file_id, reason));
    YKT_RETURN_IF_ERROR(
        writer.cases().SettleSubject(rows[0].Text(1), difference::kFileOtherContent, file.file_id));
    YKT_RETURN_IF_ERROR(writer.Finish());
    base::failpoint::Note("file", "sending", "refused");
    YKT_RETURN_IF_ERROR(
        tx.Run(sql::kFileSetState, file.file_id, static_cast<int>(FileState::kRefused), word)
            .status());
    return Audit(context_, tx, nullptr,
                 {.kind = "file.refused",
                  .district = file.district,
                  .subject = "files/" + file.file_id,
                  .details = {{"bank", file.bank_code},
                              {"reason", std::string(status::ReasonName(reason))},
                              {"rows", std::to_string(file.rows)},
                              {"total_fen", std::to_string(file.total_fen)}}});
  });
}

absl::Status PgFileBook::Release(const FileToSend& file, std::string_view note) {
  return context_.database.Transact("release_file", [&](Transaction& tx) -> absl::Status {
    // Stopped for the first time: from here on it is somebody's case.
    const bool stops = note == kOtherContent && !file.stopped;
    OutcomeWriter writer(context_, tx, file.bank_code, "file_stopped");
    if (stops) YKT_RETURN_IF_ERROR(writer.Lock().status());
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kFileRelease, file.file_id, file.fence,
                                                 file.stopped ? kOtherContent : note));
    if (!stops || rows.affected() == 0) return absl::OkStatus();
    writer.cases().Open({0, file.agreement_no, file.district, file.sent_on, 0, 0,
                         difference::kFileOtherContent, 0, file.total_fen},
                        file.file_id);
    return writer.Finish();
  });
}

absl::StatusOr<std::vector<File>> PgFileBook::List(const identity::Scope& scope,
                                                   std::int32_t district,
                                                   std::int64_t before_number, int count) {
  std::vector<File> files;
  YKT_RETURN_IF_ERROR(context_.database.Read("list_files", [&](Transaction& tx) -> absl::Status {
    files.clear();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(sql::kFileList, before_number, district,
                                                 scope.all_districts, scope.districts, count));
    for (const Row row : rows) {
      File file;
      file.file_id = row.Text(0);
      file.district = row.Int(1);
      file.agreement_no = row.Text(2);
      file.business_date = row.Date(3);
      file.rows = row.Int(4);
      file.total_fen = row.Int64(5);
      file.state = static_cast<FileState>(row.Int(6));
      file.sha256 = row.Bytes(7);
      file.reason = row.Text(8);
      file.changed_at = row.Time(9);
      file.file_number = row.Int64(10);
      files.push_back(std::move(file));
    }
    return absl::OkStatus();
  }));
  return files;
}

}  // namespace yikatong::bankgateway
