#include "services/bankgateway/domain/sender.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "common/status/status.h"
#include "services/bankgateway/domain/return_codes.h"

namespace yikatong::bankgateway {
namespace {

// A send must have ended before anybody else may take the file.
constexpr std::int64_t kLeaseMarginMs = 500;

}  // namespace

absl::StatusOr<SendStep> Sender::RunOnce() {
  YKT_ASSIGN_OR_RETURN(const std::optional<FileToSend> file, Take());
  if (!file.has_value()) return SendStep::kIdle;
  absl::StatusOr<SendStep> step = Work(*file);
  const std::lock_guard lock(mutex_);
  busy_.erase(file->file_id);
  if (step.ok() && *step != SendStep::kUnknown) paused_.erase(file->file_id);
  return step;
}

// One thread at a time: what the one took, the next passes over.
absl::StatusOr<std::optional<FileToSend>> Sender::Take() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> skip(busy_.begin(), busy_.end());
  const std::int64_t now = clock_.MonotonicMillis();
  for (const auto& [id, pause] : paused_) {
    if (pause.until_ms > now) skip.push_back(id);
  }
  absl::StatusOr<std::optional<FileToSend>> file = files_.Take(skip, {});
  if (file.ok() && file->has_value()) busy_.insert((*file)->file_id);
  return file;
}

absl::StatusOr<SendStep> Sender::Work(const FileToSend& file) {
  absl::StatusOr<std::vector<Bank>> known = directory_.ListBanks("", 1000);
  if (!known.ok()) return Later(file, "");
  const auto at = std::find_if(known->begin(), known->end(),
                               [&](const Bank& b) { return b.bank_code == file.bank_code; });
  if (at == known->end()) return Later(file, "NO_ADDRESS");
  absl::StatusOr<std::shared_ptr<AgentBank>> bank = banks_.Of(*at);
  if (!bank.ok()) return Later(file, "NO_ADDRESS");
  return file.fresh ? Send(**bank, file) : Ask(**bank, file);
}

absl::StatusOr<SendStep> Sender::Send(AgentBank& bank, const FileToSend& file) {
  const std::int64_t left = file.act_until_ms - kLeaseMarginMs - clock_.MonotonicMillis();
  if (left <= 0) return Later(file, "");
  const absl::StatusOr<SendAnswer> answer = bank.SubmitFile(
      file, [&](std::int32_t part) { return files_.ReadPart(file.file_id, part); },
      std::min(left, options_.send_timeout_ms));
  if (!answer.ok()) return Later(file, "");
  switch (answer->answer) {
    case FileAnswer::kAccepted:
      break;
    case FileAnswer::kDuplicate:
      return Ask(bank, file);
    case FileAnswer::kRefused:
      return Refused(file, answer->word);
  }
  YKT_RETURN_IF_ERROR(files_.MarkSent(file));
  return SendStep::kSent;
}

absl::StatusOr<SendStep> Sender::Ask(AgentBank& bank, const FileToSend& file) {
  const absl::StatusOr<FileReport> report = bank.GetFileState(file.file_id);
  if (!report.ok()) return Later(file, "");
  switch (report->state) {
    case BankFileState::kProcessing:
    case BankFileState::kDone:
      if (report->sha256 != file.sha256) return Later(file, kOtherContent);
      YKT_RETURN_IF_ERROR(files_.MarkSent(file));
      return SendStep::kSent;
    case BankFileState::kRefused:
      if (!report->sha256.empty() && report->sha256 != file.sha256)
        return Later(file, kOtherContent);
      return Refused(file, report->word);
    case BankFileState::kNotFound:
      break;
  }
  if (file.refuses_duplicates && file.may_send) return Send(bank, file);
  if (today_.Today() > file.sent_on + report->horizon_days) {
    YKT_RETURN_IF_ERROR(files_.MarkRefused(file, "NOT_FOUND", status::Reason::kBankNotTaken));
    return SendStep::kRefused;
  }
  return Later(file, "NOT_FOUND");
}

absl::StatusOr<SendStep> Sender::Refused(const FileToSend& file, std::string_view word) {
  // The bank has other bytes under our id: nobody can say what it paid. A person has to.
  if (word == kOtherContent) return Later(file, kOtherContent);
  YKT_RETURN_IF_ERROR(files_.MarkRefused(file, word, ReasonOfRefusal(word)));
  return SendStep::kRefused;
}

absl::StatusOr<SendStep> Sender::Later(const FileToSend& file, std::string_view note) {
  {
    const std::lock_guard lock(mutex_);
    Pause& pause = paused_[file.file_id];
    pause.length_ms = std::clamp(pause.length_ms * 2, options_.retry_ms, options_.max_retry_ms);
    pause.until_ms = clock_.MonotonicMillis() + pause.length_ms;
  }
  YKT_RETURN_IF_ERROR(files_.Release(file, note));
  return SendStep::kUnknown;
}

}  // namespace yikatong::bankgateway
