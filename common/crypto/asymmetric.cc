// Ed25519 and X25519: the same handles of OpenSSL under two sets of operations.
#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/crypto/ed25519.h"
#include "common/crypto/openssl.h"
#include "common/crypto/x25519.h"

namespace yikatong::crypto {
namespace {

using internal::Data;
using internal::KeyHandle;
using internal::Must;

constexpr char kEd25519[] = "ED25519";
constexpr char kX25519[] = "X25519";

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

DigestContext NewContext() {
  DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Must(context != nullptr, "EVP_MD_CTX_new");
  return context;
}

KeyHandle PublicPart(const char* type, const KeyHandle& key) {
  absl::StatusOr<KeyHandle> part = internal::PublicFromRaw(type, internal::RawPublic(key));
  Must(part.ok(), "public part of a key");
  return *std::move(part);
}

KeyHandle NewPrivate(const char* type, RandomSource& random) {
  const Secret raw(random.Bytes(32));
  absl::StatusOr<KeyHandle> key = internal::PrivateFromRaw(type, raw.Reveal());
  Must(key.ok(), "new private key");
  return *std::move(key);
}

}  // namespace

absl::StatusOr<Ed25519PublicKey> Ed25519PublicKey::FromRaw(std::string_view raw) {
  absl::StatusOr<KeyHandle> key = internal::PublicFromRaw(kEd25519, raw);
  if (!key.ok()) return key.status();
  return Ed25519PublicKey(*std::move(key));
}

absl::StatusOr<Ed25519PublicKey> Ed25519PublicKey::FromPem(std::string_view pem) {
  absl::StatusOr<KeyHandle> key = internal::PublicFromPem(kEd25519, pem);
  if (!key.ok()) return key.status();
  return Ed25519PublicKey(*std::move(key));
}

bool Ed25519PublicKey::Verify(std::string_view message, std::string_view signature) const {
  if (signature.size() != kEd25519SignatureBytes) return false;
  const DigestContext context = NewContext();
  Must(EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(),
                               nullptr) == 1,
       "EVP_DigestVerifyInit_ex");
  const bool right = EVP_DigestVerify(context.get(), Data(signature), signature.size(),
                                      Data(message), message.size()) == 1;
  if (!right) ERR_clear_error();
  return right;
}

std::string Ed25519PublicKey::Raw() const { return internal::RawPublic(key_); }
std::string Ed25519PublicKey::Pem() const { return internal::PublicPem(key_); }

Ed25519PrivateKey Ed25519PrivateKey::Generate(RandomSource& random) {
  return Ed25519PrivateKey(NewPrivate(kEd25519, random));
}

absl::StatusOr<Ed25519PrivateKey> Ed25519PrivateKey::FromSeed(const Secret& seed) {
  absl::StatusOr<KeyHandle> key = internal::PrivateFromRaw(kEd25519, seed.Reveal());
  if (!key.ok()) return key.status();
  return Ed25519PrivateKey(*std::move(key));
}

absl::StatusOr<Ed25519PrivateKey> Ed25519PrivateKey::FromPem(std::string_view pem) {
  absl::StatusOr<KeyHandle> key = internal::PrivateFromPem(kEd25519, pem);
  if (!key.ok()) return key.status();
  return Ed25519PrivateKey(*std::move(key));
}

std::string Ed25519PrivateKey::Sign(std::string_view message) const {
  const DigestContext context = NewContext();
  Must(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key_.get(),
                             nullptr) == 1,
       "EVP_DigestSignInit_ex");
  std::string signature(kEd25519SignatureBytes, '\0');
  std::size_t size = signature.size();
  Must(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                      Data(message), message.size()) == 1,
       "EVP_DigestSign");
  return signature;
}

Ed25519PublicKey Ed25519PrivateKey::PublicKey() const {
  return Ed25519PublicKey(PublicPart(kEd25519, key_));
}
Secret Ed25519PrivateKey::Pem() const { return internal::PrivatePem(key_); }

absl::StatusOr<X25519PublicKey> X25519PublicKey::FromRaw(std::string_view raw) {
  absl::StatusOr<KeyHandle> key = internal::PublicFromRaw(kX25519, raw);
  if (!key.ok()) return key.status();
  return X25519PublicKey(*std::move(key));
}

absl::StatusOr<X25519PublicKey> X25519PublicKey::FromPem(std::string_view pem) {
  absl::StatusOr<KeyHandle> key = internal::PublicFromPem(kX25519, pem);
  if (!key.ok()) return key.status();
  return X25519PublicKey(*std::move(key));
}

std::string X25519PublicKey::Raw() const { return internal::RawPublic(key_); }
std::string X25519PublicKey::Pem() const { return internal::PublicPem(key_); }

X25519PrivateKey X25519PrivateKey::Generate(RandomSource& random) {
  return X25519PrivateKey(NewPrivate(kX25519, random));
}

absl::StatusOr<X25519PrivateKey> X25519PrivateKey::FromRaw(const Secret& raw) {
  absl::StatusOr<KeyHandle> key = internal::PrivateFromRaw(kX25519, raw.Reveal());
  if (!key.ok()) return key.status();
  return X25519PrivateKey(*std::move(key));
}

absl::StatusOr<X25519PrivateKey> X25519PrivateKey::FromPem(std::string_view pem) {
  absl::StatusOr<KeyHandle> key = internal::PrivateFromPem(kX25519, pem);
  if (!key.ok()) return key.status();
  return X25519PrivateKey(*std::move(key));
}

absl::StatusOr<Secret> X25519PrivateKey::SharedSecret(const X25519PublicKey& peer) const {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr), EVP_PKEY_CTX_free);
  Must(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1, "EVP_PKEY_derive_init");
  std::string shared(kX25519KeyBytes, '\0');
  std::size_t size = shared.size();
  // OpenSSL refuses a result of zeros, which is what points of small order give.
  if (EVP_PKEY_derive_set_peer(context.get(), peer.key_.get()) != 1 ||
      EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(shared.data()), &size) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the peer's X25519 key gives no secret");
  }
  return Secret(std::move(shared));
}

X25519PublicKey X25519PrivateKey::PublicKey() const {
  return X25519PublicKey(PublicPart(kX25519, key_));
}
Secret X25519PrivateKey::Pem() const { return internal::PrivatePem(key_); }

}  // namespace yikatong::crypto
