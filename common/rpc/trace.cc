#include "common/rpc/trace.h"

#include <algorithm>
#include <utility>

#include "common/base/ids.h"

namespace yikatong::rpc {
namespace {

thread_local const CallScope* current = nullptr;

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::string Trace::Traceparent() const {
  return "00-" + trace_id + "-" + span_id + (sampled ? "-01" : "-00");
}

Trace Trace::New() {
  base::RandomIdSource ids;
  return {.trace_id = ids.NewId(), .span_id = ids.NewId().substr(0, 16)};
}

// https://www.w3.org/TR/trace-context: version 00 is exactly 55 characters.
Trace Trace::Continue(std::string_view traceparent) {
  Trace trace = New();
  if (traceparent.size() != 55 || !traceparent.starts_with("00-") || traceparent[35] != '-' ||
      traceparent[52] != '-') {
    return trace;
  }
  const std::string_view trace_id = traceparent.substr(3, 32);
  const std::string_view parent_id = traceparent.substr(36, 16);
  const std::string_view flags = traceparent.substr(53, 2);
  if (!IsLowerHex(trace_id) || !IsLowerHex(parent_id) || !IsLowerHex(flags) || IsZero(trace_id) ||
      IsZero(parent_id)) {
    return trace;
  }
  trace.trace_id = trace_id;
  // The lowest bit of the flags; the last digit is odd when it is set.
  trace.sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos;
  return trace;
}

CallScope::CallScope(Trace trace, absl::Time deadline)
    : trace_(std::move(trace)),
      of_lines_(trace_.trace_id, trace_.span_id),
      deadline_(deadline),
      outer_(current) {
  if (outer_ != nullptr) deadline_ = std::min(deadline_, outer_->deadline_);
  current = this;
}

CallScope::~CallScope() { current = outer_; }

const CallScope* CallScope::Current() { return current; }

}  // namespace yikatong::rpc
