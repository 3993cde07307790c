#include "services/registry/domain/rows.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/dates.h"
#include "common/base/names.h"
#include "common/base/utf8.h"
#include "common/codes/bank_numbers.h"
#include "common/codes/division.h"
#include "common/codes/id_number.h"
#include "common/codes/mask.h"
#include "common/codes/phone.h"
#include "common/codes/social_card.h"
#include "common/status/status.h"

namespace yikatong::registry {
namespace {

using status::Reason;

constexpr std::size_t kMaxHouseholdNo = 64;
constexpr std::size_t kMaxEventId = 64;
constexpr std::size_t kMaxAccountNamePoints = 64;

// What is wrong with a part of a row; nothing where it is good.
struct Fault {
  Reason reason{};
  std::string_view field;
};
using Check = std::optional<Fault>;

Fault MakeFault(Reason reason, std::string_view field) {
  return {.reason = reason, .field = field};
}

// The reason of a parser's refusal.
Fault FaultOf(const absl::Status& refusal, Reason otherwise, std::string_view field) {
  return MakeFault(status::ReasonOf(refusal).value_or(otherwise), field);
}

bool IsPlain(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most || !base::IsUtf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

Check CheckVillage(std::int64_t village_code) {
  const auto division = codes::ParseDivision(std::to_string(village_code));
  if (!division.ok())
    return FaultOf(division.status(), Reason::kDivisionCodeInvalid, "village_code");
  // Only the list of the catalogue knows every village; the registry holds residents of this city.
  if (division->level() != codes::DivisionLevel::kVillage) {
    return MakeFault(Reason::kDivisionCodeInvalid, "village_code");
  }
  if (codes::TianjinDistrictName(division->district()).empty()) {
    return MakeFault(Reason::kDivisionUnknown, "village_code");
  }
  return std::nullopt;
}

// The name at the bank may be spelt as no register would: pinyin, private characters for rare ones.
Check ReadAccountName(std::string_view given, std::string_view field, std::string& out) {
  out.clear();
  if (given.empty()) return std::nullopt;
  if (std::optional<std::string> normal = base::NormaliseName(given); normal.has_value()) {
    out = *std::move(normal);
    return std::nullopt;
  }
  const auto points = base::DecodeUtf8(given);
  if (!points.has_value() || points->size() > kMaxAccountNamePoints ||
      !IsPlain(given, 4 * kMaxAccountNamePoints)) {
    return MakeFault(Reason::kNameInvalid, field);
  }
  out = std::string(given);
  return std::nullopt;
}

// A bank and a card number in it.
Check ReadCardAccount(std::string_view bank, std::string_view number, std::string_view bank_field,
                      std::string_view number_field, std::string& bank_out,
                      std::string& number_out) {
  const auto code = codes::ParseBankCode(bank);
  if (!code.ok()) return FaultOf(code.status(), Reason::kBankCodeInvalid, bank_field);
  number_out = codes::WithoutSeparators(number);
  const auto card = codes::ParseCardNumber(number_out);
  if (!card.ok()) return FaultOf(card.status(), Reason::kCardNumberInvalid, number_field);
  bank_out = std::string(code->Text());
  return std::nullopt;
}

Check ReadSocialCard(const PersonInput& input, AccountSnapshot& account) {
  if (input.card_no.empty()) {
    const bool nothing = input.card_state == 0 && input.card_bank_code.empty() &&
                         input.card_account_no.empty() && input.card_account_name.empty();
    if (nothing) return std::nullopt;
    return MakeFault(Reason::kSocialCardNumberInvalid, "card_no");
  }
  if (!codes::CheckSocialCardNumber(input.card_no).ok()) {
    return MakeFault(Reason::kSocialCardNumberInvalid, "card_no");
  }
  if (input.card_state < 1 || input.card_state > 5) {
    return MakeFault(Reason::kSocialCardStateUnknown, "card_state");
  }
  account.card_no = input.card_no;
  account.card_state = static_cast<CardState>(input.card_state);
  if (input.card_bank_code.empty() && input.card_account_no.empty()) {
    if (account.card_state == CardState::kActive) {
      return MakeFault(Reason::kAccountNumberInvalid, "card_account_no");
    }
    return std::nullopt;
  }
  if (Check fault =
          ReadCardAccount(input.card_bank_code, input.card_account_no, "card_bank_code",
                          "card_account_no", account.card_bank_code, account.card_account_no)) {
    return fault;
  }
  return ReadAccountName(input.card_account_name, "card_account_name", account.card_account_name);
}

Check ReadLegacyAccount(const PersonInput& input, AccountSnapshot& account) {
  if (input.legacy_account_no.empty()) {
    if (input.legacy_bank_code.empty() && input.legacy_kind == 0) return std::nullopt;
    return MakeFault(Reason::kAccountNumberInvalid, "legacy_account_no");
  }
  account.legacy_kind = static_cast<AccountKind>(input.legacy_kind);
  if (account.legacy_kind == AccountKind::kLegacyCard) {
    return ReadCardAccount(input.legacy_bank_code, input.legacy_account_no, "legacy_bank_code",
                           "legacy_account_no", account.legacy_bank_code,
                           account.legacy_account_no);
  }
  if (account.legacy_kind != AccountKind::kPassbook) {
    return MakeFault(Reason::kAccountNumberInvalid, "legacy_kind");
  }
  const auto bank = codes::ParseBankCode(input.legacy_bank_code);
  if (!bank.ok()) return FaultOf(bank.status(), Reason::kBankCodeInvalid, "legacy_bank_code");
  account.legacy_bank_code = std::string(bank->Text());
  account.legacy_account_no = codes::WithoutSeparators(input.legacy_account_no);
  if (!codes::CheckAccountNumber(codes::AccountKind::kPassbook, account.legacy_account_no).ok()) {
    return MakeFault(Reason::kAccountNumberInvalid, "legacy_account_no");
  }
  return std::nullopt;
}

Check ReadIdentity(const PersonInput& input, absl::CivilDay today, NewPerson& person) {
  codes::IdNumber id;
  if (const auto wrong = codes::ReadIdNumber(input.id_no, today, codes::IdInput::kTyped, id)) {
    return MakeFault(*wrong, "id_no");
  }
  person.id_no = std::string(id.Text());
  person.born_on = id.birth();
  person.sex = static_cast<Sex>(id.sex());
  std::optional<std::string> name = base::NormaliseName(input.name);
  if (!name.has_value()) return MakeFault(Reason::kNameInvalid, "name");
  person.name = *std::move(name);
  if (!input.guardian_id_no.empty()) {
    if (const auto wrong =
            codes::ReadIdNumber(input.guardian_id_no, today, codes::IdInput::kTyped, id)) {
      return MakeFault(*wrong, "guardian_id_no");
    }
    person.guardian_id_no = std::string(id.Text());
  }
  if (!input.phone.empty() && !codes::CheckPhone(input.phone).ok()) {
    return MakeFault(Reason::kPhoneInvalid, "phone");
  }
  person.phone = input.phone;
  if (!input.died_on.empty()) {
    person.died_on = base::ParseDate(input.died_on);
    if (!person.died_on.has_value() || *person.died_on < person.born_on ||
        *person.died_on > today) {
      return MakeFault(Reason::kDeathDateInvalid, "died_on");
    }
  }
  return std::nullopt;
}

Check ReadHousehold(const PersonInput& input, NewPerson& person) {
  if (Check fault = CheckVillage(input.village_code)) return fault;
  person.village_code = input.village_code;
  if (input.household_role < 0 || input.household_role > 5) {
    return MakeFault(Reason::kFieldInvalid, "household_role");
  }
  if (input.household_no.empty()) {
    if (input.household_role != 0) return MakeFault(Reason::kFieldInvalid, "household_no");
    return std::nullopt;
  }
  if (!IsPlain(input.household_no, kMaxHouseholdNo))
    return MakeFault(Reason::kFieldInvalid, "household_no");
  person.household_no = input.household_no;
  person.household_role = static_cast<HouseholdRole>(input.household_role);
  return std::nullopt;
}

Rejection Reject(std::int64_t row, const Fault& fault) {
  return {.row = row, .reason = fault.reason, .detail = "field=" + std::string(fault.field)};
}

// The fields that a kind of change needs.
Check ReadChangeFields(const ChangeInput& input, Change& change) {
  if (!input.card_no.empty() && !codes::CheckSocialCardNumber(input.card_no).ok()) {
    return MakeFault(Reason::kSocialCardNumberInvalid, "card_no");
  }
  switch (change.kind) {
    case ChangeKind::kCardReplaced:
      if (input.card_no.empty()) return MakeFault(Reason::kSocialCardNumberInvalid, "card_no");
      change.card_no = input.card_no;
      if (Check fault = ReadCardAccount(input.bank_code, input.account_no, "bank_code",
                                        "account_no", change.bank_code, change.account_no)) {
        return fault;
      }
      return ReadAccountName(input.account_name, "account_name", change.account_name);
    case ChangeKind::kCardLost:
    case ChangeKind::kCardCancelled:
    case ChangeKind::kCardActivated:
      change.card_no = input.card_no;
      return std::nullopt;
    case ChangeKind::kMove:
      change.village_code = input.village_code;
      return CheckVillage(input.village_code);
    case ChangeKind::kAccountName:
      if (input.account_name.empty()) return MakeFault(Reason::kNameInvalid, "account_name");
      return ReadAccountName(input.account_name, "account_name", change.account_name);
    default:
      return std::nullopt;
  }
}

Check ReadChange(const ChangeInput& input, absl::CivilDay today, Change& change) {
  if (!IsPlain(input.event_id, kMaxEventId)) return MakeFault(Reason::kChangeInvalid, "event_id");
  change.event_id = input.event_id;
  if (input.kind < static_cast<int>(ChangeKind::kCardReplaced) ||
      input.kind > static_cast<int>(ChangeKind::kAccountName)) {
    return MakeFault(Reason::kChangeInvalid, "kind");
  }
  change.kind = static_cast<ChangeKind>(input.kind);
  codes::IdNumber id;
  if (const auto wrong = codes::ReadIdNumber(input.id_no, today, codes::IdInput::kTyped, id)) {
    return MakeFault(*wrong, "id_no");
  }
  change.id_no = std::string(id.Text());
  const std::optional<absl::CivilDay> day = base::ParseDate(input.happened_on);
  if (!day.has_value() || *day > today) return MakeFault(Reason::kChangeInvalid, "happened_on");
  change.happened_on = *day;
  return ReadChangeFields(input, change);
}

// Length and bytes, so that no two contents give the same canonical bytes.
void Put(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

void Put(std::string& out, std::int64_t number) {
  out += std::to_string(number);
  out += ';';
}

void Put(std::string& out, absl::CivilDay day) { Put(out, day - absl::CivilDay(1970, 1, 1)); }

}  // namespace

std::variant<NewPerson, Rejection> CheckPerson(const PersonInput& input, absl::CivilDay today) {
  NewPerson person;
  person.row = input.row;
  for (const Check& fault :
       {ReadIdentity(input, today, person), ReadHousehold(input, person),
        ReadSocialCard(input, person.account), ReadLegacyAccount(input, person.account)}) {
    if (fault.has_value()) return Reject(input.row, *fault);
  }
  return person;
}

std::variant<Change, Rejection> CheckChange(const ChangeInput& input, absl::CivilDay today) {
  Change change;
  change.row = input.row;
  if (const Check fault = ReadChange(input, today, change)) return Reject(input.row, *fault);
  return change;
}

std::string NormalIdNumber(const std::string& id_no, absl::CivilDay today) {
  codes::IdNumber id;
  if (codes::ReadIdNumber(id_no, today, codes::IdInput::kTyped, id).has_value()) return {};
  return std::string(id.Text());
}

void AppendCanonical(const PersonInput& input, std::string& out) {
  Put(out, input.row);
  Put(out, input.village_code);
  Put(out, input.household_role);
  Put(out, input.card_state);
  Put(out, input.legacy_kind);
  for (const std::string* text :
       {&input.id_no, &input.name, &input.household_no, &input.guardian_id_no, &input.phone,
        &input.died_on, &input.card_no, &input.card_bank_code, &input.card_account_no,
        &input.card_account_name, &input.legacy_bank_code, &input.legacy_account_no}) {
    Put(out, *text);
  }
}

void AppendCanonical(const NewPerson& person, std::string& out) {
  const AccountSnapshot& account = person.account;
  Put(out, person.village_code);
  Put(out, static_cast<std::int64_t>(person.household_role));
  Put(out, static_cast<std::int64_t>(account.card_state));
  Put(out, static_cast<std::int64_t>(account.legacy_kind));
  Put(out, person.died_on.has_value() ? base::FormatDate(*person.died_on) : std::string());
  for (const std::string* text :
       {&person.id_no, &person.name, &person.household_no, &person.guardian_id_no, &person.phone,
        &account.card_no, &account.card_bank_code, &account.card_account_no,
        &account.card_account_name, &account.legacy_bank_code, &account.legacy_account_no}) {
    Put(out, *text);
  }
}

void AppendCanonical(const Change& change, std::string& out) {
  Put(out, static_cast<std::int64_t>(change.kind));
  Put(out, change.happened_on);
  Put(out, change.village_code);
  for (const std::string* text : {&change.id_no, &change.card_no, &change.bank_code,
                                  &change.account_no, &change.account_name}) {
    Put(out, *text);
  }
}

std::string MaskIdNumber(const std::string& id_no) { return codes::MaskIdNumber(id_no); }

std::string LastFour(const std::string& account_no) { return codes::LastFour(account_no); }

}  // namespace yikatong::registry
