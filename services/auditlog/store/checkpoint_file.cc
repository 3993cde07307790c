#include "services/auditlog/store/checkpoint_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/status/status.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

absl::Status Failed(const std::string& path, const char* what) {
  return status::Refuse(Reason::kCheckpointNotKept,
                        fmt::format("{} cannot be {}: {}", path, what, std::strerror(errno)));
}

// Nothing where there is no file.
absl::StatusOr<std::optional<std::string>> ReadFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return std::optional<std::string>();
    return Failed(path, "opened");
  }
  std::string content(crypto::kMaxNoteBytes + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < content.size() &&
         (got = ::read(file, content.data() + size, content.size() - size)) > 0) {
    size += static_cast<std::size_t>(got);
  }
  ::close(file);
  if (got < 0) return Failed(path, "read");
  content.resize(size);
  return std::optional<std::string>(std::move(content));
}

absl::Status WriteDurably(const std::string& path, std::string_view content) {
  // A name of its own: a command may write beside the service.
  std::string fresh = path + ".XXXXXX";
  const int file = ::mkostemp(fresh.data(), O_CLOEXEC);
  if (file < 0) return Failed(fresh, "made");
  bool written = true;
  while (written && !content.empty()) {
    const ssize_t count = ::write(file, content.data(), content.size());
    written = count > 0;
    if (written) content.remove_prefix(static_cast<std::size_t>(count));
  }
  written = written && ::fchmod(file, 0644) == 0 && ::fsync(file) == 0;
  const bool closed = ::close(file) == 0;
  const bool replaced = written && closed && std::rename(fresh.c_str(), path.c_str()) == 0;
  if (!replaced) {
    absl::Status failed = Failed(path, "written");
    ::unlink(fresh.c_str());
    return failed;
  }
  // The name is durable only when its folder is.
  const std::string folder = std::filesystem::absolute(path).parent_path().string();
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Failed(folder, "opened");
  const bool synced = ::fsync(directory) == 0;
  ::close(directory);
  return synced ? absl::OkStatus() : Failed(folder, "written");
}

}  // namespace

absl::StatusOr<std::optional<crypto::Checkpoint>> CheckpointFile::Recall() {
  const std::lock_guard lock(mutex_);
  return RecallLocked();
}

absl::StatusOr<std::optional<crypto::Checkpoint>> CheckpointFile::RecallLocked() {
  if (remembered_) return remembered_;
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> note, ReadFile(path_));
  if (!note) return std::optional<crypto::Checkpoint>();
  absl::StatusOr<crypto::Checkpoint> checkpoint = crypto::OpenCheckpoint(*note, verifier_);
  if (!checkpoint.ok()) {
    return status::Refuse(Reason::kAuditLogAltered,
                          fmt::format("{} is not a checkpoint of this log", path_));
  }
  remembered_ = *std::move(checkpoint);
  return remembered_;
}

absl::Status CheckpointFile::Remember(const crypto::Checkpoint& checkpoint, std::string_view note) {
  const std::lock_guard lock(mutex_);
  YKT_ASSIGN_OR_RETURN(const std::optional<crypto::Checkpoint> before, RecallLocked());
  if (before && before->size >= checkpoint.size) return absl::OkStatus();
  YKT_RETURN_IF_ERROR(WriteDurably(path_, note));
  remembered_ = checkpoint;
  return absl::OkStatus();
}

}  // namespace yikatong::auditlog
