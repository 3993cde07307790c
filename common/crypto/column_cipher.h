// Columns that no reader of the database may read: ID numbers, accounts, phones.
//
// A stored value is
//     version (1 byte, 1) · key id (2 bytes, big-endian) · nonce (12) · ciphertext · tag (16)
// that is 31 bytes more than the plain text. Table, column and row key are associated data, so that
// a value that was copied to another row, column or table does not decrypt. Equality is searched by
// a blind index, a keyed hash in a column of its own. Thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/crypto/aead.h"
#include "common/crypto/keys.h"
#include "common/crypto/random.h"
#include "common/crypto/sha256.h"

namespace yikatong::crypto {

inline constexpr std::size_t kColumnEnvelopeBytes = 1 + 2 + kAeadNonceBytes + kAeadTagBytes;

// Where a value stands. `row_key` is the row's primary key in any form that never changes.
struct ColumnPlace {
  std::string_view table;
  std::string_view column;
  std::string_view row_key;
};

class ColumnCipher {
 public:
  // `random` must outlive the cipher. InvalidArgument for an empty ring or a key that is not 32
  // bytes.
  static absl::StatusOr<ColumnCipher> Make(const KeyRing& ring, RandomSource& random);

  // Encrypts under the newest key.
  std::string Encrypt(const ColumnPlace& place, std::string_view plain) const;

  // DataLoss where the value is not one that Encrypt made for this place; NotFound where its key is
  // not in the ring. Neither message holds any of the value.
  absl::StatusOr<std::string> Decrypt(const ColumnPlace& place, std::string_view stored) const;

  // Whether the value is under an older key than the newest, and should be written again some day.
  bool IsOutdated(std::string_view stored) const;

 private:
  ColumnCipher(std::map<std::uint16_t, Aead> keys, RandomSource& random)
      : keys_(std::move(keys)), random_(&random) {}

  std::map<std::uint16_t, Aead> keys_;
  RandomSource* random_;
};

// The same value in the same column gives the same 32 bytes; without the key nobody can try out
// values.
class BlindIndex {
 public:
  explicit BlindIndex(Secret key) : key_(std::move(key)) {}

  // Normalise the value first: case, spaces and look-alikes make other indexes.
  Digest Of(std::string_view column, std::string_view value) const;

 private:
  Secret key_;
};

}  // namespace yikatong::crypto
