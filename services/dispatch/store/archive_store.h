// Sealed packages, and those that are being made, as their readers see them, over PostgreSQL. What
// is foreign does not exist. Thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/archive/manifest.h"
#include "services/dispatch/domain/archive.h"
#include "services/dispatch/store/archive_records.h"
#include "services/dispatch/store/batch_store.h"

namespace yikatong::dispatch {

// A package. What is not sealed has a batch, and perhaps a number.
struct ArchivePackage {
  PackageCut cut;
  bool sealed = false;
  std::string policy_id;
  std::string period;
  absl::CivilDay closed_on;
  absl::CivilDay sealed_on;
  absl::Time sealed_at;
  absl::CivilDay keep_until;
  std::string manifest;         // not in lists
  std::string manifest_sha256;  // 32 bytes
  std::string former_sha256;    // 32 bytes; empty for the first
  std::int64_t files = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::int64_t entry_number = 0;  // not in lists
  std::string why;                // what one that is not sealed waits for
  int failures = 0;
  int place = 0;  // among those of its batch in a list
};

struct ArchiveFilter {
  std::int32_t district = 0;                  // 0: all of the caller's
  std::int64_t batch_id = 0;                  // 0: all
  int state = 0;                              // yikatong.dispatch.v1.ArchiveState; 0: all
  std::optional<absl::CivilDay> kept_before;  // sealed ones that had to be kept until before then
};

// A file of a package.
struct ArchiveFileRow {
  ArchivePart part = ArchivePart::kRoster;
  std::int32_t file_no = 0;
  std::int64_t records = 0;
  std::int64_t byte_size = 0;
  crypto::Digest sha256{};

  std::string path() const { return archive::FilePath(ArchivePartName(part), file_no); }
};

class ArchiveStore {
 public:
  explicit ArchiveStore(const StoreContext& context) : context_(context) {}

  // At most `limit` behind (batch, place).
  absl::StatusOr<std::vector<ArchivePackage>> List(const identity::Caller& caller,
                                                   const ArchiveFilter& filter,
                                                   std::int64_t after_batch, int after_place,
                                                   int limit);
  // A package by its number; for 0 the newest sealed one, else the one that is being made.
  // BATCH_UNKNOWN, BATCH_STATE (never closed), ARCHIVE_UNKNOWN.
  absl::StatusOr<ArchivePackage> Find(const identity::Caller& caller, std::int64_t batch_id,
                                      std::int32_t package_no);

  // Says in the audit log that the caller takes the package. Before its first byte is given.
  absl::Status RecordExport(const identity::Caller& caller, const ArchivePackage& package);
  // The files of a package behind (part, number), in their order; at most a page of them.
  absl::StatusOr<std::vector<ArchiveFileRow>> Files(const ArchivePackage& package, int after_part,
                                                    std::int32_t after_no);
  // The bytes of one file, read anew where they are not kept. ARCHIVE_ALTERED, with the file, where
  // they are not those that were sealed.
  absl::StatusOr<std::string> ReadFile(const ArchivePackage& package, const ArchiveFileRow& file);

 private:
  const StoreContext context_;
};

// ARCHIVE_ALTERED, with what it is about.
absl::Status Altered(std::string_view file);

}  // namespace yikatong::dispatch
