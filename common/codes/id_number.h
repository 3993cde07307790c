// Identity numbers of persons, in every form that a roster may hold:
//
//   citizen identity number (GB 11643)      AAAAAA YYYYMMDD SSS C      18
//   the same, as written before 2013        AAAAAA YYMMDD SSS          15, made 18 on input
//   residence permit of Hong Kong, Macao, Taiwan residents             18, area 810000, 820000,
//   830000 permanent residence of foreigners, from December 2023              18, 9 PP CCC YYYYMMDD
//   SSS C the same, as issued before              CCC AAAA YYMMDD NN         15, three letters
//   first
//
// C is the check character of ISO 7064 MOD 11-2. The number never changes in a life, so that area
// codes abolished long ago stay valid: only the province is a hard rule (division.h answers the
// soft question). The older foreigners' number has a check digit whose rule is not public here, and
// two digits of the year: it is taken by form only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/codes/fixed_text.h"
#include "common/status/reason.h"

namespace yikatong::codes {

enum class IdForm { kCitizen, kResidencePermit, kForeigner, kForeignerOld };
enum class Sex { kUnknown, kMale, kFemale };

enum class IdInput {
  kTyped,   // from a roster or a person: a lower-case x is taken, the old 15 digits are made 18
  kStored,  // as it stands in our own data: only the normal form
};

// A value type without heap.
class IdNumber {
 public:
  // The normal form: capital X, 18 characters (15 for kForeignerOld).
  std::string_view Text() const { return text_.view(); }
  IdForm form() const { return form_; }
  absl::CivilDay birth() const { return birth_; }
  // False where the number has two digits of the year, and birth() is the later of the two possible
  // ones.
  bool century_is_certain() const { return form_ != IdForm::kForeignerOld; }
  Sex sex() const { return sex_; }
  // The six digits of the area; 0 for foreigners.
  int area() const { return area_; }
  // Whether it was given as the 15 digits of before 2013.
  bool was_old_form() const { return was_old_form_; }

  friend bool operator==(const IdNumber& a, const IdNumber& b) { return a.text_ == b.text_; }

 private:
  friend class IdNumberReader;
  FixedText<18> text_;
  IdForm form_ = IdForm::kCitizen;
  Sex sex_ = Sex::kUnknown;
  bool was_old_form_ = false;
  int area_ = 0;
  absl::CivilDay birth_;
};

// Reads `text` into `out`; says what is wrong with it, or nothing. Never allocates. A birth after
// `today` or before 1880 is wrong. Reasons: ID_NUMBER_CHARACTER_WRONG, ID_NUMBER_LENGTH_WRONG,
// ID_NUMBER_AREA_UNKNOWN, ID_NUMBER_BIRTH_DATE_WRONG, ID_NUMBER_CHECK_DIGIT_WRONG, asked in this
// order.
std::optional<status::Reason> ReadIdNumber(std::string_view text, absl::CivilDay today,
                                           IdInput input, IdNumber& out);

// The same as a status. The number itself is never in the message.
absl::StatusOr<IdNumber> ParseIdNumber(std::string_view text, absl::CivilDay today,
                                       IdInput input = IdInput::kTyped);

// The check character behind 17 digits; nothing for anything else.
std::optional<char> IdCheckCharacter(std::string_view first_17);

// Whether 11 to 65, 71 or 81 to 83 is the code of a province.
bool IsProvinceCode(int province);

}  // namespace yikatong::codes
