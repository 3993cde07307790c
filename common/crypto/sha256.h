// SHA-256, with the algorithm fetched once for the process: a row's hash costs one compression
// and no look-up. Thread safe: working contexts belong to their threads.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace yikatong::crypto {

// The 32 bytes of a SHA-256.
using Digest = std::array<std::uint8_t, 32>;

// The digest of the concatenation of `parts`, without copying them together.
Digest Sha256(std::initializer_list<std::string_view> parts);
inline Digest Sha256(std::string_view data) { return Sha256({data}); }

// A digest that is fed piece by piece (a file, a stream of chunks). Not thread safe.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(Sha256Hasher&& other) noexcept;
  Sha256Hasher& operator=(Sha256Hasher&& other) noexcept;
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  void Update(std::string_view data);
  // Ends the message and starts the next one.
  Digest Finish();

 private:
  void* context_;
};

// The raw bytes of a digest, valid as long as the digest is.
inline std::string_view BytesOf(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
inline std::string_view BytesOf(Digest&&) = delete;
inline std::string StringOf(const Digest& digest) { return std::string(BytesOf(digest)); }

// The digest that `bytes` holds, or nothing where they are not exactly 32.
std::optional<Digest> DigestOf(std::string_view bytes);

// Lower-case hexadecimal, for reports and messages.
std::string HexOf(const Digest& digest);

}  // namespace yikatong::crypto
