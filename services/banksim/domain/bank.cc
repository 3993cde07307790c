#include "services/banksim/domain/bank.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/crypto/sha256.h"
#include "services/banksim/domain/bank_names.h"

namespace yikatong::banksim {
namespace {

constexpr std::size_t kMaxGroupRows = 20'000;
constexpr int kDuplicate = 3051;
constexpr int kAccountInvalid = 3004;

// What a row can fail with. 3051 is not drawn: it is only said of a reference that the bank has
// had.
constexpr std::array kFailCodes = {3004, 3030, 3009, 3031, 3065, 3018, 3039, 3017,
                                   3006, 3016, 3020, 3010, 3037, 3069, 3034, 3068,
                                   3013, 3055, 3040, 3057, 3070, 3999};

std::uint64_t Mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// FNV-1a with a finish: the same on every machine and in every run.
std::uint64_t Draw(std::int64_t seed, std::string_view text, std::int64_t number) {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ Mix(static_cast<std::uint64_t>(seed));
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return Mix(hash ^ Mix(static_cast<std::uint64_t>(number) + 0x9e3779b97f4a7c15ULL));
}

bool Hits(std::uint64_t draw, int permille) { return static_cast<int>(draw % 1000) < permille; }

int LastFour(std::string_view account) {
  int four = 0;
  for (const char c : account.substr(account.size() - std::min<std::size_t>(4, account.size()))) {
    four = four * 10 + (c >= '0' && c <= '9' ? c - '0' : 0);
  }
  return four;
}

bool Number(std::string_view text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool PlainText(std::string_view text, std::size_t most) {
  return text.size() <= most && std::all_of(text.begin(), text.end(),
                                            [](char c) { return c > ' ' && c < 0x7f && c != '|'; });
}

absl::Status Contradiction(const JournalFields& fields) {
  return absl::DataLossError("the journal contradicts itself in a line of kind " +
                             std::string(fields[0]));
}

}  // namespace

std::size_t Bank::RowHash::operator()(std::int64_t reference) const {
  return static_cast<std::size_t>(Mix(static_cast<std::uint64_t>(reference)));
}

Bank::Bank(BankOptions options)
    : options_(std::move(options)), by_reference_(0, RowHash{&rows_}, RowEqual{&rows_}) {}

absl::StatusOr<std::unique_ptr<Bank>> Bank::Open(BankOptions options) {
  std::unique_ptr<Bank> bank(new Bank(std::move(options)));
  absl::StatusOr<Journal> journal =
      Journal::Open(bank->options_.journal_path,
                    [b = bank.get()](const JournalFields& fields) { return b->Replay(fields); });
  if (!journal.ok()) return journal.status();
  bank->journal_ = std::make_unique<Journal>(*std::move(journal));
  return bank;
}

// ---- What a line of the journal does to memory.

absl::Status Bank::Replay(const JournalFields& f) {
  switch (f[0].size() == 1 ? f[0][0] : '?') {
    case 'F':
      return ReplayFile(f);
    case 'C':
    case 'X':
    case 'P':
    case 'N':
      return ReplayRow(f);
    case 'R':
      return ReplayReturn(f);
    case 'D':
      return ReplayOdd(f);
    case 'L': {
      std::int64_t reference = 0;
      const std::optional<absl::CivilDay> due =
          f.size() == 4 ? base::ParseDate(f[1]) : std::nullopt;
      std::uint32_t index = 0;
      if (!due || !Number(f[2], reference) || Find(reference, index) == nullptr) {
        return Contradiction(f);
      }
      const Due kind = f[3] == "REPORT"   ? Due::kReport
                       : f[3] == "CREDIT" ? Due::kCredit
                                          : Due::kReturn;
      due_[DayNumber(*due)].emplace_back(index, kind);
      return absl::OkStatus();
    }
    case 'S': {
      // A journal of before there were odd lines has four numbers less.
      std::array<std::int64_t, 15> n{};
      const std::size_t have = f.size() - 3;
      if (f.size() != 14 && f.size() != 18) return Contradiction(f);
      for (std::size_t i = 0; i < have; ++i) {
        if (!Number(f[i + 3], n[i])) return Contradiction(f);
      }
      const auto rate = [&](std::size_t i) { return static_cast<int>(n[i]); };
      if (f[2].empty()) faults_.clear();
      faults_[std::string(f[2])] = {n[0],       rate(1),  rate(2),  rate(3),  rate(4),
                                    rate(5),    rate(6),  rate(7),  rate(8),  rate(9),
                                    n[10] != 0, rate(11), rate(12), rate(13), rate(14)};
      return absl::OkStatus();
    }
    default:
      return Contradiction(f);
  }
}

absl::Status Bank::ReplayFile(const JournalFields& f) {
  std::int64_t rows = 0;
  const std::optional<absl::CivilDay> day = f.size() == 10 ? base::ParseDate(f[1]) : std::nullopt;
  const std::optional<std::string> sha256 = day ? base::FromHex(f[8]) : std::nullopt;
  if (!sha256 || !Number(f[6], rows)) return Contradiction(f);
  today_ = std::max(today_, *day);
  const auto [known, fresh] = agreement_by_number_.try_emplace(
      std::string(f[5]), static_cast<std::uint32_t>(agreements_.size()));
  if (fresh) {
    Agreement& agreement = agreements_.emplace_back();
    agreement.number = f[5];
    agreement.caller = f[3];
    agreement.bank_code = f[4];
    agreement.results = ResultsOf(agreement.caller, agreement.bank_code);
  }
  replayed_file_ = static_cast<std::uint32_t>(files_.size());
  File& file = files_.emplace_back();
  file.id = f[2];
  file.sha256 = *sha256;
  file.reason = f[9];
  file.agreement = known->second;
  file.rows = static_cast<std::uint32_t>(rows);
  if (!file_by_id_.emplace(FileKey(f[3], f[2]), replayed_file_).second) return Contradiction(f);
  return absl::OkStatus();
}

absl::Status Bank::ReplayRow(const JournalFields& f) {
  const char kind = f[0][0];
  // P has no number of a result.
  const std::size_t at = kind == 'P' ? 1 : 2;
  std::int64_t number = 0;
  std::int64_t reference = 0;
  if (f.size() < at + 3 || (kind != 'P' && !Number(f[1], number)) ||
      !Number(f[at + 2], reference)) {
    return Contradiction(f);
  }
  const std::optional<absl::CivilDay> day = base::ParseDate(f[at]);
  if (!day) return Contradiction(f);
  today_ = std::max(today_, *day);
  std::uint32_t index = 0;
  const bool known = Find(reference, index) != nullptr;
  std::uint32_t file = known ? rows_[index].file : replayed_file_;
  RowState state = RowState::kPending;
  std::int64_t code = 0;
  if (kind == 'N') {
    if (!known) return Contradiction(f);
    state = rows_[index].state;
    code = rows_[index].code;
  } else {
    std::int64_t amount = 0;
    std::int64_t last_four = 0;
    if (f.size() != at + 5 + (kind == 'X' ? 1 : 0) || !Number(f[at + 3], amount) ||
        !Number(f[at + 4], last_four) || (kind == 'X' && !Number(f[at + 5], code))) {
      return Contradiction(f);
    }
    if (!known) {
      index = static_cast<std::uint32_t>(rows_.size());
      Row& row = rows_.emplace_back();
      row.reference = reference;
      row.amount_fen = amount;
      row.file = file;
      row.last_four = static_cast<std::uint16_t>(last_four);
      by_reference_.insert(index);
    }
    Row& row = rows_[index];
    if (kind == 'C') {
      state = row.state = RowState::kPaid;
      row.day = DayNumber(*day);
      if (row.credits < 255) ++row.credits;
      if (row.credits == 2) ++summary_.references_credited_twice;
      ++summary_.credits;
      summary_.credit_fen += amount;
      agreements_[files_[file].agreement].days[row.day].push_back(index * 2);
    } else if (kind == 'X') {
      state = RowState::kFailed;
      if (known) {
        file = replayed_file_;  // a second payment under a reference that the bank has had
      } else {
        row.state = state;
        row.code = static_cast<std::uint16_t>(code);
      }
    }
  }
  if (number == 0) return absl::OkStatus();
  File& of = files_[file];
  std::deque<Result>& results = results_[agreements_[of.agreement].results];
  if (number != static_cast<std::int64_t>(results.size()) + 1) return Contradiction(f);
  results.push_back({index, file, static_cast<std::uint16_t>(code), state});
  const bool own = file == rows_[index].file;
  if (!own || rows_[index].reported == RowState::kPending) ++of.reported;
  if (own) rows_[index].reported = state;
  return absl::OkStatus();
}

absl::Status Bank::ReplayReturn(const JournalFields& f) {
  std::int64_t number = 0;
  std::int64_t reference = 0;
  std::int64_t amount = 0;
  std::int64_t code = 0;
  std::uint32_t index = 0;
  const std::optional<absl::CivilDay> day = f.size() == 8 ? base::ParseDate(f[2]) : std::nullopt;
  if (!day || !Number(f[1], number) || !Number(f[4], reference) || !Number(f[5], amount) ||
      !Number(f[7], code) || Find(reference, index) == nullptr ||
      rows_[index].state != RowState::kPaid) {
    return Contradiction(f);
  }
  today_ = std::max(today_, *day);
  Row& row = rows_[index];
  row.state = row.reported = RowState::kReturned;
  row.code = static_cast<std::uint16_t>(code);
  row.return_day = DayNumber(*day);
  ++summary_.returns;
  summary_.return_fen += amount;
  Agreement& agreement = agreements_[files_[row.file].agreement];
  agreement.days[row.return_day].push_back(index * 2 + 1);
  std::deque<Result>& results = results_[agreement.results];
  if (number != static_cast<std::int64_t>(results.size()) + 1) return Contradiction(f);
  results.push_back({index, row.file, row.code, RowState::kReturned});
  return absl::OkStatus();
}

absl::Status Bank::ReplayOdd(const JournalFields& f) {
  std::int64_t reference = 0;
  std::int64_t amount = 0;
  const std::optional<absl::CivilDay> day = f.size() == 7 ? base::ParseDate(f[1]) : std::nullopt;
  const auto agreement =
      day ? agreement_by_number_.find(std::string(f[2])) : agreement_by_number_.end();
  if (!day || agreement == agreement_by_number_.end() || !Number(f[3], reference) ||
      !Number(f[4], amount) || (f[5] != "DEBIT" && f[5] != "CREDIT")) {
    return Contradiction(f);
  }
  today_ = std::max(today_, *day);
  const auto index = static_cast<std::uint32_t>(odd_.size());
  OddLine& line = odd_.emplace_back();
  line.reference = reference;
  line.amount_fen = amount;
  line.agreement = agreement->second;
  line.debit = f[5] == "DEBIT";
  agreements_[line.agreement].days[DayNumber(*day)].push_back(kOdd | index);
  if (f[6].empty()) return absl::OkStatus();
  if (f[6] == "CORRECTION") {
    // The oldest line that it is the opposite of.
    line.corrected = true;
    for (auto& [due, lines] : odd_due_) {
      for (const std::uint32_t one : lines) {
        OddLine& of = odd_[one];
        if (of.corrected || of.reference != reference || of.debit == line.debit) continue;
        of.corrected = true;
        return absl::OkStatus();
      }
    }
    return Contradiction(f);
  }
  const std::optional<absl::CivilDay> due = base::ParseDate(f[6]);
  if (!due) return Contradiction(f);
  odd_due_[DayNumber(*due)].push_back(index);
  return absl::OkStatus();
}

// ---- What the bank does.

absl::Status Bank::AdvanceTo(absl::CivilDay today) {
  const std::lock_guard lock(mutex_);
  today_ = std::max(today_, today);
  has_day_ = true;
  if (absl::Status booked = BookDue(); !booked.ok()) return booked;
  return CorrectOdd();
}

bool Bank::HasDay() const {
  const std::lock_guard lock(mutex_);
  return has_day_;
}

absl::StatusOr<SubmitAnswer> Bank::SubmitFile(const std::string& caller, const FileHead& head,
                                              std::string_view bytes) {
  // Hashing and reading need no lock.
  const crypto::Digest digest = crypto::Sha256(bytes);
  PaymentFile file;
  std::string reason;
  if (!PlainText(head.file_id, 35) || head.file_id.empty() || !PlainText(head.agreement_no, 32) ||
      !PlainText(head.bank_code, 12) || !PlainText(caller, 200)) {
    return SubmitAnswer{FileAnswer::kRefused, "FORMAT", false};
  }
  if (options_.signature_fits &&
      !options_.signature_fits(head.signer_key_id, crypto::BytesOf(digest), head.signature)) {
    // Nobody is bound by what he did not sign, so the id stays free.
    return SubmitAnswer{FileAnswer::kRefused, "SIGNATURE", false};
  }
  if (crypto::BytesOf(digest) != head.sha256) reason = "CONTROL_SUM";
  if (reason.empty()) reason = ParsePaymentFile(bytes, file);
  if (reason.empty() && (file.file_id != head.file_id || file.agreement_no != head.agreement_no ||
                         file.business_date != head.business_date || file.rows != head.rows ||
                         file.total_fen != head.total_fen)) {
    reason = "CONTROL_SUM";
  }

  const std::lock_guard lock(mutex_);
  const auto known = file_by_id_.find(FileKey(caller, head.file_id));
  if (known != file_by_id_.end()) {
    if (files_[known->second].sha256 != crypto::BytesOf(digest)) {
      return SubmitAnswer{FileAnswer::kRefused, "OTHER_CONTENT", false};
    }
    return SubmitAnswer{FileAnswer::kDuplicate, "", false};
  }
  if (!MayUse(caller, head)) return SubmitAnswer{FileAnswer::kRefused, "AGREEMENT", false};
  const Faults faults = FaultsLocked(head.bank_code);
  if (reason.empty() &&
      Hits(Draw(faults.seed, head.agreement_no, today_ - kDayZero), faults.refuse_file_permille)) {
    reason = "FUNDS";
  }
  Journal::Line(*journal_, 'F')
      .Text(base::FormatDate(today_))
      .Text(head.file_id)
      .Text(caller)
      .Text(head.bank_code)
      .Text(head.agreement_no)
      .Number(static_cast<std::int64_t>(file.payments.size()))
      .Number(head.total_fen)
      .Text(base::ToHex(crypto::BytesOf(digest)))
      .Text(reason);
  if (reason.empty()) {
    const auto results = results_by_bank_.find({caller, head.bank_code});
    const std::int64_t have = results == results_by_bank_.end()
                                  ? 0
                                  : static_cast<std::int64_t>(results_[results->second].size());
    TakeRows(head, faults, file.payments, have);
  }
  if (absl::Status durable = journal_->Commit(); !durable.ok()) return durable;
  SubmitAnswer answer;
  answer.answer = reason.empty() ? FileAnswer::kAccepted : FileAnswer::kRefused;
  answer.reason = reason;
  answer.lost = Hits(Draw(faults.seed, head.file_id, 1), faults.lost_answer_permille);
  return answer;
}

// Decides every row, as lines of the group; nothing changes in memory here.
void Bank::TakeRows(const FileHead& head, const Faults& faults, const std::vector<PaymentRow>& rows,
                    std::int64_t number) {
  const std::string today = base::FormatDate(today_);
  const auto row_line = [&](char kind, std::int64_t result, const PaymentRow& row, int code) {
    Journal::Line line(*journal_, kind);
    if (kind != 'P') line.Number(result);
    line.Text(today).Text(head.file_id).Number(row.reference, 16).Number(row.amount_fen);
    line.Number(LastFour(row.account), 4);
    if (kind == 'X') line.Number(code);
  };
  const auto plan = [&](const PaymentRow& row, int days, std::string_view kind) {
    Journal::Line(*journal_, 'L')
        .Text(base::FormatDate(today_ + days))
        .Number(row.reference, 16)
        .Text(kind);
  };
  absl::flat_hash_set<std::int64_t> here;
  here.reserve(rows.size());
  std::uint32_t index = 0;
  for (const PaymentRow& row : rows) {
    if (!here.insert(row.reference).second || Find(row.reference, index) != nullptr) {
      row_line('X', ++number, row, kDuplicate);
      continue;
    }
    const std::uint64_t draw = Draw(faults.seed, row.account, row.amount_fen);
    const int point = static_cast<int>(draw % 1000);
    const int to_return = faults.fail_permille + faults.return_permille;
    if (!AccountNumberFits(row.account, row.card)) {
      row_line('X', ++number, row, kAccountInvalid);
    } else if (point < faults.fail_permille) {
      row_line('X', ++number, row, kFailCodes[draw / 1000 % kFailCodes.size()]);
    } else if (point < to_return) {
      row_line('C', ++number, row, 0);
      plan(row, faults.return_after_days, "RETURN");
    } else if (point < to_return + faults.late_permille) {
      const bool at_once = draw / 1000 % 2 == 0;
      row_line(at_once ? 'C' : 'P', 0, row, 0);
      plan(row, faults.late_days, at_once ? "REPORT" : "CREDIT");
      continue;
    } else {
      row_line('C', ++number, row, 0);
      AddOddLines(head, faults, row, Mix(draw + 1));
    }
    if (Hits(Mix(draw), faults.repeat_permille)) {
      Journal::Line(*journal_, 'N')
          .Number(++number)
          .Text(today)
          .Text(head.file_id)
          .Number(row.reference, 16);
    }
  }
}

void Bank::AddOddLines(const FileHead& head, const Faults& faults, const PaymentRow& row,
                       std::uint64_t draw) {
  const int point = static_cast<int>(draw % 1000);
  const int foreign = faults.second_debit_permille + faults.foreign_debit_permille;
  if (point >= foreign + faults.stray_reversal_permille) return;
  const bool second = point < faults.second_debit_permille;
  // No caller sends an attempt 00.
  const std::int64_t reference = second ? row.reference : row.reference / 100 * 100;
  Journal::Line(*journal_, 'D')
      .Text(base::FormatDate(today_))
      .Text(head.agreement_no)
      .Number(reference, 16)
      .Number(row.amount_fen)
      .Text(point < foreign ? "DEBIT" : "CREDIT")
      .Text(faults.correct_after_days > 0 ? base::FormatDate(today_ + faults.correct_after_days)
                                          : "");
}

absl::Status Bank::CorrectOdd() {
  while (!odd_due_.empty() && odd_due_.begin()->first <= DayNumber(today_)) {
    const std::vector<std::uint32_t> due = odd_due_.begin()->second;
    std::size_t written = 0;
    for (const std::uint32_t index : due) {
      const OddLine& line = odd_[index];
      // After a start the plans of the journal are all here again, those already done too.
      if (line.corrected || written == kMaxGroupRows) continue;
      ++written;
      Journal::Line(*journal_, 'D')
          .Text(base::FormatDate(today_))
          .Text(agreements_[line.agreement].number)
          .Number(line.reference, 16)
          .Number(line.amount_fen)
          .Text(line.debit ? "CREDIT" : "DEBIT")
          .Text("CORRECTION");
    }
    if (absl::Status durable = journal_->Commit(); !durable.ok()) return durable;
    if (written < kMaxGroupRows) odd_due_.erase(odd_due_.begin());
  }
  return absl::OkStatus();
}

absl::Status Bank::BookDue() {
  const std::uint16_t today = DayNumber(today_);
  const std::string date = base::FormatDate(today_);
  while (!due_.empty() && due_.begin()->first <= today) {
    std::vector<std::pair<std::uint32_t, Due>>& plans = due_.begin()->second;
    const std::size_t count = std::min(plans.size(), kMaxGroupRows);
    std::map<std::uint32_t, std::int64_t> next;  // number of the next result, by results_
    for (std::size_t i = 0; i < count; ++i) {
      const auto& [index, kind] = plans[i];
      const Row& row = rows_[index];
      // After a start the plans of the journal are all here again, those already done too.
      const bool open = kind == Due::kReport   ? row.reported == RowState::kPending
                        : kind == Due::kCredit ? row.state == RowState::kPending
                                               : row.state == RowState::kPaid;
      if (!open) continue;
      const std::uint32_t results = agreements_[files_[row.file].agreement].results;
      const auto [at, fresh] =
          next.try_emplace(results, static_cast<std::int64_t>(results_[results].size()));
      Journal::Line line(*journal_, kind == Due::kReport ? 'N' : kind == Due::kCredit ? 'C' : 'R');
      line.Number(++at->second).Text(date).Text(files_[row.file].id).Number(row.reference, 16);
      if (kind != Due::kReport) line.Number(row.amount_fen).Number(row.last_four, 4);
      if (kind == Due::kReturn) line.Number(kReturned);
    }
    if (absl::Status durable = journal_->Commit(); !durable.ok()) return durable;
    plans.erase(plans.begin(), plans.begin() + static_cast<std::ptrdiff_t>(count));
    if (plans.empty()) due_.erase(due_.begin());
  }
  return absl::OkStatus();
}

bool Bank::MayUse(const std::string& caller, const FileHead& head) const {
  const auto known = agreement_by_number_.find(head.agreement_no);
  if (known != agreement_by_number_.end()) {
    const Agreement& agreement = agreements_[known->second];
    return agreement.caller == caller && agreement.bank_code == head.bank_code;
  }
  const auto given = options_.agreements.find(head.agreement_no);
  if (given == options_.agreements.end()) return options_.open_agreements;
  return given->second == head.bank_code;
}

std::uint32_t Bank::ResultsOf(const std::string& caller, const std::string& bank_code) {
  const auto [at, fresh] = results_by_bank_.try_emplace(
      std::pair(caller, bank_code), static_cast<std::uint32_t>(results_.size()));
  if (fresh) results_.emplace_back();
  return at->second;
}

const Bank::Row* Bank::Find(std::int64_t reference, std::uint32_t& index) const {
  const auto at = by_reference_.find(reference);
  if (at == by_reference_.end()) return nullptr;
  index = *at;
  return &rows_[index];
}

const Bank::Agreement* Bank::FindAgreement(const std::string& caller,
                                           const std::string& number) const {
  const auto at = agreement_by_number_.find(number);
  if (at == agreement_by_number_.end() || agreements_[at->second].caller != caller) return nullptr;
  return &agreements_[at->second];
}

absl::Status Bank::SetFaults(const std::string& bank_code, const Faults& faults) {
  if (!PlainText(bank_code, 12)) return absl::InvalidArgumentError("bank_code");
  const std::lock_guard lock(mutex_);
  Journal::Line(*journal_, 'S')
      .Text(base::FormatDate(today_))
      .Text(bank_code)
      .Number(faults.seed)
      .Number(faults.fail_permille)
      .Number(faults.return_permille)
      .Number(faults.return_after_days)
      .Number(faults.late_permille)
      .Number(faults.late_days)
      .Number(faults.lost_answer_permille)
      .Number(faults.refuse_file_permille)
      .Number(faults.delay_ms)
      .Number(faults.repeat_permille)
      .Number(faults.down ? 1 : 0)
      .Number(faults.second_debit_permille)
      .Number(faults.foreign_debit_permille)
      .Number(faults.stray_reversal_permille)
      .Number(faults.correct_after_days);
  return journal_->Commit();
}

Faults Bank::FaultsOf(const std::string& bank_code) const {
  const std::lock_guard lock(mutex_);
  return FaultsLocked(bank_code);
}

Faults Bank::FaultsLocked(const std::string& bank_code) const {
  auto at = faults_.find(bank_code);
  if (at == faults_.end()) at = faults_.find("");
  return at == faults_.end() ? Faults() : at->second;
}

Faults Bank::FaultsOfFile(const std::string& caller, const std::string& file_id) const {
  const std::lock_guard lock(mutex_);
  const auto at = file_by_id_.find(FileKey(caller, file_id));
  return FaultsLocked(at == file_by_id_.end()
                          ? std::string()
                          : agreements_[files_[at->second].agreement].bank_code);
}

Faults Bank::FaultsOfAgreement(const std::string& agreement_no) const {
  const std::lock_guard lock(mutex_);
  const auto at = agreement_by_number_.find(agreement_no);
  return FaultsLocked(at == agreement_by_number_.end() ? std::string()
                                                       : agreements_[at->second].bank_code);
}

JournalSummary Bank::Summary() const {
  const std::lock_guard lock(mutex_);
  return summary_;
}

}  // namespace yikatong::banksim
