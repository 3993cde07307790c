#include "common/crypto/sha256.h"

#include <openssl/evp.h>

#include <cstring>
#include <memory>
#include <utility>

#include "common/crypto/openssl.h"

namespace yikatong::crypto {
namespace {

using internal::Must;

const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = [] {
    const EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Must(fetched != nullptr, "EVP_MD_fetch SHA256");
    return fetched;
  }();
  return algorithm;
}

EVP_MD_CTX* NewContext() {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Must(context != nullptr, "EVP_MD_CTX_new");
  return context;
}

void Begin(EVP_MD_CTX* context) {
  Must(EVP_DigestInit_ex2(context, Algorithm(), nullptr) == 1, "EVP_DigestInit_ex2");
}

void Feed(EVP_MD_CTX* context, std::string_view data) {
  Must(EVP_DigestUpdate(context, data.data(), data.size()) == 1, "EVP_DigestUpdate");
}

Digest End(EVP_MD_CTX* context) {
  Digest digest;
  Must(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1, "EVP_DigestFinal_ex");
  return digest;
}

}  // namespace

Digest Sha256(std::initializer_list<std::string_view> parts) {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      NewContext(), EVP_MD_CTX_free);
  Begin(context.get());
  for (const std::string_view part : parts) Feed(context.get(), part);
  return End(context.get());
}

Sha256Hasher::Sha256Hasher() : context_(NewContext()) { Begin(static_cast<EVP_MD_CTX*>(context_)); }
Sha256Hasher::~Sha256Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
Sha256Hasher::Sha256Hasher(Sha256Hasher&& other) noexcept
    : context_(std::exchange(other.context_, nullptr)) {}
Sha256Hasher& Sha256Hasher::operator=(Sha256Hasher&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Sha256Hasher::Update(std::string_view data) { Feed(static_cast<EVP_MD_CTX*>(context_), data); }

Digest Sha256Hasher::Finish() {
  const Digest digest = End(static_cast<EVP_MD_CTX*>(context_));
  Begin(static_cast<EVP_MD_CTX*>(context_));
  return digest;
}

std::optional<Digest> DigestOf(std::string_view bytes) {
  Digest digest;
  if (bytes.size() != digest.size()) return std::nullopt;
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

std::string HexOf(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

}  // namespace yikatong::crypto
