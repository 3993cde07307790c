#include "services/dispatch/clients/catalogue_client.h"

#include <grpcpp/client_context.h>

#include "common/status/status.h"
#include "services/dispatch/clients/peer_status.h"
#include "services/dispatch/clients/rule_codec.h"
#include "yikatong/catalogue/v1/catalogue.grpc.pb.h"

namespace yikatong::dispatch {
namespace {

namespace pb = catalogue::v1;
const absl::Duration kDeadline = absl::Seconds(5);

}  // namespace

class CatalogueClient::Impl {
 public:
  explicit Impl(const rpc::Channel& channel)
      : channel_(channel), stub_(pb::CatalogueService::NewStub(channel.grpc())) {}

  absl::StatusOr<PinnedRule> PayableVersion(std::string_view policy_id, std::string_view period,
                                            std::int32_t district, std::string_view department_id) {
    grpc::ClientContext context;
    channel_.Prepare(context, kDeadline);
    pb::GetPayableVersionRequest request;
    request.set_policy_id(std::string(policy_id));
    request.set_period(std::string(period));
    request.set_district(district);
    request.set_department_id(std::string(department_id));
    pb::GetPayableVersionResponse response;
    YKT_RETURN_IF_ERROR(
        FromPeer("catalogue", stub_->GetPayableVersion(&context, request, &response)));
    PinnedRule pinned;
    YKT_ASSIGN_OR_RETURN(pinned.rule, CatalogueRuleCodec::FromWire(response));
    pinned.bytes = response.SerializeAsString();
    return pinned;
  }

 private:
  const rpc::Channel& channel_;
  std::unique_ptr<pb::CatalogueService::Stub> stub_;
};

CatalogueClient::CatalogueClient(const rpc::Channel& channel)
    : impl_(std::make_unique<Impl>(channel)) {}
CatalogueClient::~CatalogueClient() = default;

absl::StatusOr<PinnedRule> CatalogueClient::PayableVersion(std::string_view policy_id,
                                                           std::string_view period,
                                                           std::int32_t district,
                                                           std::string_view department_id) {
  return impl_->PayableVersion(policy_id, period, district, department_id);
}

}  // namespace yikatong::dispatch
