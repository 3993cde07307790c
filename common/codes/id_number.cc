#include "common/codes/id_number.h"

#include <array>

#include "common/base/dates.h"
#include "common/status/status.h"

namespace yikatong::codes {
namespace {

using status::Reason;

constexpr int kFirstBirthYear = 1880;
constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
constexpr std::string_view kCheckCharacters = "10X98765432";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }

int Number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// `digits` must be 17 digits.
char CheckCharacter(std::string_view digits) {
  int sum = 0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) sum += (digits[i] - '0') * kWeights[i];
  return kCheckCharacters[static_cast<std::size_t>(sum % 11)];
}

bool IsPossibleBirth(std::optional<absl::CivilDay> day, absl::CivilDay today) {
  return day && *day <= today && day->year() >= kFirstBirthYear;
}

}  // namespace

bool IsProvinceCode(int province) {
  switch (province / 10) {
    case 1:
      return province >= 11 && province <= 15;
    case 2:
      return province >= 21 && province <= 23;
    case 3:
      return province >= 31 && province <= 37;
    case 4:
      return province >= 41 && province <= 46;
    case 5:
      return province >= 50 && province <= 54;
    case 6:
      return province >= 61 && province <= 65;
    case 7:
      return province == 71;
    case 8:
      return province >= 81 && province <= 83;
    default:
      return false;
  }
}

std::optional<char> IdCheckCharacter(std::string_view first_17) {
  if (first_17.size() != 17) return std::nullopt;
  for (const char c : first_17) {
    if (!IsDigit(c)) return std::nullopt;
  }
  return CheckCharacter(first_17);
}

// Reads one number; each step returns what is wrong, or nothing.
class IdNumberReader {
 public:
  IdNumberReader(absl::CivilDay today, IdInput input, IdNumber& out)
      : today_(today), typed_(input == IdInput::kTyped), out_(out) {}

  std::optional<Reason> Read(std::string_view text) {
    out_ = IdNumber();
    // Characters first: a full-width digit must not be reported as a wrong length.
    FixedText<18> normal;
    bool too_long = false;
    for (const char given : text) {
      char c = given;
      if (typed_ && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      if (!IsDigit(c) && !IsCapital(c)) return Reason::kIdNumberCharacterWrong;
      too_long = too_long || !normal.Append(c);
    }
    const std::string_view view = normal.view();
    const bool letters_first =
        view.size() >= 3 && IsCapital(view[0]) && IsCapital(view[1]) && IsCapital(view[2]);
    for (std::size_t i = 0; i < view.size(); ++i) {
      const bool letter_allowed =
          (i == 17 && view[i] == 'X') || (letters_first && i < 3 && view.size() == 15);
      if (!IsDigit(view[i]) && !letter_allowed) return Reason::kIdNumberCharacterWrong;
    }
    if (too_long) return Reason::kIdNumberLengthWrong;
    if (view.size() == 15) {
      if (letters_first) return ReadForeignerOld(normal);
      if (typed_) return ReadOld(view);
    }
    if (view.size() != 18) return Reason::kIdNumberLengthWrong;
    return Read18(normal);
  }

 private:
  std::optional<Reason> ReadOld(std::string_view digits) {
    FixedText<18> full;
    for (const char c : digits.substr(0, 6)) full.Append(c);
    full.Append('1');
    full.Append('9');
    for (const char c : digits.substr(6)) full.Append(c);
    full.Append(CheckCharacter(full.view()));
    out_.was_old_form_ = true;
    return Read18(full);
  }

  std::optional<Reason> Read18(const FixedText<18>& normal) {
    const std::string_view view = normal.view();
    if (view[0] == '9') {
      // 9, two digits of the province, three of the country.
      const int province = Number(view.substr(1, 2));
      if (!IsProvinceCode(province) || province > 65 || Number(view.substr(3, 3)) == 0) {
        return Reason::kIdNumberAreaUnknown;
      }
      out_.form_ = IdForm::kForeigner;
    } else {
      out_.area_ = Number(view.substr(0, 6));
      const int province = out_.area_ / 10000;
      if (!IsProvinceCode(province)) return Reason::kIdNumberAreaUnknown;
      if (province >= 81) {
        if (out_.area_ % 10000 != 0) return Reason::kIdNumberAreaUnknown;
        out_.form_ = IdForm::kResidencePermit;
      }
    }
    const std::optional<absl::CivilDay> birth = base::ParseCompactDate(view.substr(6, 8));
    if (!IsPossibleBirth(birth, today_)) return Reason::kIdNumberBirthDateWrong;
    if (view[17] != CheckCharacter(view)) return Reason::kIdNumberCheckDigitWrong;
    out_.birth_ = *birth;
    out_.sex_ = (view[16] - '0') % 2 == 1 ? Sex::kMale : Sex::kFemale;
    out_.text_ = normal;
    return std::nullopt;
  }

  std::optional<Reason> ReadForeignerOld(const FixedText<18>& normal) {
    const std::string_view view = normal.view();
    const int province = Number(view.substr(3, 2));
    if (!IsProvinceCode(province) || province > 65) return Reason::kIdNumberAreaUnknown;
    const int year = Number(view.substr(7, 2));
    const int month = Number(view.substr(9, 2));
    const int day = Number(view.substr(11, 2));
    std::optional<absl::CivilDay> birth = base::MakeDate(2000 + year, month, day);
    if (!IsPossibleBirth(birth, today_)) birth = base::MakeDate(1900 + year, month, day);
    if (!IsPossibleBirth(birth, today_)) return Reason::kIdNumberBirthDateWrong;
    out_.form_ = IdForm::kForeignerOld;
    out_.birth_ = *birth;
    out_.text_ = normal;
    return std::nullopt;
  }

  const absl::CivilDay today_;
  const bool typed_;
  IdNumber& out_;
};

std::optional<Reason> ReadIdNumber(std::string_view text, absl::CivilDay today, IdInput input,
                                   IdNumber& out) {
  return IdNumberReader(today, input, out).Read(text);
}

absl::StatusOr<IdNumber> ParseIdNumber(std::string_view text, absl::CivilDay today, IdInput input) {
  IdNumber number;
  if (const std::optional<Reason> fault = ReadIdNumber(text, today, input, number)) {
    return status::Refuse(*fault);
  }
  return number;
}

}  // namespace yikatong::codes
