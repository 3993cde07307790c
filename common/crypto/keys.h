// Keys in files. Private keys are PKCS#8 PEM, public keys SubjectPublicKeyInfo PEM, secret keys
// lines of
// `<key id> <64 hex digits>`. Errors name the file and what is wrong, and never a byte of the key.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/secret.h"
#include "common/crypto/x25519.h"

namespace yikatong::crypto {

// NotFound where there is no such file, InvalidArgument where it is not such a key.
absl::StatusOr<Ed25519PrivateKey> ReadEd25519PrivateKey(const std::string& path);
absl::StatusOr<Ed25519PublicKey> ReadEd25519PublicKey(const std::string& path);
absl::StatusOr<X25519PrivateKey> ReadX25519PrivateKey(const std::string& path);
absl::StatusOr<X25519PublicKey> ReadX25519PublicKey(const std::string& path);

// Secret keys by id. New values are encrypted under the newest (highest id); the others stay for
// reading.
struct KeyRing {
  std::map<std::uint16_t, Secret> keys;  // never empty when it was read from a file

  std::uint16_t newest() const { return keys.rbegin()->first; }
};

// Empty lines and lines that begin with '#' are skipped. InvalidArgument for a repeated id, an id
// of 0 or above 65535, a key that is not 32 bytes, or no key at all.
absl::StatusOr<KeyRing> ReadKeyRing(const std::string& path);
absl::StatusOr<KeyRing> ParseKeyRing(std::string_view text);

// Writes a file that only its owner can read (mode 0600); an existing file is never replaced
// (AlreadyExists).
absl::Status WriteSecretFile(const std::string& path, const Secret& content);

}  // namespace yikatong::crypto
