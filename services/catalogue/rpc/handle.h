// The two shapes of this service's handlers: one that changes something, once for each request id,
// and one that reads.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"
#include "common/rpc/call.h"
#include "common/status/status.h"
#include "grpcpp/server_context.h"
#include "services/catalogue/domain/ports.h"

namespace yikatong::catalogue {

// Runs `work` in one transaction with the request's row; the same request again gets the first
// answer. `work` fills its response from nothing each time that it runs.
template <typename Request, typename Response>
grpc::Status Mutate(const rpc::Guard& guard, Storage& storage, grpc::ServerContext* context,
                    std::string_view method, const Request& request, Response* response,
                    const std::function<absl::Status(Repository&, Response*)>& work) {
  return rpc::Unary(
      guard, context, method, request, [&](const identity::Caller& caller) -> absl::Status {
        YKT_RETURN_IF_ERROR(rpc::RequireRequestId(request.request_id()));
        const std::string content = request.SerializeAsString();
        const Call call{.caller = caller,
                        .method = std::string(method),
                        .request_id = request.request_id(),
                        .sha256 = crypto::StringOf(crypto::Sha256({method, "\n", content}))};
        YKT_ASSIGN_OR_RETURN(
            const std::string answer,
            storage.Once(call, [&](Repository& repository) -> absl::StatusOr<std::string> {
              Response made;
              YKT_RETURN_IF_ERROR(work(repository, &made));
              return made.SerializeAsString();
            }));
        YKT_INVARIANT(response->ParseFromString(answer), "a kept answer that cannot be read");
        return absl::OkStatus();
      });
}

// Runs `work` over one snapshot.
template <typename Request, typename Response>
grpc::Status Read(const rpc::Guard& guard, Storage& storage, grpc::ServerContext* context,
                  std::string_view method, const Request& request, Response* response,
                  const std::function<absl::Status(Repository&, Response*)>& work) {
  return rpc::Unary(
      guard, context, method, request, [&](const identity::Caller& caller) -> absl::Status {
        const Call call{
            .caller = caller, .method = std::string(method), .request_id = {}, .sha256 = {}};
        return storage.Read(call, [&](Repository& repository) {
          response->Clear();
          return work(repository, response);
        });
      });
}

}  // namespace yikatong::catalogue
