// Calls to another service. A client in services/<service>/clients/ reads:
//
//   // registry_client.h has no gRPC in it: a port of the domain, and this class behind it.
//   RegistryClient::RegistryClient(const rpc::Channel& channel)
//       : channel_(channel), stub_(pb::RegistryService::NewStub(channel.grpc())) {}
//
//   absl::StatusOr<Sealed> RegistryClient::SealAccounts(const SealRequest& request) {
//     grpc::ClientContext context;
//     channel_.Prepare(context, absl::Seconds(10));
//     pb::SealAccountsResponse response;
//     YKT_RETURN_IF_ERROR(
//         rpc::FromGrpc(stub_->SealAccounts(&context, ToWire(request), &response)));
//     return FromWire(response);
//   }
//
// UNAVAILABLE, and CANCELLED by a peer that began to drain, are retried by gRPC (at most 4 tries
// within the deadline, jittered), which is safe because mutations carry request ids; nothing else
// is. A call never waits for a peer that is down longer than its deadline.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/tls.h"
#include "common/rpc/wire_status.h"

namespace grpc {
class ChannelInterface;
class ClientContext;
}  // namespace grpc

namespace yikatong::rpc {

struct ChannelOptions {
  std::string address = {};  // host:port; of replicas dns:///name:port, or ipv4:host:port,host:port
  std::string server = {};   // DNS name that the server's certificate must have: "dispatch"
  TlsFiles tls = {};
  bool retry_unavailable = true;
  int max_message_bytes = 4 << 20;
  // Called once for each RPC with its full method name, from any thread (retries by gRPC are one).
  std::function<void(std::string_view method)> on_call = {};
};

// A connection to one service, made at the first call and again after it broke. Thread safe.
class Channel {
 public:
  // Fails only for TLS files that cannot be used.
  static absl::StatusOr<std::unique_ptr<Channel>> Open(const ChannelOptions& options);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // For NewStub.
  std::shared_ptr<grpc::ChannelInterface> grpc() const;

  // Deadline (the earlier of `timeout` and that of the call being served on this thread),
  // traceparent, and the bearer token when one is given. Once for each ClientContext.
  void Prepare(grpc::ClientContext& context, absl::Duration timeout,
               std::string_view token = {}) const;

 private:
  class Impl;
  explicit Channel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yikatong::rpc
