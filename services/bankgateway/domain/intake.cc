#include "services/bankgateway/domain/intake.h"

#include <algorithm>
#include <utility>

#include "common/codes/bank_numbers.h"
#include "common/status/status.h"
#include "services/bankgateway/domain/chunk.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

absl::Status BadField(std::string_view field) {
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

bool IsNumber(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.';
  });
}

// The nearer a candidate came to being usable, the more its reason tells.
int Telling(std::string_view reason) {
  return reason == "BANK_SUSPENDED" ? 3 : reason == "AGREEMENT_SUSPENDED" ? 2 : 1;
}

}  // namespace

absl::StatusOr<int> Intake::SubmitChunk(const identity::Caller& caller, Chunk chunk,
                                        std::string_view sealed) {
  YKT_RETURN_IF_ERROR(CheckRows(chunk));
  YKT_RETURN_IF_ERROR(OpenSeal(sealed, keys_.recipient, keys_.registries, chunk));
  // A repetition gets the first answer, also where the agreement has expired since.
  YKT_ASSIGN_OR_RETURN(const std::optional<int> before, instructions_.FindChunk(chunk));
  if (before.has_value()) return *before;
  YKT_RETURN_IF_ERROR(instructions_.StoreChunk(caller, chunk));
  return static_cast<int>(chunk.rows.size());
}

absl::StatusOr<Bank> Intake::CreateBank(const identity::Caller& caller,
                                        const std::string& request_id, const Bank& bank) {
  YKT_RETURN_IF_ERROR(codes::ParseBankCode(bank.bank_code).status());
  if (bank.name.empty() || bank.name.size() > 100) return BadField("name");
  if (bank.address.size() > 200) return BadField("address");
  if (bank.tls_name.size() > 200) return BadField("tls_name");
  if (!bank.card_partner) return status::Refuse(Reason::kBankNotPartner);
  return directory_.CreateBank(caller, request_id, bank);
}

absl::StatusOr<Bank> Intake::SetBankAddress(const identity::Caller& caller,
                                            const std::string& request_id,
                                            const std::string& bank_code,
                                            const std::string& address, const std::string& tls_name,
                                            const std::string& reason) {
  // A bank that had files must stay reachable: what became of them is asked there.
  const std::size_t colon = address.rfind(':');
  if (address.size() > 200 || colon == std::string::npos || colon == 0 ||
      colon + 1 == address.size()) {
    return BadField("address");
  }
  if (tls_name.size() > 200) return BadField("tls_name");
  return directory_.SetBankAddress(caller, request_id, bank_code, address, tls_name, reason);
}

absl::StatusOr<Agreement> Intake::CreateAgreement(const identity::Caller& caller,
                                                  const std::string& request_id,
                                                  const Agreement& agreement) {
  if (!IsNumber(agreement.agreement_no, 32)) return BadField("agreement_no");
  if (agreement.district < 100'000 || agreement.district > 999'999) return BadField("district");
  if (!agreement.department_id.empty() && !IsNumber(agreement.department_id, 64))
    return BadField("department_id");
  if (!caller.InDistrict(agreement.district)) return status::Refuse(Reason::kPermissionDenied);
  if (agreement.valid_to < agreement.valid_from) return status::Refuse(Reason::kPeriodInvalid);
  return directory_.CreateAgreement(caller, request_id, agreement);
}

absl::StatusOr<Resolved> Intake::Resolve(std::int32_t district, const std::string& department_id,
                                         absl::CivilDay day) {
  YKT_ASSIGN_OR_RETURN(std::vector<Agreement> candidates,
                       directory_.CandidateAgreements(district, department_id));
  Resolved resolved;
  std::string_view best = status::ReasonName(Reason::kNoAgreement);
  int telling = 0;
  for (Agreement& candidate : candidates) {
    const std::string_view reason = NotUsable(candidate, day);
    if (reason.empty()) {
      resolved.usable.push_back(std::move(candidate));
    } else if (Telling(reason) > telling) {
      telling = Telling(reason);
      best = reason;
    }
  }
  if (resolved.usable.empty()) resolved.reason = best;
  return resolved;
}

}  // namespace yikatong::bankgateway
