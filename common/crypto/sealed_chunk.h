// Accounts that travel through a service which must not see them (design: sealed accounts).
//
// The sealer (who knows the accounts) makes one data key for a chunk, wraps it for one recipient
// (ephemeral X25519, HKDF-SHA256, AES-256-GCM), encrypts each row under it, and signs everything
// with Ed25519. What the carrier may read stands in clear: item id, person id, bank code and
// account version. They are the row's associated data and are under the signature as well, so a row
// that is swapped, altered, dropped or added is refused by the recipient, and so is a chunk of
// another signer or for another recipient.
//
//   registry:  YKT_ASSIGN_OR_RETURN(SealedChunk chunk, SealChunk(params, rows, random));
//              std::string bytes = EncodeSealedChunk(chunk);      // what is stored and sent
//   gateway:   YKT_ASSIGN_OR_RETURN(SealedChunk chunk, DecodeSealedChunk(bytes));
//              YKT_ASSIGN_OR_RETURN(auto accounts, OpenChunk(chunk, key, {registry_key}));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/random.h"
#include "common/crypto/x25519.h"

namespace yikatong::crypto {

// Bounds that a decoder holds to, whoever made the bytes.
inline constexpr std::size_t kMaxSealedRows = 10'000;
inline constexpr std::size_t kMaxSealedChunkBytes = 4u << 20;

// What the carrier reads: the row's associated data.
struct SealedRowClear {
  std::int64_t item_id = 0;
  std::string person_id;
  std::string bank_code;
  std::int64_t account_version = 0;

  bool operator==(const SealedRowClear&) const = default;
};

// What only the recipient reads.
struct SealedAccount {
  std::string account_number;
  std::string account_name;
  std::string last_four;
  std::string id_number;  // empty unless the agreement's format or notification needs it
  std::string phone;      // the same

  bool operator==(const SealedAccount&) const = default;
};

struct RowToSeal {
  SealedRowClear clear;
  SealedAccount account;
};

struct SealedRow {
  SealedRowClear clear;
  std::string ciphertext;

  bool operator==(const SealedRow&) const = default;
};

struct SealedChunk {
  std::string context;    // what the chunk is for, as its sealer was told (batch, chunk, attempt)
  std::string signer_id;  // 8 bytes: which key signed
  std::string recipient_id;          // 8 bytes: whose key can open it
  std::string ephemeral_public_key;  // 32 bytes
  std::string wrapped_key;           // 48 bytes: the data key and its tag
  std::vector<SealedRow> rows;
  std::string signature;  // 64 bytes

  bool operator==(const SealedChunk&) const = default;
};

// The 8 bytes that name a public key: the first of its SHA-256.
std::string KeyId(const Ed25519PublicKey& key);
std::string KeyId(const X25519PublicKey& key);

// Seals rows in their order. InvalidArgument above kMaxSealedRows, or for a field longer than 65535
// bytes.
absl::StatusOr<SealedChunk> SealChunk(std::string_view context, const std::vector<RowToSeal>& rows,
                                      const Ed25519PrivateKey& signer,
                                      const X25519PublicKey& recipient, RandomSource& random);

// The canonical bytes, version 1. Decoding refuses (InvalidArgument) anything that encoding would
// not give. A decoded chunk is not yet verified: its clear fields are claims until VerifyChunk or
// OpenChunk said yes.
std::string EncodeSealedChunk(const SealedChunk& chunk);
absl::StatusOr<SealedChunk> DecodeSealedChunk(std::string_view bytes);

// PermissionDenied where none of `signers` signed exactly this chunk. What a carrier can check.
absl::Status VerifyChunk(const SealedChunk& chunk, const std::vector<Ed25519PublicKey>& signers);

// The accounts, in the order of the rows. Verifies first. PermissionDenied for a wrong signer,
// FailedPrecondition where it was sealed for another key, DataLoss where anything does not fit.
absl::StatusOr<std::vector<SealedAccount>> OpenChunk(const SealedChunk& chunk,
                                                     const X25519PrivateKey& recipient,
                                                     const std::vector<Ed25519PublicKey>& signers);

}  // namespace yikatong::crypto
