// grpc.health.v1 for one process. "" and every service's full name say whether it is ready (own
// database answers, not draining); "liveness" is SERVING as long as the process can answer at all,
// so that a database that is down does not get a healthy process restarted.
//
// Internal to this room: it includes grpcpp.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/rpc/watch.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace yikatong::rpc {

inline constexpr std::string_view kLiveness = "liveness";

// Thread safe.
class Health {
 public:
  explicit Health(const std::vector<std::string_view>& services);
  ~Health();

  void SetReady(bool ready) { ready_ = ready; }
  void SetDraining() { draining_ = true; }
  bool ready() const { return ready_ && !draining_; }

  // SERVICE_UNKNOWN where there is no such service.
  grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(const std::string& service) const;

  // Tells watchers what changed; from one thread.
  void Tell();
  // Ends all watches.
  void Close() { watchers_.Close(); }

  // One service object for each listener: gRPC lets a service belong to one server.
  grpc::Service* NewService();

 private:
  class Service;
  friend class Service;

  std::set<std::string, std::less<>> services_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> draining_{false};
  WatchHub<grpc::health::v1::HealthCheckResponse> watchers_;
  std::vector<std::unique_ptr<grpc::Service>> made_;
};

}  // namespace yikatong::rpc
