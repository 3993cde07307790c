#include "common/rpc/testing/rig.h"

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "common/rpc/trace.h"
#include "common/status/status.h"

namespace yikatong::rpc::testing {
namespace {

namespace fs = std::filesystem;

using identity::Role;

// Forgotten is named for a service that nobody is, so that the server starts.
constexpr identity::MethodRule kRules[] = {
    {kAsk, {Role::kDepartmentOperator}, {"peer"}},
    {kUpload, {Role::kDepartmentOperator}, {}},
    {kExchange, {Role::kDepartmentOperator}, {}},
    {kWatch, {Role::kDepartmentOperator}, {}},
    {kForgotten, {}, {"nobody"}},
};

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "ykt-rpc-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
    MakeCertificates(
        path,
        "--service probe --service peer --service stranger --organisation agri --organisation hr");
  }
  ~Folder() { fs::remove_all(path); }
  std::string path;
};

}  // namespace

void MakeCertificates(const std::string& folder, const std::string& arguments) {
  const char* source = std::getenv("YIKATONG_SOURCE_DIR");
  const std::string command = std::string(source == nullptr ? "." : source) +
                              "/deploy/certificates/make " + folder + " " + arguments;
  if (std::system(command.c_str()) != 0) {
    std::fprintf(stderr, "failed: %s (run from the root, or by ctest)\n", command.c_str());
    std::abort();
  }
}

const std::string& Installation() {
  static const Folder folder;
  return folder.path;
}

const std::string& ForeignInstallation() {
  static const Folder folder;
  return folder.path;
}

TlsFiles OrganisationTls(const std::string& installation, const std::string& code) {
  const std::string at = installation + "/organisations/" + code;
  return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
}

TlsFiles ServiceTls(const std::string& installation, const std::string& name) {
  const std::string at = installation + "/services/" + name;
  return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
}

grpc::Status Service::Ask(grpc::ServerContext* context, const AskRequest* request,
                          AskResponse* response) {
  return Unary(guard_, context, kAsk, *request, [&](const identity::Caller& caller) {
    ++handled;
    if (on_ask) return on_ask(caller, *request, *response);
    response->set_text(request->text());
    return absl::OkStatus();
  });
}

grpc::Status Service::Upload(grpc::ServerContext* context, grpc::ServerReader<AskRequest>* reader,
                             AskResponse* response) {
  return Streamed(guard_, context, kUpload, [&](const identity::Caller&) -> absl::Status {
    ++handled;
    AskRequest request;
    while (reader->Read(&request)) {
      YKT_RETURN_IF_ERROR(CheckSize(request));
      response->set_count(response->count() + 1);
    }
    absl::Status end = StreamEnd(*context);
    if (on_upload_end) on_upload_end(end);
    return end;
  });
}

grpc::Status Service::Exchange(grpc::ServerContext* context,
                               grpc::ServerReaderWriter<AskResponse, AskRequest>* stream) {
  return Streamed(guard_, context, kExchange, [&](const identity::Caller&) -> absl::Status {
    ++handled;
    AskRequest request;
    AskResponse response;
    while (stream->Read(&request)) {
      response.set_text(request.text());
      response.set_count(response.count() + 1);
      stream->Write(response);
      if (on_exchange_message) on_exchange_message();
    }
    return StreamEnd(*context);
  });
}

grpc::Status Service::Forgotten(grpc::ServerContext* context, const AskRequest* request,
                                AskResponse*) {
  return Unary(guard_, context, kForgotten, *request, [&](const identity::Caller&) {
    ++handled;
    return absl::OkStatus();
  });
}

Rig::Rig(GuardOptions guard_options) : authorizer(kRules) {
  auto made_signer = identity::TokenSigner::Load(Installation() + "/keys/token-issuer.key", clock);
  auto made_verifier =
      identity::TokenVerifier::Load({.issuer_folder = Installation() + "/issuers"}, clock);
  EXPECT_TRUE(made_signer.ok()) << made_signer.status();
  EXPECT_TRUE(made_verifier.ok()) << made_verifier.status();
  signer = *std::move(made_signer);
  verifier = *std::move(made_verifier);
  guard_options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                       const absl::Status& status) {
    std::lock_guard lock(mutex_);
    refusals_.push_back({caller, std::string(method), status, CallScope::Current() != nullptr});
  };
  guard = std::make_unique<Guard>(std::move(guard_options), authorizer, *verifier, metrics);
  service = std::make_unique<Service>(*guard);
  options.tls = ServiceTls(Installation(), "probe");
}

Rig::~Rig() {
  service->hub.Close();
  server.reset();
}

absl::Status Rig::TryStart() {
  server = std::make_unique<Server>(
      options, std::vector<Served>{{service.get(), ProbeService::service_full_name()}}, authorizer,
      [this] { return ready.load(); }, metrics.Registry());
  return server->Start();
}

void Rig::Start() {
  const absl::Status started = TryStart();
  ASSERT_TRUE(started.ok()) << started;
}

identity::TokenClaims Rig::AgriOperator() {
  return {.person = "p-17",
          .organisation = "agri",
          .roles = {Role::kDepartmentOperator},
          .fields = {"agriculture"},
          .districts = {120105}};
}

std::string Rig::Token(const identity::TokenClaims& claims, absl::Duration lifetime) const {
  const absl::StatusOr<std::string> token = signer->Mint(claims, lifetime);
  EXPECT_TRUE(token.ok()) << token.status();
  return token.value_or("");
}

std::unique_ptr<Channel> Rig::OpenAs(const TlsFiles& tls) const {
  auto channel =
      Channel::Open({.address = server->addresses().grpc, .server = "probe", .tls = tls});
  EXPECT_TRUE(channel.ok()) << channel.status();
  return *std::move(channel);
}

absl::StatusOr<AskResponse> Rig::Ask(const TlsFiles& tls, const std::string& token,
                                     const std::string& text) const {
  const std::unique_ptr<Channel> channel = OpenAs(tls);
  const auto stub = ProbeService::NewStub(channel->grpc());
  grpc::ClientContext context;
  channel->Prepare(context, absl::Seconds(10), token);
  AskRequest request;
  request.set_text(text);
  AskResponse response;
  YKT_RETURN_IF_ERROR(FromGrpc(stub->Ask(&context, request, &response)));
  return response;
}

std::vector<Refusal> Rig::refusals() const {
  std::lock_guard lock(mutex_);
  return refusals_;
}

}  // namespace yikatong::rpc::testing
