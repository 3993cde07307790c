#include "services/auditlog/rpc/refusals.h"

#include <utility>

#include "common/outbox/entry.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::auditlog {
namespace {

constexpr std::int64_t kPauseMs = 60'000;
constexpr std::size_t kMaxSeen = 1024;

}  // namespace

std::int64_t RefusalRecorder::Due(const Key& key) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_ms = clock_.MonotonicMillis();
  if (seen_.size() >= kMaxSeen) {
    std::erase_if(seen_,
                  [&](const auto& one) { return now_ms - one.second.written_ms >= kPauseMs; });
    if (seen_.size() >= kMaxSeen) seen_.clear();
  }
  const auto [place, fresh] = seen_.try_emplace(key);
  Seen& seen = place->second;
  if (!fresh && now_ms - seen.written_ms < kPauseMs) {
    ++seen.unwritten;
    return -1;
  }
  seen.written_ms = now_ms;
  return std::exchange(seen.unwritten, 0);
}

void RefusalRecorder::Record(const identity::Caller& caller, std::string_view method,
                             const absl::Status& refusal) {
  const std::string reason = status::ReasonNameOf(refusal);
  const std::int64_t unwritten = Due({caller.Actor(), std::string(method), reason});
  if (unwritten < 0) return;
  outbox::Entry entry;
  entry.service = source_.producer;
  entry.kind = "call.refused";
  entry.district = caller.districts.size() == 1 ? caller.districts.front() : identity::kWholeCity;
  entry.subject = std::string(method);
  entry.actor_org = caller.IsService() ? "service:" + caller.service : caller.organisation;
  entry.actor_person = caller.person;
  entry.at = clock_.Now();
  entry.business_date = base::BeijingDate(entry.at);
  entry.details["reason"] = reason;
  if (unwritten > 0) entry.details["left_out"] = std::to_string(unwritten);
  absl::StatusOr<std::string> body = outbox::CanonicalBody(entry);
  const absl::Status written =
      body.ok() ? log_.AppendOwn(source_, *std::move(body)) : body.status();
  if (!written.ok()) telemetry::Log::Error("refusal_not_recorded", {{"status", written}});
}

}  // namespace yikatong::auditlog
