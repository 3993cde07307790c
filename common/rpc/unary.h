// One unary call to a peer, by the method of its generated stub.
//
//   pb::GetBusinessDateResponse answer;
//   YKT_ASSIGN_OR_RETURN(answer,
//                        rpc::Ask<&pb::ClockService::Stub::GetBusinessDate>(channel, {}, timeout));
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/client.h"
#include "common/rpc/wire_status.h"
#include "common/status/status.h"

namespace yikatong::rpc {

// The messages of a stub's method.
template <auto kMethod>
struct UnaryMethod;

template <typename S, typename Req, typename Res,
          grpc::Status (S::*kMethod)(grpc::ClientContext*, const Req&, Res*)>
struct UnaryMethod<kMethod> {
  using Stub = S;
  using Request = Req;
  using Response = Res;
};

// The peer's answer, or its refusal with reason and metadata.
template <auto kMethod>
absl::StatusOr<typename UnaryMethod<kMethod>::Response> Ask(
    const Channel& channel, const typename UnaryMethod<kMethod>::Request& request,
    absl::Duration timeout) {
  typename UnaryMethod<kMethod>::Stub stub(channel.grpc());
  grpc::ClientContext context;
  channel.Prepare(context, timeout);
  typename UnaryMethod<kMethod>::Response response;
  YKT_RETURN_IF_ERROR(FromGrpc((stub.*kMethod)(&context, request, &response)));
  return response;
}

}  // namespace yikatong::rpc
