// The money half and its repairs over real gRPC, with stand-ins for its peers: a server with mutual
// TLS, and people with tokens.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/identity/token.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "common/telemetry/metrics.h"
#include "services/dispatch/rpc/dispatch_service.h"
#include "services/dispatch/rpc/rules.h"
#include "services/dispatch/testing/money_rig.h"

namespace yikatong::dispatch::testing {

inline constexpr char kFinance[] = "finance.120000";

class MoneyRpcTest : public MoneyTest {
 protected:
  using Stub = v1::DispatchService::Stub;

  static void SetUpTestSuite() {
    MoneyTest::SetUpTestSuite();
    folder_ = (std::filesystem::temp_directory_path() / "ykt-dispatch-money-XXXXXX").string();
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
    const char* source = std::getenv("YIKATONG_SOURCE_DIR");
    const std::string command = std::string(source == nullptr ? "." : source) +
                                "/deploy/certificates/make " + folder_ + " --organisation " +
                                kFinance + " --organisation civil.120105";
    if (std::system(command.c_str()) != 0) std::abort();
  }
  static void TearDownTestSuite() {
    std::filesystem::remove_all(folder_);
    MoneyTest::TearDownTestSuite();
  }

  void SetUp() override {
    MoneyTest::SetUp();
    signer_ = *identity::TokenSigner::Load(folder_ + "/keys/token-issuer.key", real_);
    tokens_ = *identity::TokenVerifier::Load({.issuer_folder = folder_ + "/issuers"}, real_);
    guard_ = std::make_unique<rpc::Guard>(rpc::GuardOptions(), authorizer_, *tokens_, metrics_);
    service_ = std::make_unique<DispatchRpc>(*guard_, rig_->handlers, rig_->service, rig_->repairs);
    rpc::ServerOptions server;
    server.tls = TlsOf("services", "dispatch");
    rpc_server_ = std::make_unique<rpc::Server>(
        server,
        std::vector<rpc::Served>{{service_.get(), v1::DispatchService::service_full_name()}},
        authorizer_, [] { return true; }, metrics_.Registry());
    ASSERT_TRUE(rpc_server_->Start().ok());
    for (const char* organisation : {kFinance, "civil.120105"}) {
      rpc::ChannelOptions options;
      options.address = rpc_server_->addresses().grpc;
      options.server = "dispatch";
      options.tls = TlsOf("organisations", organisation);
      channels_[organisation] = *rpc::Channel::Open(options);
    }
  }
  void TearDown() override {
    service_->hub().Close();
    rpc_server_->Drain();
  }

  static rpc::TlsFiles TlsOf(const std::string& kind, const std::string& name) {
    const std::string at = folder_ + "/" + kind + "/" + name;
    return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
  }

  // As `person` of finance, or of the department.
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, const std::string& person,
                    identity::RoleSet roles, const std::string& organisation = kFinance,
                    std::vector<std::int32_t> districts = {kHebei}) {
    identity::TokenClaims claims;
    claims.person = person;
    claims.organisation = organisation;
    claims.roles = roles;
    claims.fields = {"*"};
    claims.districts = std::move(districts);
    rpc::Channel& channel = *channels_.at(organisation);
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(20), *signer_->Mint(claims, absl::Minutes(10)));
    const auto stub = v1::DispatchService::NewStub(channel.grpc());
    return rpc::FromGrpc((stub.get()->*method)(&context, request, response));
  }

  static inline std::string folder_;
  base::SystemClock real_;
  telemetry::Metrics metrics_;
  const identity::Authorizer authorizer_{AccessRules()};
  std::unique_ptr<identity::TokenSigner> signer_;
  std::unique_ptr<identity::TokenVerifier> tokens_;
  std::unique_ptr<rpc::Guard> guard_;
  std::unique_ptr<DispatchRpc> service_;
  std::unique_ptr<rpc::Server> rpc_server_;
  std::map<std::string, std::unique_ptr<rpc::Channel>> channels_;
};

}  // namespace yikatong::dispatch::testing
