#include "services/yktctl/commands/log_break.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <utility>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/outbox/entry.h"
#include "common/status/status.h"
#include "services/yktctl/commands/log_proof.h"

namespace yikatong::yktctl {
namespace {

using status::Reason;

std::string DetailOf(const outbox::Entry& entry, const std::string& key) {
  const auto found = entry.details.find(key);
  return found == entry.details.end() ? std::string() : found->second;
}

std::optional<crypto::Digest> RootFrom(const std::string& hex) {
  const auto bytes = base::FromHex(hex);
  if (!bytes) return std::nullopt;
  return crypto::DigestOf(*bytes);
}

}  // namespace

absl::StatusOr<LogBreak> ReadBreak(std::string_view body) {
  const absl::StatusOr<outbox::Entry> entry = outbox::ParseBody(body);
  if (!entry.ok()) return Broken("the first entry is not a canonical body");
  if (entry->kind != "log.begun_anew") {
    return status::Refuse(
        Reason::kNotFound,
        fmt::format("the log follows no other one: its first entry is {}", entry->kind));
  }
  const auto former = crypto::NoteVerifier::Parse(DetailOf(*entry, "former_key"));
  const std::string size = DetailOf(*entry, "former_size");
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), number);
  const auto root = RootFrom(DetailOf(*entry, "former_root"));
  if (!former.ok() || error != std::errc() || end != size.data() + size.size() || !root ||
      entry->subject != "logs/" + former->name()) {
    return Broken("the break does not say which log went before");
  }
  return LogBreak{*former, number, *root, DetailOf(*entry, "reason"),
                  base::FormatTimestamp(entry->at)};
}

absl::Status CheckKept(const LogBreak& log_break, const std::string& note) {
  const auto kept = crypto::OpenCheckpoint(note, log_break.former);
  if (!kept.ok()) return Broken("the checkpoint that was kept is not signed by the former log");
  if (kept->size > log_break.size) {
    return Broken(fmt::format("the former log had {} entries, and the break says {}", kept->size,
                              log_break.size));
  }
  if (kept->size == log_break.size && kept->root != log_break.root) {
    return Broken("the break names another tree than the checkpoint that was kept");
  }
  return absl::OkStatus();
}

}  // namespace yikatong::yktctl
