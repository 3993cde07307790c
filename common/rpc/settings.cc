#include "common/rpc/settings.h"

#include <string>

#include "common/base/failpoint.h"
#include "common/crypto/sha256.h"
#include "common/telemetry/metrics.h"

namespace yikatong::rpc {
namespace {

constexpr size_t kConfigHashDigits = 12;

}  // namespace

void DeclareServer(config::Schema& schema) {
  schema
      .Text("grpc_address", "127.0.0.1:0",
            "Address of the gRPC listener (mutual TLS); port 0 takes a free one.")
      .EachItsOwn()
      .Text("health_address", "127.0.0.1:0",
            "Address of the plaintext listener that serves only grpc.health.v1.")
      .EachItsOwn()
      .Text("metrics_address", "127.0.0.1:0", "Address of the HTTP listener that serves /metrics.")
      .EachItsOwn()
      .Path("tls_ca", config::kRequired, "PEM bundle of the authorities that are trusted.")
      .Path("tls_certificate", config::kRequired, "PEM certificate chain of this service.")
      .Path("tls_key", config::kRequired, "PEM private key of this service.")
      .Path("token_issuers", config::kRequired,
            "Folder of *.pem: Ed25519 public keys whose tokens are taken.")
      .Path("ready_file", "", "File that is written with the bound addresses once all listen.")
      .Int("max_threads", 64, 4, 1'024, "Threads for calls; each running call holds one.")
      .Int("max_streams", 32, 1, 1'000, "Streams that may run at one time.")
      .Int("max_concurrent_streams", 256, 1, 10'000, "Calls that one connection may have open.")
      .Duration("drain_notice", "0s", absl::ZeroDuration(), absl::Minutes(2),
                "How long the service says that it is draining before it takes no more calls.")
      .Duration("drain_deadline", "20s", absl::Milliseconds(100), absl::Minutes(10),
                "How long running calls may take to finish when the service stops.")
      .Path("failpoints", "", "Folder of failpoints, for tests; a production build refuses it.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        if (config.Path("failpoints").empty() || base::failpoint::BuiltIn()) return std::nullopt;
        return "failpoints are not in this build: it is for production";
      })
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        if (config.Int("max_streams") < config.Int("max_threads")) return std::nullopt;
        return "max_streams must be below max_threads, or streams leave no thread for other calls";
      });
}

TlsFiles TlsFilesOf(const config::Config& config) {
  return {.ca = config.Path("tls_ca"),
          .certificate = config.Path("tls_certificate"),
          .key = config.Path("tls_key")};
}

ServerOptions ServerOptionsOf(const config::Config& config) {
  ServerOptions options;
  options.grpc_address = config.Text("grpc_address");
  options.health_address = config.Text("health_address");
  options.metrics_address = config.Text("metrics_address");
  options.tls = TlsFilesOf(config);
  options.ready_file = config.Path("ready_file");
  options.max_threads = static_cast<int>(config.Int("max_threads"));
  options.max_concurrent_streams = static_cast<int>(config.Int("max_concurrent_streams"));
  options.drain_notice = config.Duration("drain_notice");
  options.drain_deadline = config.Duration("drain_deadline");
  options.config_hash = crypto::HexOf(crypto::Sha256(config.Alike())).substr(0, kConfigHashDigits);
  return options;
}

GuardOptions GuardOptionsOf(const config::Config& config) {
  GuardOptions options;
  options.max_streams = static_cast<int>(config.Int("max_streams"));
  return options;
}

void DeclarePeer(config::Schema& schema, std::string_view service) {
  schema
      .Text(std::string(service) + "_address", config::kRequired,
            "Address of " + std::string(service) +
                ": host:port, dns:///name:port, or ipv4:host:port,host:port for replicas.")
      .EachItsOwn();
}

absl::StatusOr<std::unique_ptr<Channel>> OpenPeer(const config::Config& config,
                                                  std::string_view service,
                                                  telemetry::Metrics* metrics) {
  ChannelOptions options;
  options.address = config.Text(std::string(service) + "_address");
  options.server = service;
  options.tls = TlsFilesOf(config);
  if (metrics != nullptr) {
    options.on_call = [calls = metrics
                                   ->Counters("yikatong_peer_calls_total",
                                              "Calls begun to another service; gRPC's own retries "
                                              "count once.",
                                              {"peer"})
                                   .With({service})](std::string_view) mutable {
      calls.Increment();
    };
  }
  return Channel::Open(options);
}

}  // namespace yikatong::rpc
