// What the registry's database may hold of sensitive values: ciphertexts bound to their place, and
// keyed hashes to search and compare by. Thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/crypto/column_cipher.h"
#include "common/crypto/hmac.h"
#include "common/crypto/random.h"

namespace yikatong::registry {

// A column under encryption.
struct SealedColumn {
  std::string_view table;
  std::string_view column;
};

inline constexpr SealedColumn kPersonIdNo{"person", "id_no_cipher"};
inline constexpr SealedColumn kPersonName{"person", "name_cipher"};
inline constexpr SealedColumn kPersonPhone{"person", "phone_cipher"};
inline constexpr SealedColumn kCardNo{"account", "card_no_cipher"};
inline constexpr SealedColumn kCardAccount{"account", "card_account_cipher"};
inline constexpr SealedColumn kCardAccountName{"account", "card_account_name_cipher"};
inline constexpr SealedColumn kLegacyAccount{"account", "legacy_account_cipher"};
inline constexpr SealedColumn kEventContent{"person_event", "content_cipher"};

class Vault {
 public:
  // Reads both key files (crypto/keys.h): the ring that columns are encrypted under, and the key of
  // blind indexes, a ring of one. The index key can never be changed without indexing everything
  // anew. `random` must outlive the vault.
  static absl::StatusOr<Vault> Load(const std::string& column_keys_file,
                                    const std::string& index_key_file,
                                    crypto::RandomSource& random);
  Vault(crypto::ColumnCipher cipher, crypto::BlindIndex index)
      : cipher_(std::move(cipher)), index_(std::move(index)) {}

  // `second_key` is the rest of the row's key where it has two parts (account_version, event_no).
  std::string Seal(const SealedColumn& column, std::int64_t person_id, std::int64_t second_key,
                   std::string_view value) const;
  // NULL for what is empty.
  std::optional<std::string> SealUnlessEmpty(const SealedColumn& column, std::int64_t person_id,
                                             std::int64_t second_key, std::string_view value) const;
  // INVARIANT_BROKEN where the stored bytes were not made for this place. NULL is empty.
  absl::StatusOr<std::string> Open(const SealedColumn& column, std::int64_t person_id,
                                   std::int64_t second_key,
                                   const std::optional<std::string>& stored) const;

  // 16 bytes; equal for equal values of one purpose, and of no use to who lacks the key.
  std::string Hash(std::string_view purpose, std::string_view value) const;

 private:
  crypto::ColumnCipher cipher_;
  crypto::BlindIndex index_;
};

}  // namespace yikatong::registry
