// Reading a file of payments, as proto/yikatong/bank/v1/agent_bank.proto describes it. The bank's
// own reader: it shares nothing with whoever wrote the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yikatong::banksim {

// One row. The views refer to the bytes that were parsed.
struct PaymentRow {
  std::int64_t reference = 0;
  std::int64_t amount_fen = 0;
  std::string_view bank_code;
  std::string_view account;
  std::string_view account_name;
  bool card = false;  // else a passbook
};

struct PaymentFile {
  std::string_view file_id;
  std::string_view agreement_no;
  std::string_view business_date;
  std::int64_t rows = 0;
  std::int64_t total_fen = 0;
  std::vector<PaymentRow> payments;
};

// Reads `bytes` into `file`. Returns the bank's reason to refuse it (`FORMAT`, `CONTROL_SUM`), or
// nothing.
std::string_view ParsePaymentFile(std::string_view bytes, PaymentFile& file);

// Whether an account number can exist at all: 8 to 32 digits, and for a card 16 to 19 that begin
// with 62 and fit their check digit.
bool AccountNumberFits(std::string_view account, bool card);

}  // namespace yikatong::banksim
