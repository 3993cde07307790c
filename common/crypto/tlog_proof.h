// Proofs that an entry is in a log, to be kept beside what they are about and verified without the
// log, in the form of C2SP tlog-proof:
//
//     c2sp.org/tlog-proof@v1
//     extra <base64>           what the entry is, for whoever verifies; may be left out
//     index <n>                its place in the log
//     <hash, base64>           the path, RFC 9162's, one hash a line
//                              an empty line
//     <checkpoint>             a signed note (note.h)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/note.h"
#include "common/crypto/sha256.h"

namespace yikatong::crypto {

inline constexpr std::size_t kMaxTlogProofBytes = 256u << 10;

struct TlogProof {
  std::string extra;
  std::uint64_t index = 0;
  std::vector<Digest> path;
  std::string checkpoint;  // the whole note

  bool operator==(const TlogProof&) const = default;
};

std::string FormatTlogProof(const TlogProof& proof);
// InvalidArgument unless `text` is exactly what FormatTlogProof writes.
absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text);

// The checkpoint, whose note must verify under `key`, and whose tree must hold `entry` at the
// proof's place. PermissionDenied for another key's note or a wrong signature, InvalidArgument for
// what is no note, DataLoss where the entry is not in the tree.
absl::StatusOr<Checkpoint> VerifyTlogProof(const TlogProof& proof, std::string_view entry,
                                           const Ed25519PublicKey& key);

}  // namespace yikatong::crypto
