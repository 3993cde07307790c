#include "services/dispatch/store/archive_store.h"

#include <fmt/core.h>

#include "common/base/hex.h"
#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr int kFilesAPage = 500;
constexpr int kSealedState = 2;  // yikatong.dispatch.v1.ArchiveState

ArchivePackage SealedOf(const BatchRow& batch, const postgres::Row& row) {
  ArchivePackage package;
  package.sealed = true;
  package.cut = {batch.district, batch.batch_id, row.Int(0),   row.Int(1),
                 row.Int(2),     row.Int(3),     row.Int64(4), row.Int64(5)};
  package.policy_id = batch.policy_id;
  package.period = batch.period;
  package.closed_on = row.Date(6);
  package.sealed_on = row.Date(7);
  package.sealed_at = row.Time(8);
  package.keep_until = row.Date(9);
  package.manifest = row.Bytes(10);
  package.manifest_sha256 = row.Bytes(11);
  package.former_sha256 = row.MaybeBytes(12).value_or("");
  package.files = row.Int64(13);
  package.records = row.Int64(14);
  package.bytes = row.Int64(15);
  package.entry_number = row.Int64(16);
  return package;
}

}  // namespace

absl::Status Altered(std::string_view file) {
  return status::Refuse(Reason::kArchiveAltered, "", {{"file", std::string(file)}});
}

absl::StatusOr<std::vector<ArchivePackage>> ArchiveStore::List(const identity::Caller& caller,
                                                               const ArchiveFilter& filter,
                                                               std::int64_t after_batch,
                                                               int after_place, int limit) {
  const identity::Scope scope = identity::ScopeOf(caller);
  std::vector<ArchivePackage> packages;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_archives", [&](postgres::Transaction& tx) -> absl::Status {
        packages.clear();
        YKT_ASSIGN_OR_RETURN(
            const postgres::Rows rows,
            tx.Run(sql::kArchivesList, scope.all_districts, scope.districts, scope.all_fields,
                   scope.fields, filter.district, filter.batch_id, filter.state, filter.kept_before,
                   after_batch, after_place, limit));
        for (const postgres::Row row : rows) {
          ArchivePackage& package = packages.emplace_back();
          package.cut.district = row.Int(0);
          package.cut.batch_id = row.Int64(1);
          package.cut.package_no = row.Int(2);
          package.sealed = row.Int(3) == kSealedState;
          package.policy_id = row.Text(4);
          package.period = row.Text(5);
          if (package.sealed) {
            package.closed_on = row.Date(6);
            package.sealed_on = row.Date(7);
            package.sealed_at = row.Time(8);
            package.keep_until = row.Date(9);
            package.manifest_sha256 = row.Bytes(10);
          }
          package.former_sha256 = row.MaybeBytes(11).value_or("");
          package.files = row.Int64(12);
          package.records = row.Int64(13);
          package.bytes = row.Int64(14);
          package.why = row.Text(15);
          package.failures = row.Int(16);
          package.place = row.Int(17);
        }
        return absl::OkStatus();
      }));
  return packages;
}

absl::StatusOr<ArchivePackage> ArchiveStore::Find(const identity::Caller& caller,
                                                  std::int64_t batch_id, std::int32_t package_no) {
  ArchivePackage package;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_archive", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, FindBatch(tx, caller, batch_id));
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kArchiveFind, batch.district, batch.batch_id, package_no));
        if (!rows.empty()) {
          package = SealedOf(batch, rows[0]);
          return absl::OkStatus();
        }
        YKT_ASSIGN_OR_RETURN(const postgres::Rows open,
                             tx.Run(sql::kArchiveOpen, batch.district, batch.batch_id));
        const bool closed = batch.state == BatchState::kClosed;
        if (closed && !open.empty() && (package_no == 0 || package_no == open[0].Int(0))) {
          package = {};
          package.cut.district = batch.district;
          package.cut.batch_id = batch.batch_id;
          package.cut.package_no = open[0].Int(0);
          package.policy_id = batch.policy_id;
          package.period = batch.period;
          package.why = open[0].Text(1);
          package.failures = open[0].Int(2);
          return absl::OkStatus();
        }
        if (!closed && package_no <= 1) {
          return status::Refuse(Reason::kBatchState, "",
                                {{"state", std::string(BatchStateName(batch.state))}});
        }
        return status::Refuse(Reason::kArchiveUnknown);
      }));
  return package;
}

absl::Status ArchiveStore::RecordExport(const identity::Caller& caller,
                                        const ArchivePackage& package) {
  return context_.database.Transact(
      "record_export", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, FindBatch(tx, caller, package.cut.batch_id));
        return Audit(tx, context_, caller, batch,
                     {.kind = "archive.exported",
                      .details = {{"manifest_sha256", base::ToHex(package.manifest_sha256)}},
                      .subject_tail = fmt::format("/archives/{}", package.cut.package_no)})
            .status();
      });
}

absl::StatusOr<std::vector<ArchiveFileRow>> ArchiveStore::Files(const ArchivePackage& package,
                                                                int after_part,
                                                                std::int32_t after_no) {
  const PackageCut& cut = package.cut;
  std::vector<ArchiveFileRow> files;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_archive_files", [&](postgres::Transaction& tx) -> absl::Status {
        files.clear();
        YKT_ASSIGN_OR_RETURN(const postgres::Rows rows,
                             tx.Run(sql::kArchiveFilesPage, cut.district, cut.batch_id,
                                    cut.package_no, cut.run, after_part, after_no, kFilesAPage));
        for (const postgres::Row row : rows) {
          const auto digest = crypto::DigestOf(row.Bytes(4));
          const int part = row.Int(0);
          if (!digest.has_value() || part < 1 || part >= kArchiveParts)
            return Altered(archive::kFileListName);
          files.push_back(
              {static_cast<ArchivePart>(part), row.Int(1), row.Int64(2), row.Int64(3), *digest});
        }
        return absl::OkStatus();
      }));
  return files;
}

absl::StatusOr<std::string> ArchiveStore::ReadFile(const ArchivePackage& package,
                                                   const ArchiveFileRow& file) {
  const PackageCut& cut = package.cut;
  std::string bytes;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("read_archive_file", [&](postgres::Transaction& tx) -> absl::Status {
        bytes.clear();
        if (IsReadAnew(file.part)) {
          YKT_ASSIGN_OR_RETURN(Records records, ReadChunkRecords(tx, cut, file.part, file.file_no));
          bytes = std::move(records.bytes);
          return absl::OkStatus();
        }
        YKT_ASSIGN_OR_RETURN(
            const postgres::Rows rows,
            tx.Run(sql::kArchiveFileBytes, cut.district, cut.batch_id, cut.package_no, cut.run,
                   static_cast<int>(file.part), file.file_no));
        if (rows.size() == 1) bytes = rows[0].MaybeBytes(0).value_or("");
        return absl::OkStatus();
      }));
  if (crypto::Sha256(bytes) != file.sha256) return Altered(file.path());
  return bytes;
}

}  // namespace yikatong::dispatch
