#include "services/dispatch/store/archive_records.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "common/status/status.h"
#include "services/dispatch/domain/attempt_state.h"
#include "services/dispatch/domain/posting.h"
#include "services/dispatch/domain/recovery.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

constexpr int kPageRows = 2'000;
constexpr std::int64_t kToldInNewChunk = -1;  // also what this service itself concluded, number 0

constexpr const char* kBucketNames[kBuckets] = {"nowhere",
                                                "waiting",
                                                "held",
                                                "stopped",
                                                "unroutable",
                                                "in_transit",
                                                "paid",
                                                "failed",
                                                "unknown",
                                                "returned_open",
                                                "cancelled",
                                                "abandoned",
                                                "",
                                                "",
                                                "",
                                                "",
                                                "",
                                                "",
                                                "",
                                                "",
                                                "",
                                                "returned",
                                                "reissued_paid",
                                                "not_converted"};
constexpr const char* kObjectionStates[] = {"", "open", "upheld", "rejected", "withdrawn"};

absl::StatusOr<std::string_view> BucketName(int bucket) {
  YKT_INVARIANT(bucket >= 0 && bucket < kBuckets && *kBucketNames[bucket] != 0,
                "a row names a bucket that there is none of");
  return kBucketNames[bucket];
}

absl::StatusOr<Records> RosterRecords(postgres::Transaction& tx, const PackageCut& cut,
                                      std::int32_t chunk) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveRoster, cut.district, cut.batch_id, chunk));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("item", row.Int64(0))
        .Number("row", row.Int64(1))
        .Number("person", row.Int64(2))
        .Number("payee", row.Int64(3))
        .Number("village", row.Int64(4))
        .Number("amount_fen", row.Int64(5))
        .Text("name", row.Text(6));
    if (const auto of_item = row.MaybeInt64(7); of_item.has_value())
      out.Number("of_item", *of_item);
    out.End();
  }
  return out.Take();
}

absl::StatusOr<Records> RefusedRecords(postgres::Transaction& tx, const PackageCut& cut,
                                       std::int32_t chunk) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveRefused, cut.district, cut.batch_id, chunk));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("row", row.Int64(0))
        .Number("ordinal", row.Int64(1))
        .Text("reason", row.Text(2))
        .Text("detail", row.Text(3))
        .Number("amount_fen", row.Int64(4))
        .End();
  }
  return out.Take();
}

absl::StatusOr<Records> InstructionRecords(postgres::Transaction& tx, const PackageCut& cut,
                                           std::int32_t chunk) {
  RecordWriter out;
  YKT_ASSIGN_OR_RETURN(const postgres::Rows submissions,
                       tx.Run(sql::kArchiveSubmissions, cut.district, cut.batch_id, chunk));
  for (const postgres::Row row : submissions) {
    out.Number("submission_no", row.Int64(0))
        .Text("submission", row.Text(1))
        .Text("agreement", row.Text(2))
        .Number("rows", row.Int64(3))
        .Number("amount_fen", row.Int64(4))
        .Day("sent_on", row.Date(5))
        .Text("refused", row.Text(6))
        .Text("audit_id", row.Text(7))
        .End();
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows attempts,
                       tx.Run(sql::kArchiveAttempts, cut.district, cut.batch_id, chunk));
  for (const postgres::Row row : attempts) {
    out.Number("reference", row.Int64(0))
        .Number("submission_no", row.Int64(1))
        .Number("amount_fen", row.Int64(2))
        .Text("bank", fmt::format("{:012}", row.Int64(3)))
        .Number("account_version", row.Int64(4))
        .Flag("social_card", row.Bool(5))
        .End();
  }
  return out.Take();
}

// Ends a page: `rows` were read of at most kPageRows.
template <typename KeyOf>
RecordPage EndPage(RecordWriter& out, const postgres::Rows& rows, const KeyOf& key_of) {
  RecordPage page;
  page.more = rows.size() == kPageRows;
  if (!rows.empty()) page.next = key_of(rows[rows.size() - 1]);
  page.records = out.Take();
  return page;
}

