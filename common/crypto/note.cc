#include "common/crypto/note.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "absl/strings/escaping.h"
#include "common/crypto/wire.h"

namespace yikatong::crypto {
namespace {

constexpr char kEd25519Algorithm = 1;
constexpr std::size_t kKeyHashBytes = 4;
constexpr std::string_view kDash = "\xe2\x80\x94 ";  // em dash and a space
constexpr int kMaxSignatures = 100;

std::string Base64(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

// Only the one form that encoding gives: no spaces, full padding, no spare bits.
std::optional<std::string> FromBase64(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes)) {
    return std::nullopt;
  }
  if (Base64(bytes) != text) return std::nullopt;
  return bytes;
}

// One code point from the front of `text`; false for what is not UTF-8 (overlong forms,
// surrogates).
bool TakeCodePoint(std::string_view& text, std::uint32_t& point) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t size = 1;
  if (lead < 0x80) {
    point = lead;
  } else if (lead >= 0xc2 && lead < 0xe0) {
    size = 2;
    point = lead & 0x1fu;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    size = 3;
    point = lead & 0x0fu;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    size = 4;
    point = lead & 0x07u;
  } else {
    return false;
  }
  if (text.size() < size) return false;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return false;
    point = point << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
  text.remove_prefix(size);
  return true;
}

// UTF-8 without control characters other than newline.
bool IsNoteText(std::string_view text) {
  while (!text.empty()) {
    std::uint32_t point = 0;
    if (!TakeCodePoint(text, point)) return false;
    if ((point < 0x20 && point != '\n') || point == 0x7f) return false;
  }
  return true;
}

bool IsNoteName(std::string_view name) {
  return !name.empty() && IsNoteText(name) &&
         name.find_first_of(" \n+") == std::string_view::npos &&
         name.find("\xe3\x80\x80") == std::string_view::npos &&  // ideographic space
         name.find("\xc2\xa0") == std::string_view::npos;        // no-break space
}

std::uint32_t KeyHash(std::string_view name, std::string_view raw_key) {
  const Digest digest = Sha256({name, "\n", std::string_view(&kEd25519Algorithm, 1), raw_key});
  return std::uint32_t{digest[0]} << 24 | std::uint32_t{digest[1]} << 16 |
         std::uint32_t{digest[2]} << 8 | digest[3];
}

absl::Status Malformed() { return absl::InvalidArgumentError("not a signed note"); }

struct SignatureLine {
  std::string_view name;
  std::uint32_t key_hash = 0;
  std::string signature;
};

std::optional<SignatureLine> ParseSignatureLine(std::string_view line) {
  if (!line.starts_with(kDash)) return std::nullopt;
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  SignatureLine parsed;
  parsed.name = line.substr(0, space);
  const std::optional<std::string> bytes = FromBase64(line.substr(space + 1));
  if (!IsNoteName(parsed.name) || !bytes || bytes->size() <= kKeyHashBytes) return std::nullopt;
  std::string_view in = *bytes;
  if (!TakeNumber(in, parsed.key_hash)) return std::nullopt;
  parsed.signature = in;
  return parsed;
}

// The front line of `text`, which ends in a newline; nothing where none is left.
std::optional<std::string_view> TakeLine(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  if (newline == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline + 1);
  return line;
}

}  // namespace

absl::StatusOr<NoteVerifier> NoteVerifier::Make(std::string_view name,
                                                const Ed25519PublicKey& key) {
  if (!IsNoteName(name)) {
    return absl::InvalidArgumentError("a key name has no spaces, plus signs or control characters");
  }
  return NoteVerifier(std::string(name), KeyHash(name, key.Raw()), key);
}

absl::StatusOr<NoteVerifier> NoteVerifier::Parse(std::string_view verifier_key) {
  const absl::Status malformed =
      absl::InvalidArgumentError("a verifier key is <name>+<hash>+<base64>, with an Ed25519 key");
  const std::size_t first = verifier_key.find('+');
  if (first == std::string_view::npos) return malformed;
  const std::size_t second = verifier_key.find('+', first + 1);
  if (second == std::string_view::npos) return malformed;
  const std::optional<std::string> bytes = FromBase64(verifier_key.substr(second + 1));
  if (!bytes || bytes->size() != 1 + kEd25519KeyBytes || bytes->front() != kEd25519Algorithm) {
    return malformed;
  }
  const absl::StatusOr<Ed25519PublicKey> key =
      Ed25519PublicKey::FromRaw(std::string_view(*bytes).substr(1));
  if (!key.ok()) return malformed;
  absl::StatusOr<NoteVerifier> verifier = Make(verifier_key.substr(0, first), *key);
  // The hash in the middle must be the one that name and key give.
  if (!verifier.ok() || verifier->VerifierKey() != verifier_key) return malformed;
  return verifier;
}

