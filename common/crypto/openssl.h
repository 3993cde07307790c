// What the files of this folder share over OpenSSL; nobody outside includes it.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/crypto/secret.h"

namespace yikatong::crypto::internal {

// Ends the process where OpenSSL cannot do what cannot fail (out of memory, a provider without
// AES): nothing may go on with half a hash or an empty cipher text.
void Must(bool done, const char* what);

inline const unsigned char* Data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

using KeyHandle = std::shared_ptr<evp_pkey_st>;

// `type` is "ED25519" or "X25519"; the errors say which was wanted.
absl::StatusOr<KeyHandle> PublicFromRaw(const char* type, std::string_view raw);
absl::StatusOr<KeyHandle> PrivateFromRaw(const char* type, std::string_view raw);
absl::StatusOr<KeyHandle> PublicFromPem(const char* type, std::string_view pem);
absl::StatusOr<KeyHandle> PrivateFromPem(const char* type, std::string_view pem);
std::string RawPublic(const KeyHandle& key);
std::string PublicPem(const KeyHandle& key);
Secret PrivatePem(const KeyHandle& key);

}  // namespace yikatong::crypto::internal
