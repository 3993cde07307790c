#include "services/dispatch/rpc/archive_handlers.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/archive/manifest.h"
#include "common/base/dates.h"
#include "common/crypto/sha256.h"
#include "common/status/status.h"
#include "services/dispatch/rpc/budget_fields.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr std::size_t kPieceBytes = 256u << 10;

v1::Archive ToWire(const ArchivePackage& package, absl::CivilDay today) {
  v1::Archive wire;
  wire.set_batch_id(package.cut.batch_id);
  wire.set_package_no(package.cut.package_no);
  wire.set_state(package.sealed ? v1::ARCHIVE_STATE_SEALED : v1::ARCHIVE_STATE_SEALING);
  wire.set_district(package.cut.district);
  wire.set_policy_id(package.policy_id);
  wire.set_period(package.period);
  wire.set_former_sha256(package.former_sha256);
  wire.set_files(package.files);
  wire.set_records(package.records);
  wire.set_bytes(package.bytes);
  if (!package.sealed) {
    wire.set_waiting_reason(package.why);
    wire.set_failures(package.why == status::ReasonName(Reason::kStatementOpen) ? 0
                                                                                : package.failures);
    return wire;
  }
  wire.set_closed_on(base::FormatDate(package.closed_on));
  wire.set_sealed_on(base::FormatDate(package.sealed_on));
  wire.mutable_seal_time()->set_seconds(absl::ToUnixSeconds(package.sealed_at));
  wire.set_keep_until(base::FormatDate(package.keep_until));
  wire.set_past_keeping(package.keep_until < today);
  wire.set_manifest_sha256(package.manifest_sha256);
  return wire;
}

// The manifest of a package, as it was sealed: its hash, its form, and what it says of itself.
absl::StatusOr<archive::Manifest> ReadManifest(const ArchivePackage& package) {
  absl::StatusOr<archive::Manifest> manifest = archive::ParseManifest(package.manifest);
  if (!manifest.ok() ||
      crypto::StringOf(crypto::Sha256(package.manifest)) != package.manifest_sha256 ||
      manifest->batch_id != package.cut.batch_id ||
      manifest->package_no != package.cut.package_no) {
    return Altered(archive::kManifestName);
  }
  return manifest;
}

absl::StatusOr<v1::Archive> WholeOf(const ArchivePackage& package, absl::CivilDay today) {
  v1::Archive wire = ToWire(package, today);
  if (!package.sealed) return wire;
  YKT_ASSIGN_OR_RETURN(const archive::Manifest manifest, ReadManifest(package));
  wire.set_manifest(package.manifest);
  wire.set_entry_number(package.entry_number);
  for (const archive::Part& part : manifest.parts) {
    v1::ArchivePart& one = *wire.add_parts();
    one.set_name(part.name);
    // Numbered as in the contract, from 1.
    one.set_keeping(static_cast<v1::KeepingClass>(static_cast<int>(part.keeping) + 1));
    one.set_keep_until(base::FormatDate(part.keep_until));
    one.set_files(part.files);
    one.set_records(part.records);
    one.set_bytes(part.bytes);
    one.set_past_keeping(part.keep_until < today);
  }
  return wire;
}

// Whoever reads has gone; the stream's own status says so.
absl::Status Gone() { return absl::CancelledError("the caller reads no further"); }

absl::Status WriteBytes(std::string_view bytes, const ArchiveHandlers::Write& write) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kPieceBytes, bytes.size()))) {
    v1::ExportArchiveResponse piece;
    piece.set_content(std::string(bytes.substr(0, kPieceBytes)));
    if (!write(piece)) return Gone();
  }
  return absl::OkStatus();
}

absl::Status BeginFile(std::string_view path, std::int64_t byte_size, std::int64_t records,
                       const crypto::Digest& sha256, const ArchiveHandlers::Write& write) {
  v1::ExportArchiveResponse piece;
  piece.mutable_file()->set_path(std::string(path));
  piece.mutable_file()->set_byte_size(byte_size);
  piece.mutable_file()->set_records(records);
  piece.mutable_file()->set_sha256(crypto::StringOf(sha256));
  return write(piece) ? absl::OkStatus() : Gone();
}

}  // namespace

