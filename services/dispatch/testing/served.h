// The service on loopback with everything around it: certificates and issuer key made by
// deploy/certificates/make, mutual TLS, the guard with the service's own rules.
//
//   Served served(rig.handlers, rig.service);
//   v1::Batch batch;
//   served.Call(&Stub::GetBatch, request, &batch, served.Token({.person = "p", …}));
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/identity/access.h"
#include "common/identity/token.h"
#include "common/rpc/call.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/rpc/archive_rpc.h"
#include "services/dispatch/rpc/budget_rpc.h"
#include "services/dispatch/rpc/dispatch_service.h"

namespace yikatong::dispatch::testing {

inline constexpr char kCivil[] = "civil.120105";
inline constexpr char kCivilOfBaodi[] = "civil.120115";
inline constexpr char kFinance[] = "finance.120000";

// A folder of certificates and keys, made once for the test program and removed at its end; with
// the service and the three organisations above.
const std::string& Installation();
// One more, of another authority and another issuer of tokens, with the same names.
const std::string& ForeignInstallation();

// `kind` is "services" or "organisations".
rpc::TlsFiles TlsOf(const std::string& kind, const std::string& name,
                    const std::string& installation = Installation());

class Served {
 public:
  using Stub = v1::DispatchService::Stub;

  // What it is given must outlive it. Fails the test where the server does not start. Without
  // `budget` the methods of BudgetService are not implemented, without `repairs` those of repairs,
  // without `archives` those of ArchiveService.
  Served(IntakeHandlers& intake, MoneyHandlers& money, rpc::GuardOptions options = {},
         BudgetHandlers* budget = nullptr, RepairHandlers* repairs = nullptr,
         ArchiveHandlers* archives = nullptr);
  ~Served();

  const identity::Authorizer& authorizer() const { return authorizer_; }
  std::string address() const { return server_->addresses().grpc; }
  rpc::WatchHub<v1::WatchBatchResponse>& hub() { return service_->hub(); }

  // A token as the issuer mints them. Claims without an organisation are of kCivil's, without
  // districts of Hebei's, without fields of CIVIL.
  std::string Token(identity::TokenClaims claims,
                    absl::Duration lifetime = absl::Minutes(10)) const;

  // The channel of an organisation, opened once.
  rpc::Channel& As(const std::string& organisation);
  std::unique_ptr<rpc::Channel> Open(const rpc::TlsFiles& tls) const;

  // A method of DispatchService; of another service where it is named.
  template <typename Service = v1::DispatchService, typename Request, typename Response>
  absl::Status Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Response*),
                    const Request& request, Response* response, const std::string& token,
                    rpc::Channel& channel) {
    const auto stub = Service::NewStub(channel.grpc());
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(20), token);
    return rpc::FromGrpc((stub.get()->*method)(&context, request, response));
  }
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, const std::string& token) {
    return Call(method, request, response, token, As(kCivil));
  }

 private:
  const base::SystemClock clock_;
  telemetry::Metrics metrics_;
  const identity::Authorizer authorizer_;
  const std::unique_ptr<identity::TokenSigner> signer_;
  const std::unique_ptr<identity::TokenVerifier> tokens_;
  std::unique_ptr<rpc::Guard> guard_;
  std::unique_ptr<DispatchRpc> service_;
  std::unique_ptr<v1::BudgetService::Service> budget_;
  std::unique_ptr<v1::ArchiveService::Service> archives_;
  std::unique_ptr<rpc::Server> server_;
  std::map<std::string, std::unique_ptr<rpc::Channel>> channels_;
};

}  // namespace yikatong::dispatch::testing
