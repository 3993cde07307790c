#include "common/crypto/aead.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <mutex>
#include <utility>
#include <vector>

#include "common/crypto/openssl.h"

namespace yikatong::crypto {
namespace {

using internal::Data;
using internal::Must;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const EVP_CIPHER* Algorithm() {
  static const EVP_CIPHER* const algorithm = [] {
    const EVP_CIPHER* fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    Must(fetched != nullptr, "EVP_CIPHER_fetch AES-256-GCM");
    return fetched;
  }();
  return algorithm;
}

constexpr int kSeal = 1;
constexpr int kOpen = 0;

}  // namespace

// Contexts with the key already scheduled, lent to one call each. There are as many as calls ran at
// once.
class Aead::Contexts {
 public:
  explicit Contexts(const Secret& key) : key_(key) {}

  CipherContext Take(int direction) {
    {
      const std::lock_guard lock(mutex_);
      if (!free_[direction].empty()) {
        CipherContext context = std::move(free_[direction].back());
        free_[direction].pop_back();
        return context;
      }
    }
    CipherContext context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    Must(context != nullptr && EVP_CipherInit_ex2(context.get(), Algorithm(), Data(key_.Reveal()),
                                                  nullptr, direction, nullptr) == 1,
         "EVP_CipherInit_ex2");
    return context;
  }

  void Return(int direction, CipherContext context) {
    const std::lock_guard lock(mutex_);
    free_[direction].push_back(std::move(context));
  }

 private:
  const Secret key_;
  std::mutex mutex_;
  std::vector<CipherContext> free_[2];
};

Aead::Aead(std::unique_ptr<Contexts> contexts) : contexts_(std::move(contexts)) {}
Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

absl::StatusOr<Aead> Aead::Make(const Secret& key) {
  if (key.Reveal().size() != kAeadKeyBytes) {
    return absl::InvalidArgumentError("an AES-256 key has 32 bytes");
  }
  return Aead(std::make_unique<Contexts>(key));
}

void Aead::Seal(std::string_view nonce, std::string_view associated, std::string_view plaintext,
                std::string& out) const {
  Must(nonce.size() == kAeadNonceBytes, "a nonce has 12 bytes");
  CipherContext context = contexts_->Take(kSeal);
  EVP_CIPHER_CTX* raw = context.get();
  Must(EVP_EncryptInit_ex2(raw, nullptr, nullptr, Data(nonce), nullptr) == 1, "GCM nonce");
  int size = 0;
  if (!associated.empty()) {
    Must(EVP_EncryptUpdate(raw, nullptr, &size, Data(associated),
                           static_cast<int>(associated.size())) == 1,
         "GCM associated data");
  }
  const std::size_t start = out.size();
  out.resize(start + plaintext.size() + kAeadTagBytes);
  auto* to = reinterpret_cast<unsigned char*>(out.data()) + start;
  if (!plaintext.empty()) {
    Must(
        EVP_EncryptUpdate(raw, to, &size, Data(plaintext), static_cast<int>(plaintext.size())) == 1,
        "GCM encryption");
  }
  unsigned char* tag = to + plaintext.size();
  Must(EVP_EncryptFinal_ex(raw, tag, &size) == 1, "GCM end");
  Must(EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1, "GCM tag");
  contexts_->Return(kSeal, std::move(context));
}

absl::StatusOr<std::string> Aead::Open(std::string_view nonce, std::string_view associated,
                                       std::string_view sealed) const {
  if (nonce.size() != kAeadNonceBytes || sealed.size() < kAeadTagBytes) {
    return absl::DataLossError("the sealed bytes are too short");
  }
  const std::string_view body = sealed.substr(0, sealed.size() - kAeadTagBytes);
  std::string tag(sealed.substr(body.size()));
  CipherContext context = contexts_->Take(kOpen);
  EVP_CIPHER_CTX* raw = context.get();
  Must(EVP_DecryptInit_ex2(raw, nullptr, nullptr, Data(nonce), nullptr) == 1, "GCM nonce");
  int size = 0;
  if (!associated.empty()) {
    Must(EVP_DecryptUpdate(raw, nullptr, &size, Data(associated),
                           static_cast<int>(associated.size())) == 1,
         "GCM associated data");
  }
  std::string plain(body.size(), '\0');
  auto* to = reinterpret_cast<unsigned char*>(plain.data());
  if (!body.empty()) {
    Must(EVP_DecryptUpdate(raw, to, &size, Data(body), static_cast<int>(body.size())) == 1,
         "GCM decryption");
  }
  Must(EVP_CIPHER_CTX_ctrl(raw, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1, "GCM tag");
  unsigned char rest[EVP_MAX_BLOCK_LENGTH];  // stays empty: GCM has no last block
  const bool genuine = EVP_DecryptFinal_ex(raw, rest, &size) == 1;
  contexts_->Return(kOpen, std::move(context));
  if (!genuine) {
    ERR_clear_error();
    Secret wiped(std::move(plain));
    return absl::DataLossError("the sealed bytes are not what was sealed");
  }
  return plain;
}

std::string CountingNonce(std::uint64_t counter) {
  std::string nonce(kAeadNonceBytes, '\0');
  for (std::size_t i = 0; i < sizeof(counter); ++i) {
    nonce[kAeadNonceBytes - 1 - i] = static_cast<char>(counter >> (8 * i));
  }
  return nonce;
}

}  // namespace yikatong::crypto
