#include "services/dispatch/store/archive_seal_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/archive/manifest.h"
#include "common/base/dates.h"
#include "common/base/failpoint.h"
#include "common/crypto/merkle.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/chunk_store.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr int kFilesAPage = 1'000;
constexpr std::size_t kMaxFileBytes = 8u << 20;  // 2000 records of a part, with room

// The batch, its row locked and closed.
absl::StatusOr<BatchRow> LockClosed(postgres::Transaction& tx, std::int64_t batch_id) {
  YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, OwnCaller(), batch_id));
  if (batch.state != BatchState::kClosed) {
    return status::Refuse(Reason::kBatchState, "",
                          {{"state", std::string(BatchStateName(batch.state))}});
  }
  return batch;
}

// Text of an array as PostgreSQL gives it: "{a,b}", of ids that need no quotes.
std::vector<std::string> IdsOf(std::string_view text) {
  std::vector<std::string> ids;
  if (text.size() < 2) return ids;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    ids.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return ids;
}

// What the files of a package add up to, and the list that the manifest commits to.
struct FileSums {
  std::array<archive::Part, kArchiveParts> parts;
  std::int64_t files = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  crypto::Digest list_sha256{};
};

absl::StatusOr<FileSums> SumFiles(postgres::Transaction& tx, const PackageCut& cut) {
  FileSums sums;
  crypto::Sha256Hasher list;
  int part = 0;
  int file_no = 0;
  while (true) {
    YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                         tx.Run(sql::kArchiveFilesPage, cut.district, cut.batch_id, cut.package_no,
                                cut.run, part, file_no, kFilesAPage));
    for (const postgres::Row row : rows) {
      part = row.Int(0);
      file_no = row.Int(1);
      const auto digest = crypto::DigestOf(row.Bytes(4));
      YKT_INVARIANT(part > 0 && part < kArchiveParts && digest.has_value(),
                    "a file of an archive is of no part");
      archive::Part& sum = sums.parts[static_cast<std::size_t>(part)];
      ++sum.files;
      sum.records += row.Int64(2);
      sum.bytes += row.Int64(3);
      ++sums.files;
      sums.records += row.Int64(2);
      sums.bytes += row.Int64(3);
      list.Update(archive::FileLine(
          *digest, archive::FilePath(ArchivePartName(static_cast<ArchivePart>(part)), file_no)));
    }
    if (rows.size() < kFilesAPage) break;
  }
  sums.list_sha256 = list.Finish();
  return sums;
}

archive::CountAndFen Of(const CountAndFen& sum) { return {sum.items, sum.fen}; }

}  // namespace

absl::StatusOr<std::optional<TakenArchive>> ArchiveSealStore::Take(
    const std::string& worker, int slot, std::span<const std::string> dead) {
  const std::string holder = fmt::format("{}/{}", worker, slot);
  std::optional<TakenArchive> taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("take_archive", [&](postgres::Transaction& tx) -> absl::Status {
        taken.reset();
        postgres::Columns columns;
        columns.Scalar(holder).Texts(dead).Lone();
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.RunColumns(sql::kArchiveTake, columns));
        if (rows.empty()) return absl::OkStatus();
        const postgres::Row row = rows[0];
        TakenArchive one;
        one.cut.district = row.Int(0);
        one.cut.batch_id = row.Int64(1);
        one.cut.run = row.Int(2);
        one.fence = row.Int64(3);
        one.taken = row.Int(4);
        one.cut.package_no = row.Int(5);
        one.step = static_cast<SealStep>(row.Int(6));
        one.place = {row.Int64(7), row.Text(8)};
        one.page = row.Int(9);
        one.cut.chunks_after = row.Int(10);
        one.cut.chunks_through = row.Int(11);
        one.cut.outcomes_after = row.Int64(12);
        one.cut.outcomes_through = row.Int64(13);
        taken = one;
        return absl::OkStatus();
      }));
  return taken;
}

absl::StatusOr<ArchiveSealStore::Locked> ArchiveSealStore::Lock(postgres::Transaction& tx,
                                                                const TakenArchive& taken) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                       tx.Run(sql::kArchiveLock, taken.cut.district, taken.cut.batch_id,
                              taken.fence, taken.cut.run));
  if (rows.empty()) return status::Refuse(Reason::kLeaseLost);
  Locked locked;
  if (const auto former = rows[0].MaybeBytes(0); former.has_value())
    locked.former = crypto::DigestOf(*former);
  locked.last_paid_on = rows[0].MaybeDate(1);
  return locked;
}

