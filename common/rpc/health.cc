#include "common/rpc/health.h"

namespace yikatong::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class Health::Service final : public grpc::health::v1::Health::CallbackService {
 public:
  explicit Service(Health& health) : health_(health) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const HealthCheckRequest* request,
                                  HealthCheckResponse* response) override {
    const HealthCheckResponse::ServingStatus status = health_.StatusOf(request->service());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
      reactor->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service"));
      return reactor;
    }
    response->set_status(status);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<HealthCheckResponse>* Watch(grpc::CallbackServerContext* /*context*/,
                                                       const HealthCheckRequest* request) override {
    return health_.watchers_.Attach({}, request->service());
  }

 private:
  Health& health_;
};

Health::Health(const std::vector<std::string_view>& services)
    : services_(services.begin(), services.end()) {}

Health::~Health() = default;

grpc::Service* Health::NewService() {
  made_.push_back(std::make_unique<Service>(*this));
  return made_.back().get();
}

HealthCheckResponse::ServingStatus Health::StatusOf(const std::string& service) const {
  if (service == kLiveness) return HealthCheckResponse::SERVING;
  if (!service.empty() && !services_.contains(service)) {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  return ready() ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void Health::Tell() {
  watchers_.PollOnce(
      [](const std::string&, const identity::Caller&) { return absl::OkStatus(); },
      [this](const std::string& service) -> absl::StatusOr<WatchHub<HealthCheckResponse>::State> {
        WatchHub<HealthCheckResponse>::State state;
        state.response.set_status(StatusOf(service));
        return state;
      });
}

}  // namespace yikatong::rpc
