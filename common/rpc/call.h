// What stands around every handler, in one place. A handler decides nothing about callers, logs,
// metrics or wire errors; it is this and no more:
//
//   grpc::Status BatchRpc::CreateBatch(grpc::ServerContext* context,
//                                      const pb::CreateBatchRequest* request,
//                                      pb::Batch* response) {
//     return rpc::Unary(guard_, context, "/yikatong.dispatch.v1.DispatchService/CreateBatch",
//                       *request, [&](const identity::Caller& caller) -> absl::Status {
//       YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request->request_id()));
//       YKT_ASSIGN_OR_RETURN(domain::NewBatch batch, FromWire(*request));
//       YKT_ASSIGN_OR_RETURN(domain::Batch made, batches_.Create(caller, batch));
//       ToWire(made, response);
//       return absl::OkStatus();
//     });
//   }
//
//   grpc::Status BatchRpc::UploadItems(
//       grpc::ServerContext* context,
//       grpc::ServerReaderWriter<pb::ItemsReply, pb::ItemsChunk>* stream) {
//     return rpc::Streamed(guard_, context, "/yikatong.dispatch.v1.DispatchService/UploadItems",
//                          [&](const identity::Caller& caller) -> absl::Status {
//       pb::ItemsChunk chunk;
//       while (stream->Read(&chunk)) {
//         YKT_RETURN_IF_ERROR(rpc::CheckSize(chunk));
//         …
//       }
//       return rpc::StreamEnd(*context);   // CANCELLED when the client went away
//     });
//   }
//
// A callback-API method (Watch…) asks `guard.Admit` instead; see watch.h.
//
// In this order: organisation from the certificate; its rate; person from the token; rule; deadline
// present and bounded; size; the handler; then metrics, one JSON log line, and for refusals of a
// known caller the auditor. An absl::Status with a Reason becomes google.rpc.Status with ErrorInfo
// (domain "yikatong"). An exception that reaches here is a defect: INVARIANT_BROKEN, logged.
//
// Reasons given here: UNAUTHENTICATED, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_ORGANISATION,
// PERMISSION_DENIED, DEADLINE_MISSING, DEADLINE_TOO_LONG, MESSAGE_TOO_LARGE, RATE_LIMITED,
// OVERLOADED, REQUEST_ID_MISSING, REQUEST_ID_INVALID, INVARIANT_BROKEN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/identity/access.h"
#include "common/identity/caller.h"
#include "common/rpc/server.h"

namespace google::protobuf {
class MessageLite;
}
namespace grpc {
class ServerContext;
class ServerContextBase;
class Status;
}  // namespace grpc

namespace yikatong::identity {
class TokenVerifier;
}
namespace yikatong::telemetry {
class Metrics;
}

namespace yikatong::rpc {

// Called for each refusal of a known caller (INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS,
// PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION, OUT_OF_RANGE), after the handler's
// transaction ended. Where the certificate is good and the token is not, the caller has an
// organisation and no person. Called on the handler's thread, for callback-API methods on gRPC's:
// it should hand over to a queue, or block shortly. It appends an audit entry on its own.
using RefusalAuditor = std::function<void(const identity::Caller& caller, std::string_view method,
                                          const absl::Status& refusal)>;

// False when `organisation` (or "service:<name>") had its share. Called on the handler's thread:
//   options.allow = [&](std::string_view who) { return cache.AllowRate(who, 600, 1s); };
using RateLimiter = std::function<bool(std::string_view organisation)>;

struct GuardOptions {
  absl::Duration max_unary_deadline = absl::Minutes(5);
  absl::Duration max_stream_deadline = absl::Hours(6);
  int64_t max_request_bytes = kMaxChunkBytes;  // for each message
  int max_streams = 32;    // of Streamed at one time; keep below ServerOptions::max_threads
  RateLimiter allow = {};  // empty: no limit
  RefusalAuditor audit_refusal = {};  // empty: counted and logged only
};

// Shared by all handlers of a service; thread safe. What it is given must outlive it.
class Guard {
 public:
  Guard(GuardOptions options, const identity::Authorizer& authorizer,
        const identity::TokenVerifier& tokens, telemetry::Metrics& metrics);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // For callback-API methods, which may not block: caller, rule and deadline; no rate limit. A
  // refusal is counted, logged and audited. Convert the status by ToGrpc and Finish with it.
  absl::StatusOr<identity::Caller> Admit(const grpc::ServerContextBase& context,
                                         std::string_view method) const;

  class Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

using Handler = std::function<absl::Status(const identity::Caller& caller)>;

// For unary calls, and server streams that answer one request.
grpc::Status Unary(const Guard& guard, grpc::ServerContext* context, std::string_view method,
                   const google::protobuf::MessageLite& request, const Handler& handler);

// For client streams and two-way streams, and server streams that run long. Takes one of
// `max_streams` places, or refuses with OVERLOADED.
grpc::Status Streamed(const Guard& guard, grpc::ServerContext* context, std::string_view method,
                      const Handler& handler);

// MESSAGE_TOO_LARGE when a message of a stream is larger than `max_bytes`.
absl::Status CheckSize(const google::protobuf::MessageLite& message,
                       int64_t max_bytes = kMaxChunkBytes);

// After Read returned false: OK when the client closed its side, CANCELLED when it went away.
absl::Status StreamEnd(const grpc::ServerContext& context);

// OVERLOADED, for WatchHub.
absl::Status TooManyWatchers(size_t limit);

// UNAVAILABLE with SHUTTING_DOWN: another replica answers.
absl::Status ShuttingDown();

// What every mutation carries: 1 to 64 printable ASCII characters without blanks, else
// REQUEST_ID_MISSING or REQUEST_ID_INVALID.
absl::Status RequireRequestId(std::string_view request_id);

}  // namespace yikatong::rpc
