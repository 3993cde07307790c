#include "services/dispatch/domain/routing.h"

#include <algorithm>

namespace yikatong::dispatch {

std::vector<SealGroup> GroupsOf(std::span<const AgreementOption> options) {
  std::vector<SealGroup> groups;
  groups.reserve(options.size());
  bool others = false;
  for (std::size_t i = 0; i < options.size(); ++i) {
    SealGroup& group = groups.emplace_back();
    group.with_identity = options[i].with_identity;
    const auto before = options.first(i);
    const bool taken = std::any_of(
        before.begin(), before.end(),
        [&](const AgreementOption& option) { return option.bank_code == options[i].bank_code; });
    if (!taken) group.bank_codes.push_back(options[i].bank_code);
    group.other_banks = options[i].credits_other_banks && !others;
    others = others || group.other_banks;
  }
  return groups;
}

bool EndsItem(std::string_view reason) {
  return reason == "PAYEE_DECEASED" || reason == "BENEFICIARY_DECEASED";
}

std::vector<StrayItem> FindStrays(std::span<const AgreementOption> options,
                                  std::string_view no_agreement_reason,
                                  std::span<const PayeeAccount> accounts) {
  std::vector<StrayItem> strays;
  for (const PayeeAccount& account : accounts) {
    if (!account.reason.empty()) {
      strays.push_back({account.item_id, account.reason, EndsItem(account.reason)});
      continue;
    }
    if (options.empty()) {
      strays.push_back({account.item_id, std::string(no_agreement_reason), false});
      continue;
    }
    const bool covered =
        std::any_of(options.begin(), options.end(), [&](const AgreementOption& option) {
          return option.credits_other_banks || option.bank_code == account.bank_code;
        });
    if (!covered) strays.push_back({account.item_id, "BANK_NOT_COVERED", false});
  }
  return strays;
}

}  // namespace yikatong::dispatch
