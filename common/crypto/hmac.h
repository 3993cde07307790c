// HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869). Thread safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/crypto/sha256.h"

namespace yikatong::crypto {

Digest HmacSha256(std::string_view key, std::string_view message);

// `length` bytes (at most 8160) derived from the secret `input`. `salt` may be empty. `info` names
// the purpose, so that keys of two purposes are never equal.
std::string HkdfSha256(std::string_view input, std::string_view salt, std::string_view info,
                       std::size_t length);

// Compares without telling by its time where the first difference is. Different lengths are
// unequal.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace yikatong::crypto
