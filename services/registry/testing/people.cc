#include "services/registry/testing/people.h"

#include <fmt/core.h>

#include "absl/time/civil_time.h"
#include "common/base/dates.h"
#include "common/codes/bank_numbers.h"
#include "common/codes/id_number.h"

namespace yikatong::registry::testing {

std::string IdNumber(std::int64_t n) {
  // 150 sequences a day in places 997 down; days from 1950.
  const absl::CivilDay born = absl::CivilDay(1950, 1, 1) + n / 150;
  const std::string head =
      fmt::format("120115{}{:03d}", base::FormatCompactDate(born), 850 + n % 150);
  return head + *codes::IdCheckCharacter(head);
}

std::string BankCard(std::int64_t n) {
  const std::string head = fmt::format("6299990{:011d}", n);
  return head + codes::LuhnDigit(head);
}

std::string SocialCard(std::int64_t n) { return fmt::format("T{:08d}", n); }

std::string Name(std::int64_t n) {
  static constexpr const char* kGiven[] = {"一", "二", "三", "四", "五",
                                           "六", "七", "八", "九", "十"};
  return std::string("测") + kGiven[n % 10] + kGiven[n / 10 % 10];
}

PersonInput MakePerson(std::int64_t n, std::int64_t row) {
  PersonInput person;
  person.row = row;
  person.id_no = IdNumber(n);
  person.name = Name(n);
  person.village_code = kVillage;
  person.phone = fmt::format("139{:08d}", n);
  person.card_no = SocialCard(n);
  person.card_state = static_cast<int>(CardState::kActive);
  person.card_bank_code = kBank;
  person.card_account_no = BankCard(n);
  return person;
}

std::vector<PersonInput> MakePeople(std::int64_t first, int count) {
  std::vector<PersonInput> people;
  people.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const std::int64_t n = first + i;
    PersonInput person = MakePerson(n, i + 1);
    person.household_no = fmt::format("H{:09d}", n / 4);
    person.household_role =
        static_cast<int>(n % 4 == 0 ? HouseholdRole::kHead : HouseholdRole::kOther);
    people.push_back(std::move(person));
  }
  return people;
}

}  // namespace yikatong::registry::testing
