// The adapter of ArchiveService: wire to domain and back. Scope stands in the store's statements;
// nothing is decided here but when a package is not given out.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/identity/caller.h"
#include "services/dispatch/store/archive_store.h"
#include "yikatong/dispatch/v1/archive.pb.h"

namespace yikatong::dispatch {

// Thread safe.
class ArchiveHandlers {
 public:
  // Takes one piece of an export; false where nobody reads any more.
  using Write = std::function<bool(const v1::ExportArchiveResponse&)>;

  // Everything outlives the handlers.
  ArchiveHandlers(const StoreContext& context, ArchiveStore& archives)
      : context_(context), archives_(archives) {}

  absl::StatusOr<v1::ListArchivesResponse> ListArchives(const v1::ListArchivesRequest& request,
                                                        const identity::Caller& caller);
  absl::StatusOr<v1::Archive> GetArchive(const v1::GetArchiveRequest& request,
                                         const identity::Caller& caller);
  // Holds one file at a time, at most 2000 records.
  absl::Status ExportArchive(const v1::ExportArchiveRequest& request,
                             const identity::Caller& caller, const Write& write);

 private:
  using EachFile = std::function<absl::Status(const ArchiveFileRow&)>;
  absl::Status ForEachFile(const ArchivePackage& package, const EachFile& each);

  const StoreContext context_;
  ArchiveStore& archives_;
};

}  // namespace yikatong::dispatch