absl::Status ArchiveSealStore::InsertFiles(postgres::Transaction& tx, const TakenArchive& taken,
                                           std::vector<NewFile> files) {
  std::erase_if(files, [](const NewFile& file) { return file.records.count == 0; });
  if (files.empty()) return absl::OkStatus();
  std::vector<std::int16_t> parts;
  std::vector<std::int32_t> numbers, records, sizes;
  std::vector<std::string> hashes;
  std::vector<std::optional<std::string>> bytes;
  for (NewFile& file : files) {
    YKT_INVARIANT(file.records.bytes.size() <= kMaxFileBytes, "a file of an archive is too large");
    parts.push_back(static_cast<std::int16_t>(file.part));
    numbers.push_back(file.file_no);
    records.push_back(static_cast<std::int32_t>(file.records.count));
    sizes.push_back(static_cast<std::int32_t>(file.records.bytes.size()));
    hashes.push_back(crypto::StringOf(crypto::Sha256(file.records.bytes)));
    bytes.push_back(IsReadAnew(file.part) ? std::nullopt
                                          : std::optional(std::move(file.records.bytes)));
  }
  postgres::Columns columns;
  columns.Scalar(taken.cut.district)
      .Scalar(taken.cut.batch_id)
      .Scalar(taken.cut.package_no)
      .Scalar(taken.cut.run);
  columns.Int16s(parts).Int32s(numbers).Int32s(records).Int32s(sizes).ByteStrings(hashes);
  columns.ByteStrings(bytes);
  return tx.RunColumns(sql::kArchiveFileInsert, columns).status();
}

absl::Status ArchiveSealStore::Advance(postgres::Transaction& tx, const TakenArchive& taken,
                                       const TakenArchive& next,
                                       std::optional<absl::CivilDay> last_paid_on) {
  base::failpoint::Note("archive", SealStepName(taken.step), SealStepName(next.step));
  return tx
      .Run(sql::kArchiveAdvance, taken.cut.district, taken.cut.batch_id, taken.fence,
           static_cast<int>(next.step), next.place.after_id, next.place.after_text, next.page,
           last_paid_on)
      .status();
}

absl::Status ArchiveSealStore::Begin(TakenArchive& taken) {
  TakenArchive next = taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("begin_archive", [&](postgres::Transaction& tx) -> absl::Status {
        next = taken;
        YKT_RETURN_IF_ERROR(Lock(tx, taken).status());
        YKT_RETURN_IF_ERROR(LockClosed(tx, taken.cut.batch_id).status());
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kArchiveBegin, taken.cut.district, taken.cut.batch_id,
                                    taken.fence, gateway_));
        YKT_INVARIANT(rows.size() == 1, "an archive that is being made went away");
        next.cut.package_no = rows[0].Int(0);
        next.cut.chunks_after = rows[0].Int(1);
        next.cut.chunks_through = rows[0].Int(2);
        next.cut.outcomes_after = rows[0].Int64(3);
        next.cut.outcomes_through = rows[0].Int64(4);
        next.step = NextSealStep(SealStep::kBegin, next.cut.package_no);
        return Advance(tx, taken, next);
      }));
  taken = next;
  return absl::OkStatus();
}

absl::Status ArchiveSealStore::SealUpload(TakenArchive& taken) {
  TakenArchive next = taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("seal_records", [&](postgres::Transaction& tx) -> absl::Status {
        next = taken;
        YKT_RETURN_IF_ERROR(Lock(tx, taken).status());
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kArchiveNextUpload, taken.cut.district, taken.cut.batch_id,
                                    taken.place.after_id));
        if (rows.empty()) {
          next.step = NextSealStep(taken.step, taken.cut.package_no);
          next.place = {};
          return Advance(tx, taken, next);
        }
        const std::int32_t chunk = rows[0].Int(0);
        std::vector<NewFile> files;
        for (const ArchivePart part : {ArchivePart::kRoster, ArchivePart::kRefused}) {
          YKT_ASSIGN_OR_RETURN(Records records, ReadChunkRecords(tx, taken.cut, part, chunk));
          files.push_back({part, chunk, std::move(records)});
        }
        YKT_RETURN_IF_ERROR(InsertFiles(tx, taken, std::move(files)));
        next.place.after_id = chunk;
        return Advance(tx, taken, next);
      }));
  taken = next;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ChunkToSeal>> ArchiveSealStore::NextChunk(const TakenArchive& taken) {
  std::optional<ChunkToSeal> found;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("next_chunk_to_seal", [&](postgres::Transaction& tx) -> absl::Status {
        found.reset();
        const PackageCut& cut = taken.cut;
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kArchiveNextChunk, cut.district, cut.batch_id,
                                    taken.place.after_id, cut.chunks_through));
        if (rows.empty()) return absl::OkStatus();
        ChunkToSeal chunk;
        chunk.chunk = rows[0].Int(0);
        chunk.submissions = IdsOf(rows[0].Text(1));
        chunk.told = chunk.chunk > cut.chunks_after;
        if (!chunk.told) {
          // What was told of an old chunk since the former package.
          YKT_ASSIGN_OR_RETURN(const ChunkOutcomes outcomes,
                               ReadOutcomeRecords(tx, cut, chunk.chunk));
          chunk.told = outcomes.records.count > 0;
        }
        found = std::move(chunk);
        return absl::OkStatus();
      }));
  return found;
}

