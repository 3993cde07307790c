// Sends files, and finds out what became of those whose answer is not known. A file whose state is
// SENDING is asked about first; only the same bytes go again under the same id, and only to a bank
// that refuses what it has had.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

struct SenderOptions {
  std::int64_t send_timeout_ms = 60'000;
  std::int64_t retry_ms = 500;  // after the first failure; doubles
  std::int64_t max_retry_ms = 30'000;
};

// What one step did.
enum class SendStep { kIdle, kSent, kRefused, kUnknown };

// Thread safe: several threads may call RunOnce. Everything that it is given must outlive it.
class Sender {
 public:
  Sender(FileBook& files, Directory& directory, AgentBanks& banks, const base::Clock& clock,
         const base::BusinessClock& today, SenderOptions options = {})
      : files_(files),
        directory_(directory),
        banks_(banks),
        clock_(clock),
        today_(today),
        options_(options) {}

  // Takes one file and brings it as far as it goes.
  absl::StatusOr<SendStep> RunOnce();

 private:
  struct Pause {
    std::int64_t until_ms = 0;
    std::int64_t length_ms = 0;
  };
  absl::StatusOr<std::optional<FileToSend>> Take();
  absl::StatusOr<SendStep> Work(const FileToSend& file);
  absl::StatusOr<SendStep> Ask(AgentBank& bank, const FileToSend& file);
  absl::StatusOr<SendStep> Send(AgentBank& bank, const FileToSend& file);
  absl::StatusOr<SendStep> Later(const FileToSend& file, std::string_view note);
  absl::StatusOr<SendStep> Refused(const FileToSend& file, std::string_view word);

  FileBook& files_;
  Directory& directory_;
  AgentBanks& banks_;
  const base::Clock& clock_;
  const base::BusinessClock& today_;
  const SenderOptions options_;
  std::mutex mutex_;
  std::map<std::string, Pause> paused_;  // files, by id
  std::set<std::string> busy_;           // files that a thread of ours is at
};

}  // namespace yikatong::bankgateway
