// Canonical bytes: big-endian numbers and fields with their length before them, so that no two
// lists of fields give the same bytes. Used for associated data and for what is signed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace yikatong::crypto {

inline constexpr std::size_t kMaxFieldBytes = 65535;

template <typename Unsigned>
void PutNumber(std::string& out, Unsigned number) {
  for (int shift = 8 * (static_cast<int>(sizeof(Unsigned)) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(number >> shift));
  }
}

// The field's length in two bytes, then the field. Callers hold to kMaxFieldBytes.
inline void PutField(std::string& out, std::string_view field) {
  PutNumber(out, static_cast<std::uint16_t>(field.size()));
  out.append(field);
}

// Takes from the front of `in`; false where it is too short.
template <typename Unsigned>
[[nodiscard]] bool TakeNumber(std::string_view& in, Unsigned& number) {
  if (in.size() < sizeof(Unsigned)) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    value = value << 8 | static_cast<unsigned char>(in[i]);
  }
  number = static_cast<Unsigned>(value);
  in.remove_prefix(sizeof(Unsigned));
  return true;
}

[[nodiscard]] inline bool TakeBytes(std::string_view& in, std::size_t count, std::string& bytes) {
  if (in.size() < count) return false;
  bytes.assign(in.substr(0, count));
  in.remove_prefix(count);
  return true;
}

[[nodiscard]] inline bool TakeField(std::string_view& in, std::string& field) {
  std::uint16_t size = 0;
  return TakeNumber(in, size) && TakeBytes(in, size, field);
}

}  // namespace yikatong::crypto
