// Which agreement pays which payee. Pure; thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yikatong::dispatch {

// An agreement that may be paid under today, in the order of preference: a department's own before
// the district's.
struct AgreementOption {
  std::string agreement_no;
  std::string bank_code;  // CNAPS code of the agent bank
  bool credits_other_banks = false;
  bool with_identity = false;  // its format or notification needs ID number and phone
};

// What the registry says of one payee's account: where the money goes, or why nowhere.
struct PayeeAccount {
  std::int64_t item_id = 0;
  std::string bank_code;
  std::int64_t account_version = 0;
  bool social_card = false;
  std::string reason;                // empty where there is an account
  std::optional<std::size_t> group;  // that it was sealed into
};

// One item that leaves the normal path.
struct StrayItem {
  std::int64_t item_id = 0;
  std::string reason;
  bool stopped = false;  // it ends here (somebody died); else it waits to be mended
};

// The accounts of a chunk that go out under one agreement.
struct SealGroup {
  std::vector<std::string> bank_codes;
  bool other_banks = false;  // those of all banks that no group names
  bool with_identity = false;
};

// One group for each option, in their order: an account goes to its own agent bank first, then to
// the first bank that credits others' cards.
std::vector<SealGroup> GroupsOf(std::span<const AgreementOption> options);

// Whether an item with this reason ends for good: death of payee or beneficiary.
bool EndsItem(std::string_view reason);

// The items of one chunk that have nowhere to go. Without any usable agreement every item that has
// an account gets `no_agreement_reason`.
std::vector<StrayItem> FindStrays(std::span<const AgreementOption> options,
                                  std::string_view no_agreement_reason,
                                  std::span<const PayeeAccount> accounts);

}  // namespace yikatong::dispatch
