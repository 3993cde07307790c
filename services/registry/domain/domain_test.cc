// The rules of the registry, without a server or a database.
#include <gtest/gtest.h>

#include <set>

#include "services/registry/domain/account_choice.h"
#include "services/registry/domain/life_events.h"
#include "services/registry/domain/rows.h"
#include "services/registry/testing/people.h"

namespace yikatong::registry {
namespace {

using status::Reason;
using testing::BankCard;
using testing::kBank;
using testing::kOtherBank;
using testing::kOtherVillage;
using testing::kVillage;
using testing::MakePerson;
using testing::SocialCard;
using Day = absl::CivilDay;

constexpr Day kToday(2026, 11, 23);

Reason ReasonOf(const PersonInput& input) {
  const auto checked = CheckPerson(input, kToday);
  EXPECT_TRUE(std::holds_alternative<Rejection>(checked));
  return std::holds_alternative<Rejection>(checked) ? std::get<Rejection>(checked).reason
                                                    : Reason{};
}

NewPerson Accepted(const PersonInput& input) {
  const auto checked = CheckPerson(input, kToday);
  EXPECT_TRUE(std::holds_alternative<NewPerson>(checked))
      << status::ReasonName(std::get<Rejection>(checked).reason);
  return std::get<NewPerson>(checked);
}

TEST(PersonRows, TakeTheOldFormOfAnIdNumberAndSayWhoWasBornWhen) {
  PersonInput input = MakePerson(1, 1);
  input.id_no = "120115640229998";
  const NewPerson person = Accepted(input);
  EXPECT_EQ(person.id_no, "120115196402299987");
  EXPECT_EQ(person.born_on, Day(1964, 2, 29));
  EXPECT_EQ(person.sex, Sex::kFemale);
}

TEST(PersonRows, NormaliseNamesAndNumbersAsPeopleWriteThem) {
  PersonInput input = MakePerson(1, 1);
  input.name = " 买买提・艾力 ";
  input.id_no = "12011019920318998x";
  input.card_account_no = "6200 0012 0105 0000 010";
  const NewPerson person = Accepted(input);
  EXPECT_EQ(person.name, "买买提·艾力");
  EXPECT_EQ(person.id_no, "12011019920318998X");
  EXPECT_EQ(person.account.card_account_no, "6200001201050000010");
}

TEST(PersonRows, KeepTheNameAtTheBankApartFromTheLegalName) {
  PersonInput input = MakePerson(1, 1);
  input.name = "𬱖某";
  input.card_account_name = "YUN MOU";
  const NewPerson person = Accepted(input);
  EXPECT_EQ(person.name, "𬱖某");
  EXPECT_EQ(person.account.card_account_name, "YUN MOU");
}

TEST(PersonRows, AreRefusedWithTheReasonOfWhatIsWrong) {
  const auto with = [](auto change) {
    PersonInput input = MakePerson(1, 7);
    change(input);
    return ReasonOf(input);
  };
  EXPECT_EQ(with([](auto& p) { p.id_no = "120105198506159994"; }),
            Reason::kIdNumberCheckDigitWrong);
  EXPECT_EQ(with([](auto& p) { p.id_no = "120115196402309989"; }), Reason::kIdNumberBirthDateWrong);
  EXPECT_EQ(with([](auto& p) { p.name = "  "; }), Reason::kNameInvalid);
  EXPECT_EQ(with([](auto& p) { p.village_code = 120199001001; }), Reason::kDivisionUnknown);
  EXPECT_EQ(with([](auto& p) { p.village_code = 120115101000; }), Reason::kDivisionCodeInvalid);
  EXPECT_EQ(with([](auto& p) { p.village_code = 130102001001; }), Reason::kDivisionUnknown);
  EXPECT_EQ(with([](auto& p) { p.card_account_no = "6200000000000014"; }),
            Reason::kCardNumberCheckDigitWrong);
  EXPECT_EQ(with([](auto& p) { p.card_bank_code = "102100099997"; }), Reason::kBankCodeInvalid);
  EXPECT_EQ(with([](auto& p) { p.phone = "12345678901"; }), Reason::kPhoneInvalid);
  EXPECT_EQ(with([](auto& p) { p.card_no = "??"; }), Reason::kSocialCardNumberInvalid);
  EXPECT_EQ(with([](auto& p) { p.card_no = ""; }), Reason::kSocialCardNumberInvalid);
  EXPECT_EQ(with([](auto& p) { p.card_state = 0; }), Reason::kSocialCardStateUnknown);
  EXPECT_EQ(with([](auto& p) { p.died_on = "2026-11-24"; }), Reason::kDeathDateInvalid);
  EXPECT_EQ(with([](auto& p) { p.died_on = "1900-01-01"; }), Reason::kDeathDateInvalid);
  EXPECT_EQ(with([](auto& p) { p.guardian_id_no = "1"; }), Reason::kIdNumberLengthWrong);
  EXPECT_EQ(with([](auto& p) { p.legacy_account_no = "123"; }), Reason::kAccountNumberInvalid);
}

TEST(PersonRows, TakeAPassbookWithoutACheckDigitButNoCardWithout) {
  PersonInput input = MakePerson(1, 1);
  input.legacy_bank_code = kBank;
  input.legacy_account_no = "1234567890123";
  input.legacy_kind = static_cast<int>(AccountKind::kPassbook);
  EXPECT_EQ(Accepted(input).account.legacy_account_no, "1234567890123");
  input.legacy_kind = static_cast<int>(AccountKind::kLegacyCard);
  EXPECT_EQ(ReasonOf(input), Reason::kCardNumberInvalid);
}

TEST(PersonRows, WithDifferentContentHaveDifferentCanonicalBytes) {
  std::set<std::string> seen;
  const auto add = [&](auto change) {
    NewPerson person = Accepted(MakePerson(1, 1));
    change(person);
    std::string bytes;
    AppendCanonical(person, bytes);
    return seen.insert(bytes).second;
  };
  EXPECT_TRUE(add([](auto&) {}));
  EXPECT_FALSE(add([](auto& p) { p.row = 99; })) << "the row's number is no content of the person";
  EXPECT_TRUE(add([](auto& p) { p.phone = ""; }));
  EXPECT_TRUE(add([](auto& p) { p.account.card_state = CardState::kLost; }));
  EXPECT_TRUE(add([](auto& p) { p.name += p.household_no + "1:"; }));
}

TEST(ChangeRows, OfTheFutureOrOfNoKindAreRefused) {
  ChangeInput input{.row = 1,
                    .event_id = "e1",
                    .kind = 5,
                    .id_no = testing::IdNumber(1),
                    .happened_on = "2026-11-23",
                    .card_no = {},
                    .bank_code = {},
                    .account_no = {},
                    .account_name = {},
                    .village_code = 0};
  EXPECT_TRUE(std::holds_alternative<Change>(CheckChange(input, kToday)));
  input.happened_on = "2026-11-24";
  EXPECT_EQ(std::get<Rejection>(CheckChange(input, kToday)).reason, Reason::kChangeInvalid);
  input.happened_on = "2026-11-23";
  input.kind = static_cast<int>(ChangeKind::kMerged);
  EXPECT_EQ(std::get<Rejection>(CheckChange(input, kToday)).reason, Reason::kChangeInvalid);
}

PersonState StateOf(CardState card) {
  PersonState state;
  state.person_id = 1;
  state.born_on = Day(1960, 1, 1);
  state.village_code = kVillage;
  if (card != CardState::kNone) {
    state.account = {.card_no = SocialCard(1),
                     .card_state = card,
                     .card_bank_code = kBank,
                     .card_account_no = BankCard(1),
                     .card_account_name = {},
                     .legacy_bank_code = {},
                     .legacy_account_no = {},
                     .legacy_kind = AccountKind::kNone};
  }
  return state;
}

Change Event(ChangeKind kind, Day day) {
  Change change;
  change.row = 1;
  change.event_id = "e";
  change.kind = kind;
  change.happened_on = day;
  if (kind == ChangeKind::kCardReplaced) {
    change.card_no = SocialCard(2);
    change.bank_code = kOtherBank;
    change.account_no = BankCard(2);
  }
  if (kind == ChangeKind::kMove) change.village_code = kOtherVillage;
  return change;
}

TEST(CardStates, FollowTheTable) {
  using C = CardState;
  using K = ChangeKind;
  for (const C now : {C::kNotActive, C::kInProduction, C::kActive, C::kLost}) {
    EXPECT_EQ(NextCardState(now, K::kCardLost), C::kLost);
    EXPECT_EQ(NextCardState(now, K::kCardCancelled), C::kCancelled);
    EXPECT_EQ(NextCardState(now, K::kCardActivated), C::kActive);
  }
  EXPECT_EQ(NextCardState(C::kCancelled, K::kCardLost), std::nullopt);
  EXPECT_EQ(NextCardState(C::kCancelled, K::kCardActivated), std::nullopt);
  EXPECT_EQ(NextCardState(C::kCancelled, K::kCardCancelled), C::kCancelled);
  EXPECT_EQ(NextCardState(C::kNone, K::kCardLost), std::nullopt);
}

TEST(LifeEvents, AReplacedCardBringsAnotherAccountThatCanBePaidTo) {
  PersonState state = StateOf(CardState::kLost);
  const Effect effect = Apply(Event(ChangeKind::kCardReplaced, Day(2026, 5, 1)), state);
  EXPECT_TRUE(effect.account_changed);
  EXPECT_EQ(state.account.card_state, CardState::kActive);
  EXPECT_EQ(state.account.card_account_no, BankCard(2));
}

TEST(LifeEvents, InAnyOrderOfArrivalEndInTheSameState) {
  const Change lost = Event(ChangeKind::kCardLost, Day(2026, 3, 1));
  const Change replaced = Event(ChangeKind::kCardReplaced, Day(2026, 3, 5));
  const Change moved = Event(ChangeKind::kMove, Day(2026, 3, 7));
  Change moved_before = Event(ChangeKind::kMove, Day(2026, 2, 1));
  moved_before.village_code = 120115101202;
  const Change died = Event(ChangeKind::kDeath, Day(2026, 4, 1));
  std::vector<const Change*> order{&died, &lost, &moved, &moved_before, &replaced};
  std::sort(order.begin(), order.end());
  do {
    PersonState state = StateOf(CardState::kActive);
    for (const Change* change : order) EXPECT_FALSE(Apply(*change, state).refused.has_value());
    EXPECT_EQ(state.account.card_state, CardState::kActive);
    EXPECT_EQ(state.account.card_no, SocialCard(2));
    EXPECT_EQ(state.village_code, kOtherVillage);
    EXPECT_EQ(state.died_on, Day(2026, 4, 1));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(LifeEvents, TheEarliestDeathThatWasReportedStands) {
  PersonState state = StateOf(CardState::kActive);
  EXPECT_TRUE(Apply(Event(ChangeKind::kDeath, Day(2026, 4, 2)), state).changed);
  EXPECT_TRUE(Apply(Event(ChangeKind::kDeath, Day(2026, 4, 1)), state).changed);
  EXPECT_FALSE(Apply(Event(ChangeKind::kDeath, Day(2026, 4, 2)), state).changed);
  EXPECT_EQ(state.died_on, Day(2026, 4, 1));
}

TEST(LifeEvents, ALossOfAnOlderCardLeavesThePresentOneAlone) {
  PersonState state = StateOf(CardState::kActive);
  EXPECT_TRUE(Apply(Event(ChangeKind::kCardReplaced, Day(2026, 3, 5)), state).changed);
  EXPECT_FALSE(Apply(Event(ChangeKind::kCardLost, Day(2026, 3, 4)), state).changed);
  Change of_old_card = Event(ChangeKind::kCardLost, Day(2026, 3, 6));
  of_old_card.card_no = SocialCard(1);
  EXPECT_FALSE(Apply(of_old_card, state).changed);
  EXPECT_EQ(state.account.card_state, CardState::kActive);
}

TEST(LifeEvents, CancellingIsFinalWhateverComesFirst) {
  PersonState late = StateOf(CardState::kNotActive);
  EXPECT_TRUE(Apply(Event(ChangeKind::kCardActivated, Day(2026, 3, 5)), late).changed);
  EXPECT_TRUE(Apply(Event(ChangeKind::kCardCancelled, Day(2026, 3, 1)), late).changed);
  EXPECT_EQ(late.account.card_state, CardState::kCancelled);
  EXPECT_EQ(Apply(Event(ChangeKind::kCardActivated, Day(2026, 3, 9)), late).refused,
            Reason::kChangeInvalid);
  EXPECT_EQ(late.account.card_state, CardState::kCancelled);
}

TEST(LifeEvents, AboutACardThatNobodyHasAreRefused) {
  PersonState state = StateOf(CardState::kNone);
  EXPECT_EQ(Apply(Event(ChangeKind::kCardLost, Day(2026, 1, 1)), state).refused,
            Reason::kCardUnknown);
  Change name = Event(ChangeKind::kAccountName, Day(2026, 1, 1));
  EXPECT_EQ(Apply(name, state).refused, Reason::kCardUnknown);
  EXPECT_EQ(Apply(Event(ChangeKind::kDeath, Day(1959, 1, 1)), state).refused,
            Reason::kChangeInvalid);
}

PayeeRecord RecordOf(CardState card, AccountKind legacy) {
  PayeeRecord record;
  record.known = true;
  record.person_id = 5;
  record.account_version = 3;
  record.card_state = card;
  if (card != CardState::kNone) record.card_bank_code = kBank;
  record.legacy_kind = legacy;
  if (legacy != AccountKind::kNone) record.legacy_bank_code = kOtherBank;
  return record;
}

constexpr PayeeRef kPayee{
    .item_id = 9, .payee_person_id = 5, .account_version = 3, .beneficiary_person_id = 5};
constexpr PayRule kCardOnly{
    .card_required = true, .period_first_day = Day(2026, 1, 1), .death_grace_months = 0};
constexpr PayRule kAnyAccount{
    .card_required = false, .period_first_day = Day(2026, 1, 1), .death_grace_months = 0};

TEST(AccountChoice, TakesTheActiveCardThenTheOlderAccountThenSaysWhyNot) {
  const auto choose = [](CardState card, AccountKind legacy, const PayRule& rule) {
    return ChooseAccount(kPayee, RecordOf(card, legacy), rule);
  };
  const AccountKind none = AccountKind::kNone;
  const AccountKind book = AccountKind::kPassbook;
  EXPECT_EQ(choose(CardState::kActive, book, kAnyAccount).kind, AccountKind::kSocialCard);
  EXPECT_EQ(choose(CardState::kLost, book, kAnyAccount).kind, book);
  EXPECT_EQ(choose(CardState::kLost, book, kAnyAccount).bank_code, kOtherBank);
  EXPECT_EQ(choose(CardState::kLost, book, kCardOnly).reason, Reason::kCardLost);
  EXPECT_EQ(choose(CardState::kCancelled, none, kAnyAccount).reason, Reason::kCardCancelled);
  EXPECT_EQ(choose(CardState::kNotActive, none, kCardOnly).reason, Reason::kCardNotActive);
  EXPECT_EQ(choose(CardState::kInProduction, none, kCardOnly).reason, Reason::kCardNotActive);
  EXPECT_EQ(choose(CardState::kNone, book, kCardOnly).reason, Reason::kCardRequired);
  EXPECT_EQ(choose(CardState::kNone, none, kAnyAccount).reason, Reason::kNoAccount);
  EXPECT_EQ(choose(CardState::kNone, none, kCardOnly).reason, Reason::kNoAccount);
}

TEST(AccountChoice, WithoutGraceNobodyDeadIsPaidWithGraceThePeriodCounts) {
  EXPECT_FALSE(PaidDespiteDeath(Day(2026, 3, 31), Day(2026, 3, 1), 0));
  EXPECT_TRUE(PaidDespiteDeath(Day(2026, 3, 31), Day(2026, 3, 1), 6));
  EXPECT_TRUE(PaidDespiteDeath(Day(2026, 3, 31), Day(2026, 9, 1), 6));
  EXPECT_FALSE(PaidDespiteDeath(Day(2026, 3, 31), Day(2026, 10, 1), 6));
  EXPECT_TRUE(PaidDespiteDeath(Day(2025, 12, 1), Day(2026, 12, 1), 12));
  EXPECT_FALSE(PaidDespiteDeath(Day(2025, 11, 30), Day(2026, 12, 1), 12));
}

TEST(AccountChoice, TheGraceIsTheBeneficiarysNotThePayees) {
  PayRule grace = kAnyAccount;
  grace.death_grace_months = 12;
  PayeeRecord record = RecordOf(CardState::kActive, AccountKind::kNone);
  record.died_on = Day(2026, 1, 15);
  EXPECT_EQ(ChooseAccount(kPayee, record, grace).reason, std::nullopt);
  EXPECT_EQ(ChooseAccount(kPayee, record, kAnyAccount).reason, Reason::kBeneficiaryDeceased);
  record.beneficiary_is_payee = false;
  EXPECT_EQ(ChooseAccount(kPayee, record, grace).reason, Reason::kPayeeDeceased);
  record.died_on.reset();
  record.beneficiary_died_on = Day(2026, 1, 15);
  EXPECT_EQ(ChooseAccount(kPayee, record, grace).reason, std::nullopt);
  EXPECT_EQ(ChooseAccount(kPayee, record, kAnyAccount).reason, Reason::kBeneficiaryDeceased);
}

TEST(AccountChoice, AnAccountThatChangedSinceRoutingIsNotConfirmed) {
  PayeeRecord record = RecordOf(CardState::kActive, AccountKind::kNone);
  EXPECT_EQ(ConfirmAccount(kPayee, record, kAnyAccount).reason, std::nullopt);
  record.account_version = 4;
  const ResolvedAccount changed = ConfirmAccount(kPayee, record, kAnyAccount);
  EXPECT_EQ(changed.reason, Reason::kAccountChanged);
  EXPECT_EQ(changed.account_version, 4);
  EXPECT_EQ(changed.bank_code, kBank);
  PayeeRef unseen = kPayee;
  unseen.account_version = 0;
  EXPECT_EQ(ConfirmAccount(unseen, record, kAnyAccount).reason, std::nullopt);
  record.card_state = CardState::kLost;
  EXPECT_EQ(ConfirmAccount(kPayee, record, kAnyAccount).reason, Reason::kCardLost)
      << "why there is none says more than that it changed";
}

}  // namespace
}  // namespace yikatong::registry
