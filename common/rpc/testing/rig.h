// A server of this room with everything around it, on loopback: certificates and issuer key made by
// deploy/certificates/make, a guard, one service whose methods do what the test says.
//
//   Rig rig;
//   rig.service->on_ask = [](const identity::Caller& caller, …) { … };
//   rig.Start();
//   absl::StatusOr<AskResponse> answer = rig.AskAgri("hello");
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/identity/access.h"
#include "common/identity/token.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/rpc/testing/probe.grpc.pb.h"
#include "common/rpc/watch.h"
#include "common/telemetry/metrics.h"

namespace yikatong::rpc::testing {

inline constexpr char kAsk[] = "/yikatong.rpc.testing.ProbeService/Ask";
inline constexpr char kUpload[] = "/yikatong.rpc.testing.ProbeService/Upload";
inline constexpr char kExchange[] = "/yikatong.rpc.testing.ProbeService/Exchange";
inline constexpr char kWatch[] = "/yikatong.rpc.testing.ProbeService/Watch";
inline constexpr char kForgotten[] = "/yikatong.rpc.testing.ProbeService/Forgotten";

// Runs deploy/certificates/make in `folder`.
void MakeCertificates(const std::string& folder, const std::string& arguments);

// Made once for the test program, removed at its end. Services probe, peer and stranger,
// organisations agri and hr.
const std::string& Installation();
// One more of another authority, with the same names.
const std::string& ForeignInstallation();

TlsFiles OrganisationTls(const std::string& installation, const std::string& code);
TlsFiles ServiceTls(const std::string& installation, const std::string& name);

class Service final : public ProbeService::WithCallbackMethod_Watch<ProbeService::Service> {
 public:
  explicit Service(const Guard& guard) : guard_(guard) {}

  grpc::Status Ask(grpc::ServerContext* context, const AskRequest* request,
                   AskResponse* response) override;
  grpc::Status Upload(grpc::ServerContext* context, grpc::ServerReader<AskRequest>* reader,
                      AskResponse* response) override;
  grpc::Status Exchange(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<AskResponse, AskRequest>* stream) override;
  grpc::Status Forgotten(grpc::ServerContext* context, const AskRequest* request,
                         AskResponse* response) override;
  grpc::ServerWriteReactor<AskResponse>* Watch(grpc::CallbackServerContext* context,
                                               const AskRequest* request) override {
    return hub.Watch(guard_, *context, kWatch, request->text());
  }

  // Set before Start.
  std::function<absl::Status(const identity::Caller&, const AskRequest&, AskResponse&)> on_ask;
  std::function<void()> on_exchange_message;
  std::atomic<int> handled{0};  // handlers that were entered
  std::function<void(const absl::Status&)> on_upload_end;
  WatchHub<AskResponse> hub{4};

 private:
  const Guard& guard_;
};

struct Refusal {
  identity::Caller caller;
  std::string method;
  absl::Status status;
  bool has_trace = false;
};

class Rig {
 public:
  explicit Rig(GuardOptions options = {});
  ~Rig();

  // Fails the test when the server does not start.
  void Start();
  absl::Status TryStart();
  void Stop() { server.reset(); }

  std::string Token(const identity::TokenClaims& claims = AgriOperator(),
                    absl::Duration lifetime = absl::Minutes(10)) const;
  static identity::TokenClaims AgriOperator();

  std::unique_ptr<Channel> OpenAs(const TlsFiles& tls) const;
  // A fresh channel, one call, ten seconds.
  absl::StatusOr<AskResponse> Ask(const TlsFiles& tls, const std::string& token,
                                  const std::string& text = "hello") const;
  absl::StatusOr<AskResponse> AskAgri(const std::string& text = "hello") const {
    return Ask(OrganisationTls(Installation(), "agri"), Token(), text);
  }
  std::vector<Refusal> refusals() const;

  base::SystemClock clock;
  telemetry::Metrics metrics;
  identity::Authorizer authorizer;
  std::unique_ptr<identity::TokenSigner> signer;
  std::unique_ptr<identity::TokenVerifier> verifier;
  std::unique_ptr<Guard> guard;
  std::unique_ptr<Service> service;
  std::atomic<bool> ready{true};
  ServerOptions options;
  std::unique_ptr<Server> server;

 private:
  mutable std::mutex mutex_;
  std::vector<Refusal> refusals_;
};

}  // namespace yikatong::rpc::testing
