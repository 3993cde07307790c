// What the log does: takes the next entry of a producer once, signs what it holds, and proves it.
//
// Thread safe. The rules that are keys and locks stand in the store; what is decided here is which
// numbers are next, that nothing is built on a tree that does not fit its head, and who may see
// which entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/crypto/note.h"
#include "common/identity/caller.h"
#include "services/auditlog/domain/integrity.h"
#include "services/auditlog/domain/log_store.h"
#include "services/auditlog/domain/tiles.h"

namespace yikatong::auditlog {

inline constexpr int kMaxEntriesOfAppend = 1000;
inline constexpr std::size_t kMaxBytesOfAppend = 2u << 20;
inline constexpr std::int32_t kMaxRestoreEpoch = 9;  // one digit, as in every number of the suite
inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 500;
inline constexpr std::size_t kMaxPageBytes = 1u << 20;
inline constexpr std::size_t kMaxBundleBytes = 3u << 20;

struct AppendRequest {
  Source source;
  std::int64_t first_number = 0;
  std::vector<std::string> bodies;
};

struct Appended {
  std::int64_t next_number = 0;
  std::uint64_t tree_size = 0;
  int added = 0;  // by this request; the others were there before
};

struct SignedCheckpoint {
  crypto::Checkpoint checkpoint;
  std::string note;
};

struct Inclusion {
  std::uint64_t index = 0;
  crypto::Digest leaf_hash{};
  std::uint64_t tree_size = 0;
  std::vector<crypto::Digest> path;
  std::optional<SignedCheckpoint> checkpoint;  // where the newest tree was asked for
};

struct Consistency {
  std::uint64_t first_size = 0;
  std::uint64_t second_size = 0;
  std::vector<crypto::Digest> hashes;
  std::optional<SignedCheckpoint> checkpoint;
};

struct ListRequest {
  EntryFilter filter;
  int page_size = 0;  // 0: kDefaultPageSize
  std::string page_token;
};

struct EntryPage {
  std::vector<StoredEntry> entries;
  std::string next_page_token;
};

// What the first entry of a log may be.
enum class Beginning {
  kAnyEntry,
  kBreak,  // it follows another log: nothing is taken before AppendFirst
};

class AuditLog {
 public:
  // All must outlive the log; `memory` may be null. The signer's name is the log's origin.
  AuditLog(LogStore& store, Integrity& integrity, CheckpointMemory* memory,
           const crypto::NoteSigner& signer, const base::Clock& clock,
           Beginning beginning = Beginning::kAnyEntry)
      : store_(store),
        integrity_(integrity),
        memory_(memory),
        signer_(signer),
        clock_(clock),
        beginning_(beginning) {}

  // Appends on behalf of the service that is calling, which must be the producer itself. Numbers
  // that are there already with the same bytes are passed over. Reasons as in the contract.
  absl::StatusOr<Appended> Append(const identity::Caller& caller, const AppendRequest& request);
  absl::StatusOr<std::int64_t> NextNumber(const identity::Caller& caller, const Source& source);
  // Appends an entry of the log's own, whatever its next number is.
  absl::Status AppendOwn(const Source& source, std::string body);
  // Appends an entry of the log's own that must be the first of all, under number 1.
  // AUDIT_LOG_NOT_EMPTY where the log has entries, with `tree_size` in the metadata.
  absl::Status AppendFirst(const Source& source, std::string body);

  // Signs the newest tree after checking that it is the one its nodes give.
  absl::StatusOr<SignedCheckpoint> NewestCheckpoint();
  // `tree_size` nothing: the newest.
  absl::StatusOr<Inclusion> ProveInclusion(const EntrySelector& selector,
                                           std::optional<std::uint64_t> tree_size);
  absl::StatusOr<Consistency> ProveConsistency(std::uint64_t first_size,
                                               std::optional<std::uint64_t> second_size);

  // NOT_FOUND for what is not there, outside the caller's districts, or named by what only auditors
  // may go by.
  absl::StatusOr<StoredEntry> FindEntry(const identity::Caller& caller,
                                        const EntrySelector& selector);
  absl::StatusOr<EntryPage> ListEntries(const identity::Caller& caller, const ListRequest& request);

  // The hashes of a tile, one after the other.
  absl::StatusOr<std::string> ReadTile(const TileId& id);
  // A bundle shows all districts: PERMISSION_DENIED for a caller who may not see the whole city.
  absl::StatusOr<std::string> ReadBundle(const identity::Caller& caller, std::uint64_t index,
                                         int width);

  const crypto::NoteVerifier& verifier() const { return signer_.verifier(); }

 private:
  // AUDIT_LOG_NOT_BEGUN while the log waits for its break.
  absl::Status CheckBegun(AppendSession& session);
  absl::Status AppendIn(AppendSession& session, const AppendRequest& request,
                        const std::vector<EntryFacts>& facts, Appended& appended);
  absl::StatusOr<crypto::MerkleAccumulator> ResumeTree(AppendSession& session,
                                                       const TreeHead& head);
  // OK where the stored nodes give that root for that size; else marks the log altered.
  absl::Status CheckRoot(std::uint64_t size, const crypto::Digest& root, std::string_view what);

  LogStore& store_;
  Integrity& integrity_;
  CheckpointMemory* memory_;
  const crypto::NoteSigner& signer_;
  const base::Clock& clock_;
  const Beginning beginning_;
};

}  // namespace yikatong::auditlog
