#include "services/registry/domain/account_choice.h"

#include <cstdint>

namespace yikatong::registry {
namespace {

using status::Reason;

std::int64_t MonthNumber(absl::CivilDay day) { return day.year() * 12 + day.month(); }

std::optional<Reason> WhyNotAlive(const PayeeRecord& record, const PayRule& rule) {
  const std::optional<absl::CivilDay>& beneficiary_died =
      record.beneficiary_is_payee ? record.died_on : record.beneficiary_died_on;
  if (beneficiary_died.has_value() &&
      !PaidDespiteDeath(*beneficiary_died, rule.period_first_day, rule.death_grace_months)) {
    return Reason::kBeneficiaryDeceased;
  }
  if (!record.beneficiary_is_payee && record.died_on.has_value()) return Reason::kPayeeDeceased;
  return std::nullopt;
}

Reason WhyNoAccount(const PayeeRecord& record) {
  switch (record.card_state) {
    case CardState::kLost:
      return Reason::kCardLost;
    case CardState::kCancelled:
      return Reason::kCardCancelled;
    case CardState::kNotActive:
    case CardState::kInProduction:
      return Reason::kCardNotActive;
    case CardState::kActive:
    case CardState::kNone:
      break;
  }
  return record.legacy_kind == AccountKind::kNone ? Reason::kNoAccount : Reason::kCardRequired;
}

}  // namespace

bool PaidDespiteDeath(absl::CivilDay died_on, absl::CivilDay period_first_day, int grace_months) {
  if (grace_months <= 0) return false;
  return MonthNumber(period_first_day) <= MonthNumber(died_on) + grace_months;
}

ResolvedAccount ChooseAccount(const PayeeRef& payee, const PayeeRecord& record,
                              const PayRule& rule) {
  ResolvedAccount account;
  account.item_id = payee.item_id;
  if (!record.known) {
    account.reason = Reason::kPersonUnknown;
    return account;
  }
  account.account_version = record.account_version;
  account.reason = WhyNotAlive(record, rule);
  if (account.reason.has_value()) return account;
  if (record.card_state == CardState::kActive && !record.card_bank_code.empty()) {
    account.kind = AccountKind::kSocialCard;
    account.bank_code = record.card_bank_code;
  } else if (!rule.card_required && record.legacy_kind != AccountKind::kNone) {
    account.kind = record.legacy_kind;
    account.bank_code = record.legacy_bank_code;
  } else {
    account.reason = WhyNoAccount(record);
  }
  return account;
}

ResolvedAccount ConfirmAccount(const PayeeRef& payee, const PayeeRecord& record,
                               const PayRule& rule) {
  ResolvedAccount account = ChooseAccount(payee, record, rule);
  if (!account.reason.has_value() && payee.account_version != 0 &&
      account.account_version != payee.account_version) {
    account.reason = Reason::kAccountChanged;
  }
  return account;
}

}  // namespace yikatong::registry
