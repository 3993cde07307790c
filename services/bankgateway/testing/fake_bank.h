// A bank in memory that does what a test says; a fake of the peer, for the tests of this service.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/bankgateway/domain/ports.h"

namespace yikatong::bankgateway {

class FakeBank final : public AgentBank {
 public:
  absl::StatusOr<SendAnswer> SubmitFile(const FileToSend& file, const PartReader& read,
                                        std::int64_t) override {
    ++submits;
    std::string bytes;
    for (std::int32_t part = 0; part < file.parts; ++part) {
      absl::StatusOr<std::string> got = read(part);
      if (!got.ok()) return got.status();
      bytes += *got;
    }
    if (on_submit) {
      absl::StatusOr<SendAnswer> answer = on_submit(file, bytes);
      if (!answer.ok() || answer->answer == FileAnswer::kRefused) return answer;
    }
    if (files.count(file.file_id) != 0) return SendAnswer{FileAnswer::kDuplicate, ""};
    Take(file, bytes);
    return SendAnswer{FileAnswer::kAccepted, ""};
  }

  void Take(const FileToSend& file, const std::string& bytes) {
    files[file.file_id] = {file, bytes};
  }

  absl::StatusOr<FileReport> GetFileState(const std::string& file_id) override {
    ++asks;
    if (down) return absl::UnavailableError("down");
    FileReport report;
    report.horizon_days = 3;
    if (const auto at = files.find(file_id); at != files.end()) {
      report.state = BankFileState::kProcessing;
      report.sha256 = at->second.file.sha256;
    }
    return report;
  }

  absl::StatusOr<ResultPage> ListResults(std::int64_t after, int count) override {
    if (down) return absl::UnavailableError("down");
    ResultPage page;
    page.head = static_cast<std::int64_t>(results.size());
    for (std::int64_t i = after; i < page.head && count-- > 0; ++i) {
      page.results.push_back(results[static_cast<std::size_t>(i)]);
      page.results.back().number = i + first_number;
    }
    return page;
  }

  absl::StatusOr<std::vector<BankResult>> QueryReferences(
      const std::vector<std::int64_t>& references) override {
    if (down) return absl::UnavailableError("down");
    std::vector<BankResult> reports;
    for (const std::int64_t reference : references) {
      BankResult report;
      if (const auto at = answers.find(reference); at != answers.end()) report = at->second;
      report.reference = reference;
      reports.push_back(report);
    }
    return reports;
  }

  absl::Status GetStatement(
      const std::string& agreement_no, absl::CivilDay day,
      const std::function<bool(const StatementHead&)>& on_head,
      const std::function<absl::Status(const std::vector<StatementLine>&)>& on_lines) override {
    std::vector<StatementLine>& lines = statements[{agreement_no, day}];
    StatementHead head;
    head.closed = day < today;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      lines[i].line = static_cast<std::int64_t>(i) + 1;
      (lines[i].debit ? head.debit_fen : head.credit_fen) += lines[i].amount_fen;
      ++head.lines;
    }
    if (!on_head(head) || lines.empty()) return absl::OkStatus();
    return on_lines(lines);
  }

  void Say(std::int64_t reference, RowState state, std::int64_t amount_fen,
           const std::string& code = "", std::optional<absl::CivilDay> booked_on = std::nullopt) {
    BankResult result;
    result.reference = reference;
    result.state = state;
    result.return_code = code;
    result.amount_fen = amount_fen;
    result.booked_on = booked_on;
    results.push_back(result);
  }
  void Line(const std::string& agreement_no, absl::CivilDay day, std::int64_t reference, bool debit,
            std::int64_t amount_fen) {
    StatementLine line;
    line.reference = reference;
    line.debit = debit;
    line.amount_fen = amount_fen;
    statements[{agreement_no, day}].push_back(line);
  }

  struct Taken {
    FileToSend file;
    std::string bytes;
  };
  int submits = 0;
  int asks = 0;
  bool down = false;
  std::int64_t first_number = 1;  // of the results; anything else is wrong
  absl::CivilDay today;
  std::function<absl::StatusOr<SendAnswer>(const FileToSend&, const std::string& bytes)> on_submit;
  std::map<std::string, Taken> files;
  std::vector<BankResult> results;
  std::map<std::int64_t, BankResult> answers;
  std::map<std::pair<std::string, absl::CivilDay>, std::vector<StatementLine>> statements;
};

class FakeBanks final : public AgentBanks {
 public:
  absl::StatusOr<std::shared_ptr<AgentBank>> Of(const Bank& bank) override {
    if (on_of) on_of(bank);
    return std::shared_ptr<AgentBank>(&banks[bank.bank_code], [](AgentBank*) {});
  }
  std::function<void(const Bank&)> on_of;
  std::map<std::string, FakeBank> banks;
};

}  // namespace yikatong::bankgateway
