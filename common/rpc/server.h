// The life of a server: start, ready, drain. A service's main reads:
//
//   int main(int argc, char** argv) {
//     rpc::Signals signals;                        // first: before any thread starts
//     …configuration, database, the service objects…
//     const identity::Authorizer authorizer(kRules);
//     rpc::Guard guard(…, authorizer, …);          // the service objects hold it
//     rpc::Server server(options, {{&batches, pb::BatchService::service_full_name()}}, authorizer,
//                        [&] { return database.Ping().ok(); }, metrics.Registry());
//     if (absl::Status status = server.Start(); !status.ok()) return rpc::ExitFailure(status);
//     Workers workers(…);
//     signals.Wait();                              // SIGTERM or SIGINT
//     workers.Stop();                              // takes no new chunk
//     server.Drain();                              // NOT_SERVING, finish what runs, deadline
//     return 0;
//   }
//
// What listens: one port with mutual TLS (the services, grpc.health.v1, reflection); one plaintext
// port that serves nothing but grpc.health.v1; one HTTP port for /metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/identity/access.h"
#include "common/rpc/tls.h"

namespace grpc {
class Service;
}
namespace prometheus {
class Collectable;
}

namespace yikatong::rpc {

// A chunk is at most 1 MiB; the transport takes a little more, so that an oversized message gets a
// reason of ours (MESSAGE_TOO_LARGE) and only absurd ones gRPC's own RESOURCE_EXHAUSTED.
inline constexpr int64_t kMaxChunkBytes = 1 << 20;
inline constexpr int kMaxMessageBytes = 4 << 20;

struct ServerOptions {
  std::string grpc_address = "127.0.0.1:0";     // host:port; port 0 takes a free one
  std::string health_address = "127.0.0.1:0";   // plaintext, health only
  std::string metrics_address = "127.0.0.1:0";  // HTTP, /metrics only
  TlsFiles tls;
  // Written atomically once everything listens, removed by Drain; empty writes none. JSON:
  // {"grpc":"127.0.0.1:41001","health":"127.0.0.1:41002","metrics":"127.0.0.1:41003","pid":4711}
  std::string ready_file;
  // Each call of the sync API holds one thread while it runs; calls above are RESOURCE_EXHAUSTED.
  int max_threads = 64;
  int max_message_bytes = kMaxMessageBytes;
  int max_concurrent_streams = 256;  // for each connection
  // NOT_SERVING is said this long before the port closes, so that balancers go elsewhere.
  absl::Duration drain_notice = absl::ZeroDuration();
  // What still runs after this is cancelled.
  absl::Duration drain_deadline = absl::Seconds(20);
  // Of the settings that all replicas should have alike, for yikatong_config_info; empty shows
  // none.
  std::string config_hash;
  // A connection that is older takes no new call: its caller asks for the name again and connects
  // to whoever is there by then, for one handshake. So a replica that was added gets its share
  // while the others are still busy, and a revoked certificate does not live as long as its
  // connection. Calls that run on it finish, however long they take: a stream keeps it for itself.
  absl::Duration max_connection_age = absl::Minutes(2);
};

struct BoundAddresses {
  std::string grpc;
  std::string health;
  std::string metrics;
};

struct Served {
  grpc::Service* service;      // must outlive the server
  std::string_view full_name;  // pb::BatchService::service_full_name()
};

// True while this process can do its work: its own database answers. Never a peer. It is asked from
// one thread once a second, and may block for a second or two.
using ReadyProbe = std::function<bool()>;

// Blocks SIGTERM and SIGINT in the thread that makes it and in all threads started after, and
// ignores SIGPIPE. Make it first in main.
class Signals {
 public:
  Signals();
  // Returns the signal that came. A second one while draining ends the process at once.
  int Wait();
};

// Start and Drain are called once, from one thread.
class Server {
 public:
  // `authorizer` must outlive the server. `metrics` may be null: /metrics is then empty.
  Server(ServerOptions options, std::vector<Served> services,
         const identity::Authorizer& authorizer, ReadyProbe ready,
         std::shared_ptr<prometheus::Collectable> metrics);
  ~Server();  // drains if nobody did
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Fails with a message for the operator: a file that is missing, an address in use, a method of
  // `services` without a rule in `authorizer` or a rule without a method.
  absl::Status Start();
  const BoundAddresses& addresses() const;
  void Drain();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// "/package.Service/Method" for every method of the named services, from the linked descriptors;
// for a service's own test of its rules (identity::Authorizer::Disagreements).
std::vector<std::string> MethodsOf(const std::vector<std::string_view>& service_full_names);

// Prints the message to stderr, returns 1.
int ExitFailure(const absl::Status& status);

}  // namespace yikatong::rpc
