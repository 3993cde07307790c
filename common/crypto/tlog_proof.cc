#include "common/crypto/tlog_proof.h"

#include <fmt/core.h>

#include <charconv>

#include "absl/strings/escaping.h"
#include "common/crypto/merkle.h"

namespace yikatong::crypto {
namespace {

constexpr std::string_view kHeader = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::size_t kMostHashes = 64;

std::string Base64(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

absl::Status Malformed() { return absl::InvalidArgumentError("not a proof of a log"); }

// Takes one line, without its end, off the front of `rest`.
bool TakeLine(std::string_view& rest, std::string_view& line) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return false;
  line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

bool FromBase64(std::string_view text, std::string& bytes) {
  return absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes);
}

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text(kHeader);
  if (!proof.extra.empty()) text += fmt::format("{}{}\n", kExtra, Base64(proof.extra));
  text += fmt::format("{}{}\n", kIndex, proof.index);
  for (const Digest& hash : proof.path) text += Base64(BytesOf(hash)) + "\n";
  return text + "\n" + proof.checkpoint;
}

absl::StatusOr<TlogProof> ParseTlogProof(std::string_view text) {
  if (text.size() > kMaxTlogProofBytes || !text.starts_with(kHeader)) return Malformed();
  std::string_view rest = text.substr(kHeader.size());
  std::string_view line;
  TlogProof proof;
  if (!TakeLine(rest, line)) return Malformed();
  if (line.starts_with(kExtra)) {
    if (!FromBase64(line.substr(kExtra.size()), proof.extra) || !TakeLine(rest, line))
      return Malformed();
  }
  if (!line.starts_with(kIndex)) return Malformed();
  line.remove_prefix(kIndex.size());
  const auto read = std::from_chars(line.data(), line.data() + line.size(), proof.index);
  if (read.ec != std::errc() || read.ptr != line.data() + line.size()) return Malformed();
  while (true) {
    if (!TakeLine(rest, line) || proof.path.size() > kMostHashes) return Malformed();
    if (line.empty()) break;
    std::string bytes;
    if (!FromBase64(line, bytes)) return Malformed();
    const auto hash = DigestOf(bytes);
    if (!hash.has_value()) return Malformed();
    proof.path.push_back(*hash);
  }
  proof.checkpoint = std::string(rest);
  if (FormatTlogProof(proof) != text) return Malformed();
  return proof;
}

absl::StatusOr<Checkpoint> VerifyTlogProof(const TlogProof& proof, std::string_view entry,
                                           const Ed25519PublicKey& key) {
  const std::string origin = proof.checkpoint.substr(0, proof.checkpoint.find('\n'));
  const absl::StatusOr<NoteVerifier> verifier = NoteVerifier::Make(origin, key);
  if (!verifier.ok()) return verifier.status();
  absl::StatusOr<Checkpoint> checkpoint = OpenCheckpoint(proof.checkpoint, *verifier);
  if (!checkpoint.ok()) return checkpoint.status();
  if (!VerifyInclusion(LeafHash(entry), proof.index, checkpoint->size, proof.path,
                       checkpoint->root)) {
    return absl::DataLossError("the entry is not in the tree of the checkpoint");
  }
  return checkpoint;
}

}  // namespace yikatong::crypto
