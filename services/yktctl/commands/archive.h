// What the commands about archives do, apart from their words: for the tests.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/ed25519.h"
#include "services/yktctl/bag.h"

namespace yikatong::yktctl {

// Where a package stands in the log.
struct Anchor {
  std::int64_t entry_index = 0;
  std::int64_t tree_size = 0;
};

// That `proof` (audit.tlog-proof) holds under the log's key, and that its entry is the sealing of
// this very package. PROOF_INVALID.
absl::StatusOr<Anchor> CheckAnchor(const Bag& bag, const std::string& proof,
                                   const crypto::Ed25519PublicKey& key);

// That `later` follows `former`: packages of one batch, numbered one behind the other, the later
// one with the former's hash. ARCHIVE_ALTERED.
absl::Status CheckFollows(const Bag& former, const Bag& later);

}  // namespace yikatong::yktctl
