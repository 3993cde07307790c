// Refusals with a stable reason, inside one process.
//
//   if (!known) return status::Refuse(status::Reason::kPolicyUnknown, "", {{"policy", policy_id}});
//   …
//   if (status::ReasonOf(result) == status::Reason::kPolicyUnknown) …
//
// The reason travels as a payload of absl::Status in an encoding of our own, so that domain code
// needs no protobuf; the RPC room alone turns it into google.rpc.ErrorInfo and back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/reason.h"

namespace yikatong::status {

// Facts about a refusal, by name in lower_snake_case: "row", "expected_fen". Never an ID number,
// account, phone number or personal name: metadata leaves the process.
using Metadata = std::map<std::string, std::string>;

// A refusal: code and text from the list of reasons, `detail` behind the text where there is one.
// What looks like an ID number, account or mobile number in `detail` or in a value of `metadata` is
// replaced (16-digit references stay).
absl::Status Refuse(Reason reason, std::string_view detail = {}, const Metadata& metadata = {});

// A rule that this code itself must keep is broken: INTERNAL with INVARIANT_BROKEN. Return it
// before anything is committed; it stops the chunk or request, not the process.
absl::Status Invariant(std::string_view detail, const Metadata& metadata = {});

// The reason that `status` carries; nothing for OK, for a status without one, or for a name this
// build does not know.
std::optional<Reason> ReasonOf(const absl::Status& status);

// The name of the reason that `status` carries, known or not; empty without one.
std::string ReasonNameOf(const absl::Status& status);

// Empty where `status` carries no reason.
Metadata MetadataOf(const absl::Status& status);

// `status` with more metadata; keys it has already keep their value. A status without a reason
// comes back as it is.
absl::Status WithMetadata(const absl::Status& status, const Metadata& more);

// The status that another process described: its code and message, and the name of its reason,
// which a newer peer may have before we do.
absl::Status Rebuild(absl::StatusCode code, std::string_view message, std::string_view reason_name,
                     const Metadata& metadata);

// What happened and what to do, for a person, in `lang`; the plain message for a status without a
// known reason.
std::string Describe(const absl::Status& status, Lang lang);

}  // namespace yikatong::status

#define YKT_STATUS_CONCAT_INNER_(a, b) a##b
#define YKT_STATUS_CONCAT_(a, b) YKT_STATUS_CONCAT_INNER_(a, b)

// Returns from the enclosing function with the status of `expr` unless it is OK.
#define YKT_RETURN_IF_ERROR(...) \
  YKT_RETURN_IF_ERROR_(YKT_STATUS_CONCAT_(ykt_status_, __COUNTER__), __VA_ARGS__)
#define YKT_RETURN_IF_ERROR_(name, ...)                    \
  do {                                                     \
    if (::absl::Status name = (__VA_ARGS__); !name.ok()) { \
      return name;                                         \
    }                                                      \
  } while (false)

// Declares or assigns `lhs` from a StatusOr, or returns its status.
//   YKT_ASSIGN_OR_RETURN(const Policy policy, store.Find(id));
#define YKT_ASSIGN_OR_RETURN(lhs, ...) \
  YKT_ASSIGN_OR_RETURN_(YKT_STATUS_CONCAT_(ykt_or_, __COUNTER__), lhs, __VA_ARGS__)
#define YKT_ASSIGN_OR_RETURN_(name, lhs, ...) \
  auto name = (__VA_ARGS__);                  \
  if (!name.ok()) {                           \
    return ::std::move(name).status();        \
  }                                           \
  lhs = *::std::move(name)

// Returns Invariant(detail) unless `condition` holds.
#define YKT_INVARIANT(condition, detail)            \
  do {                                              \
    if (!(condition)) {                             \
      return ::yikatong::status::Invariant(detail); \
    }                                               \
  } while (false)