absl::Status ArchiveSealStore::SealChunk(TakenArchive& taken, const ChunkToSeal& chunk,
                                         const std::vector<SubmissionTrace>& traces) {
  TakenArchive next = taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("seal_records", [&](postgres::Transaction& tx) -> absl::Status {
        next = taken;
        YKT_RETURN_IF_ERROR(Lock(tx, taken).status());
        std::optional<absl::CivilDay> last_paid_on;
        if (chunk.told) {
          std::vector<NewFile> files;
          YKT_ASSIGN_OR_RETURN(
              Records instructions,
              ReadChunkRecords(tx, taken.cut, ArchivePart::kInstructions, chunk.chunk));
          files.push_back({ArchivePart::kInstructions, chunk.chunk, std::move(instructions)});
          YKT_ASSIGN_OR_RETURN(ChunkOutcomes outcomes,
                               ReadOutcomeRecords(tx, taken.cut, chunk.chunk));
          last_paid_on = outcomes.last_paid_on;
          files.push_back({ArchivePart::kOutcomes, chunk.chunk, std::move(outcomes.records)});
          files.push_back({ArchivePart::kStatements, chunk.chunk, TraceRecords(traces)});
          YKT_RETURN_IF_ERROR(InsertFiles(tx, taken, std::move(files)));
        }
        next.place.after_id = chunk.chunk;
        return Advance(tx, taken, next, last_paid_on);
      }));
  taken = next;
  return absl::OkStatus();
}

absl::Status ArchiveSealStore::EndChunks(TakenArchive& taken) {
  TakenArchive next = taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("seal_records", [&](postgres::Transaction& tx) -> absl::Status {
        next = taken;
        YKT_RETURN_IF_ERROR(Lock(tx, taken).status());
        next.step = NextSealStep(taken.step, taken.cut.package_no);
        next.place = {};
        return Advance(tx, taken, next);
      }));
  taken = next;
  return absl::OkStatus();
}

absl::Status ArchiveSealStore::SealPage(TakenArchive& taken) {
  TakenArchive next = taken;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("seal_records", [&](postgres::Transaction& tx) -> absl::Status {
        next = taken;
        YKT_RETURN_IF_ERROR(Lock(tx, taken).status());
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, FindBatch(tx, OwnCaller(), taken.cut.batch_id));
        const ArchivePart part = PartOfStep(taken.step);
        YKT_ASSIGN_OR_RETURN(RecordPage page, ReadPageRecords(tx, batch, part, taken.place));
        if (page.records.count > 0) {
          ++next.page;
          std::vector<NewFile> files;
          files.push_back({part, next.page, std::move(page.records)});
          YKT_RETURN_IF_ERROR(InsertFiles(tx, taken, std::move(files)));
        }
        if (page.more) {
          next.place = page.next;
        } else {
          next.step = NextSealStep(taken.step, taken.cut.package_no);
          next.place = {};
          next.page = 0;
        }
        return Advance(tx, taken, next);
      }));
  taken = next;
  return absl::OkStatus();
}

