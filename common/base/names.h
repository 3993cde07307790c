// Names of persons: one written form, and the masked forms that may be published.
//
// Two names are the same person's name only in the normalised form: rosters come with blanks
// between the characters and with five look-alikes of the separator of ethnic names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace yikatong::base {

// The most code points that a name may have.
inline constexpr int kMaxNameCodePoints = 64;

// The written form of a name: blanks around it and beside Han characters removed, blanks between
// Latin words made one space, look-alikes of the middle dot (U+2022, U+30FB, U+FF65, U+2027,
// U+22C5, U+FF0E and, unless it follows a Latin letter, the full stop) made U+00B7. Nothing where
// `name` is not UTF-8, holds control, format or private-use characters or digits, begins or ends
// with the dot, is empty or longer than kMaxNameCodePoints.
std::optional<std::string> NormaliseName(std::string_view name);

enum class MaskStyle {
  kWeb,    // the first character only: 张**, 欧***
  kBoard,  // a village board, where neighbours must recognise a person: first and last, 张*明,
           // 欧**明
};

// The masked form of `name`, by code points. A name with the separator keeps what stands before its
// first one, in both styles: 买买提·**. At most three stars stand for what is hidden, so that a
// long name does not give its owner away. A name of one character, or one that is not UTF-8,
// becomes a single star.
std::string MaskName(std::string_view name, MaskStyle style);

}  // namespace yikatong::base
