// What the bank tells its callers: files, results, rows, statements.
#include <algorithm>

#include "services/banksim/domain/bank.h"
#include "services/banksim/domain/bank_names.h"

namespace yikatong::banksim {

RowReport Bank::ReportOf(std::uint32_t index, std::uint32_t file, RowState state, int code) const {
  const Row& row = rows_[index];
  RowReport report;
  report.file_id = files_[file].id;
  report.reference = row.reference;
  report.state = state;
  report.return_code = code;
  if (state == RowState::kPaid || state == RowState::kReturned) {
    const bool returned = state == RowState::kReturned;
    report.bank_serial = Serial(returned ? 'R' : 'S', index);
    report.booked_on = DayText(returned ? row.return_day : row.day);
    report.amount_fen = row.amount_fen;
  }
  return report;
}

FileReport Bank::GetFile(const std::string& caller, const std::string& file_id) const {
  const std::lock_guard lock(mutex_);
  const auto at = file_by_id_.find(FileKey(caller, file_id));
  if (at == file_by_id_.end()) return {};
  const File& file = files_[at->second];
  const FileState state = !file.reason.empty()         ? FileState::kRefused
                          : file.reported >= file.rows ? FileState::kDone
                                                       : FileState::kProcessing;
  return {state, file.sha256, file.reason};
}

std::vector<RowReport> Bank::ListResults(const std::string& caller, const std::string& bank_code,
                                         std::int64_t after, std::int64_t count,
                                         std::int64_t& head) const {
  const std::lock_guard lock(mutex_);
  std::vector<RowReport> reports;
  head = 0;
  const auto at = results_by_bank_.find({caller, bank_code});
  if (at == results_by_bank_.end()) return reports;
  const std::deque<Result>& results = results_[at->second];
  head = static_cast<std::int64_t>(results.size());
  for (std::int64_t i = std::max<std::int64_t>(after, 0); i < head && count > 0; ++i, --count) {
    const Result& result = results[static_cast<std::size_t>(i)];
    reports.push_back(ReportOf(result.row, result.file, result.state, result.code));
    reports.back().number = i + 1;
  }
  return reports;
}

std::vector<RowReport> Bank::QueryReferences(const std::string& caller,
                                             const std::string& bank_code,
                                             const std::vector<std::int64_t>& references) const {
  const std::lock_guard lock(mutex_);
  std::vector<RowReport> reports;
  reports.reserve(references.size());
  for (const std::int64_t reference : references) {
    std::uint32_t index = 0;
    const Row* row = Find(reference, index);
    const Agreement* const of =
        row == nullptr ? nullptr : &agreements_[files_[row->file].agreement];
    if (of == nullptr || of->caller != caller ||
        (!bank_code.empty() && of->bank_code != bank_code)) {
      reports.emplace_back().reference = reference;
      continue;
    }
    reports.push_back(ReportOf(index, row->file, row->reported,
                               row->reported == RowState::kPending ? 0 : row->code));
  }
  return reports;
}

StatementHead Bank::GetStatementHead(const std::string& caller, const std::string& agreement_no,
                                     absl::CivilDay day) const {
  const std::lock_guard lock(mutex_);
  StatementHead head;
  head.closed = day < today_;
  const Agreement* agreement = FindAgreement(caller, agreement_no);
  if (agreement == nullptr || day < kDayZero) return head;
  const auto at = agreement->days.find(DayNumber(day));
  if (at == agreement->days.end()) return head;
  head.lines = static_cast<std::int64_t>(at->second.size());
  for (const std::uint32_t entry : at->second) {
    const bool odd = (entry & kOdd) != 0;
    const bool debit = odd ? odd_[entry & ~kOdd].debit : entry % 2 == 0;
    (debit ? head.debit_fen : head.credit_fen) +=
        odd ? odd_[entry & ~kOdd].amount_fen : rows_[entry / 2].amount_fen;
  }
  return head;
}

StatementLine Bank::LineOf(std::uint32_t entry) const {
  if ((entry & kOdd) != 0) {
    const OddLine& odd = odd_[entry & ~kOdd];
    return {0,
            odd.reference,
            odd.debit,
            odd.amount_fen,
            Serial('D', entry & ~kOdd),
            odd.debit ? 0 : kReturned};
  }
  const Row& row = rows_[entry / 2];
  const bool debit = entry % 2 == 0;
  return {0,
          row.reference,
          debit,
          row.amount_fen,
          Serial(debit ? 'S' : 'R', entry / 2),
          debit ? 0 : kReturned};
}

std::vector<StatementLine> Bank::ListStatementLines(const std::string& caller,
                                                    const std::string& agreement_no,
                                                    absl::CivilDay day, std::int64_t after,
                                                    std::int64_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<StatementLine> lines;
  const Agreement* agreement = FindAgreement(caller, agreement_no);
  if (agreement == nullptr || day < kDayZero) return lines;
  const auto at = agreement->days.find(DayNumber(day));
  if (at == agreement->days.end()) return lines;
  const std::int64_t all = static_cast<std::int64_t>(at->second.size());
  for (std::int64_t i = after; i < std::min(all, after + count); ++i) {
    lines.push_back(LineOf(at->second[static_cast<std::size_t>(i)]));
    lines.back().line = i + 1;
  }
  return lines;
}

}  // namespace yikatong::banksim
