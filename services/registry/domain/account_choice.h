// Which account a payment goes to, and whether it may go at all. Pure rules over what the store
// read.
#pragma once

#include "absl/time/civil_time.h"
#include "services/registry/domain/types.h"

namespace yikatong::registry {

// Whether a dead person's claim on a period outlives them. Without grace whoever is dead now is not
// paid, since a payment to a dead person's account is drawn by somebody else; with a grace of N
// months a period that begins at most N months after the month of death is paid (survivors'
// policies: six or twelve).
bool PaidDespiteDeath(absl::CivilDay died_on, absl::CivilDay period_first_day, int grace_months);

// The account of one payee: the active social-security card first; else an older account, where the
// card is not demanded; else the reason. A payee who is not the beneficiary must be alive, grace or
// not: the grace is the beneficiary's. Reasons: PERSON_UNKNOWN, BENEFICIARY_DECEASED,
// PAYEE_DECEASED, NO_ACCOUNT, CARD_REQUIRED, CARD_NOT_ACTIVE, CARD_LOST, CARD_CANCELLED.
ResolvedAccount ChooseAccount(const PayeeRef& payee, const PayeeRecord& record,
                              const PayRule& rule);

// The same for sealing: where a version was asked for, an account other than that one has the
// reason ACCOUNT_CHANGED beside the present bank and version.
ResolvedAccount ConfirmAccount(const PayeeRef& payee, const PayeeRecord& record,
                               const PayRule& rule);

}  // namespace yikatong::registry
