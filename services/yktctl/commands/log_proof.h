// What the log says, recomputed: nothing that a service answers is believed. Only the log's public
// key is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/note.h"
#include "common/crypto/sha256.h"
#include "common/crypto/tlog_proof.h"
#include "services/yktctl/session.h"
#include "yikatong/auditlog/v1/auditlog.pb.h"

namespace yikatong::yktctl {

// PROOF_INVALID, with what is wrong.
absl::Status Broken(std::string_view what);

absl::StatusOr<crypto::Digest> DigestFrom(const std::string& bytes);
absl::StatusOr<std::vector<crypto::Digest>> DigestsFrom(
    const google::protobuf::RepeatedPtrField<std::string>& hashes);

// The signed head of the log: its note verifies under the key that the auditor brought.
absl::StatusOr<crypto::Checkpoint> OpenNote(const std::string& note,
                                            const crypto::Ed25519PublicKey& key);

// An entry of the log with the way to the checkpoint's root, as the log tells them.
struct FoundEntry {
  auditlog::v1::Entry entry;
  crypto::TlogProof proof;  // without a checkpoint
};
// NOT_FOUND where the log has no such entry.
absl::StatusOr<FoundEntry> FindEntry(Session& session, const auditlog::v1::EntrySelector& selector,
                                     const crypto::Checkpoint& checkpoint);
// That an entry is in the tree of the checkpoint: its body is hashed here.
absl::StatusOr<auditlog::v1::Entry> CheckInclusion(Session& session,
                                                   const auditlog::v1::EntrySelector& selector,
                                                   const crypto::Checkpoint& checkpoint);

}  // namespace yikatong::yktctl
