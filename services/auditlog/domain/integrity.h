// Whether the stored log still fits what was said about it, and what follows when it does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/note.h"
#include "services/auditlog/domain/log_store.h"

namespace yikatong::auditlog {

// Remembers the newest checkpoint outside of the database, so that a database that was cut short,
// rewritten or put back from a backup is found out although it fits itself. Thread safe.
class CheckpointMemory {
 public:
  virtual ~CheckpointMemory() = default;
  // Nothing before the first Remember.
  virtual absl::StatusOr<std::optional<crypto::Checkpoint>> Recall() = 0;
  // Durable when it returns OK. A checkpoint of a smaller tree than the remembered one changes
  // nothing.
  virtual absl::Status Remember(const crypto::Checkpoint& checkpoint, std::string_view note) = 0;
};

// Once the log was found altered nothing is appended or signed by this process any more: a new
// checkpoint would cover what happened. Thread safe.
class Integrity {
 public:
  // AUDIT_LOG_ALTERED after MarkAltered.
  absl::Status Check() const;
  // Gives AUDIT_LOG_ALTERED, for returning at once.
  absl::Status MarkAltered(std::string_view what);
  bool intact() const { return intact_; }

 private:
  std::atomic<bool> intact_{true};
  mutable std::mutex mutex_;
  std::string what_;
};

// One thing that does not fit.
struct Finding {
  std::string what;
  std::optional<std::uint64_t> index;  // of the entry, or of the first leaf below the node
};

struct VerifyReport {
  std::uint64_t size = 0;
  crypto::Digest root{};
  std::uint64_t entries = 0;  // checked
  std::uint64_t nodes = 0;
  std::uint64_t heads = 0;
  std::vector<Finding> findings;  // at most kMaxFindings, in the order of the leaves

  bool ok() const { return findings.empty(); }
};
inline constexpr std::size_t kMaxFindings = 20;

// Cheap, for every few seconds: the newest head is what its nodes give and where the entries end,
// the newest entries hash to their leaves, and the remembered checkpoint is of this tree. `memory`
// may be null. The status is an error only where the store could not be read.
absl::StatusOr<VerifyReport> VerifyEnds(LogStore& store, CheckpointMemory* memory);

// Everything: each entry hashes to its leaf and says what its columns say, numbers and indexes have
// no gap, each node and each head is what the leaves give. Memory does not grow with the log.
// `progress`, if there is one, is told the entries done and their number; it returns false to stop
// early (CANCELLED).
using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;
absl::StatusOr<VerifyReport> VerifyWhole(LogStore& store, CheckpointMemory* memory,
                                         const Progress& progress = nullptr);

}  // namespace yikatong::auditlog
