// X25519 (RFC 7748): a secret that two keys share. Keys are small handles; copying one shares it.
// Thread safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/crypto/random.h"
#include "common/crypto/secret.h"

struct evp_pkey_st;

namespace yikatong::crypto {

inline constexpr std::size_t kX25519KeyBytes = 32;

class X25519PublicKey {
 public:
  // InvalidArgument unless `raw` is 32 bytes.
  static absl::StatusOr<X25519PublicKey> FromRaw(std::string_view raw);
  // A SubjectPublicKeyInfo in PEM.
  static absl::StatusOr<X25519PublicKey> FromPem(std::string_view pem);

  std::string Raw() const;
  std::string Pem() const;

 private:
  friend class X25519PrivateKey;
  explicit X25519PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  std::shared_ptr<evp_pkey_st> key_;
};

class X25519PrivateKey {
 public:
  static X25519PrivateKey Generate(RandomSource& random);
  static absl::StatusOr<X25519PrivateKey> FromRaw(const Secret& raw);
  // An unencrypted PKCS#8 in PEM, as `openssl genpkey -algorithm x25519` writes it.
  static absl::StatusOr<X25519PrivateKey> FromPem(std::string_view pem);

  // InvalidArgument where the peer's key is one of the few that give everybody the same secret.
  // The bytes are not uniform: derive keys from them with HKDF.
  absl::StatusOr<Secret> SharedSecret(const X25519PublicKey& peer) const;

  X25519PublicKey PublicKey() const;
  Secret Pem() const;

 private:
  explicit X25519PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace yikatong::crypto
