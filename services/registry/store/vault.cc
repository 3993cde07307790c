#include "services/registry/store/vault.h"

#include <array>
#include <utility>

#include "common/crypto/keys.h"
#include "common/status/status.h"

namespace yikatong::registry {
namespace {

constexpr std::size_t kHashBytes = 16;

// Both parts of a row's key, big-endian.
class RowKey {
 public:
  RowKey(std::int64_t person_id, std::int64_t second_key) {
    Put(0, static_cast<std::uint64_t>(person_id));
    Put(8, static_cast<std::uint64_t>(second_key));
  }
  std::string_view View() const { return {bytes_.data(), bytes_.size()}; }

 private:
  void Put(std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i)
      bytes_[at + i] = static_cast<char>((value >> (56 - 8 * i)) & 0xff);
  }
  std::array<char, 16> bytes_{};
};

}  // namespace

absl::StatusOr<Vault> Vault::Load(const std::string& column_keys_file,
                                  const std::string& index_key_file, crypto::RandomSource& random) {
  YKT_ASSIGN_OR_RETURN(const crypto::KeyRing columns, crypto::ReadKeyRing(column_keys_file));
  YKT_ASSIGN_OR_RETURN(const crypto::KeyRing index, crypto::ReadKeyRing(index_key_file));
  if (index.keys.size() != 1) {
    return status::Refuse(status::Reason::kConfigInvalid,
                          index_key_file + " must hold exactly one key");
  }
  YKT_ASSIGN_OR_RETURN(crypto::ColumnCipher cipher, crypto::ColumnCipher::Make(columns, random));
  return Vault(std::move(cipher), crypto::BlindIndex(index.keys.begin()->second));
}

std::string Vault::Seal(const SealedColumn& column, std::int64_t person_id, std::int64_t second_key,
                        std::string_view value) const {
  const RowKey key(person_id, second_key);
  return cipher_.Encrypt({.table = column.table, .column = column.column, .row_key = key.View()},
                         value);
}

std::optional<std::string> Vault::SealUnlessEmpty(const SealedColumn& column,
                                                  std::int64_t person_id, std::int64_t second_key,
                                                  std::string_view value) const {
  if (value.empty()) return std::nullopt;
  return Seal(column, person_id, second_key, value);
}

absl::StatusOr<std::string> Vault::Open(const SealedColumn& column, std::int64_t person_id,
                                        std::int64_t second_key,
                                        const std::optional<std::string>& stored) const {
  if (!stored.has_value()) return std::string();
  const RowKey key(person_id, second_key);
  absl::StatusOr<std::string> plain = cipher_.Decrypt(
      {.table = column.table, .column = column.column, .row_key = key.View()}, *stored);
  if (!plain.ok()) {
    return status::Invariant("a stored value does not decrypt in its place",
                             {{"table", std::string(column.table)},
                              {"column", std::string(column.column)},
                              {"person_id", std::to_string(person_id)}});
  }
  return plain;
}

std::string Vault::Hash(std::string_view purpose, std::string_view value) const {
  const crypto::Digest digest = index_.Of(purpose, value);
  return std::string(crypto::BytesOf(digest).substr(0, kHashBytes));
}

}  // namespace yikatong::registry
