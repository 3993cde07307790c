#include "common/rpc/call.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/failpoint.h"
#include "common/base/redact.h"
#include "common/identity/token.h"
#include "common/rpc/trace.h"
#include "common/rpc/wire_status.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"

namespace yikatong::rpc {
namespace {

using status::Reason;
using telemetry::Log;

constexpr size_t kMaxRequestId = 64;

std::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// The value of a metadata key; nothing when it is missing or stands there twice.
std::optional<std::string_view> Metadata(const grpc::ServerContextBase& context, const char* key) {
  const auto [first, last] = context.client_metadata().equal_range(key);
  if (first == last || std::next(first) != last) return std::nullopt;
  return View(first->second);
}

// The token behind "Bearer "; empty when no authorization was sent. Two of them, or another scheme,
// give a token that no verifier takes.
std::string_view BearerToken(const grpc::ServerContextBase& context) {
  constexpr std::string_view kScheme = "Bearer ";
  if (context.client_metadata().find("authorization") == context.client_metadata().end()) {
    return {};
  }
  const std::optional<std::string_view> value = Metadata(context, "authorization");
  if (!value || !value->starts_with(kScheme) || value->size() == kScheme.size()) return "?";
  return value->substr(kScheme.size());
}

// The SAN URI of the client certificate that names a caller; empty without exactly one.
std::string CertificateUri(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return {};
  std::string found;
  for (const grpc::string_ref& uri : peer->FindPropertyValues("peer_uri")) {
    if (!View(uri).starts_with("ykt://")) continue;
    if (!found.empty()) return {};
    found = View(uri);
  }
  return found;
}

bool IsRefusalToAudit(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return true;
    default:
      return false;
  }
}

// Faults of ours are errors, of our surroundings warnings; the rest the caller has to live with.
telemetry::Level LevelOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return telemetry::Level::kError;
    case absl::StatusCode::kUnavailable:
      return telemetry::Level::kWarning;
    default:
      return telemetry::Level::kInfo;
  }
}

// A handler whose defect throws must not take the process with it, and the exception's text (it may
// hold a row) must not reach the caller.
absl::Status RunHandler(const Handler& handler, const identity::Caller& caller,
                        std::string_view method) {
  std::string what = "an exception of unknown type";
  try {
    return handler(caller);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {  // NOLINT: nothing may escape into gRPC
  }
  Log::Error("rpc_handler_threw", {{"method", method}, {"what", base::RedactSensitive(what)}});
  return status::Invariant("the handler threw an exception");
}

}  // namespace

