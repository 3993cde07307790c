#include "common/rpc/client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/client_interceptor.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <utility>
#include <vector>

#include "common/rpc/trace.h"
#include "common/status/status.h"

namespace yikatong::rpc {
namespace {

constexpr unsigned kCertificateRefreshSeconds = 2;
// How often gRPC looks at connections on which nobody calls, one event of one connection at a time.
// With its own five seconds a server that goes away would wait for a process with several idle
// channels to hear of it until gRPC gives up, after twenty.
constexpr char kIdlePollMs[] = "100";

// A name is asked for again whenever a connection breaks, at most this often. gRPC's own 30 seconds
// are longer than a rolling upgrade leaves a replica in peace: of two that are replaced within them
// the callers would know nobody. Within this the last of the tries below, half a second after the
// first at the earliest, still finds the answer and a connection; and it is at most four questions
// a second for a peer that is in trouble.
//
// That counts for names that have an answer. While a name has none (no replica is ready) gRPC asks
// after 1 s, then after 1.6 times the pause before, up to 120 s, each give or take a fifth:
// constants of the library that no argument changes. A peer that was wholly away and comes back
// under other addresses is so found up to three quarters of its absence late, and 144 s at most;
// one that comes back under an old address, within kMaxReconnectMs.
constexpr int kMinResolveMs = 250;
constexpr int kMaxReconnectMs = 2'000;

// Retrying UNAVAILABLE is safe as mutations carry request ids. So is CANCELLED, which is what
// gRPC's server makes of a call that comes in the moment in which it begins to drain, before its
// caller has heard of that. Throttled, so that a peer in trouble is not buried: a failure takes 1
// of 400 tokens, a success gives 0.1 back, below 200 nothing retries. That is for all 64 threads of
// a process that meet one drain with all their tries, once.
constexpr char kRetryPolicy[] = R"(
    "methodConfig": [{
      "name": [{}],
      "retryPolicy": {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]
      }
    }],
    "retryThrottling": {"maxTokens": 400, "tokenRatio": 0.1})";
constexpr char kRoundRobin[] = R"("loadBalancingConfig": [{"round_robin": {}}])";

// Tells where the call is made and stays out of its way after.
class TellingFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit TellingFactory(std::function<void(std::string_view)> on_call)
      : on_call_(std::move(on_call)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* info) override {
    on_call_(info->method());
    return nullptr;
  }

 private:
  const std::function<void(std::string_view)> on_call_;
};

std::string ServiceConfig(const ChannelOptions& options) {
  std::string config = "{";
  if (options.retry_unavailable) config += kRetryPolicy;
  const bool several = options.address.starts_with("dns:") ||
                       options.address.starts_with("ipv4:") || options.address.starts_with("ipv6:");
  if (several) {
    if (config.size() > 1) config += ",";
    config += kRoundRobin;
  }
  return config + "}";
}

grpc::ChannelArguments Arguments(const ChannelOptions& options) {
  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(ServiceConfig(options));
  args.SetMaxReceiveMessageSize(options.max_message_bytes);
  args.SetMaxSendMessageSize(options.max_message_bytes);
  if (!options.server.empty()) args.SetSslTargetNameOverride(options.server);
  // gRPC's own back-off grows to two minutes: far longer than a peer takes to start again.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Whatever its name says, this is how long one attempt to connect may take. A peer that is gone
  // refuses at once; one that is busy needs its time for the handshake, and would never be reached
  // again if every attempt were given up after a second.
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  args.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kMinResolveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // Each channel has its own connection: two channels of one process may be two organisations.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return args;
}

}  // namespace

class Channel::Impl {
 public:
  std::shared_ptr<grpc::Channel> channel;
};

Channel::Channel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Channel::~Channel() = default;

absl::StatusOr<std::unique_ptr<Channel>> Channel::Open(const ChannelOptions& options) {
  // Read once, when the library starts, which is below for the first channel of a process.
  static const int told = setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", kIdlePollMs, 0);
  static_cast<void>(told);
  YKT_RETURN_IF_ERROR(CheckTlsFiles(options.tls));
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_certificate_provider(std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      options.tls.key, options.tls.certificate, options.tls.ca, kCertificateRefreshSeconds));
  tls.watch_root_certs();
  tls.watch_identity_key_cert_pairs();

  auto impl = std::make_unique<Impl>();
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> factories;
  if (options.on_call) factories.push_back(std::make_unique<TellingFactory>(options.on_call));
  impl->channel = grpc::experimental::CreateCustomChannelWithInterceptors(
      options.address, grpc::experimental::TlsCredentials(tls), Arguments(options),
      std::move(factories));
  return std::unique_ptr<Channel>(new Channel(std::move(impl)));
}

std::shared_ptr<grpc::ChannelInterface> Channel::grpc() const { return impl_->channel; }

void Channel::Prepare(grpc::ClientContext& context, absl::Duration timeout,
                      std::string_view token) const {
  // A gRPC deadline is of the system's clock, whatever clock the process was given.
  absl::Time deadline = absl::FromChrono(std::chrono::system_clock::now()) + timeout;
  const CallScope* scope = CallScope::Current();
  if (scope != nullptr) deadline = std::min(deadline, scope->deadline());
  context.set_deadline(absl::ToChronoTime(deadline));
  context.AddMetadata("traceparent",
                      (scope != nullptr ? scope->trace() : Trace::New()).Traceparent());
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + std::string(token));
}

}  // namespace yikatong::rpc
