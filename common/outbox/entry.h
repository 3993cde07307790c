// The body of an audit entry: one canonical, versioned text, so that the log, its proofs and any
// reader hash the same bytes.
//
//   yikatong-audit-entry/v1
//   service: dispatch
//   kind: batch.sealed
//   district: 120105
//   subject: batches/120105/77
//   actor_org: department-agri-120105
//   actor_person: p-1
//   at: 2026-11-23T08:00:00.123Z
//   business_date: 2026-11-23
//   request_id: 0f8f…
//   root: 5feceb66…          (only with a subtree over items: SHA-256, hex)
//   leaves: 1000             (only with root)
//   detail.count: 1000       (sorted by key)
//
// Lines end in "\n", the last one too. The order is fixed; every key without "(only …)" stands in
// every entry, with an empty value where there is none. Never an ID number, account or phone number
// in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::outbox {

struct Entry {
  std::string service;
  std::string kind;     // what happened: lower-case words parted by dots
  int district = 0;     // 120000: the whole city
  std::string subject;  // the resource's name
  std::string actor_org;
  std::string actor_person;  // empty: a service by itself
  absl::Time at;
  absl::CivilDay business_date;
  std::string request_id;
  std::string root;                            // 32 raw bytes, or empty
  int64_t leaves = 0;                          // with root: how many, at least 1
  std::map<std::string, std::string> details;  // keys: [a-z][a-z0-9_]*
};

// The canonical bytes. INVARIANT_BROKEN (INTERNAL) for what no entry may hold: a control character
// or line break in a value, invalid UTF-8, a malformed key, service or kind, a root without leaves,
// or more than 65535 bytes (tlog-tiles).
absl::StatusOr<std::string> CanonicalBody(const Entry& entry);

// Reads a canonical body back. INVALID_ARGUMENT when it is not one (any byte that CanonicalBody
// would not have written).
absl::StatusOr<Entry> ParseBody(std::string_view body);

}  // namespace yikatong::outbox