class Guard::Impl {
 public:
  Impl(GuardOptions guard_options, const identity::Authorizer& authorizer,
       const identity::TokenVerifier& tokens, telemetry::Metrics& metrics)
      : options(std::move(guard_options)),
        authorizer_(authorizer),
        tokens_(tokens),
        requests_(metrics.Counters("yikatong_rpc_requests_total", "Calls that were answered.",
                                   {"method", "code"}, 4'096)),
        seconds_(metrics.Histograms("yikatong_rpc_duration_seconds",
                                    "From the first byte of a call to its answer.", {"method"})),
        refusals_(metrics.Counters("yikatong_rpc_refusals_total", "Calls refused with a reason.",
                                   {"reason"})),
        running_(metrics.Gauges("yikatong_rpc_running", "Calls that run now.").With()) {}

  // One call, from its first to its last look at it.
  struct Call {
    std::string_view method;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    Trace trace;
    identity::Caller caller;  // as much of it as is known
  };

  // Everything that comes before the handler, but for what the two shapes do differently.
  absl::Status Enter(const grpc::ServerContextBase& context, absl::Duration max_deadline,
                     bool limit_rate, Call& call) const {
    YKT_ASSIGN_OR_RETURN(call.caller, identity::CallerOfCertificate(CertificateUri(context)));
    if (limit_rate && options.allow) {
      const std::string who =
          call.caller.IsService() ? "service:" + call.caller.service : call.caller.organisation;
      if (!options.allow(who)) return status::Refuse(Reason::kRateLimited);
    }
    YKT_ASSIGN_OR_RETURN(call.caller, tokens_.Authenticate(call.caller, BearerToken(context)));
    YKT_RETURN_IF_ERROR(authorizer_.Check(call.method, call.caller));
    return CheckDeadline(context, max_deadline);
  }

  void Leave(const Call& call, const absl::Status& result) const {
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - call.started).count();
    const std::string code = absl::StatusCodeToString(result.code());
    requests_.With({call.method, code}).Increment();
    seconds_.With({call.method}).Observe(seconds);
    std::string reason;
    if (!result.ok()) {
      reason = status::ReasonNameOf(result);
      refusals_.With({reason.empty() ? std::string_view(code) : reason}).Increment();
    }
    Log::Write(LevelOf(result.code()), "rpc",
               {{"method", call.method},
                {"code", code},
                {"reason", reason},
                {"organisation", call.caller.organisation},
                {"caller_service", call.caller.service},
                {"took_ms", seconds * 1'000},
                {"trace_id", call.trace.trace_id},
                {"span_id", call.trace.span_id}});
    if (result.code() == absl::StatusCode::kInternal) {
      Log::Error("rpc_internal", {{"method", call.method}, {"status", result}});
    }
    const bool known = call.caller.IsService() || !call.caller.organisation.empty();
    if (known && options.audit_refusal && IsRefusalToAudit(result.code())) {
      Audit(call, result);
    }
  }

  // One of the places for streams; false when all are taken.
  bool TakeStream() const {
    if (streams_.fetch_add(1) < options.max_streams) return true;
    streams_.fetch_sub(1);
    return false;
  }
  void GiveStream() const { streams_.fetch_sub(1); }

  telemetry::Gauge& running() const { return running_; }

  const GuardOptions options;

 private:
  // gRPC's deadlines are of the system's clock, and are measured with it.
  static absl::Status CheckDeadline(const grpc::ServerContextBase& context,
                                    absl::Duration max_deadline) {
    const absl::Time deadline = absl::FromChrono(context.deadline());
    const absl::Time now = absl::FromChrono(std::chrono::system_clock::now());
    // Without one gRPC says the end of its clock, centuries away.
    if (deadline > now + absl::Hours(24 * 365 * 20)) {
      return status::Refuse(Reason::kDeadlineMissing);
    }
    // A second for what the clocks of two machines make of one time-out.
    if (deadline > now + max_deadline + absl::Seconds(1)) {
      return status::Refuse(
          Reason::kDeadlineTooLong, {},
          {{"longest_seconds", std::to_string(absl::ToInt64Seconds(max_deadline))}});
    }
    return absl::OkStatus();
  }

  // The answer to the caller does not hang on the audit of its refusal, but a lost one is an error.
  void Audit(const Call& call, const absl::Status& result) const {
    try {
      options.audit_refusal(call.caller, call.method, result);
    } catch (const std::exception& e) {
      Log::Error("rpc_refusal_not_audited",
                 {{"method", call.method}, {"what", base::RedactSensitive(e.what())}});
    }
  }

  const identity::Authorizer& authorizer_;
  const identity::TokenVerifier& tokens_;
  const telemetry::CounterFamily requests_;
  const telemetry::HistogramFamily seconds_;
  const telemetry::CounterFamily refusals_;
  mutable telemetry::Gauge running_;
  mutable std::atomic<int> streams_{0};
};

namespace {

absl::Time DeadlineOf(const grpc::ServerContext& context) {
  return absl::FromChrono(context.deadline());
}

Guard::Impl::Call Begin(const grpc::ServerContextBase& context, std::string_view method) {
  Guard::Impl::Call call;
  call.method = method;
  call.trace = Trace::Continue(Metadata(context, "traceparent").value_or(""));
  return call;
}

}  // namespace

Guard::Guard(GuardOptions options, const identity::Authorizer& authorizer,
             const identity::TokenVerifier& tokens, telemetry::Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), authorizer, tokens, metrics)) {}