absl::StatusOr<RecordPage> NoticePage(postgres::Transaction& tx, const BatchRow& batch) {
  RecordWriter out;
  YKT_ASSIGN_OR_RETURN(const postgres::Rows notice,
                       tx.Run(sql::kArchiveNotice, batch.district, batch.batch_id));
  for (const postgres::Row row : notice) {
    out.Day("from", row.Date(0))
        .Day("to", row.Date(1))
        .Hex("root", row.Bytes(2))
        .Number("lines", row.Int64(3))
        .Flag("aggregate_only", row.Bool(4))
        .End();
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows evidence,
                       tx.Run(sql::kArchiveEvidence, batch.district, batch.batch_id));
  for (const postgres::Row row : evidence) {
    out.Text("evidence", row.Text(0))
        .Hex("sha256", row.Bytes(1))
        .Number("byte_size", row.Int64(2))
        .Words("uri", row.Text(3))
        .Text("media_type", row.Text(4))
        .Text("added_by", row.Text(5))
        .End();
  }
  YKT_ASSIGN_OR_RETURN(const postgres::Rows origin,
                       tx.Run(sql::kBatchOriginFind, batch.district, batch.batch_id));
  for (const postgres::Row row : origin) {
    const auto kind = static_cast<BatchOrigin::Kind>(row.Int(0));
    out.Text("origin", kind == BatchOrigin::Kind::kTopsUp ? "tops_up" : "corrects")
        .Number("of_batch", row.Int64(1))
        .End();
  }
  return RecordPage{out.Take(), {}, false};
}

absl::StatusOr<RecordPage> ObjectionPage(postgres::Transaction& tx, const BatchRow& batch,
                                         const PagePlace& place) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kArchiveObjections, batch.district, batch.batch_id, place.after_id, kPageRows));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("objection", row.Int64(0))
        .Number("item", row.Int64(1))
        .Text("state", kObjectionStates[row.Int(2)])
        .Words("text", row.Text(3))
        .Text("raised_by", row.Text(4))
        .Day("raised_on", row.Date(5))
        .Text("decided_by", row.Text(6))
        .Words("decision", row.Text(7))
        .End();
  }
  return EndPage(out, rows, [](const postgres::Row& row) { return PagePlace{row.Int64(0), ""}; });
}

absl::StatusOr<RecordPage> ReviewPage(postgres::Transaction& tx, const BatchRow& batch) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveReviews, batch.district, batch.batch_id));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("step_no", row.Int64(0))
        .Text("step", row.Text(1))
        .Text("person", row.Text(2))
        .Flag("approved", row.Bool(3))
        .Words("comment", row.Text(4))
        .Flag("late", row.Bool(5))
        .Day("taken_on", row.Date(6))
        .Instant("at", row.Time(7))
        .End();
  }
  return RecordPage{out.Take(), {}, false};
}

absl::StatusOr<RecordPage> DeparturePage(postgres::Transaction& tx, const BatchRow& batch,
                                         const PagePlace& place) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kArchiveDepartures, batch.district, batch.batch_id, place.after_id, kPageRows));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("person", row.Int64(0))
        .Text("name", row.Text(1))
        .Number("amount_fen", row.Int64(2))
        .Words("reason", row.Text(3))
        .End();
  }
  return EndPage(out, rows, [](const postgres::Row& row) { return PagePlace{row.Int64(0), ""}; });
}

absl::StatusOr<RecordPage> ExceptionPage(postgres::Transaction& tx, const BatchRow& batch,
                                         const PagePlace& place) {
  const std::int64_t after = std::max(place.after_id, batch.first_item - 1);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveExceptions, batch.district, batch.batch_id, after,
                              kPageRows, batch.last_item()));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    YKT_ASSIGN_OR_RETURN(const std::string_view bucket, BucketName(row.Int(2)));
    out.Number("item", row.Int64(0))
        .Number("exception_no", row.Int64(1))
        .Text("bucket", bucket)
        .Text("reason", row.Text(3))
        .Flag("resolved", row.Bool(4))
        .Day("since_on", row.MaybeDate(5))
        .End();
  }
  RecordPage page = EndPage(out, rows, [](const postgres::Row& row) {
    return PagePlace{row.Int64(0), ""};
  });
  // By whole items: a page of as many items can have more rows.
  page.more = rows.size() >= kPageRows;
  return page;
}

