#include "common/crypto/hmac.h"

#include <openssl/crypto.h>

#include <array>
#include <cstring>

#include "common/crypto/openssl.h"

namespace yikatong::crypto {
namespace {

constexpr std::size_t kBlockBytes = 64;

// The key, brought to a block and mixed with the pad byte.
std::array<char, kBlockBytes> Pad(std::string_view key, char pad) {
  std::array<char, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    const Digest digest = Sha256(key);
    std::memcpy(block.data(), digest.data(), digest.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (char& byte : block) byte = static_cast<char>(byte ^ pad);
  return block;
}

}  // namespace

// By hand over the hash: EVP_MAC would cost a context and a look-up for each call.
Digest HmacSha256(std::string_view key, std::string_view message) {
  std::array<char, kBlockBytes> inner = Pad(key, 0x36);
  std::array<char, kBlockBytes> outer = Pad(key, 0x5c);
  const Digest inside = Sha256({std::string_view(inner.data(), inner.size()), message});
  const Digest mac = Sha256({std::string_view(outer.data(), outer.size()), BytesOf(inside)});
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return mac;
}

std::string HkdfSha256(std::string_view input, std::string_view salt, std::string_view info,
                       std::size_t length) {
  internal::Must(length <= 255 * std::tuple_size_v<Digest>, "HKDF of more than 8160 bytes");
  Digest pseudo_random_key = HmacSha256(salt, input);
  std::string output;
  std::string previous;
  for (unsigned char counter = 1; output.size() < length; ++counter) {
    std::string message = previous;
    message.append(info);
    message.push_back(static_cast<char>(counter));
    const Digest block = HmacSha256(BytesOf(pseudo_random_key), message);
    previous = StringOf(block);
    output.append(previous);
  }
  OPENSSL_cleanse(pseudo_random_key.data(), pseudo_random_key.size());
  output.resize(length);
  return output;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace yikatong::crypto
