#include "services/yktctl/commands/log_proof.h"

#include <fmt/core.h>

#include "common/crypto/merkle.h"
#include "common/status/status.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"

namespace yikatong::yktctl {

namespace v1 = ::yikatong::auditlog::v1;
using Log = v1::AuditLogService;

absl::Status Broken(std::string_view what) {
  return status::Refuse(status::Reason::kProofInvalid, what);
}

absl::StatusOr<crypto::Digest> DigestFrom(const std::string& bytes) {
  const auto digest = crypto::DigestOf(bytes);
  if (!digest.has_value()) return Broken("a hash is not 32 bytes long");
  return *digest;
}

absl::StatusOr<std::vector<crypto::Digest>> DigestsFrom(
    const google::protobuf::RepeatedPtrField<std::string>& hashes) {
  std::vector<crypto::Digest> digests;
  for (const std::string& one : hashes) {
    YKT_ASSIGN_OR_RETURN(const crypto::Digest digest, DigestFrom(one));
    digests.push_back(digest);
  }
  return digests;
}

absl::StatusOr<crypto::Checkpoint> OpenNote(const std::string& note,
                                            const crypto::Ed25519PublicKey& key) {
  const std::string origin = note.substr(0, note.find('\n'));
  YKT_ASSIGN_OR_RETURN(const crypto::NoteVerifier verifier,
                       crypto::NoteVerifier::Make(origin, key));
  const auto checkpoint = crypto::OpenCheckpoint(note, verifier);
  if (!checkpoint.ok()) return Broken("the checkpoint's signature is not that of the log's key");
  return *checkpoint;
}

absl::StatusOr<FoundEntry> FindEntry(Session& session, const v1::EntrySelector& selector,
                                     const crypto::Checkpoint& checkpoint) {
  v1::GetEntryRequest get;
  *get.mutable_entry() = selector;
  FoundEntry found;
  YKT_RETURN_IF_ERROR(Call<Log>(session, "auditlog", &Log::Stub::GetEntry, get, found.entry));
  v1::GetInclusionProofRequest request;
  *request.mutable_entry() = selector;
  request.set_tree_size(static_cast<std::int64_t>(checkpoint.size));
  v1::InclusionProof proof;
  YKT_RETURN_IF_ERROR(
      Call<Log>(session, "auditlog", &Log::Stub::GetInclusionProof, request, proof));
  YKT_ASSIGN_OR_RETURN(found.proof.path, DigestsFrom(proof.path()));
  found.proof.index = static_cast<std::uint64_t>(proof.index());
  found.proof.extra = found.entry.body();
  return found;
}

absl::StatusOr<v1::Entry> CheckInclusion(Session& session, const v1::EntrySelector& selector,
                                         const crypto::Checkpoint& checkpoint) {
  YKT_ASSIGN_OR_RETURN(FoundEntry found, FindEntry(session, selector, checkpoint));
  if (!crypto::VerifyInclusion(crypto::LeafHash(found.entry.body()), found.proof.index,
                               checkpoint.size, found.proof.path, checkpoint.root)) {
    return Broken(
        fmt::format("entry {} is not in the tree of the checkpoint", found.entry.index()));
  }
  return std::move(found.entry);
}

}  // namespace yikatong::yktctl
