#include "services/bankgateway/domain/collector.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "common/status/status.h"

namespace yikatong::bankgateway {

absl::StatusOr<int> Collector::TakeResults(const Bank& bank) {
  YKT_ASSIGN_OR_RETURN(const std::shared_ptr<AgentBank> agent, banks_.Of(bank));
  YKT_ASSIGN_OR_RETURN(const std::int64_t after, outcomes_.Cursor(bank.bank_code));
  YKT_ASSIGN_OR_RETURN(ResultPage page, agent->ListResults(after, options_.page_rows));
  if (page.results.empty()) return 0;
  // The cursor is dense: a page with a gap, or out of order, is no page.
  for (std::size_t i = 0; i < page.results.size(); ++i) {
    if (page.results[i].number != after + 1 + static_cast<std::int64_t>(i)) {
      return absl::DataLossError("the bank's results have a gap");
    }
  }
  const absl::Status applied = outcomes_.ApplyPage(bank.bank_code, after, page.results);
  // Another replica was faster.
  if (absl::IsAborted(applied)) return 0;
  YKT_RETURN_IF_ERROR(applied);
  return static_cast<int>(page.results.size());
}

absl::StatusOr<int> Collector::Reconcile(const Bank& bank) {
  YKT_ASSIGN_OR_RETURN(const std::vector<DueStatement> due,
                       outcomes_.DueStatements(bank.bank_code));
  if (due.empty()) return 0;
  YKT_ASSIGN_OR_RETURN(const std::shared_ptr<AgentBank> agent, banks_.Of(bank));
  int completed = 0;
  for (const DueStatement& statement : due) {
    std::optional<StatementHead> head;
    const absl::Status read = agent->GetStatement(
        statement.agreement_no, statement.day,
        [&](const StatementHead& got) {
          if (got.closed) head = got;
          return got.closed;
        },
        [&](const std::vector<StatementLine>& lines) {
          return outcomes_.CompareLines(bank.bank_code, statement, lines);
        });
    if (!read.ok() || !head.has_value()) {
      YKT_RETURN_IF_ERROR(cases_.MissStatement(bank.bank_code, statement).status());
      YKT_RETURN_IF_ERROR(read);
      continue;
    }
    YKT_RETURN_IF_ERROR(outcomes_.CompleteStatement(bank.bank_code, statement, *head));
    ++completed;
  }
  return completed;
}

absl::StatusOr<int> Collector::AskAboutLate(const Bank& bank) {
  YKT_ASSIGN_OR_RETURN(
      const std::vector<LateFile> late,
      outcomes_.LateFiles(bank.bank_code, today_.Today() - options_.unknown_after_days));
  if (late.empty()) return 0;
  YKT_ASSIGN_OR_RETURN(const std::shared_ptr<AgentBank> agent, banks_.Of(bank));
  for (const LateFile& file : late) YKT_RETURN_IF_ERROR(AskAboutFile(bank, *agent, file));
  return static_cast<int>(late.size());
}

absl::StatusOr<int> Collector::AskAboutCases(const Bank& bank) {
  YKT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> references, cases_.ToAsk(bank.bank_code));
  if (references.empty()) return 0;
  YKT_ASSIGN_OR_RETURN(const std::shared_ptr<AgentBank> agent, banks_.Of(bank));
  YKT_ASSIGN_OR_RETURN(const std::vector<BankResult> answers, agent->QueryReferences(references));
  YKT_RETURN_IF_ERROR(cases_.ApplyAnswers(bank.bank_code, answers));
  return static_cast<int>(references.size());
}

absl::Status Collector::AskAboutFile(const Bank& bank, AgentBank& agent, const LateFile& file) {
  // "Not found" is an answer only of a bank that took the file, and only behind its horizon.
  bool not_found_is_final = false;
  if (file.state == FileState::kSent) {
    const absl::StatusOr<FileReport> report = agent.GetFileState(file.file_id);
    not_found_is_final = report.ok() && report->state != BankFileState::kNotFound &&
                         today_.Today() > file.sent_on + report->horizon_days;
  }
  absl::Status unanswered;
  for (std::int64_t after = 0;;) {
    YKT_ASSIGN_OR_RETURN(const std::vector<std::int64_t> references,
                         outcomes_.OpenReferences(file.file_id, after, options_.ask_rows));
    if (references.empty()) break;
    after = references.back();
    absl::StatusOr<std::vector<BankResult>> answers = agent.QueryReferences(references);
    if (!answers.ok()) {
      unanswered = answers.status();
      answers.emplace();
      for (const std::int64_t reference : references) {
        BankResult& open = answers->emplace_back();
        open.reference = reference;
        open.state = RowState::kPending;
      }
    }
    YKT_RETURN_IF_ERROR(outcomes_.ApplyAnswers(bank.bank_code, *answers, not_found_is_final));
  }
  YKT_RETURN_IF_ERROR(unanswered);
  return outcomes_.MarkAsked(file.file_id);
}

}  // namespace yikatong::bankgateway
