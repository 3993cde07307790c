#include "common/codes/id_number.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <random>

#include "common/base/dates.h"
#include "common/codes/division.h"
#include "common/status/status.h"

namespace {
// Counts what this thread allocates, for the test that parsing allocates nothing.
thread_local long allocations = 0;
}  // namespace

// Out of line: inlined into callers, the compiler would take new and free for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace yikatong::codes {
namespace {

using absl::CivilDay;
using status::Reason;

const CivilDay kToday(2026, 3, 1);

std::optional<Reason> FaultOf(std::string_view text, IdInput input = IdInput::kTyped) {
  IdNumber number;
  return ReadIdNumber(text, kToday, input, number);
}

struct Valid {
  const char* text;
  IdForm form;
  Sex sex;
  CivilDay birth;
  int area;
};

TEST(IdNumberTest, EveryFormIsReadWithItsParts) {
  constexpr auto kC = IdForm::kCitizen;
  constexpr auto kP = IdForm::kResidencePermit;
  constexpr auto kF = IdForm::kForeigner;
  constexpr auto kM = Sex::kMale;
  constexpr auto kW = Sex::kFemale;
  const Valid rows[] = {{"120105198506159993", kC, kM, CivilDay(1985, 6, 15), 120105},
                        {"120115196402299987", kC, kW, CivilDay(1964, 2, 29), 120115},
                        {"120101193912319974", kC, kM, CivilDay(1939, 12, 31), 120101},
                        {"12011019920318998X", kC, kW, CivilDay(1992, 3, 18), 120110},
                        {"120117201909019987", kC, kW, CivilDay(2019, 9, 1), 120117},
                        {"120116200307179990", kC, kM, CivilDay(2003, 7, 17), 120116},
                        {"131081198111119982", kC, kW, CivilDay(1981, 11, 11), 131081},
                        {"120225195708089986", kC, kW, CivilDay(1957, 8, 8), 120225},
                        {"120221197010109993", kC, kM, CivilDay(1970, 10, 10), 120221},
                        {"120223194803059980", kC, kW, CivilDay(1948, 3, 5), 120223},
                        {"120107196601019992", kC, kM, CivilDay(1966, 1, 1), 120107},
                        {"810000199001019996", kP, kM, CivilDay(1990, 1, 1), 810000},
                        {"820000198808089984", kP, kW, CivilDay(1988, 8, 8), 820000},
                        {"830000197505209990", kP, kM, CivilDay(1975, 5, 20), 830000},
                        {"912840198501010010", kF, kM, CivilDay(1985, 1, 1), 0},
                        {"912392199012310024", kF, kW, CivilDay(1990, 12, 31), 0},
                        {"911826197007040035", kF, kM, CivilDay(1970, 7, 4), 0}};
  for (const Valid& row : rows) {
    for (const IdInput input : {IdInput::kTyped, IdInput::kStored}) {
      const absl::StatusOr<IdNumber> number = ParseIdNumber(row.text, kToday, input);
      ASSERT_TRUE(number.ok()) << row.text;
      EXPECT_EQ(number->Text(), row.text);
      EXPECT_EQ(number->form(), row.form) << row.text;
      EXPECT_EQ(number->sex(), row.sex) << row.text;
      EXPECT_EQ(number->birth(), row.birth) << row.text;
      EXPECT_EQ(number->area(), row.area) << row.text;
      EXPECT_TRUE(number->century_is_certain());
      EXPECT_FALSE(number->was_old_form());
    }
  }
}

TEST(IdNumberTest, TheOldFifteenDigitsBecomeEighteenOnInputAndAreRefusedInStoredData) {
  const std::pair<const char*, const char*> rows[] = {{"120105850615999", "120105198506159993"},
                                                      {"120115640229998", "120115196402299987"},
                                                      {"120101391231997", "120101193912319974"},
                                                      {"120225570808998", "120225195708089986"},
                                                      {"120107660101999", "120107196601019992"}};
  for (const auto& [old_form, full] : rows) {
    const absl::StatusOr<IdNumber> number = ParseIdNumber(old_form, kToday);
    ASSERT_TRUE(number.ok()) << old_form;
    EXPECT_EQ(number->Text(), full);
    EXPECT_TRUE(number->was_old_form());
    EXPECT_EQ(*number, *ParseIdNumber(full, kToday));
    EXPECT_EQ(FaultOf(old_form, IdInput::kStored), Reason::kIdNumberLengthWrong);
  }
  EXPECT_EQ(FaultOf("120105851315999"), Reason::kIdNumberBirthDateWrong);
  EXPECT_EQ(FaultOf("990105850615999"), Reason::kIdNumberAreaUnknown);
}

TEST(IdNumberTest, TheOldNumberOfForeignersIsTakenByItsForm) {
  const absl::StatusOr<IdNumber> number = ParseIdNumber("USA120185010100", kToday);
  ASSERT_TRUE(number.ok()) << number.status();
  EXPECT_EQ(number->form(), IdForm::kForeignerOld);
  EXPECT_EQ(number->birth(), CivilDay(1985, 1, 1));
  EXPECT_FALSE(number->century_is_certain());
  EXPECT_EQ(number->sex(), Sex::kUnknown);
  EXPECT_EQ(ParseIdNumber("GBR110120010199", kToday)->birth(), CivilDay(2020, 1, 1));
  EXPECT_EQ(FaultOf("USA990185010100"), Reason::kIdNumberAreaUnknown);
  EXPECT_EQ(FaultOf("USA120185130100"), Reason::kIdNumberBirthDateWrong);
  EXPECT_EQ(FaultOf("US1120185010100"), Reason::kIdNumberCharacterWrong);
  EXPECT_EQ(FaultOf("USAX20185010100"), Reason::kIdNumberCharacterWrong);
}

TEST(IdNumberTest, WhatIsNoIdNumberIsRefusedWithTheFinerReason) {
  const std::pair<const char*, Reason> rows[] = {
      {"120105198506159994", Reason::kIdNumberCheckDigitWrong},
      {"120105198606159993", Reason::kIdNumberCheckDigitWrong},
      {"120105195806159993", Reason::kIdNumberCheckDigitWrong},
      {"12010519850615999", Reason::kIdNumberLengthWrong},
      {"1201051985061599931", Reason::kIdNumberLengthWrong},
      {"120115196402309989", Reason::kIdNumberBirthDateWrong},
      {"12011519630229998X", Reason::kIdNumberBirthDateWrong},
      {"120105198513019999", Reason::kIdNumberBirthDateWrong},
      {"12010520991231999X", Reason::kIdNumberBirthDateWrong},
      {"470105198506159993", Reason::kIdNumberAreaUnknown},
      {"120105180006159991", Reason::kIdNumberBirthDateWrong},
      {"1201051985O6159993", Reason::kIdNumberCharacterWrong},
      {"１20105198506159993", Reason::kIdNumberCharacterWrong},
      {"000000000000000000", Reason::kIdNumberAreaUnknown},
      {"", Reason::kIdNumberLengthWrong},
      {"X", Reason::kIdNumberCharacterWrong},
      {"12010519850615999 ", Reason::kIdNumberCharacterWrong},
      {" 120105198506159993", Reason::kIdNumberCharacterWrong},
      {"120105X98506159993", Reason::kIdNumberCharacterWrong},
      {"12010519850615999Y", Reason::kIdNumberCharacterWrong},
      {"120105-19850615-999", Reason::kIdNumberCharacterWrong},
      {"810001199001019996", Reason::kIdNumberAreaUnknown},
      {"999840198501010010", Reason::kIdNumberAreaUnknown},
      {"912000198501010010", Reason::kIdNumberAreaUnknown}};
  for (const auto& [text, reason] : rows) {
    for (const IdInput input : {IdInput::kTyped, IdInput::kStored}) {
      const absl::Status status = ParseIdNumber(text, kToday, input).status();
      EXPECT_EQ(status::ReasonOf(status), reason) << text;
      EXPECT_EQ(std::string(status.message()).find("1985"), std::string::npos) << status;
    }
  }
}

TEST(IdNumberTest, ASmallXIsMadeCapitalOnInputAndRefusedInStoredData) {
  EXPECT_EQ(ParseIdNumber("12011019920318998x", kToday)->Text(), "12011019920318998X");
  EXPECT_EQ(FaultOf("12011019920318998x", IdInput::kStored), Reason::kIdNumberCharacterWrong);
}

TEST(IdNumberTest, APersonMayBeBornTodayAndNotTomorrow) {
  const std::string today = "12010520260301999";
  const std::string tomorrow = "12010520260302999";
  EXPECT_EQ(FaultOf(today + *IdCheckCharacter(today)), std::nullopt);
  EXPECT_EQ(FaultOf(tomorrow + *IdCheckCharacter(tomorrow)), Reason::kIdNumberBirthDateWrong);
}

TEST(IdNumberTest, OnlyProvincesThatExistAreProvinces) {
  int count = 0;
  for (int i = 0; i < 100; ++i) count += IsProvinceCode(i) ? 1 : 0;
  EXPECT_EQ(count, 35);  // 31 of the mainland, and 71, 81, 82, 83
  for (const int code : {11, 15, 21, 23, 31, 37, 41, 46, 50, 54, 61, 65, 71, 81, 83})
    EXPECT_TRUE(IsProvinceCode(code));
  for (const int code : {0, 10, 16, 20, 24, 30, 38, 40, 47, 49, 55, 60, 66, 70, 72, 80, 84, 91}) {
    EXPECT_FALSE(IsProvinceCode(code)) << code;
  }
}

// A number with a right check character for a random person of a random area.
std::string RandomNumber(std::mt19937& random) {
  const int districts[] = {120101, 120105, 120115, 120225, 120107, 131081, 659004, 710000};
  char text[32];
  const CivilDay birth = CivilDay(1900, 1, 1) + static_cast<int>(random() % 46'000);
  std::snprintf(text, sizeof text, "%06d%s%03d", districts[random() % 8],
                base::FormatCompactDate(birth).c_str(), static_cast<int>(random() % 1000));
  const std::string digits(text);
  return digits + *IdCheckCharacter(digits);
}

TEST(IdNumberTest, TheCheckCharacterAgreesWithTheGeneralRuleOfModEleven) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = RandomNumber(random);
    // ISO 7064 MOD 11-2 as a loop: the whole number with its check must give 1.
    int sum = 0;
    for (const char c : number) sum = (sum * 2 + (c == 'X' ? 10 : c - '0')) % 11;
    ASSERT_EQ(sum, 1) << number;
    ASSERT_EQ(FaultOf(number), std::nullopt) << number;
  }
}

