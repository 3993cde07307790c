// Made-up people for the tests of this service: valid by form, and nobody's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/registry/domain/types.h"

namespace yikatong::registry::testing {

inline constexpr std::int64_t kVillage = 120115101201;       // 宝坻区大口屯镇镇东村
inline constexpr std::int64_t kOtherVillage = 120105001001;  // 河北区
inline constexpr char kBank[] = "999110000015";              // of a kind that does not exist
inline constexpr char kOtherBank[] = "999110000023";

// The n-th ID number, n below 3 million; born from 1950 on, in 2004 at the latest.
std::string IdNumber(std::int64_t n);
// The n-th bank card of 19 digits, with its check digit.
std::string BankCard(std::int64_t n);
std::string SocialCard(std::int64_t n);
std::string Name(std::int64_t n);

// The n-th person: active card, no household.
PersonInput MakePerson(std::int64_t n, std::int64_t row);
// Rows 1 … count of people first, first + 1, …; every fourth is a head and the three after are
// members of the household.
std::vector<PersonInput> MakePeople(std::int64_t first, int count);

}  // namespace yikatong::registry::testing