absl::StatusOr<v1::ListArchivesResponse> ArchiveHandlers::ListArchives(
    const v1::ListArchivesRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  std::int64_t batch_id = 0;
  int place = 0;
  if (!request.page_token().empty() && !ReadToken(request.page_token(), batch_id, place))
    return status::Refuse(Reason::kPageTokenInvalid);
  if (request.state() < 0 || request.state() > v1::ARCHIVE_STATE_SEALED)
    return FieldInvalid("state", "there is no such state");
  const absl::CivilDay today = context_.business.Today();
  ArchiveFilter filter{request.district(), request.batch_id(), static_cast<int>(request.state()),
                       std::nullopt};
  if (request.past_keeping_only()) filter.kept_before = today;
  YKT_ASSIGN_OR_RETURN(const std::vector<ArchivePackage> packages,
                       archives_.List(caller, filter, batch_id, place, page_size));
  v1::ListArchivesResponse response;
  for (const ArchivePackage& package : packages) *response.add_archives() = ToWire(package, today);
  if (static_cast<int>(packages.size()) == page_size) {
    response.set_next_page_token(
        fmt::format("{}-{}", packages.back().cut.batch_id, packages.back().place));
  }
  return response;
}

absl::StatusOr<v1::Archive> ArchiveHandlers::GetArchive(const v1::GetArchiveRequest& request,
                                                        const identity::Caller& caller) {
  if (request.package_no() < 0) return FieldInvalid("package_no", "packages count from 1");
  YKT_ASSIGN_OR_RETURN(const ArchivePackage package,
                       archives_.Find(caller, request.batch_id(), request.package_no()));
  return WholeOf(package, context_.business.Today());
}

absl::Status ArchiveHandlers::ForEachFile(const ArchivePackage& package, const EachFile& each) {
  int part = 0;
  std::int32_t file_no = 0;
  while (true) {
    YKT_ASSIGN_OR_RETURN(const std::vector<ArchiveFileRow> files,
                         archives_.Files(package, part, file_no));
    if (files.empty()) return absl::OkStatus();
    for (const ArchiveFileRow& file : files) YKT_RETURN_IF_ERROR(each(file));
    part = static_cast<int>(files.back().part);
    file_no = files.back().file_no;
  }
}

absl::Status ArchiveHandlers::ExportArchive(const v1::ExportArchiveRequest& request,
                                            const identity::Caller& caller, const Write& write) {
  if (request.package_no() < 0) return FieldInvalid("package_no", "packages count from 1");
  YKT_ASSIGN_OR_RETURN(const ArchivePackage package,
                       archives_.Find(caller, request.batch_id(), request.package_no()));
  if (!package.sealed) {
    return status::Refuse(Reason::kArchiveNotSealed, "",
                          package.why.empty()
                              ? std::map<std::string, std::string>()
                              : std::map<std::string, std::string>{{"waits_for", package.why}});
  }
  YKT_ASSIGN_OR_RETURN(const archive::Manifest manifest, ReadManifest(package));
  // The list of files first: nothing is given out of a package that does not hold together.
  crypto::Sha256Hasher list;
  std::int64_t list_bytes = 0;
  std::int64_t lines = 0;
  YKT_RETURN_IF_ERROR(ForEachFile(package, [&](const ArchiveFileRow& file) {
    const std::string line = archive::FileLine(file.sha256, file.path());
    list.Update(line);
    list_bytes += static_cast<std::int64_t>(line.size());
    ++lines;
    return absl::OkStatus();
  }));
  const crypto::Digest list_sha256 = list.Finish();
  if (list_sha256 != manifest.files_sha256 || lines != manifest.files)
    return Altered(archive::kFileListName);
  YKT_RETURN_IF_ERROR(archives_.RecordExport(caller, package));

  v1::ExportArchiveResponse head;
  YKT_ASSIGN_OR_RETURN(*head.mutable_archive(), WholeOf(package, context_.business.Today()));
  if (!write(head)) return Gone();
  YKT_RETURN_IF_ERROR(ForEachFile(package, [&](const ArchiveFileRow& file) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const std::string bytes, archives_.ReadFile(package, file));
    YKT_RETURN_IF_ERROR(BeginFile(file.path(), file.byte_size, file.records, file.sha256, write));
    return WriteBytes(bytes, write);
  }));
  YKT_RETURN_IF_ERROR(BeginFile(archive::kFileListName, list_bytes, lines, list_sha256, write));
  return ForEachFile(package, [&](const ArchiveFileRow& file) {
    return WriteBytes(archive::FileLine(file.sha256, file.path()), write);
  });
}

}  // namespace yikatong::dispatch