Guard::~Guard() = default;

absl::StatusOr<identity::Caller> Guard::Admit(const grpc::ServerContextBase& context,
                                              std::string_view method) const {
  Impl::Call call = Begin(context, method);
  const CallScope scope(call.trace);
  const absl::Status entered = impl_->Enter(context, impl_->options.max_stream_deadline,
                                            /*limit_rate=*/false, call);
  impl_->Leave(call, entered);
  if (!entered.ok()) return entered;
  return call.caller;
}

grpc::Status Unary(const Guard& guard, grpc::ServerContext* context, std::string_view method,
                   const google::protobuf::MessageLite& request, const Handler& handler) {
  const Guard::Impl& impl = guard.impl();
  impl.running().Add(1);
  Guard::Impl::Call call = Begin(*context, method);
  const CallScope scope(call.trace, DeadlineOf(*context));
  const base::failpoint::CallMoments moments(method);
  absl::Status result =
      impl.Enter(*context, impl.options.max_unary_deadline, /*limit_rate=*/true, call);
  if (result.ok()) result = CheckSize(request, impl.options.max_request_bytes);
  if (result.ok()) result = RunHandler(handler, call.caller, method);
  if (result.ok()) result = moments.BeforeReply();
  impl.Leave(call, result);
  impl.running().Add(-1);
  return ToGrpc(result);
}

grpc::Status Streamed(const Guard& guard, grpc::ServerContext* context, std::string_view method,
                      const Handler& handler) {
  const Guard::Impl& impl = guard.impl();
  impl.running().Add(1);
  Guard::Impl::Call call = Begin(*context, method);
  const CallScope scope(call.trace, DeadlineOf(*context));
  const base::failpoint::CallMoments moments(method);
  absl::Status result =
      impl.Enter(*context, impl.options.max_stream_deadline, /*limit_rate=*/true, call);
  if (result.ok()) {
    if (impl.TakeStream()) {
      result = RunHandler(handler, call.caller, method);
      if (result.ok()) result = moments.BeforeReply();
      impl.GiveStream();
    } else {
      result = status::Refuse(Reason::kOverloaded, {},
                              {{"max_streams", std::to_string(impl.options.max_streams)}});
    }
  }
  impl.Leave(call, result);
  impl.running().Add(-1);
  return ToGrpc(result);
}

absl::Status CheckSize(const google::protobuf::MessageLite& message, int64_t max_bytes) {
  const size_t bytes = message.ByteSizeLong();
  if (bytes <= static_cast<size_t>(max_bytes)) return absl::OkStatus();
  return status::Refuse(
      Reason::kMessageTooLarge, {},
      {{"bytes", std::to_string(bytes)}, {"limit_bytes", std::to_string(max_bytes)}});
}

absl::Status StreamEnd(const grpc::ServerContext& context) {
  if (context.IsCancelled()) return absl::CancelledError("the client went away in the stream");
  return absl::OkStatus();
}

absl::Status TooManyWatchers(size_t limit) {
  return status::Refuse(Reason::kOverloaded, {}, {{"max_watchers", std::to_string(limit)}});
}

absl::Status ShuttingDown() { return status::Refuse(Reason::kShuttingDown); }

absl::Status RequireRequestId(std::string_view request_id) {
  if (request_id.empty()) return status::Refuse(Reason::kRequestIdMissing);
  const bool printable = std::all_of(request_id.begin(), request_id.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f; });
  if (request_id.size() <= kMaxRequestId && printable) return absl::OkStatus();
  return status::Refuse(Reason::kRequestIdInvalid);
}

}  // namespace yikatong::rpc
