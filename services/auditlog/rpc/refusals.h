// Refused calls become entries of the log itself, as they do in every service.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "common/base/clock.h"
#include "common/identity/caller.h"
#include "services/auditlog/domain/audit_log.h"

namespace yikatong::auditlog {

// Thread safe. What it is given must outlive it.
//
// The same refusal of the same caller is written at most once a minute, with the count of those
// between: a producer that keeps trying must not fill the log that it is kept out of.
class RefusalRecorder {
 public:
  RefusalRecorder(AuditLog& log, const base::Clock& clock, std::int32_t restore_epoch)
      : log_(log), clock_(clock), source_{"auditlog", restore_epoch} {}

  // For rpc::GuardOptions::audit_refusal. What cannot be written is logged.
  void Record(const identity::Caller& caller, std::string_view method, const absl::Status& refusal);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // actor, method, reason
  struct Seen {
    std::int64_t written_ms = 0;  // monotonic
    std::int64_t unwritten = 0;
  };

  // How many were left out since the last one was written; -1 where this one is to be left out.
  std::int64_t Due(const Key& key);

  AuditLog& log_;
  const base::Clock& clock_;
  const Source source_;
  std::mutex mutex_;
  std::map<Key, Seen> seen_;
};

}  // namespace yikatong::auditlog