TEST(IdNumberTest, EveryWrongDigitAndEverySwapOfNeighboursIsFound) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    const std::string number = RandomNumber(random);
    const std::size_t at = random() % 17;
    std::string wrong = number;
    wrong[at] =
        static_cast<char>('0' + (wrong[at] - '0' + 1 + static_cast<int>(random() % 9)) % 10);
    ASSERT_NE(FaultOf(wrong), std::nullopt) << number << " " << wrong;
    std::string swapped = number;
    std::swap(swapped[at], swapped[(at + 1) % 17]);
    if (at + 1 < 17 && swapped != number) {
      ASSERT_NE(FaultOf(swapped), std::nullopt) << number << " " << swapped;
    }
  }
}

TEST(IdNumberTest, RandomTextNeverCrashesAndIsHardlyEverANumber) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 50'000; ++i) {
    std::string text(random() % 24, '\0');
    for (char& c : text) {
      c = random() % 4 == 0 ? static_cast<char>(random()) : static_cast<char>('0' + random() % 10);
    }
    IdNumber number;
    if (!ReadIdNumber(text, kToday, IdInput::kTyped, number)) {
      ASSERT_EQ(FaultOf(number.Text(), IdInput::kStored), std::nullopt) << text;
    }
  }
}

TEST(IdNumberTest, ReadingAllocatesNothing) {
  const char* texts[] = {"120105198506159993", "120105850615999",   "12011019920318998x",
                         "120105198506159994", "12010519850615999", "USA120185010100"};
  IdNumber number;
  const long before = allocations;
  for (const char* text : texts) (void)ReadIdNumber(text, kToday, IdInput::kTyped, number);
  const bool good = ParseIdNumber("120105198506159993", kToday).ok();
  const long after = allocations;
  EXPECT_TRUE(good);
  EXPECT_EQ(after, before);
}

TEST(IdNumberTest, AnAbolishedAreaIsOnlyAHint) {
  EXPECT_EQ(StandingOfArea(120105), AreaStanding::kCurrent);
  EXPECT_EQ(StandingOfArea(120225), AreaStanding::kHistoric);
  EXPECT_EQ(StandingOfArea(120199), AreaStanding::kUnknown);
  EXPECT_EQ(StandingOfArea(131081), AreaStanding::kElsewhere);
  EXPECT_EQ(SuccessorOfArea(120225), 120119);
  EXPECT_EQ(SuccessorOfArea(120107), 120116);
  EXPECT_EQ(SuccessorOfArea(120105), 120105);
}

}  // namespace
}  // namespace yikatong::codes
