#include "common/rpc/server.h"

#include <fcntl.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "common/rpc/health.h"
#include "common/rpc/metrics_page.h"
#include "common/rpc/trace.h"
#include "common/status/status.h"

namespace yikatong::rpc {
namespace {

constexpr unsigned kCertificateRefreshSeconds = 2;
constexpr std::chrono::milliseconds kProbeInterval{1'000};
constexpr std::chrono::milliseconds kTellInterval{200};

// Linking the reflection library puts its plug-in into every builder of the process. The plaintext
// listener serves health only, so each builder says which plug-ins it wants.
class Plugins final : public grpc::ServerBuilderOption {
 public:
  explicit Plugins(bool reflection) : reflection_(reflection) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
    if (reflection_) {
      plugins->push_back(std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>());
    }
  }

 private:
  const bool reflection_;
};

// The configured host with the port that was bound.
std::string Bound(const std::string& configured, int port) {
  if (configured.starts_with("unix:")) return configured;
  return configured.substr(0, configured.rfind(':') + 1) + std::to_string(port);
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  grpc::ResourceQuota quota;
  quota.SetMaxThreads(options.max_threads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
  // With the default two processes could bind one port, and each would get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(
      GRPC_ARG_MAX_CONNECTION_AGE_MS,
      static_cast<int>(absl::ToInt64Milliseconds(options.max_connection_age)));
}

std::shared_ptr<grpc::ServerCredentials> MutualTls(const TlsFiles& files) {
  grpc::experimental::TlsServerCredentialsOptions tls(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key, files.certificate, files.ca, kCertificateRefreshSeconds));
  tls.watch_root_certs();
  tls.watch_identity_key_cert_pairs();
  tls.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(tls);
}

absl::Status CannotListen(const char* what, const std::string& address) {
  return absl::FailedPreconditionError(std::string("cannot listen for ") + what + " on '" +
                                       address + "': in use, or not an address of this machine");
}

// Readers see the whole file or none.
absl::Status WriteWhole(const std::string& path, const std::string& text) {
  const std::string next = path + ".new";
  const int file = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool written =
      file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int written_errno = errno;
  if (file >= 0) close(file);
  if (!written || rename(next.c_str(), path.c_str()) != 0) {
    return absl::FailedPreconditionError("cannot write '" + path +
                                         "': " + std::strerror(written ? errno : written_errno));
  }
  return absl::OkStatus();
}

sigset_t Terminating() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = Terminating();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int Signals::Wait() {
  const sigset_t set = Terminating();
  int came = 0;
  while (sigwait(&set, &came) != 0) {
  }
  // From here on the default action holds again: an operator who cannot wait signals once more.
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return came;
}

class Server::Impl {
 public:
  Impl(ServerOptions server_options, std::vector<Served> services,
       const identity::Authorizer& authorizer, ReadyProbe ready,
       std::shared_ptr<prometheus::Collectable> metrics)
      : options_(std::move(server_options)),
        services_(std::move(services)),
        authorizer_(authorizer),
        probe_(std::move(ready)),
        metrics_(std::move(metrics)),
        health_(Names(services_)) {}

  ~Impl() { Drain(); }

  absl::Status Start() {
    YKT_RETURN_IF_ERROR(CheckRules());
    YKT_RETURN_IF_ERROR(CheckTlsFiles(options_.tls));
    YKT_RETURN_IF_ERROR(ListenForMetrics());
    YKT_RETURN_IF_ERROR(ListenForHealth());
    YKT_RETURN_IF_ERROR(ListenForCalls());
    health_.SetReady(probe_());
    watch_ = std::thread([this] { WatchReadiness(); });
    if (options_.ready_file.empty()) return absl::OkStatus();
    return WriteWhole(options_.ready_file, "{\"grpc\":\"" + bound_.grpc + "\",\"health\":\"" +
                                               bound_.health + "\",\"metrics\":\"" +
                                               bound_.metrics +
                                               "\",\"pid\":" + std::to_string(getpid()) + "}\n");
  }

