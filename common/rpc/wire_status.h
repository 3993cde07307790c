// The one place where absl::Status becomes what goes over the wire, and back. The Reason travels as
// google.rpc.ErrorInfo (domain "yikatong", reason its name, metadata); nothing is lost either way.
#pragma once

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace yikatong::rpc {

inline constexpr char kErrorDomain[] = "yikatong";

grpc::Status ToGrpc(const absl::Status& status);

// Keeps code, message, Reason and metadata (status::ReasonOf, status::MetadataOf). A status without
// our ErrorInfo (from gRPC itself) keeps code and message and has no Reason.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace yikatong::rpc
