// What the log keeps of an entry beside its bytes: the facts by which it can be found again.
//
// The body is canonical text that the producer made (lines `key: value` in a fixed order under the
// heading "yikatong-audit-entry/v1"). The log does not ask what an entry means; it reads service,
// kind, district, subject and subtree root, and refuses what is not of that form, since nobody
// could find or read it later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"

namespace yikatong::auditlog {

// A bundle of entries (tlog-tiles) holds each length in two bytes.
inline constexpr std::size_t kMaxBodyBytes = 65535;

struct EntryFacts {
  std::string service;
  std::string kind;
  std::int32_t district = 0;
  std::string subject;  // cut at kMaxSubjectBytes
  std::optional<crypto::Digest> subtree_root;

  bool operator==(const EntryFacts&) const = default;
};

// Entries are found by the first kMaxSubjectBytes of their subject: an index holds no more. Cuts
// between characters.
inline constexpr std::size_t kMaxSubjectBytes = 512;
std::string_view CutSubject(std::string_view subject);

// AUDIT_ENTRY_MALFORMED with what is wrong; never with a value out of the body.
absl::StatusOr<EntryFacts> ReadFacts(std::string_view body);

}  // namespace yikatong::auditlog