absl::StatusOr<RecordPage> MovementPage(postgres::Transaction& tx, const BatchRow& batch,
                                        const PagePlace& place) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kArchiveMovements, batch.district, batch.batch_id, place.after_text, kPageRows));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    YKT_ASSIGN_OR_RETURN(const std::string_view from, BucketName(row.Int(1)));
    YKT_ASSIGN_OR_RETURN(const std::string_view to, BucketName(row.Int(2)));
    out.Text("movement", row.Text(0))
        .Text("from", from)
        .Text("to", to)
        .Text("reason", row.Text(3))
        .Number("items", row.Int64(4))
        .Number("amount_fen", row.Int64(5))
        .Instant("at", row.Time(6))
        .End();
  }
  return EndPage(out, rows, [](const postgres::Row& row) { return PagePlace{0, row.Text(0)}; });
}

absl::StatusOr<RecordPage> LedgerPage(postgres::Transaction& tx, const BatchRow& batch,
                                      const PagePlace& place) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveLedger, batch.district, batch.batch_id, place.after_id,
                              place.after_text, kPageRows));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("line", row.Int64(0))
        .Text("entry", row.Text(1))
        .Number("year", row.Int64(2))
        .Text("source", row.Text(3))
        .Number("chunk", row.Int64(4))
        .Text("step", row.Text(5))
        .Text("reason", row.Text(6))
        .Text("debit", AccountName(static_cast<Account>(row.Int(7))))
        .Text("credit", AccountName(static_cast<Account>(row.Int(8))))
        .Number("amount_fen", row.Int64(9))
        .Day("business_date", row.Date(10))
        .Instant("at", row.Time(11))
        .End();
  }
  return EndPage(out, rows, [](const postgres::Row& row) {
    return PagePlace{row.Int64(0), row.Text(1)};
  });
}

absl::StatusOr<RecordPage> RecoveryPage(postgres::Transaction& tx, const BatchRow& batch,
                                        const PagePlace& place) {
  YKT_ASSIGN_OR_RETURN(
      const postgres::Rows rows,
      tx.Run(sql::kArchiveRecoveries, batch.district, batch.batch_id, place.after_id, kPageRows));
  RecordWriter out;
  for (const postgres::Row row : rows) {
    out.Number("recovery", row.Int64(0))
        .Number("case", row.Int64(1))
        .Number("item", row.Int64(2))
        .Text("cause", RecoveryCauseName(static_cast<RecoveryCause>(row.Int(3))))
        .Text("state", RecoveryStateName(static_cast<RecoveryState>(row.Int(4))))
        .Number("due_fen", row.Int64(5))
        .Number("received_fen", row.Int64(6))
        .Words("reason", row.Text(7))
        .Text("opened_by", row.Text(8))
        .Day("opened_on", row.Date(9))
        .Text("approved_by", row.Text(10))
        .Words("notice", row.Text(11))
        .Day("due_on", row.MaybeDate(12))
        .Words("document", row.Text(13))
        .Text("write_off_by", row.Text(14))
        .Text("decided_by", row.Text(15))
        .Words("decision", row.Text(16))
        .Day("state_since_on", row.Date(17))
        .Number("reference", row.Int64(18))
        .End();
    YKT_ASSIGN_OR_RETURN(const postgres::Rows receipts,
                         tx.Run(sql::kArchiveReceipts, batch.district, row.Int64(0)));
    for (const postgres::Row receipt : receipts) {
      out.Number("recovery", row.Int64(0))
          .Text("receipt", receipt.Text(0))
          .Number("amount_fen", receipt.Int64(1))
          .Day("received_on", receipt.Date(2))
          .Text("recorded_by", receipt.Text(3))
          .Day("recorded_on", receipt.Date(4))
          .End();
    }
  }
  return EndPage(out, rows, [](const postgres::Row& row) { return PagePlace{row.Int64(0), ""}; });
}

}  // namespace

