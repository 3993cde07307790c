#include "services/yktctl/bag.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "common/crypto/sha256.h"
#include "common/crypto/tlog_proof.h"
#include "common/status/status.h"

namespace yikatong::yktctl {
namespace {

using status::Reason;

constexpr std::size_t kMaxListBytes = 64u << 20;  // of manifest-sha256.txt: 600,000 files
constexpr std::size_t kBlockBytes = 10'240;
constexpr int kMode = 0644;

absl::Status Altered(std::string_view file, std::string_view what) {
  return status::Refuse(Reason::kArchiveAltered, what, {{"file", std::string(file)}});
}

absl::Status Unreadable(const std::string& path, std::string_view what) {
  return status::Refuse(Reason::kFieldInvalid, fmt::format("{} cannot be read: {}", path, what));
}

struct EntryDeleter {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct ReaderDeleter {
  void operator()(struct ::archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<struct ::archive, ReaderDeleter>;

// What was read of one file of records.
struct Seen {
  crypto::Digest sha256{};
  std::int64_t bytes = 0;
  std::int64_t lines = 0;
  bool listed = false;
};

// Everything that stands in the tar, each file once.
struct Contents {
  std::string folder;
  std::map<std::string, Seen> records;
  std::map<std::string, std::string> tags;  // bagit.txt, package.txt …
};

std::size_t LimitOf(std::string_view name) {
  if (name == archive::kFileListName) return kMaxListBytes;
  if (name == archive::kProofName) return crypto::kMaxTlogProofBytes;
  return archive::kMaxManifestBytes;
}

bool IsTag(std::string_view name) {
  return name == archive::kBagName || name == archive::kManifestName ||
         name == archive::kFileListName || name == archive::kProofName;
}

absl::Status ReadEntry(struct ::archive* reader, archive_entry* entry, Contents& contents) {
  const char* const raw = archive_entry_pathname(entry);
  const std::string whole = raw == nullptr ? "" : raw;
  if (archive_entry_filetype(entry) == AE_IFDIR) return absl::OkStatus();
  const std::size_t slash = whole.find('/');
  if (archive_entry_filetype(entry) != AE_IFREG || slash == std::string::npos || slash == 0)
    return Altered(whole, "it is no file of a package");
  const std::string folder = whole.substr(0, slash);
  const std::string name = whole.substr(slash + 1);
  if (contents.folder.empty()) contents.folder = folder;
  const bool tag = IsTag(name);
  if (folder != contents.folder || (!tag && archive::PartOfPath(name).empty()))
    return Altered(whole, "it is no file of this package");
  if (contents.tags.contains(name) || contents.records.contains(name))
    return Altered(name, "it is there twice");
  crypto::Sha256Hasher hasher;
  Seen seen;
  std::string bytes;
  char last = '\n';
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  la_int64_t expected = 0;
  int read = ARCHIVE_OK;
  while ((read = archive_read_data_block(reader, &block, &size, &offset)) == ARCHIVE_OK) {
    // A sparse file leaves holes out: no package has them.
    if (offset != expected) return Altered(name, "a part of it is missing");
    expected += static_cast<la_int64_t>(size);
    const std::string_view piece(static_cast<const char*>(block), size);
    if (piece.empty()) continue;
    last = piece.back();
    if (tag) {
      if (bytes.size() + piece.size() > LimitOf(name)) return Altered(name, "it is too large");
      bytes += piece;
    } else {
      hasher.Update(piece);
      seen.bytes += static_cast<std::int64_t>(piece.size());
      seen.lines += std::count(piece.begin(), piece.end(), '\n');
    }
  }
  if (read != ARCHIVE_EOF) return Altered(name, "it ends too early");
  if (tag) {
    contents.tags[name] = std::move(bytes);
    return absl::OkStatus();
  }
  if (last != '\n') return Altered(name, "its last line has no end");
  seen.sha256 = hasher.Finish();
  contents.records[name] = seen;
  return absl::OkStatus();
}

absl::StatusOr<Contents> ReadContents(const std::string& path) {
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK)
    return Unreadable(path, archive_error_string(reader.get()));
  Contents contents;
  archive_entry* entry = nullptr;
  int read = ARCHIVE_OK;
  while ((read = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
    YKT_RETURN_IF_ERROR(ReadEntry(reader.get(), entry, contents));
  }
  if (read != ARCHIVE_EOF) return Altered(path, "it is no whole tar file");
  return contents;
}

absl::StatusOr<std::string> TagOf(const Contents& contents, std::string_view name) {
  const auto found = contents.tags.find(std::string(name));
  if (found == contents.tags.end()) return Altered(name, "it is missing");
  return found->second;
}

// Each line of the list is a file that was read, with that hash; the parts add up.
absl::Status CheckList(std::string_view list, const archive::Manifest& manifest,
                       Contents& contents) {
  std::map<std::string, archive::Part, std::less<>> sums;
  std::int64_t lines = 0;
  while (!list.empty()) {
    const std::size_t end = list.find('\n');
    if (end == std::string_view::npos) return Altered(archive::kFileListName, "it has no end");
    const absl::StatusOr<archive::ListedFile> listed = archive::ParseFileLine(list.substr(0, end));
    list.remove_prefix(end + 1);
    if (!listed.ok()) return Altered(archive::kFileListName, "a line of it has another form");
    const auto found = contents.records.find(listed->path);
    if (found == contents.records.end()) return Altered(listed->path, "it is missing");
    Seen& seen = found->second;
    if (seen.sha256 != listed->sha256) return Altered(listed->path, "it has another hash");
    if (std::exchange(seen.listed, true)) return Altered(listed->path, "it is listed twice");
    archive::Part& sum = sums[std::string(archive::PartOfPath(listed->path))];
    ++sum.files;
    sum.records += seen.lines;
    sum.bytes += seen.bytes;
    ++lines;
  }
  for (const auto& [name, seen] : contents.records) {
    if (!seen.listed) return Altered(name, "it is not in the list of files");
  }
  for (const archive::Part& part : manifest.parts) {
    const auto found = sums.find(part.name);
    if (found == sums.end() || found->second.files != part.files ||
        found->second.records != part.records || found->second.bytes != part.bytes) {
      return Altered(archive::kManifestName,
                     fmt::format("the part {} has other counts than it says", part.name));
    }
  }
  if (lines != manifest.files || sums.size() != manifest.parts.size())
    return Altered(archive::kManifestName, "it counts other files than there are");
  return absl::OkStatus();
}

}  // namespace

BagWriter::BagWriter(std::string path, std::string folder, absl::CivilDay day)
    : path_(std::move(path)),
      folder_(std::move(folder)),
      mtime_(absl::ToUnixSeconds(absl::FromCivil(day, absl::UTCTimeZone()))),
      archive_(archive_write_new()) {}

BagWriter::~BagWriter() {
  archive_write_free(static_cast<struct ::archive*>(archive_));
  if (!finished_) std::remove((path_ + ".part").c_str());
}

absl::Status BagWriter::Failed() const {
  const char* const why = archive_error_string(static_cast<struct ::archive*>(archive_));
  return status::Refuse(Reason::kFieldInvalid, fmt::format("{} cannot be written: {}", path_,
                                                           why == nullptr ? "unknown" : why));
}

absl::StatusOr<std::unique_ptr<BagWriter>> BagWriter::Create(const std::string& path,
                                                             std::string_view folder,
                                                             absl::CivilDay day) {
  std::unique_ptr<BagWriter> writer(new BagWriter(path, std::string(folder), day));
  auto* const out = static_cast<struct ::archive*>(writer->archive_);
  if (archive_write_set_format_ustar(out) != ARCHIVE_OK ||
      archive_write_open_filename(out, (path + ".part").c_str()) != ARCHIVE_OK) {
    return writer->Failed();
  }
  return writer;
}

absl::Status BagWriter::CheckWhole() const {
  if (missing_ == 0) return absl::OkStatus();
  return status::Refuse(Reason::kArchiveAltered, "a file has other bytes than were announced");
}

absl::Status BagWriter::Begin(std::string_view path, std::int64_t byte_size) {
  YKT_RETURN_IF_ERROR(CheckWhole());
  const std::unique_ptr<archive_entry, EntryDeleter> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), fmt::format("{}/{}", folder_, path).c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), kMode);
  archive_entry_set_size(entry.get(), byte_size);
  archive_entry_set_mtime(entry.get(), mtime_, 0);
  if (archive_write_header(static_cast<struct ::archive*>(archive_), entry.get()) != ARCHIVE_OK)
    return Failed();
  missing_ = byte_size;
  return absl::OkStatus();
}

absl::Status BagWriter::Append(std::string_view bytes) {
  missing_ -= static_cast<std::int64_t>(bytes.size());
  if (missing_ < 0) return CheckWhole();
  while (!bytes.empty()) {
    const la_ssize_t wrote =
        archive_write_data(static_cast<struct ::archive*>(archive_), bytes.data(), bytes.size());
    if (wrote <= 0) return Failed();
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::Status BagWriter::Add(std::string_view path, std::string_view bytes) {
  YKT_RETURN_IF_ERROR(Begin(path, static_cast<std::int64_t>(bytes.size())));
  return Append(bytes);
}

absl::Status BagWriter::Finish() {
  YKT_RETURN_IF_ERROR(CheckWhole());
  if (archive_write_close(static_cast<struct ::archive*>(archive_)) != ARCHIVE_OK) return Failed();
  if (std::rename((path_ + ".part").c_str(), path_.c_str()) != 0) return Failed();
  finished_ = true;
  return absl::OkStatus();
}

absl::StatusOr<Bag> ReadBag(const std::string& path) {
  YKT_ASSIGN_OR_RETURN(Contents contents, ReadContents(path));
  Bag bag;
  YKT_ASSIGN_OR_RETURN(const std::string bagit, TagOf(contents, archive::kBagName));
  if (bagit != archive::kBagText) return Altered(archive::kBagName, "it says something else");
  YKT_ASSIGN_OR_RETURN(bag.manifest_text, TagOf(contents, archive::kManifestName));
  absl::StatusOr<archive::Manifest> manifest = archive::ParseManifest(bag.manifest_text);
  if (!manifest.ok())
    return Altered(archive::kManifestName, std::string(manifest.status().message()));
  bag.manifest = *std::move(manifest);
  YKT_ASSIGN_OR_RETURN(const std::string list, TagOf(contents, archive::kFileListName));
  if (crypto::Sha256(list) != bag.manifest.files_sha256)
    return Altered(archive::kFileListName, "it is not the list that the manifest names");
  YKT_RETURN_IF_ERROR(CheckList(list, bag.manifest, contents));
  const auto proof = contents.tags.find(std::string(archive::kProofName));
  if (proof != contents.tags.end()) bag.proof = proof->second;
  return bag;
}

}  // namespace yikatong::yktctl
