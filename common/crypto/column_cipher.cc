#include "common/crypto/column_cipher.h"

#include <fmt/core.h>

#include <utility>

#include "common/crypto/hmac.h"
#include "common/crypto/wire.h"

namespace yikatong::crypto {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kHeaderBytes = 1 + 2;

std::string Associated(const ColumnPlace& place) {
  std::string bytes;
  bytes.reserve(6 + place.table.size() + place.column.size() + place.row_key.size());
  PutField(bytes, place.table);
  PutField(bytes, place.column);
  PutField(bytes, place.row_key);
  return bytes;
}

std::uint16_t KeyIdAt(std::string_view stored) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(stored[1]) << 8 |
                                    static_cast<unsigned char>(stored[2]));
}

}  // namespace

absl::StatusOr<ColumnCipher> ColumnCipher::Make(const KeyRing& ring, RandomSource& random) {
  if (ring.keys.empty()) return absl::InvalidArgumentError("there is no column key");
  std::map<std::uint16_t, Aead> keys;
  for (const auto& [id, key] : ring.keys) {
    absl::StatusOr<Aead> aead = Aead::Make(key);
    if (!aead.ok()) return aead.status();
    keys.emplace(id, *std::move(aead));
  }
  return ColumnCipher(std::move(keys), random);
}

std::string ColumnCipher::Encrypt(const ColumnPlace& place, std::string_view plain) const {
  const auto& [id, aead] = *keys_.rbegin();
  char nonce[kAeadNonceBytes];
  random_->Fill(nonce, sizeof(nonce));
  std::string stored;
  stored.reserve(kColumnEnvelopeBytes + plain.size());
  stored.push_back(kVersion);
  PutNumber(stored, id);
  stored.append(nonce, sizeof(nonce));
  aead.Seal({nonce, sizeof(nonce)}, Associated(place), plain, stored);
  return stored;
}

absl::StatusOr<std::string> ColumnCipher::Decrypt(const ColumnPlace& place,
                                                  std::string_view stored) const {
  if (stored.size() < kColumnEnvelopeBytes || stored.front() != kVersion) {
    return absl::DataLossError(
        fmt::format("{}.{} holds no encrypted value", place.table, place.column));
  }
  const auto key = keys_.find(KeyIdAt(stored));
  if (key == keys_.end()) {
    return absl::NotFoundError(fmt::format("{}.{} is under key {}, which is not in the key ring",
                                           place.table, place.column, KeyIdAt(stored)));
  }
  absl::StatusOr<std::string> plain =
      key->second.Open(stored.substr(kHeaderBytes, kAeadNonceBytes), Associated(place),
                       stored.substr(kHeaderBytes + kAeadNonceBytes));
  if (!plain.ok()) {
    return absl::DataLossError(fmt::format("{}.{} is not the value that was stored in this row",
                                           place.table, place.column));
  }
  return plain;
}

bool ColumnCipher::IsOutdated(std::string_view stored) const {
  return stored.size() >= kColumnEnvelopeBytes && KeyIdAt(stored) != keys_.rbegin()->first;
}

Digest BlindIndex::Of(std::string_view column, std::string_view value) const {
  std::string message;
  message.reserve(2 + column.size() + value.size());
  PutField(message, column);
  message.append(value);
  return HmacSha256(key_.Reveal(), message);
}

}  // namespace yikatong::crypto
