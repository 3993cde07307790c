#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

#include "common/rpc/wire_status.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "services/yktctl/commands/call.h"

namespace yikatong::yktctl {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// What a kubelet asks, over the same plaintext listener.
absl::Status Check(const std::string& address, const std::string& service, int timeout_s,
                   HealthCheckResponse& response) {
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(timeout_s));
  // A process that is about to listen is worth the time that the caller gives.
  context.set_wait_for_ready(true);
  HealthCheckRequest request;
  request.set_service(service);
  return rpc::FromGrpc(Health::NewStub(channel)->Check(&context, request, &response));
}

}  // namespace

void AddHealthCommands(CLI::App& app, Session& session, int& code) {
  CLI::App* health =
      app.add_subcommand("health", "Whether a process can work, asked as its probes ask");
  auto address = std::make_shared<std::string>();
  auto service = std::make_shared<std::string>();
  health->add_option("address", *address, "host:port of its health listener")->required();
  health->add_option("--service", *service,
                     "Whose health: empty for readiness, `liveness`, or a service's full name");
  health->callback([&session, &code, address, service] {
    HealthCheckResponse response;
    const absl::Status status = Check(*address, *service, session.options().timeout_s, response);
    if (!status.ok()) {
      code = Fail(session, status);
      return;
    }
    Print(session, response);
    if (response.status() != HealthCheckResponse::SERVING) code = kRefused;
  });
}

}  // namespace yikatong::yktctl
