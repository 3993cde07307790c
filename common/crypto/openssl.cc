#include "common/crypto/openssl.h"

#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"

namespace yikatong::crypto::internal {
namespace {

KeyHandle Own(EVP_PKEY* key) { return KeyHandle(key, EVP_PKEY_free); }

std::unique_ptr<BIO, decltype(&BIO_free)> ReadFrom(std::string_view bytes) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())), BIO_free);
  Must(bio != nullptr, "BIO_new_mem_buf");
  return bio;
}

// Without it OpenSSL would ask the terminal for the password of an encrypted key.
int NoPassword(char*, int, int, void*) { return 0; }

absl::StatusOr<KeyHandle> Checked(EVP_PKEY* raw_key, const char* type, const char* kind) {
  KeyHandle key = Own(raw_key);
  if (key == nullptr || EVP_PKEY_is_a(key.get(), type) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(fmt::format("not an {} {}", type, kind));
  }
  return key;
}

}  // namespace

void Must(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "cryptography failed: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

absl::StatusOr<KeyHandle> PublicFromRaw(const char* type, std::string_view raw) {
  return Checked(EVP_PKEY_new_raw_public_key_ex(nullptr, type, nullptr, Data(raw), raw.size()),
                 type, "public key");
}

absl::StatusOr<KeyHandle> PrivateFromRaw(const char* type, std::string_view raw) {
  return Checked(EVP_PKEY_new_raw_private_key_ex(nullptr, type, nullptr, Data(raw), raw.size()),
                 type, "private key");
}

absl::StatusOr<KeyHandle> PublicFromPem(const char* type, std::string_view pem) {
  const auto bio = ReadFrom(pem);
  return Checked(PEM_read_bio_PUBKEY(bio.get(), nullptr, NoPassword, nullptr), type,
                 "public key in PEM");
}

absl::StatusOr<KeyHandle> PrivateFromPem(const char* type, std::string_view pem) {
  const auto bio = ReadFrom(pem);
  return Checked(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr), type,
                 "unencrypted private key in PEM");
}

std::string RawPublic(const KeyHandle& key) {
  std::string raw(32, '\0');
  std::size_t size = raw.size();
  Must(EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()),
                                   &size) == 1,
       "EVP_PKEY_get_raw_public_key");
  raw.resize(size);
  return raw;
}

std::string PublicPem(const KeyHandle& key) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  Must(bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1, "PEM_write_bio_PUBKEY");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Secret PrivatePem(const KeyHandle& key) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_secmem()), BIO_free);
  Must(bio != nullptr && PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                                       nullptr, nullptr) == 1,
       "PEM_write_bio_PKCS8PrivateKey");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string_view(data, static_cast<std::size_t>(size)));
}

}  // namespace yikatong::crypto::internal
