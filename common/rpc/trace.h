// The W3C trace context of the call that this thread serves, and that call's deadline. Unary and
// Streamed set them for the handler; Channel::Prepare forwards them; the log lines and audit
// entries that the thread writes meanwhile have the trace id. A worker that serves no call opens a
// scope of its own for each piece of work.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/telemetry/log.h"

namespace yikatong::rpc {

struct Trace {
  std::string trace_id = {};  // 32 hex digits
  std::string span_id = {};   // 16 hex digits: of this process's part
  bool sampled = false;

  // "00-<trace id>-<span id>-01"
  std::string Traceparent() const;
  // A part of the caller's trace when `traceparent` is well formed, else a new trace.
  static Trace Continue(std::string_view traceparent);
  static Trace New();
};

// Makes `trace` and `deadline` those of this thread until it goes out of scope; scopes nest.
class CallScope {
 public:
  explicit CallScope(Trace trace, absl::Time deadline = absl::InfiniteFuture());
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  const Trace& trace() const { return trace_; }
  absl::Time deadline() const { return deadline_; }

  // The innermost of this thread, or null.
  static const CallScope* Current();

 private:
  Trace trace_;
  telemetry::LineTrace of_lines_;
  absl::Time deadline_;
  const CallScope* outer_;
};

}  // namespace yikatong::rpc
