#include "common/rpc/wire_status.h"

#include <grpcpp/support/status.h>

#include <string>
#include <utility>

#include "common/base/utf8.h"
#include "common/status/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace yikatong::rpc {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(static_cast<int>(status.code()));
  // A message that is not UTF-8 has come from outside; it must not make the answer unreadable.
  std::string message(status.message().data(), status.message().size());
  if (!base::IsUtf8(message)) message = "(the message is not UTF-8)";
  const std::string reason = status::ReasonNameOf(status);
  if (reason.empty()) return grpc::Status(code, message);

  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain(kErrorDomain);
  for (auto& [key, value] : status::MetadataOf(status)) {
    if (base::IsUtf8(key) && base::IsUtf8(value)) (*info.mutable_metadata())[key] = value;
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  details.add_details()->PackFrom(info);
  return grpc::Status(code, message, details.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(static_cast<int>(status.error_code()));
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      google::rpc::ErrorInfo info;
      if (!detail.UnpackTo(&info) || info.domain() != kErrorDomain) continue;
      return status::Rebuild(code, status.error_message(), info.reason(),
                             {info.metadata().begin(), info.metadata().end()});
    }
  }
  return absl::Status(code, status.error_message());
}

}  // namespace yikatong::rpc
