#include "services/auditlog/begin_anew.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/identity/caller.h"
#include "common/outbox/entry.h"
#include "common/status/free_text.h"
#include "common/status/status.h"
#include "services/auditlog/store/checkpoint_file.h"

namespace yikatong::auditlog {
namespace {

using status::Reason;

absl::Status CheckGiven(const config::Config& config) {
  std::string missing;
  const auto need = [&missing](const char* key, const std::string& value) {
    if (value.empty()) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", key);
  };
  need("former_verifier_key", config.Text("former_verifier_key"));
  need("former_checkpoint", config.Path("former_checkpoint"));
  need("break_reason", config.Text("break_reason"));
  if (missing.empty()) return absl::OkStatus();
  return status::Refuse(Reason::kConfigInvalid,
                        fmt::format("--begin-anew needs {} as well", missing));
}

absl::StatusOr<crypto::Checkpoint> ReadLast(const std::string& path,
                                            const crypto::NoteVerifier& former) {
  CheckpointFile file(path, former);
  absl::StatusOr<std::optional<crypto::Checkpoint>> last = file.Recall();
  if (status::ReasonOf(last.status()) == Reason::kAuditLogAltered) {
    return status::Refuse(Reason::kFormerCheckpointInvalid,
                          fmt::format("{} is not signed by {}", path, former.VerifierKey()));
  }
  if (!last.ok() || !last->has_value()) {
    return status::Refuse(
        Reason::kConfigInvalid,
        fmt::format("former_checkpoint: {} is not there or cannot be read", path));
  }
  return **std::move(last);
}

absl::StatusOr<std::string> BodyOf(const Break& what, absl::Time at) {
  outbox::Entry entry;
  entry.service = "auditlog";
  entry.kind = kBegunAnew;
  entry.district = identity::kWholeCity;
  entry.subject = "logs/" + what.former.name();
  entry.actor_org = "service:auditlog";
  entry.at = at;
  entry.business_date = base::BeijingDate(at);
  entry.details = {{"former_key", what.former.VerifierKey()},
                   {"former_root", crypto::HexOf(what.last.root)},
                   {"former_size", std::to_string(what.last.size)},
                   {"reason", what.reason}};
  return outbox::CanonicalBody(entry);
}

// Whether `entry` says what BodyOf would, at whatever time it did.
bool Says(const StoredEntry& entry, const Source& source, const Break& what) {
  if (entry.source != source || entry.number != 1) return false;
  const absl::StatusOr<outbox::Entry> read = outbox::ParseBody(entry.body);
  if (!read.ok()) return false;
  const absl::StatusOr<std::string> body = BodyOf(what, read->at);
  return body.ok() && *body == entry.body;
}

// Nothing is remembered, or something of this log.
absl::StatusOr<std::optional<crypto::Checkpoint>> Recall(CheckpointMemory* memory) {
  if (memory == nullptr) return std::optional<crypto::Checkpoint>();
  absl::StatusOr<std::optional<crypto::Checkpoint>> remembered = memory->Recall();
  if (status::ReasonOf(remembered.status()) != Reason::kAuditLogAltered) return remembered;
  return status::Refuse(Reason::kConfigInvalid,
                        "checkpoint_file: what is there is another log's; keep it as it is, and "
                        "name another file");
}

// AUDIT_LOG_NOT_EMPTY unless the log holds this break and nothing else.
absl::Status CheckBegun(LogStore& store, const Source& source, const Break& what) {
  YKT_ASSIGN_OR_RETURN(const Ends ends, store.ReadEnds());
  YKT_ASSIGN_OR_RETURN(const std::optional<StoredEntry> first, store.Find(ByIndex{0}));
  const bool same = first && Says(*first, source, what);
  const std::uint64_t entries = std::max(ends.head.size, ends.entries);
  if (same && entries == 1) return absl::OkStatus();
  return status::Refuse(
      Reason::kAuditLogNotEmpty,
      fmt::format("it has {} entries, and the first {}", entries,
                  same ? "is this break: it has begun, and gone on" : "is not this break"),
      {{"tree_size", std::to_string(entries)}});
}

// AUDIT_LOG_NOT_EMPTY where there are entries, whatever they say.
absl::Status Begin(AuditLog& log, LogStore& store, CheckpointMemory* memory,
                   const base::Clock& clock, const Source& source, const Break& what) {
  YKT_ASSIGN_OR_RETURN(const std::optional<crypto::Checkpoint> remembered, Recall(memory));
  YKT_ASSIGN_OR_RETURN(const Ends ends, store.ReadEnds());
  if (ends.head.size > 0 || ends.entries > 0) return status::Refuse(Reason::kAuditLogNotEmpty);
  if (remembered && remembered->size > 0) {
    return status::Refuse(
        Reason::kAuditLogIdentityUsed,
        fmt::format("checkpoint_file: {} had {} entries", remembered->origin, remembered->size));
  }
  YKT_ASSIGN_OR_RETURN(std::string body, BodyOf(what, clock.Now()));
  return log.AppendFirst(source, std::move(body));
}

}  // namespace

absl::StatusOr<Break> ReadBreak(const config::Config& config, const crypto::NoteVerifier& own) {
  YKT_RETURN_IF_ERROR(CheckGiven(config));
  const absl::StatusOr<crypto::NoteVerifier> former =
      crypto::NoteVerifier::Parse(config.Text("former_verifier_key"));
  if (!former.ok()) {
    return status::Refuse(
        Reason::kConfigInvalid,
        fmt::format("former_verifier_key: {}", std::string(former.status().message())));
  }
  if (former->name() == own.name()) {
    return status::Refuse(Reason::kAuditLogIdentityUsed,
                          fmt::format("the former log is {} as well", own.name()));
  }
  if (former->key().Raw() == own.key().Raw()) {
    return status::Refuse(Reason::kAuditLogIdentityUsed, "the former log has the same key");
  }
  YKT_ASSIGN_OR_RETURN(crypto::Checkpoint last,
                       ReadLast(config.Path("former_checkpoint"), *former));
  YKT_RETURN_IF_ERROR(status::CheckFreeText(config.Text("break_reason"), "break_reason"));
  return Break{*former, std::move(last), config.Text("break_reason")};
}

absl::StatusOr<Begun> BeginAnew(AuditLog& log, LogStore& store, CheckpointMemory* memory,
                                const base::Clock& clock, std::int32_t restore_epoch,
                                const Break& what) {
  const Source source{"auditlog", restore_epoch};
  const absl::Status begins = Begin(log, store, memory, clock, source, what);
  Begun begun;
  begun.before = status::ReasonOf(begins) == Reason::kAuditLogNotEmpty;
  YKT_RETURN_IF_ERROR(begun.before ? CheckBegun(store, source, what) : begins);
  YKT_ASSIGN_OR_RETURN(begun.checkpoint, log.NewestCheckpoint());
  return begun;
}

}  // namespace yikatong::auditlog
