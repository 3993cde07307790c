// A short text of bounded length inside its owner, so that codes are parsed by the million without
// allocating.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace yikatong::codes {

template <std::size_t kMax>
class FixedText {
  static_assert(kMax < 256);

 public:
  FixedText() = default;

  // False, and nothing added, when it is full.
  bool Append(char c) {
    if (size_ == kMax) return false;
    chars_[size_++] = c;
    return true;
  }

  std::string_view view() const { return {chars_.data(), size_}; }
  std::size_t size() const { return size_; }

  friend bool operator==(const FixedText& a, const FixedText& b) { return a.view() == b.view(); }

 private:
  std::array<char, kMax> chars_{};
  std::uint8_t size_ = 0;
};

}  // namespace yikatong::codes
