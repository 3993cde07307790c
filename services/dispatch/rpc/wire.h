// Wire form of what the domain knows, and back. Nothing is decided here.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/policy/rule.h"
#include "services/dispatch/domain/batch.h"
#include "services/dispatch/domain/request.h"
#include "yikatong/dispatch/v1/dispatch.pb.h"

namespace google::protobuf {
class MessageLite;
}

namespace yikatong::dispatch {

// `rule` says which review step is next and by when.
absl::StatusOr<v1::Batch> ToWire(const Batch& batch, const policy::PolicyRule& rule);

// The request with its content hash: SHA-256 over the method's name and the message's bytes.
Request RequestOf(std::string_view method, std::string_view request_id, const google::protobuf::MessageLite& message);

}  // namespace yikatong::dispatch
