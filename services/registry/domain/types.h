// What the registry speaks of: people, cards, accounts and what happens to them. Plain values; ID
// numbers, names, accounts and phones stand in clear here and never leave this process so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/crypto/sha256.h"
#include "common/status/reason.h"

namespace yikatong::registry {

// Numbers of the enumerations are stored: never change one.
enum class CardState : std::int16_t {
  kNone = 0,  // the person has no card
  kNotActive = 1,
  kActive = 2,  // the only one that can be paid to
  kLost = 3,
  kCancelled = 4,
  kInProduction = 5,
};

enum class AccountKind : std::int16_t {
  kNone = 0,
  kSocialCard = 1,
  kLegacyCard = 2,
  kPassbook = 3
};

enum class HouseholdRole : std::int16_t {
  kNone = 0,
  kHead = 1,
  kSpouse = 2,
  kChild = 3,
  kParent = 4,
  kOther = 5,
};

enum class ChangeKind : std::int16_t {
  kNone = 0,
  kCardReplaced = 1,
  kCardLost = 2,
  kCardCancelled = 3,
  kCardActivated = 4,
  kDeath = 5,
  kMove = 6,
  kAccountName = 7,
  kMerged = 8,
};

enum class Sex : std::int16_t { kUnknown = 0, kMale = 1, kFemale = 2 };

// Why a row was not taken. `row` is the caller's own number of it; `detail` holds no personal data.
struct Rejection {
  std::int64_t row = 0;
  status::Reason reason{};
  std::string detail;

  bool operator==(const Rejection&) const = default;
};

// What is said of one chunk, now and whenever it comes again.
struct ChunkAnswer {
  std::int32_t accepted = 0;
  std::vector<Rejection> rejections;  // in the order of the chunk

  bool operator==(const ChunkAnswer&) const = default;
};

// A person's accounts at one moment: a version. Everything in it that changes makes the next
// version.
struct AccountSnapshot {
  std::string card_no;  // empty: no card
  CardState card_state = CardState::kNone;
  std::string card_bank_code;  // empty: the card has no account yet
  std::string card_account_no;
  std::string card_account_name;  // empty: the legal name
  std::string legacy_bank_code;
  std::string legacy_account_no;  // empty: none
  AccountKind legacy_kind = AccountKind::kNone;

  bool operator==(const AccountSnapshot&) const = default;
};

// A row of a load as it came; nothing in it has been looked at.
struct PersonInput {
  std::int64_t row = 0;
  std::string id_no;
  std::string name;
  std::int64_t village_code = 0;
  std::string household_no;
  int household_role = 0;
  std::string guardian_id_no;
  std::string phone;
  std::string died_on;
  std::string card_no;
  int card_state = 0;
  std::string card_bank_code;
  std::string card_account_no;
  std::string card_account_name;
  std::string legacy_bank_code;
  std::string legacy_account_no;
  int legacy_kind = 0;
};

// A row of a load that is fit to be stored: normalised and checked.
struct NewPerson {
  std::int64_t row = 0;
  std::string id_no;  // 18 characters, or the old form of a foreigner's
  std::string name;
  Sex sex = Sex::kUnknown;
  absl::CivilDay born_on;
  std::optional<absl::CivilDay> died_on;
  std::int64_t village_code = 0;
  std::string household_no;
  HouseholdRole household_role = HouseholdRole::kNone;
  std::string guardian_id_no;
  std::string phone;
  AccountSnapshot account;
};

// A row of a change stream as it came.
struct ChangeInput {
  std::int64_t row = 0;
  std::string event_id;
  int kind = 0;
  std::string id_no;
  std::string happened_on;
  std::string card_no;
  std::string bank_code;
  std::string account_no;
  std::string account_name;
  std::int64_t village_code = 0;
};

// A change that is well formed by itself; whether it fits its person is said by Apply
// (life_events.h).
struct Change {
  std::int64_t row = 0;
  std::string event_id;
  ChangeKind kind = ChangeKind::kNone;
  std::string id_no;
  absl::CivilDay happened_on;
  std::string card_no;
  std::string bank_code;
  std::string account_no;
  std::string account_name;
  std::int64_t village_code = 0;
};

// The district of a twelve-digit village.
constexpr std::int32_t DistrictOf(std::int64_t village_code) {
  return static_cast<std::int32_t>(village_code / 1'000'000);
}

// One look-up of collection.
struct PersonLookup {
  std::string id_no;
  std::string name;
};

struct ResolvedPerson {
  std::int64_t person_id = 0;  // 0: unknown
  bool name_matches = false;
  absl::CivilDay born_on;
  std::optional<absl::CivilDay> died_on;
  std::int64_t village_code = 0;
  std::int64_t household_id = 0;
  std::int64_t head_person_id = 0;
  std::int64_t guardian_person_id = 0;
  std::vector<std::int64_t> aliases;
};

// One payment's people, as dispatch names them.
struct PayeeRef {
  std::int64_t item_id = 0;
  std::int64_t payee_person_id = 0;
  std::int64_t account_version = 0;  // seen when it was routed; 0: none yet
  std::int64_t beneficiary_person_id = 0;
};

// Under which rule a chunk of payees is judged.
struct PayRule {
  bool card_required = false;
  absl::CivilDay period_first_day;
  int death_grace_months = 0;
};

// What the store knows of a payee. The second part is read only where accounts are to be sealed.
struct PayeeRecord {
  bool known = false;          // payee and beneficiary
  std::int64_t person_id = 0;  // after merging
  bool beneficiary_is_payee = true;
  std::optional<absl::CivilDay> died_on;
  std::optional<absl::CivilDay> beneficiary_died_on;
  std::int64_t account_version = 0;
  CardState card_state = CardState::kNone;
  std::string card_bank_code;
  AccountKind legacy_kind = AccountKind::kNone;
  std::string legacy_bank_code;

