// Where the log is kept: the port of the domain to its storage. The comments are the contract that
// every implementation is tested against.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/merkle.h"
#include "common/identity/caller.h"
#include "services/auditlog/domain/entry.h"

namespace yikatong::auditlog {

// A producer under one of its restore epochs. Each has its own numbers, from 1.
struct Source {
  std::string producer;
  std::int32_t restore_epoch = 0;

  bool operator==(const Source&) const = default;
  bool operator<(const Source& other) const {
    return std::tie(producer, restore_epoch) < std::tie(other.producer, other.restore_epoch);
  }
};

struct StoredEntry {
  std::uint64_t index = 0;
  Source source;
  std::int64_t number = 0;
  crypto::Digest leaf_hash{};
  EntryFacts facts;
  std::string body;
  absl::Time appended_at;
};

// The tree as it was after one append.
struct TreeHead {
  std::uint64_t size = 0;
  crypto::Digest root = crypto::EmptyRoot();
  absl::Time appended_at = absl::UnixEpoch();
};

using TreeNode = std::pair<crypto::NodeId, crypto::Digest>;

struct SourceState {
  std::int64_t next_number = 1;
  std::int32_t newest_epoch = 0;  // of the producer, whichever epoch was asked about
};

// One append under way: nobody else appends until it ends, and all of it is done or nothing.
class AppendSession : public crypto::NodeReader {
 public:
  virtual absl::StatusOr<TreeHead> Head() = 0;
  virtual absl::StatusOr<SourceState> StateOf(const Source& source) = 0;
  // The leaf hashes of the numbers [first, first + count), in their order.
  virtual absl::StatusOr<std::vector<crypto::Digest>> LeafHashes(const Source& source,
                                                                 std::int64_t first,
                                                                 std::int64_t count) = 0;
  // Writes entries, the nodes that they complete (level 1 and above) and the head after them. Never
  // overwrites: what is there already makes it fail.
  virtual absl::Status Write(std::span<const StoredEntry> entries, std::span<const TreeNode> nodes,
                             const TreeHead& head) = 0;
};

struct ByNumber {
  Source source;
  std::int64_t number = 0;
};
struct ByIndex {
  std::uint64_t index = 0;
};
struct ByLeafHash {
  crypto::Digest leaf_hash{};
};
struct BySubtreeRoot {
  crypto::Digest root{};
};
using EntrySelector = std::variant<ByNumber, ByIndex, ByLeafHash, BySubtreeRoot>;

// What of the list is wanted. Empty fields and a district of 0 match everything.
struct EntryFilter {
  std::int32_t district = 0;
  std::string subject{};  // this one, and what is below it
  std::string kind{};
  std::string producer{};
};

// The newest head and the end of the table of entries, of one moment.
struct Ends {
  TreeHead head;
  std::uint64_t entries = 0;  // one more than the highest index
};

// Thread safe. Nodes (of crypto::NodeReader) of complete subtrees; a node that is not there is
// AUDIT_LOG_ALTERED, since it is only asked for where it must be.
class LogStore : public crypto::NodeReader {
 public:
  // Runs `append` in the only append session; what it wrote is durable when this returns OK.
  // `append` may run again after a conflict: it keeps nothing between runs. COMMIT_UNKNOWN where
  // the outcome could not be learnt.
  virtual absl::Status Append(const std::function<absl::Status(AppendSession&)>& append) = 0;

  virtual absl::StatusOr<SourceState> StateOf(const Source& source) = 0;
  virtual absl::StatusOr<Ends> ReadEnds() = 0;
  // The entry of the lowest index that fits; nothing where there is none.
  virtual absl::StatusOr<std::optional<StoredEntry>> Find(const EntrySelector& selector) = 0;
  // At most `limit` entries from `first_index` on, in their order, that fit filter and scope.
  virtual absl::StatusOr<std::vector<StoredEntry>> List(const EntryFilter& filter,
                                                        const identity::Scope& scope,
                                                        std::uint64_t first_index, int limit) = 0;
  // The entries [first, first + limit) by index, as far as there are any, whatever their scope.
  virtual absl::StatusOr<std::vector<StoredEntry>> Range(std::uint64_t first, int limit) = 0;
  // For checking: the stored nodes of level 1 and above that the leaves [first, last) complete.
  virtual absl::StatusOr<std::vector<TreeNode>> NodesCompletedBy(std::uint64_t first,
                                                                 std::uint64_t last) = 0;
  // For checking: the stored heads with sizes in (after, up_to], the smallest first.
  virtual absl::StatusOr<std::vector<TreeHead>> HeadsBetween(std::uint64_t after,
                                                             std::uint64_t up_to) = 0;
};

}  // namespace yikatong::auditlog
