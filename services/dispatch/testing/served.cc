#include "services/dispatch/testing/served.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "services/dispatch/clients/testing/fakes.h"
#include "services/dispatch/rpc/rules.h"

namespace yikatong::dispatch::testing {
namespace {

namespace fs = std::filesystem;

// Stands in for the handlers of repairs, which have tests of their own.
class NoRepairs final : public RepairHandlers {
 public:
#define YKT_NONE(method, response_type)                                                         \
  absl::StatusOr<v1::response_type> method(const v1::method##Request&, const identity::Caller&) \
      override {                                                                                \
    return absl::UnimplementedError(#method);                                                   \
  }
  YKT_NONE(ListRepairs, ListRepairsResponse)
  YKT_NONE(OpenRecoveries, OpenRecoveriesResponse)
  YKT_NONE(ApproveRecovery, Recovery)
  YKT_NONE(NotifyRecovery, Recovery)
  YKT_NONE(RecordReceipt, Recovery)
  YKT_NONE(RequestWriteOff, Recovery)
  YKT_NONE(DecideWriteOff, Recovery)
  YKT_NONE(CancelRecovery, Recovery)
  YKT_NONE(GetRecovery, Recovery)
  YKT_NONE(ListRecoveries, ListRecoveriesResponse)
  YKT_NONE(RecordArrival, Arrival)
  YKT_NONE(ConfirmArrival, Arrival)
  YKT_NONE(RefuseArrival, Arrival)
  YKT_NONE(ListArrivals, ListArrivalsResponse)
  YKT_NONE(CreateTopUp, Batch)
  YKT_NONE(ListSetAsideChunks, ListSetAsideChunksResponse)
  YKT_NONE(ResumeChunk, ResumeChunkResponse)
#undef YKT_NONE
};

class Folder {
 public:
  Folder() : path_((fs::temp_directory_path() / "ykt-dispatch-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
    const char* source = std::getenv("YIKATONG_SOURCE_DIR");
    std::string command =
        std::string(source == nullptr ? "." : source) + "/deploy/certificates/make " + path_;
    for (const char* name : {kCivil, kCivilOfBaodi, kFinance})
      command += std::string(" --organisation ") + name;
    if (std::system(command.c_str()) != 0) std::abort();
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

const std::string& Installation() {
  static const Folder folder;
  return folder.path();
}

const std::string& ForeignInstallation() {
  static const Folder folder;
  return folder.path();
}

rpc::TlsFiles TlsOf(const std::string& kind, const std::string& name,
                    const std::string& installation) {
  const std::string at = installation + "/" + kind + "/" + name;
  return {.ca = at + "/ca.pem", .certificate = at + "/tls.pem", .key = at + "/tls.key"};
}

Served::Served(IntakeHandlers& intake, MoneyHandlers& money, rpc::GuardOptions options,
               BudgetHandlers* budget, RepairHandlers* repairs, ArchiveHandlers* archives)
    : authorizer_(AccessRules()),
      signer_(*identity::TokenSigner::Load(Installation() + "/keys/token-issuer.key", clock_)),
      tokens_(
          *identity::TokenVerifier::Load({.issuer_folder = Installation() + "/issuers"}, clock_)) {
  guard_ = std::make_unique<rpc::Guard>(std::move(options), authorizer_, *tokens_, metrics_);
  static NoRepairs none;
  service_ =
      std::make_unique<DispatchRpc>(*guard_, intake, money, repairs == nullptr ? none : *repairs);
  if (budget != nullptr) {
    budget_ = std::make_unique<BudgetRpc>(*guard_, *budget);
  } else {
    budget_ = std::make_unique<v1::BudgetService::Service>();
  }
  if (archives != nullptr) {
    archives_ = std::make_unique<ArchiveRpc>(*guard_, *archives);
  } else {
    archives_ = std::make_unique<v1::ArchiveService::Service>();
  }
  rpc::ServerOptions server;
  server.tls = TlsOf("services", "dispatch");
  server_ = std::make_unique<rpc::Server>(
      server,
      std::vector<rpc::Served>{{service_.get(), v1::DispatchService::service_full_name()},
                               {budget_.get(), v1::BudgetService::service_full_name()},
                               {archives_.get(), v1::ArchiveService::service_full_name()}},
      authorizer_, [] { return true; }, metrics_.Registry());
  const absl::Status started = server_->Start();
  EXPECT_TRUE(started.ok()) << started;
}

Served::~Served() {
  service_->hub().Close();
  server_->Drain();
}

std::string Served::Token(identity::TokenClaims claims, absl::Duration lifetime) const {
  if (claims.organisation.empty()) claims.organisation = kCivil;
  if (claims.districts.empty()) claims.districts = {kHebei};
  if (claims.fields.empty()) claims.fields = {"CIVIL"};
  return *signer_->Mint(claims, lifetime);
}

rpc::Channel& Served::As(const std::string& organisation) {
  std::unique_ptr<rpc::Channel>& channel = channels_[organisation];
  if (channel == nullptr) channel = Open(TlsOf("organisations", organisation));
  return *channel;
}

std::unique_ptr<rpc::Channel> Served::Open(const rpc::TlsFiles& tls) const {
  rpc::ChannelOptions options;
  options.address = address();
  options.server = "dispatch";
  options.tls = tls;
  return *rpc::Channel::Open(options);
}

}  // namespace yikatong::dispatch::testing