  void Drain() {
    {
      std::lock_guard lock(mutex_);
      if (draining_) return;
      draining_ = true;
    }
    health_.SetDraining();
    if (calls_ != nullptr) {
      // Balancers see NOT_SERVING and go elsewhere while calls are still taken.
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(options_.drain_notice));
      health_.Close();
      calls_->Shutdown(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(options_.drain_deadline));
      calls_->Wait();
      if (!options_.ready_file.empty()) unlink(options_.ready_file.c_str());
    }
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      wake_.notify_all();
    }
    if (watch_.joinable()) watch_.join();
    health_.Close();
    if (health_listener_ != nullptr) {
      health_listener_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
      health_listener_->Wait();
    }
    metrics_page_.reset();
  }

  const BoundAddresses& addresses() const { return bound_; }

 private:
  static std::vector<std::string_view> Names(const std::vector<Served>& services) {
    std::vector<std::string_view> names;
    names.reserve(services.size());
    for (const Served& served : services) names.push_back(served.full_name);
    return names;
  }

  // A method that nobody thought of would be refused at its first call; better at start.
  absl::Status CheckRules() const {
    std::string faults;
    for (const std::string& fault : authorizer_.Disagreements(MethodsOf(Names(services_)))) {
      faults += (faults.empty() ? "" : "; ") + fault;
    }
    if (faults.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError("access rules and services disagree: " + faults);
  }

  absl::Status ListenForMetrics() {
    metrics_page_ =
        std::make_unique<MetricsPage>(metrics_, options_.tls.certificate, options_.config_hash);
    const int port = metrics_page_->Start(options_.metrics_address);
    if (port == 0) return CannotListen("metrics", options_.metrics_address);
    bound_.metrics = Bound(options_.metrics_address, port);
    return absl::OkStatus();
  }

  absl::Status ListenForHealth() {
    grpc::ServerBuilder builder;
    builder.SetOption(std::make_unique<Plugins>(/*reflection=*/false));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(4'096);
    int port = 0;
    builder.AddListeningPort(options_.health_address, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(health_.NewService());
    health_listener_ = builder.BuildAndStart();
    if (health_listener_ == nullptr || port == 0) {
      return CannotListen("health checks", options_.health_address);
    }
    bound_.health = Bound(options_.health_address, port);
    return absl::OkStatus();
  }

  absl::Status ListenForCalls() {
    grpc::ServerBuilder builder;
    builder.SetOption(std::make_unique<Plugins>(/*reflection=*/true));
    SetLimits(options_, builder);
    int port = 0;
    builder.AddListeningPort(options_.grpc_address, MutualTls(options_.tls), &port);
    for (const Served& served : services_) builder.RegisterService(served.service);
    builder.RegisterService(health_.NewService());
    calls_ = builder.BuildAndStart();
    if (calls_ == nullptr || port == 0) return CannotListen("calls", options_.grpc_address);
    bound_.grpc = Bound(options_.grpc_address, port);
    return absl::OkStatus();
  }

  // Watchers of health are told often, as that costs nothing; the database is asked less often.
  void WatchReadiness() {
    auto probed = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      wake_.wait_for(lock, kTellInterval, [this] { return stopped_; });
      if (stopped_) return;
      lock.unlock();
      if (std::chrono::steady_clock::now() - probed >= kProbeInterval) {
        const CallScope scope(Trace::New());
        health_.SetReady(probe_());
        probed = std::chrono::steady_clock::now();
      }
      health_.Tell();
      lock.lock();
    }
  }

  const ServerOptions options_;
  const std::vector<Served> services_;
  const identity::Authorizer& authorizer_;
  const ReadyProbe probe_;
  const std::shared_ptr<prometheus::Collectable> metrics_;
  Health health_;  // outlives both listeners
  BoundAddresses bound_;
  std::unique_ptr<MetricsPage> metrics_page_;
  std::unique_ptr<grpc::Server> health_listener_;
  std::unique_ptr<grpc::Server> calls_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool draining_ = false;
  bool stopped_ = false;
  std::thread watch_;
};

Server::Server(ServerOptions options, std::vector<Served> services,
               const identity::Authorizer& authorizer, ReadyProbe ready,
               std::shared_ptr<prometheus::Collectable> metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(services), authorizer,
                                   std::move(ready), std::move(metrics))) {}
Server::~Server() = default;

absl::Status Server::Start() { return impl_->Start(); }
const BoundAddresses& Server::addresses() const { return impl_->addresses(); }
void Server::Drain() { impl_->Drain(); }

std::vector<std::string> MethodsOf(const std::vector<std::string_view>& service_full_names) {
  std::vector<std::string> methods;
  for (std::string_view name : service_full_names) {
    const google::protobuf::ServiceDescriptor* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(name));
    if (service == nullptr) {
      // It then disagrees with every table, under a name that says what is wrong.
      methods.push_back("/" + std::string(name) + "/(no such service is linked)");
      continue;
    }
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back("/" + service->full_name() + "/" + service->method(i)->name());
    }
  }
  return methods;
}

int ExitFailure(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace yikatong::rpc