std::string NoteVerifier::VerifierKey() const {
  return fmt::format("{}+{:08x}+{}", name_, key_hash_,
                     Base64(std::string(1, kEd25519Algorithm) + key_.Raw()));
}

absl::StatusOr<std::string> NoteVerifier::Open(std::string_view note) const {
  if (note.size() > kMaxNoteBytes || !IsNoteText(note) || note.empty() || note.back() != '\n') {
    return Malformed();
  }
  // The text itself may have empty lines: the last one is the border.
  const std::size_t border = note.rfind("\n\n");
  if (border == std::string_view::npos) return Malformed();
  const std::string_view text = note.substr(0, border + 1);
  std::string_view lines = note.substr(border + 2);
  if (lines.empty()) return Malformed();
  bool found = false;
  for (int count = 0; const auto line = TakeLine(lines); ++count) {
    const std::optional<SignatureLine> signature = ParseSignatureLine(*line);
    if (!signature || count >= kMaxSignatures) return Malformed();
    if (signature->name != name_ || signature->key_hash != key_hash_) continue;
    if (!key_.Verify(text, signature->signature)) {
      return absl::PermissionDeniedError("the note's signature is wrong");
    }
    found = true;
  }
  if (!found) {
    return absl::PermissionDeniedError(fmt::format("the note is not signed by {}", name_));
  }
  return std::string(text);
}

absl::StatusOr<NoteSigner> NoteSigner::Make(std::string_view name, const Ed25519PrivateKey& key) {
  absl::StatusOr<NoteVerifier> verifier = NoteVerifier::Make(name, key.PublicKey());
  if (!verifier.ok()) return verifier.status();
  return NoteSigner(*std::move(verifier), key);
}

absl::StatusOr<std::string> NoteSigner::Sign(std::string_view text) const {
  if (text.empty() || text.back() != '\n' || !IsNoteText(text) ||
      text.size() > kMaxNoteBytes - 1024) {
    return absl::InvalidArgumentError("a note's text is UTF-8 lines, the last one ended as well");
  }
  std::string signature;
  PutNumber(signature, verifier_.key_hash());
  signature += key_.Sign(text);
  return fmt::format("{}\n{}{} {}\n", text, kDash, verifier_.name(), Base64(signature));
}

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
  std::string text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                                 Base64(BytesOf(checkpoint.root)));
  for (const std::string& line : checkpoint.extensions) {
    text += line;
    text += '\n';
  }
  return text;
}

absl::StatusOr<Checkpoint> ParseCheckpoint(std::string_view text) {
  const absl::Status malformed = absl::InvalidArgumentError("not a log checkpoint");
  std::string_view left = text;
  const auto origin = TakeLine(left);
  const auto size = TakeLine(left);
  const auto root = TakeLine(left);
  if (!origin || !size || !root || origin->empty()) return malformed;
  Checkpoint checkpoint;
  checkpoint.origin = *origin;
  const auto [end, error] = std::from_chars(size->begin(), size->end(), checkpoint.size);
  if (error != std::errc() || end != size->end()) return malformed;
  const std::optional<std::string> root_bytes = FromBase64(*root);
  if (!root_bytes) return malformed;
  const std::optional<Digest> digest = DigestOf(*root_bytes);
  if (!digest) return malformed;
  checkpoint.root = *digest;
  while (const auto line = TakeLine(left)) {
    if (line->empty()) return malformed;
    checkpoint.extensions.emplace_back(*line);
  }
  // Whatever else the parser would let through (leading zeros, a last line without end) differs
  // here.
  if (FormatCheckpoint(checkpoint) != text) return malformed;
  return checkpoint;
}

absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint, const NoteSigner& signer) {
  const std::string text = FormatCheckpoint(checkpoint);
  if (const auto parsed = ParseCheckpoint(text); !parsed.ok() || *parsed != checkpoint) {
    return absl::InvalidArgumentError("origin and extensions of a checkpoint are single lines");
  }
  return signer.Sign(text);
}

absl::StatusOr<Checkpoint> OpenCheckpoint(std::string_view note, const NoteVerifier& verifier) {
  const absl::StatusOr<std::string> text = verifier.Open(note);
  if (!text.ok()) return text.status();
  absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(*text);
  if (checkpoint.ok() && checkpoint->origin != verifier.name()) {
    return absl::PermissionDeniedError("the checkpoint is of another log");
  }
  return checkpoint;
}

}  // namespace yikatong::crypto
