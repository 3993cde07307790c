#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "services/yktctl/app.h"
#include "services/yktctl/output.h"

namespace yikatong::yktctl {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// A process that is alive, but cannot work.
class Waiting final : public grpc::health::v1::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext*, const HealthCheckRequest* request,
                     HealthCheckResponse* response) override {
    if (request->service() == "liveness") {
      response->set_status(HealthCheckResponse::SERVING);
    } else if (request->service().empty()) {
      response->set_status(HealthCheckResponse::NOT_SERVING);
    } else {
      return {grpc::StatusCode::NOT_FOUND, "no such service"};
    }
    return grpc::Status::OK;
  }
};

int Ask(std::vector<std::string> words) {
  Connections connections;
  words.insert(words.begin(), {"--timeout", "10", "health"});
  return RunCommand(words, connections);
}

TEST(Health, TellsAliveFromReadyByItsExitCode) {
  Waiting waiting;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&waiting);
  const auto server = builder.BuildAndStart();
  const std::string address = "127.0.0.1:" + std::to_string(port);
  EXPECT_EQ(Ask({address, "--service", "liveness"}), kDone);
  EXPECT_EQ(Ask({address}), kRefused);
  EXPECT_NE(Ask({address, "--service", "no.such.Service"}), kDone);
  server->Shutdown();
}

TEST(Health, OfNobodyIsUnavailable) {
  Connections connections;
  EXPECT_EQ(RunCommand({"--timeout", "1", "health", "127.0.0.1:1"}, connections), kUnavailable);
  EXPECT_EQ(RunCommand({"health"}, connections), kUsage);
}

}  // namespace
}  // namespace yikatong::yktctl
