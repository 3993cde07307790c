#include "common/crypto/secret.h"

#include <openssl/crypto.h>

namespace yikatong::crypto {

void Secret::Wipe() {
  bytes_.resize(bytes_.capacity());  // a longer value may have stood there before
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();
    bytes_ = other.bytes_;
  }
  return *this;
}

Secret::Secret(Secret&& other) noexcept {
  bytes_.swap(other.bytes_);
  other.Wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    bytes_.swap(other.bytes_);
    other.Wipe();
  }
  return *this;
}

}  // namespace yikatong::crypto
