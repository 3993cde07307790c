#include "services/bankgateway/domain/look_up.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "common/status/status.h"

namespace yikatong::bankgateway {

absl::StatusOr<int> LookUp::RunOnce() {
  YKT_ASSIGN_OR_RETURN(const std::optional<OpenRestore> restore, restores_.Open());
  if (!restore.has_value()) return 0;
  YKT_ASSIGN_OR_RETURN(std::vector<Bank> banks, directory_.ListBanks("", 1'000));
  std::erase_if(banks, [](const Bank& bank) { return bank.address.empty(); });
  YKT_ASSIGN_OR_RETURN(const bool read, NewsIsRead(*restore, banks));
  if (!read) return 0;
  YKT_ASSIGN_OR_RETURN(const std::optional<WaitingChunk> chunk, restores_.NextToLookUp());
  if (!chunk.has_value()) return 0;
  std::map<std::string, std::vector<BankResult>> answers;
  for (const Bank& bank : banks) {
    YKT_ASSIGN_OR_RETURN(answers[bank.bank_code], Ask(bank, chunk->references));
  }
  YKT_RETURN_IF_ERROR(restores_.LookedUp(restore->restore_id, *chunk, answers).status());
  return 1;
}

absl::StatusOr<int> LookUp::AskAboutLate(const Bank& bank, int after_days) {
  YKT_ASSIGN_OR_RETURN(const std::optional<WaitingChunk> chunk,
                       restores_.LateChunk(bank.bank_code, today_.Today() - after_days));
  if (!chunk.has_value()) return 0;
  if (!chunk->references.empty()) {
    YKT_ASSIGN_OR_RETURN(const std::vector<BankResult> answers, Ask(bank, chunk->references));
    // The bank has had them: "not found" says nothing of what it did.
    YKT_RETURN_IF_ERROR(outcomes_.ApplyAnswers(bank.bank_code, answers, false));
  }
  YKT_RETURN_IF_ERROR(restores_.MarkAsked(*chunk));
  return 1;
}

absl::StatusOr<bool> LookUp::NewsIsRead(const OpenRestore& restore,
                                        const std::vector<Bank>& banks) {
  bool all = true;
  for (const Bank& bank : banks) {
    if (std::find(restore.behind.begin(), restore.behind.end(), bank.bank_code) ==
        restore.behind.end()) {
      continue;
    }
    YKT_ASSIGN_OR_RETURN(const std::int64_t cursor, outcomes_.Cursor(bank.bank_code));
    if (!heads_.contains(bank.bank_code)) {
      YKT_ASSIGN_OR_RETURN(const std::shared_ptr<AgentBank> agent, banks_.Of(bank));
      YKT_ASSIGN_OR_RETURN(const ResultPage page, agent->ListResults(cursor, 1));
      heads_[bank.bank_code] = page.head;
    }
    if (cursor < heads_[bank.bank_code]) {
      all = false;
      continue;
    }
    YKT_RETURN_IF_ERROR(restores_.MarkRead(restore.restore_id, bank.bank_code));
  }
  return all;
}

absl::StatusOr<std::vector<BankResult>> LookUp::Ask(const Bank& bank,
                                                    const std::vector<std::int64_t>& references) {
  YKT_ASSIGN_OR_RETURN(const std::shared_ptr<AgentBank> agent, banks_.Of(bank));
  std::vector<BankResult> answers;
  answers.reserve(references.size());
  for (std::size_t from = 0; from < references.size(); from += kMaxAskedReferences) {
    const std::size_t to = std::min(references.size(), from + kMaxAskedReferences);
    const std::vector<std::int64_t> some(references.begin() + static_cast<std::ptrdiff_t>(from),
                                         references.begin() + static_cast<std::ptrdiff_t>(to));
    YKT_ASSIGN_OR_RETURN(const std::vector<BankResult> part, agent->QueryReferences(some));
    if (part.size() != some.size()) return absl::DataLossError("not as many answers as questions");
    answers.insert(answers.end(), part.begin(), part.end());
  }
  return answers;
}

}  // namespace yikatong::bankgateway
