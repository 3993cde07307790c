#include "services/dispatch/domain/routing.h"

namespace yikatong::dispatch {

std::optional<std::size_t> ChooseAgreement(std::span<const AgreementOption> options,
                                           std::string_view bank_code) {
  std::optional<std::size_t> other;
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].bank_code == bank_code) return i;
    if (options[i].credits_other_banks && !other.has_value()) other = i;
  }
  return other;
}

bool EndsItem(std::string_view reason) {
  return reason == "PAYEE_DECEASED" || reason == "BENEFICIARY_DECEASED";
}

Routing RouteChunk(std::span<const AgreementOption> options, std::string_view no_agreement_reason,
                   std::span<const PayeeAccount> accounts) {
  Routing routing;
  routing.routed.reserve(accounts.size());
  for (const PayeeAccount& account : accounts) {
    if (!account.reason.empty()) {
      routing.strays.push_back({account.item_id, account.reason, EndsItem(account.reason)});
      continue;
    }
    if (options.empty()) {
      routing.strays.push_back({account.item_id, std::string(no_agreement_reason), false});
      continue;
    }
    const std::optional<std::size_t> chosen = ChooseAgreement(options, account.bank_code);
    if (!chosen.has_value()) {
      routing.strays.push_back({account.item_id, "BANK_NOT_COVERED", false});
      continue;
    }
    routing.routed.push_back({account.item_id, account.account_version, *chosen});
  }
  return routing;
}

}  // namespace yikatong::dispatch
