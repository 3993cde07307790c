// Ed25519 (RFC 8032): signing and verifying. Keys are small handles; copying one shares it. Thread
// safe.
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

inline constexpr std::size_t kEd25519KeyBytes = 32;
inline constexpr std::size_t kEd25519SignatureBytes = 64;

class Ed25519PublicKey {
 public:
  // InvalidArgument unless `raw` is 32 bytes.
  static absl::StatusOr<Ed25519PublicKey> FromRaw(std::string_view raw);
  // A SubjectPublicKeyInfo in PEM ("BEGIN PUBLIC KEY"), as `openssl pkey -pubout` writes it.
  static absl::StatusOr<Ed25519PublicKey> FromPem(std::string_view pem);

  [[nodiscard]] bool Verify(std::string_view message, std::string_view signature) const;

  std::string Raw() const;
  std::string Pem() const;

 private:
  friend class Ed25519PrivateKey;
  explicit Ed25519PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  std::shared_ptr<evp_pkey_st> key_;
};

class Ed25519PrivateKey {
 public:
  static Ed25519PrivateKey Generate(RandomSource& random);
  // `seed` is the 32-byte private key of RFC 8032.
  static absl::StatusOr<Ed25519PrivateKey> FromSeed(const Secret& seed);
  // An unencrypted PKCS#8 in PEM ("BEGIN PRIVATE KEY"), as `openssl genpkey -algorithm ed25519`
  // writes it.
  static absl::StatusOr<Ed25519PrivateKey> FromPem(std::string_view pem);

  // 64 bytes.
  std::string Sign(std::string_view message) const;

  Ed25519PublicKey PublicKey() const;
  Secret Pem() const;

 private:
  explicit Ed25519PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}

  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace yikatong::crypto