absl::StatusOr<SealedPackage> ArchiveSealStore::Finish(TakenArchive& taken) {
  SealedPackage sealed;
  YKT_RETURN_IF_ERROR(
      context_.database.Transact("finish_archive", [&](postgres::Transaction& tx) -> absl::Status {
        const PackageCut& cut = taken.cut;
        YKT_ASSIGN_OR_RETURN(const Locked locked, Lock(tx, taken));
        // Under its lock: nothing was told of it since the package was begun, or the run would be
        // another one.
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, LockClosed(tx, cut.batch_id));
        YKT_ASSIGN_OR_RETURN(const Totals totals, ReadTotals(tx, batch));
        YKT_ASSIGN_OR_RETURN(const FileSums sums, SumFiles(tx, cut));
        const absl::CivilDay today = std::max(context_.business.Today(), batch.state_since_on);
        archive::Manifest manifest;
        manifest.batch_id = cut.batch_id;
        manifest.package_no = cut.package_no;
        manifest.former = locked.former;
        manifest.district = cut.district;
        manifest.department_id = batch.department_id;
        manifest.field = batch.field;
        manifest.policy_id = batch.policy_id;
        manifest.policy_version = batch.policy_version;
        manifest.period = batch.period;
        manifest.declared = {batch.declared_count, batch.declared_fen};
        manifest.accepted = Of(totals.accepted);
        manifest.paid = Of(totals.Of(Bucket::kPaid));
        manifest.created_on = batch.created_on;
        manifest.closed_on = batch.state_since_on;
        manifest.sealed_on = today;
        manifest.last_paid_on = locked.last_paid_on;
        const absl::CivilDay evidence_on = cut.package_no == 1 ? manifest.closed_on : today;
        for (int part = 1; part < kArchiveParts; ++part) {
          archive::Part sum = sums.parts[static_cast<std::size_t>(part)];
          if (sum.files == 0) continue;
          sum.name = ArchivePartName(static_cast<ArchivePart>(part));
          sum.keeping = KeepingOf(static_cast<ArchivePart>(part));
          sum.keep_until =
              KeepUntil(sum.keeping, manifest.last_paid_on, manifest.closed_on, evidence_on);
          manifest.keep_until = std::max(manifest.keep_until, sum.keep_until);
          manifest.parts.push_back(std::move(sum));
        }
        manifest.files = sums.files;
        manifest.files_sha256 = sums.list_sha256;
        YKT_ASSIGN_OR_RETURN(const std::string text, archive::ManifestText(manifest));
        const crypto::Digest sha256 = crypto::Sha256(text);
        YKT_ASSIGN_OR_RETURN(
            const std::string audit_id,
            Audit(tx, context_, OwnCaller(), batch,
                  {.kind = std::string(archive::kSealedKind),
                   .root = crypto::StringOf(crypto::LeafHash(text)),
                   .leaves = 1,
                   .details = {{"manifest_sha256", crypto::HexOf(sha256)},
                               {"files", std::to_string(sums.files)},
                               {"records", std::to_string(sums.records)},
                               {"keep_until", base::FormatDate(manifest.keep_until)}},
                   .subject_tail = fmt::format("/archives/{}", cut.package_no)}));
        const std::optional<std::string> former =
            locked.former.has_value() ? std::optional(crypto::StringOf(*locked.former))
                                      : std::nullopt;
        YKT_RETURN_IF_ERROR(tx.Run(sql::kArchiveInsert, cut.district, cut.batch_id, cut.package_no,
                                   cut.run, cut.chunks_after, cut.chunks_through,
                                   cut.outcomes_after, cut.outcomes_through, manifest.closed_on,
                                   manifest.sealed_on, manifest.last_paid_on, manifest.keep_until,
                                   postgres::Bytes{text}, postgres::Bytes{crypto::BytesOf(sha256)},
                                   former.has_value() ? postgres::Param(postgres::Bytes{*former})
                                                      : postgres::Param(nullptr),
                                   sums.files, sums.records, sums.bytes, audit_id)
                                .status());
        YKT_ASSIGN_OR_RETURN(const postgres::Rows done,
                             tx.Run(sql::kArchiveDone, cut.district, cut.batch_id, taken.fence));
        YKT_INVARIANT(done.affected() == 1, "an archive that is being made went away");
        base::failpoint::Note("archive", SealStepName(taken.step), "sealed");
        sealed = {cut.package_no, sums.files, sums.records, sums.bytes};
        return absl::OkStatus();
      }));
  return sealed;
}

absl::Status ArchiveSealStore::PutBack(const TakenArchive& taken, absl::Duration delay, bool counts,
                                       std::string_view why) {
  return context_.database.Transact(
      "put_archive_back", [&](postgres::Transaction& tx) -> absl::Status {
        return tx
            .Run(sql::kArchivePutBack, taken.cut.district, taken.cut.batch_id, taken.fence,
                 taken.cut.run, absl::ToInt64Seconds(delay), why, counts)
            .status();
      });
}

absl::StatusOr<ArchiveFigures> ArchiveSealStore::Figures() {
  ArchiveFigures figures;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("archive_figures", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kArchiveFigures));
        figures = {rows[0].Int64(0), rows[0].Int64(1), rows[0].Int64(2)};
        return absl::OkStatus();
      }));
  return figures;
}

}  // namespace yikatong::dispatch
