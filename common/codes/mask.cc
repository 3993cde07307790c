#include "common/codes/mask.h"

namespace yikatong::codes {
namespace {

// `text` with stars in place of all but its first `head` and last `tail` characters.
std::string Masked(std::string_view text, std::size_t head, std::size_t tail) {
  std::string out(text.substr(0, head));
  out.append(text.size() - head - tail, '*');
  out.append(text.substr(text.size() - tail));
  return out;
}

}  // namespace

std::string MaskIdNumber(std::string_view text) {
  return text.size() < 12 ? std::string(text.size(), '*') : Masked(text, 4, 4);
}

std::string MaskAccount(std::string_view text) {
  return text.size() < 8 ? std::string(text.size(), '*') : Masked(text, 0, 4);
}

std::string MaskPhone(std::string_view text) {
  return text.size() != 11 ? std::string(text.size(), '*') : Masked(text, 3, 4);
}

std::string LastFour(std::string_view text) {
  return text.size() < 8 ? std::string() : std::string(text.substr(text.size() - 4));
}

}  // namespace yikatong::codes
