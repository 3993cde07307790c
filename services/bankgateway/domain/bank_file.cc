#include "services/bankgateway/domain/bank_file.h"

#include <charconv>
#include <cstdio>
#include <utility>

#include "common/base/dates.h"
#include "common/codes/bank_numbers.h"
#include "common/status/status.h"

namespace yikatong::bankgateway {
namespace {

// No line is longer than this, so a part is full before it can overflow.
constexpr std::size_t kMaxLineBytes = 4096;

void PutDigits(std::string& out, std::int64_t number, int width = 0) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  for (int have = static_cast<int>(end - digits); have < width; ++have) out.push_back('0');
  out.append(digits, end);
}

}  // namespace

std::string MakeFileId(std::int32_t district, absl::CivilDay day, std::int64_t epoch,
                       std::int64_t number) {
  char text[64];
  std::snprintf(text, sizeof text, "%06d-%s-%lld-%07lld", district,
                base::FormatCompactDate(day).c_str(), static_cast<long long>(epoch),
                static_cast<long long>(number));
  return text;
}

BankFileWriter::BankFileWriter(const FileHeader& header, Sink sink)
    : header_(header), sink_(std::move(sink)) {
  buffer_.reserve(static_cast<std::size_t>(kMaxPartBytes));
  buffer_ += "H|YKT1|" + header.file_id + "|" + header.agreement_no + "|" +
             base::FormatDate(header.business_date) + "|" + std::to_string(header.rows) + "|" +
             std::to_string(header.total_fen) + "|SUBSIDY\n";
}

absl::Status BankFileWriter::Add(const Payment& payment, std::string_view summary) {
  const PayeeAccount& account = payment.account;
  YKT_INVARIANT(account.number.size() + account.name.size() + summary.size() < kMaxLineBytes - 128,
                "a payment is too long for a line");
  if (buffer_.size() + kMaxLineBytes > static_cast<std::size_t>(kMaxPartBytes)) {
    YKT_RETURN_IF_ERROR(Flush());
  }
  buffer_ += "D|";
  PutDigits(buffer_, ++rows_);
  buffer_ += '|';
  PutDigits(buffer_, payment.reference, 16);
  buffer_ += '|';
  buffer_ += payment.bank_code;
  // The seal does not name the kind; what is no card by its check digit is a passbook.
  const bool card = account.number.size() >= 16 && account.number.size() <= 19 &&
                    account.number.starts_with("62") && codes::LuhnFits(account.number);
  buffer_ += card ? "|CARD|" : "|PASSBOOK|";
  buffer_ += account.number;
  buffer_ += '|';
  buffer_ += account.name;
  buffer_ += '|';
  PutDigits(buffer_, payment.amount_fen);
  buffer_ += '|';
  buffer_ += summary;
  buffer_ += '\n';
  total_fen_ += payment.amount_fen;
  return absl::OkStatus();
}

absl::Status BankFileWriter::Finish() {
  YKT_INVARIANT(rows_ == header_.rows && total_fen_ == header_.total_fen,
                "the rows of a file are not those of its chunks");
  buffer_ += "T|" + std::to_string(rows_) + "|" + std::to_string(total_fen_) + "\n";
  YKT_RETURN_IF_ERROR(Flush());
  digest_ = hasher_.Finish();
  return absl::OkStatus();
}

absl::Status BankFileWriter::Flush() {
  hasher_.Update(buffer_);
  byte_size_ += static_cast<std::int64_t>(buffer_.size());
  YKT_RETURN_IF_ERROR(sink_(parts_, buffer_));
  ++parts_;
  buffer_.clear();
  return absl::OkStatus();
}

}  // namespace yikatong::bankgateway
