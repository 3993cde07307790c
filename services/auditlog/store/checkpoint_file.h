// The newest checkpoint in a file beside the process, on a disk that is not the database's.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "common/crypto/note.h"
#include "services/auditlog/domain/integrity.h"

namespace yikatong::auditlog {

// The file holds the signed note, which is verified when it is read: who can write the file cannot
// make the log forget or remember wrongly without being noticed. It is replaced atomically.
class CheckpointFile : public CheckpointMemory {
 public:
  CheckpointFile(std::string path, crypto::NoteVerifier verifier)
      : path_(std::move(path)), verifier_(std::move(verifier)) {}

  // AUDIT_LOG_ALTERED for a file that is not a checkpoint of this log.
  absl::StatusOr<std::optional<crypto::Checkpoint>> Recall() override;
  absl::Status Remember(const crypto::Checkpoint& checkpoint, std::string_view note) override;

 private:
  absl::StatusOr<std::optional<crypto::Checkpoint>> RecallLocked();

  const std::string path_;
  const crypto::NoteVerifier verifier_;
  std::mutex mutex_;
  std::optional<crypto::Checkpoint>
      remembered_;  // what the file holds, once it was read or written
};

}  // namespace yikatong::auditlog
