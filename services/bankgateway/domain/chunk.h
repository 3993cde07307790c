// One chunk of instructions: what must hold of it before it is taken, what its repetition is
// compared by, and how its accounts are kept. Pure functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "common/crypto/sealed_chunk.h"
#include "common/crypto/sha256.h"
#include "services/bankgateway/domain/types.h"

namespace yikatong::bankgateway {

// Fills the rows' clear fields and the accounts of `chunk` from its sealed accounts, whose rows
// must be those of the chunk, in their order, and bound to its request id. SEAL_INVALID.
absl::Status OpenSeal(std::string_view sealed, const crypto::X25519PrivateKey& recipient,
                      const std::vector<crypto::Ed25519PublicKey>& signers, Chunk& chunk);

// REFERENCE_INVALID, AMOUNT_INVALID, ROW_LIMIT_EXCEEDED, FIELD_INVALID; before anything is
// decrypted.
absl::Status CheckRows(const Chunk& chunk);

// Whether `agreement` may take `chunk` on a day: AGREEMENT_EXPIRED, AGREEMENT_SUSPENDED,
// BANK_SUSPENDED, BANK_NOT_COVERED; AGREEMENT_UNKNOWN for that of another district.
absl::Status CheckAgreement(const Agreement& agreement, const Chunk& chunk, absl::CivilDay today);

// Why nothing can be sent under an agreement on a day, as a stable reason; empty where it can.
std::string_view NotUsable(const Agreement& agreement, absl::CivilDay today);

// Over everything that was submitted in clear: a chunk that is sealed anew for the same rows is the
// same content.
crypto::Digest ContentHash(const Chunk& chunk);

// What goes to the bank, for all rows, as one value to be encrypted.
std::string EncodePayments(const Chunk& chunk);

struct Payment {
  std::int64_t reference = 0;
  std::int64_t amount_fen = 0;
  std::string bank_code;
  PayeeAccount account;
};
// Calls `take` for each row in its order. DATA_LOSS where the bytes are not EncodePayments'.
absl::Status DecodePayments(std::string_view bytes,
                            const std::function<absl::Status(const Payment&)>& take);

// The last four digits of an account number, as a number.
int LastFour(std::string_view account_number);

}  // namespace yikatong::bankgateway