absl::StatusOr<ChunkOutcomes> ReadOutcomeRecords(postgres::Transaction& tx, const PackageCut& cut,
                                                 std::int32_t chunk) {
  const std::int64_t behind = chunk > cut.chunks_after ? kToldInNewChunk : cut.outcomes_after;
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveOutcomes, cut.district, cut.batch_id, chunk, behind,
                              cut.outcomes_through));
  ChunkOutcomes outcomes;
  RecordWriter out;
  for (const postgres::Row row : rows) {
    const auto state = static_cast<AttemptState>(row.Int(2));
    const std::optional<absl::CivilDay> booked_on = row.MaybeDate(4);
    if (state == AttemptState::kPaid && booked_on.has_value()) {
      outcomes.last_paid_on = std::max(outcomes.last_paid_on.value_or(*booked_on), *booked_on);
    }
    out.Number("reference", row.Int64(0))
        .Number("outcome_no", row.Int64(1))
        .Text("state", AttemptStateName(state))
        .Text("reason", row.Text(3))
        .Day("booked_on", booked_on)
        .Number("amount_fen", row.Int64(5))
        .Number("told_in", row.Int64(6))
        .End();
  }
  outcomes.records = out.Take();
  return outcomes;
}

absl::StatusOr<Records> ReadChunkRecords(postgres::Transaction& tx, const PackageCut& cut,
                                         ArchivePart part, std::int32_t chunk) {
  switch (part) {
    case ArchivePart::kRoster:
      return RosterRecords(tx, cut, chunk);
    case ArchivePart::kRefused:
      return RefusedRecords(tx, cut, chunk);
    case ArchivePart::kInstructions:
      // An old chunk's stand in the package in which it was new.
      if (chunk <= cut.chunks_after) return Records();
      return InstructionRecords(tx, cut, chunk);
    case ArchivePart::kOutcomes: {
      YKT_ASSIGN_OR_RETURN(ChunkOutcomes outcomes, ReadOutcomeRecords(tx, cut, chunk));
      return std::move(outcomes.records);
    }
    default:
      YKT_INVARIANT(false, "a part that is not read anew by chunks");
  }
  return Records();
}

absl::StatusOr<RecordPage> ReadPageRecords(postgres::Transaction& tx, const BatchRow& batch,
                                           ArchivePart part, const PagePlace& place) {
  switch (part) {
    case ArchivePart::kDepartures:
      return DeparturePage(tx, batch, place);
    case ArchivePart::kNotice:
      return NoticePage(tx, batch);
    case ArchivePart::kObjections:
      return ObjectionPage(tx, batch, place);
    case ArchivePart::kReviews:
      return ReviewPage(tx, batch);
    case ArchivePart::kExceptions:
      return ExceptionPage(tx, batch, place);
    case ArchivePart::kMovements:
      return MovementPage(tx, batch, place);
    case ArchivePart::kLedger:
      return LedgerPage(tx, batch, place);
    case ArchivePart::kRecoveries:
      return RecoveryPage(tx, batch, place);
    default:
      YKT_INVARIANT(false, "a part that is not read by pages");
  }
  return RecordPage();
}

Records TraceRecords(const std::vector<SubmissionTrace>& traces) {
  RecordWriter out;
  for (const SubmissionTrace& trace : traces) {
    out.Text("submission", trace.submission)
        .Text("agreement", trace.agreement_no)
        .Text("file", trace.file_id)
        .Hex("file_sha256", trace.file_sha256)
        .Text("file_state", trace.file_state)
        .Text("file_date", trace.file_date)
        .Number("file_offset", trace.file_offset)
        .End();
    for (const StatementShare& share : trace.statements) {
      out.Text("submission", trace.submission)
          .Text("statement", share.agreement_no)
          .Day("day", share.day)
          .Flag("complete", share.complete)
          .Number("lines", share.lines)
          .Number("agreed", share.agreed)
          .Number("differences", share.differences)
          .Number("debit_fen", share.debit_fen)
          .Number("credit_fen", share.credit_fen)
          .Number("own_lines", share.own_lines)
          .Number("own_debit_fen", share.own_debit_fen)
          .Number("own_credit_fen", share.own_credit_fen)
          .End();
    }
    for (const TracedCase& one : trace.cases) {
      out.Text("submission", trace.submission)
          .Number("case", one.case_id)
          .Text("kind", one.kind)
          .Number("reference", one.reference)
          .Day("day", one.day)
          .Text("state", one.state)
          .Text("decision", one.decision)
          .Words("reason", one.reason)
          .Number("statement_fen", one.statement_fen)
          .Number("book_fen", one.book_fen)
          .End();
    }
  }
  return out.Take();
}

}  // namespace yikatong::dispatch