  std::string name;
  std::string card_account_no;
  std::string card_account_name;
  std::string legacy_account_no;
  std::string id_no;  // with identity only
  std::string phone;  // with identity only
};

struct ResolvedAccount {
  std::int64_t item_id = 0;
  std::string bank_code;
  std::int64_t account_version = 0;
  AccountKind kind = AccountKind::kNone;
  std::optional<status::Reason> reason;
  std::optional<std::size_t> group;  // that it was sealed into
};

// Accounts that are sealed together, for one agreement: those of its banks, or also of all banks
// that no group names.
struct SealGroup {
  std::string chunk_id = {};  // what the seal is bound to
  std::vector<std::string> bank_codes = {};
  bool other_banks = false;
  bool with_identity = false;
};

// What went into one group: `root` commits to item ids, persons, banks and account versions.
struct Sealing {
  std::string chunk_id;
  std::int64_t accounts = 0;
  crypto::Digest root{};
};

// One entry of the change feed.
struct FeedEntry {
  std::int64_t number = 0;
  ChangeKind kind = ChangeKind::kNone;
  std::int64_t person_id = 0;
  absl::CivilDay happened_on;
  std::int64_t account_version = 0;  // 0: did not change
  std::int64_t other_person_id = 0;
  absl::Time recorded_at;
};

struct FeedPage {
  std::vector<FeedEntry> entries;
  std::int64_t head = 0;
};

// A person as officers see one.
struct MaskedPerson {
  std::int64_t person_id = 0;
  std::string masked_name;
  std::string masked_id_no;
  int birth_year = 0;
  std::int64_t village_code = 0;
  std::int64_t household_id = 0;
  HouseholdRole household_role = HouseholdRole::kNone;
  std::optional<absl::CivilDay> died_on;
  CardState card_state = CardState::kNone;
  std::string bank_code;      // of the account that would be paid to
  std::string account_last4;  // the same
  std::int64_t account_version = 0;
  std::vector<std::int64_t> aliases;
};

struct HistoryEntry {
  std::int64_t event_no = 0;
  absl::CivilDay happened_on;
  absl::Time recorded_at;
  std::string kind;
  std::string detail;
  std::string source;
};

struct HistoryPage {
  std::vector<HistoryEntry> entries;
  std::string next_page_token;
};

struct Statistics {
  std::int64_t people = 0;
  std::int64_t living = 0;
  std::int64_t active_cards = 0;
  std::int64_t legacy_only = 0;
  std::int64_t changes = 0;
};

}  // namespace yikatong::registry
