// A new log in the place of one that was lost, or that came back without entries which were proved
// to others. Its first entry is the break: it says which log went before, the last checkpoint of it
// that anybody holds, and why. Whatever the new log signs is signed over that entry, and whoever
// holds a later checkpoint of the former log can show that it was known to be longer.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/crypto/note.h"
#include "services/auditlog/domain/audit_log.h"
#include "services/auditlog/domain/integrity.h"
#include "services/auditlog/domain/log_store.h"

namespace yikatong::auditlog {

inline constexpr char kBegunAnew[] = "log.begun_anew";

struct Break {
  crypto::NoteVerifier former;  // the log that went before: its origin and key
  crypto::Checkpoint last;      // signed by that key
  std::string reason;
};

// What the settings say of the former log. CONFIG_INVALID for what is missing or no verifier key,
// AUDIT_LOG_IDENTITY_USED where origin or key are those of `own`, FORMER_CHECKPOINT_INVALID for a
// checkpoint that the former key did not sign, FIELD_INVALID for a reason that may not stand in an
// entry.
absl::StatusOr<Break> ReadBreak(const config::Config& config, const crypto::NoteVerifier& own);

struct Begun {
  SignedCheckpoint checkpoint;  // over the break alone, unless others were quick
  bool before = false;          // it was there already; nothing was appended
};

// Makes the break the first entry of an empty log, or finds that it is all that the log holds.
// Otherwise nothing is changed: AUDIT_LOG_NOT_EMPTY, AUDIT_LOG_IDENTITY_USED where a checkpoint of
// this origin and key is remembered that the log does not have, CONFIG_INVALID where what is
// remembered is another log's. `memory` may be null.
absl::StatusOr<Begun> BeginAnew(AuditLog& log, LogStore& store, CheckpointMemory* memory,
                                const base::Clock& clock, std::int32_t restore_epoch,
                                const Break& what);

}  // namespace yikatong::auditlog
