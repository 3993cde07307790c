#include "services/banksim/domain/bank_file.h"

#include <charconv>

namespace yikatong::banksim {
namespace {

constexpr std::string_view kFormat = "FORMAT";
constexpr std::string_view kControlSum = "CONTROL_SUM";
constexpr std::size_t kMaxRows = 20'000;
constexpr std::int64_t kMaxRowFen = 1'000'000'000;

// Takes what stands before the next `end` from the front of `in`, or nothing where there is no such
// mark.
bool Take(std::string_view& in, char end, std::string_view& part) {
  const std::size_t at = in.find(end);
  if (at == std::string_view::npos) return false;
  part = in.substr(0, at);
  in.remove_prefix(at + 1);
  return true;
}

bool AllDigits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

bool Number(std::string_view text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return AllDigits(text) && error == std::errc() && end == text.data() + text.size();
}

bool ParseRow(std::string_view line, std::int64_t sequence, PaymentRow& row) {
  std::string_view field;
  std::int64_t number = 0;
  if (!Take(line, '|', field) || !Number(field, number) || number != sequence) return false;
  if (!Take(line, '|', field) || field.size() != 16 || !Number(field, row.reference)) return false;
  if (!Take(line, '|', row.bank_code) || row.bank_code.size() != 12 || !AllDigits(row.bank_code)) {
    return false;
  }
  if (!Take(line, '|', field) || (field != "CARD" && field != "PASSBOOK")) return false;
  row.card = field == "CARD";
  if (!Take(line, '|', row.account) || row.account.empty() || row.account.size() > 32) return false;
  if (!Take(line, '|', row.account_name) || row.account_name.empty()) return false;
  if (!Take(line, '|', field) || !Number(field, row.amount_fen)) return false;
  return row.reference > 0 && row.amount_fen > 0 && row.amount_fen <= kMaxRowFen &&
         line.find('|') == std::string_view::npos;
}

}  // namespace

std::string_view ParsePaymentFile(std::string_view bytes, PaymentFile& file) {
  std::string_view line;
  std::string_view field;
  if (!Take(bytes, '\n', line) || !line.starts_with("H|YKT1|")) return kFormat;
  line.remove_prefix(7);
  if (!Take(line, '|', file.file_id) || !Take(line, '|', file.agreement_no) ||
      !Take(line, '|', file.business_date) || !Take(line, '|', field) ||
      !Number(field, file.rows) || !Take(line, '|', field) || !Number(field, file.total_fen)) {
    return kFormat;
  }
  if (file.rows < 1 || static_cast<std::size_t>(file.rows) > kMaxRows) return kFormat;
  file.payments.reserve(static_cast<std::size_t>(file.rows));
  std::int64_t total_fen = 0;
  bool ended = false;
  while (Take(bytes, '\n', line)) {
    if (line.starts_with("D|") && !ended) {
      line.remove_prefix(2);
      PaymentRow& row = file.payments.emplace_back();
      if (file.payments.size() > kMaxRows ||
          !ParseRow(line, static_cast<std::int64_t>(file.payments.size()), row)) {
        return kFormat;
      }
      total_fen += row.amount_fen;
    } else if (line.starts_with("T|") && !ended) {
      line.remove_prefix(2);
      std::int64_t rows = 0;
      std::int64_t total = 0;
      if (!Take(line, '|', field) || !Number(field, rows) || !Number(line, total)) return kFormat;
      if (rows != file.rows || total != file.total_fen) return kControlSum;
      ended = true;
    } else {
      return kFormat;
    }
  }
  if (!ended || !bytes.empty()) return kFormat;
  if (static_cast<std::int64_t>(file.payments.size()) != file.rows || total_fen != file.total_fen) {
    return kControlSum;
  }
  return {};
}

bool AccountNumberFits(std::string_view account, bool card) {
  if (!AllDigits(account) || account.size() < 8 || account.size() > 32) return false;
  if (!card) return true;
  if (account.size() < 16 || account.size() > 19 || !account.starts_with("62")) return false;
  int sum = 0;
  bool doubled = false;
  for (std::size_t i = account.size(); i-- > 0; doubled = !doubled) {
    int digit = account[i] - '0';
    if (doubled && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  return sum % 10 == 0;
}

}  // namespace yikatong::banksim
