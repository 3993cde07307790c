// The settings that every server has, declared once, so that operators find the same keys in every
// service.
//
//   config::Schema schema("dispatch");
//   rpc::DeclareServer(schema);
//   rpc::DeclarePeer(schema, "registry");        // registry_address
//   …
//   rpc::Server server(rpc::ServerOptionsOf(config), …);
//   YKT_ASSIGN_OR_RETURN(auto registry, rpc::OpenPeer(config, "registry", &metrics));
//
// Keys: grpc_address, health_address, metrics_address, tls_ca, tls_certificate, tls_key,
// token_issuers (folder), ready_file, failpoints, max_threads, max_streams, max_concurrent_streams,
// drain_notice, drain_deadline; and <peer>_address for each peer.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/config/config.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"

namespace yikatong::telemetry {
class Metrics;
}

namespace yikatong::rpc {

void DeclareServer(config::Schema& schema);
ServerOptions ServerOptionsOf(const config::Config& config);
// Add `allow` and `audit_refusal`.
GuardOptions GuardOptionsOf(const config::Config& config);
TlsFiles TlsFilesOf(const config::Config& config);

// A service that this one calls, by the name that its certificate must have.
void DeclarePeer(config::Schema& schema, std::string_view service);
// Its calls are counted in yikatong_peer_calls_total. `metrics` outlives the channel; it may be
// null.
absl::StatusOr<std::unique_ptr<Channel>> OpenPeer(const config::Config& config,
                                                  std::string_view service,
                                                  telemetry::Metrics* metrics = nullptr);

}  // namespace yikatong::rpc
