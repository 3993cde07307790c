// The masked forms in which numbers of persons may leave the system. Names are masked in
// base/names.h.
#pragma once

#include <string>
#include <string_view>

namespace yikatong::codes {

// For the web: first 4, stars, last 4 ("1201**********9993"). The birth date and the district stay
// hidden. A text shorter than 12 becomes stars throughout.
std::string MaskIdNumber(std::string_view text);

// For its owner: stars and the last 4 ("***************0010"). Never for publication, not even so.
// A text shorter than 8 becomes stars throughout.
std::string MaskAccount(std::string_view text);

// For its owner: first 3, four stars, last 4 ("138****0001"); stars throughout where it is not 11
// long.
std::string MaskPhone(std::string_view text);

// The last four characters; empty for a text shorter than 8, of which four would be too much.
std::string LastFour(std::string_view text);

}  // namespace yikatong::codes
