// Signed notes and log checkpoints in the forms of C2SP (signed-note, tlog-checkpoint), so that
// tools which others wrote can verify what this log says.
//
//     <origin>            a note is text that ends in a newline, an empty line,
//     <size>              and signature lines: em dash, space, key name, space,
//     <root, base64>      base64(key hash (4 bytes) ‖ signature)
//
//     — <key name> <base64>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/sha256.h"

namespace yikatong::crypto {

inline constexpr std::size_t kMaxNoteBytes = 64u << 10;

// A name with its key. Names are not empty and have neither spaces nor plus signs.
class NoteVerifier {
 public:
  static absl::StatusOr<NoteVerifier> Make(std::string_view name, const Ed25519PublicKey& key);
  // "<name>+<key hash, 8 hex digits>+<base64(0x01 ‖ key)>": the form in which such keys are
  // published.
  static absl::StatusOr<NoteVerifier> Parse(std::string_view verifier_key);

  const std::string& name() const { return name_; }
  std::uint32_t key_hash() const { return key_hash_; }
  const Ed25519PublicKey& key() const { return key_; }
  std::string VerifierKey() const;

  // Whether a signature line by this key is on the note, and is right. InvalidArgument for what is
  // no note, PermissionDenied for a note without a signature of this key or with a wrong one. Gives
  // the text that was signed. Lines of other keys are passed over, as the format asks.
  absl::StatusOr<std::string> Open(std::string_view note) const;

 private:
  NoteVerifier(std::string name, std::uint32_t key_hash, Ed25519PublicKey key)
      : name_(std::move(name)), key_hash_(key_hash), key_(std::move(key)) {}

  std::string name_;
  std::uint32_t key_hash_;
  Ed25519PublicKey key_;
};

class NoteSigner {
 public:
  static absl::StatusOr<NoteSigner> Make(std::string_view name, const Ed25519PrivateKey& key);

  const NoteVerifier& verifier() const { return verifier_; }
  // The whole note. InvalidArgument for a text without final newline, with control characters, or
  // not UTF-8.
  absl::StatusOr<std::string> Sign(std::string_view text) const;

 private:
  NoteSigner(NoteVerifier verifier, Ed25519PrivateKey key)
      : verifier_(std::move(verifier)), key_(std::move(key)) {}

  NoteVerifier verifier_;
  Ed25519PrivateKey key_;
};

// The body of a checkpoint.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  std::vector<std::string> extensions;  // further lines, none empty

  bool operator==(const Checkpoint&) const = default;
};

std::string FormatCheckpoint(const Checkpoint& checkpoint);
// InvalidArgument unless `text` is exactly what FormatCheckpoint writes (no leading zeros, no spare
// bits).
absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text);

absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint, const NoteSigner& signer);
// Verifies the note and parses its text; the origin must be the verifier's name.
absl::StatusOr<Checkpoint> OpenCheckpoint(std::string_view note, const NoteVerifier& verifier);

}  // namespace yikatong::crypto
