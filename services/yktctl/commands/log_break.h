// The break with which a log begins that follows another one: what its first entry says, and
// whether it fits a checkpoint of the former log that an auditor kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/crypto/note.h"
#include "common/crypto/sha256.h"

namespace yikatong::yktctl {

struct LogBreak {
  crypto::NoteVerifier former;  // its origin and key
  std::uint64_t size = 0;       // of the last checkpoint that anybody held, as the break says
  crypto::Digest root{};
  std::string reason;
  std::string at;
};

// NOT_FOUND for the first entry of a log that follows no other; PROOF_INVALID for a break that does
// not say what it must.
absl::StatusOr<LogBreak> ReadBreak(std::string_view body);

// Compares it with the note of a checkpoint that was kept: PROOF_INVALID where the former key did
// not sign it, where it is of a longer log than the break admits, or of the same length with
// another root. A shorter one is only compared by its key: its proof needs the former log itself.
absl::Status CheckKept(const LogBreak& log_break, const std::string& note);

}  // namespace yikatong::yktctl
