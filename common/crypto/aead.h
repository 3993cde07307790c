// AES-256-GCM with the key schedule made once: a short row costs well under a microsecond.
//
//   Aead aead(key);                                   // 32 bytes
//   std::string sealed;
//   aead.Seal(nonce, "who and where", "plain", sealed);   // appends ciphertext and tag
//   YKT_ASSIGN_OR_RETURN(std::string plain, aead.Open(nonce, "who and where", sealed));
//
// A nonce must never be used twice under one key. Thread safe: each call borrows a context of its
// own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/secret.h"

namespace yikatong::crypto {

inline constexpr std::size_t kAeadKeyBytes = 32;
inline constexpr std::size_t kAeadNonceBytes = 12;
inline constexpr std::size_t kAeadTagBytes = 16;

class Aead {
 public:
  // InvalidArgument unless the key has 32 bytes.
  static absl::StatusOr<Aead> Make(const Secret& key);
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  // Appends plaintext.size() + kAeadTagBytes bytes to `out`. `nonce` has kAeadNonceBytes bytes.
  void Seal(std::string_view nonce, std::string_view associated, std::string_view plaintext,
            std::string& out) const;

  // DataLoss where the bytes, the nonce, the associated data or the key are not those of Seal.
  absl::StatusOr<std::string> Open(std::string_view nonce, std::string_view associated,
                                   std::string_view sealed) const;

 private:
  class Contexts;
  explicit Aead(std::unique_ptr<Contexts> contexts);

  std::unique_ptr<Contexts> contexts_;
};

// A nonce that counts: for a key that lives for one chunk only.
std::string CountingNonce(std::uint64_t counter);

}  // namespace yikatong::crypto
