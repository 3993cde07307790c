#include "services/bankgateway/domain/return_codes.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

struct Row {
  std::string_view word;
  Reason reason;
};

constexpr Row kReturnCodes[] = {
    {"3004", Reason::kBankAccountInvalid},  {"3030", Reason::kBankAccountInvalid},
    {"3009", Reason::kBankAccountNotFound}, {"3031", Reason::kBankNameMismatch},
    {"3065", Reason::kBankNameMismatch},    {"3018", Reason::kBankAccountClosed},
    {"3039", Reason::kBankAccountClosed},   {"3017", Reason::kBankAccountFrozen},
    {"3006", Reason::kBankAccountLost},     {"3016", Reason::kBankAccountLost},
    {"3020", Reason::kBankAccountLost},     {"3010", Reason::kBankCardInactive},
    {"3037", Reason::kBankCardInactive},    {"3069", Reason::kBankDormant},
    {"3034", Reason::kBankAccountType},     {"3068", Reason::kBankAccountType},
    {"3013", Reason::kBankLimit},           {"3055", Reason::kBankLimit},
    {"3040", Reason::kBankAmount},          {kDuplicateCode, Reason::kBankDuplicate},
    {"3057", Reason::kBankAccountState},    {"3056", Reason::kBankReturned},
    {"3058", Reason::kBankSignature},       {"3059", Reason::kBankUnknown},
    {"3070", Reason::kBankDeceased},        {"3999", Reason::kBankOther},
};

constexpr Row kRefusals[] = {
    {"SIGNATURE", Reason::kBankSignature},     {"FUNDS", Reason::kBankFunds},
    {"CONTROL_SUM", Reason::kBankFileRefused}, {"FORMAT", Reason::kBankFileRefused},
    {"AGREEMENT", Reason::kBankFileRefused},
};

}  // namespace

Reason ReasonOfReturnCode(std::string_view code) {
  for (const Row& row : kReturnCodes) {
    if (row.word == code) return row.reason;
  }
  return Reason::kBankOther;
}

Reason ReasonOfRefusal(std::string_view word) {
  for (const Row& row : kRefusals) {
    if (row.word == word) return row.reason;
  }
  return Reason::kBankFileRefused;
}

}  // namespace yikatong::bankgateway
