// A DNS server on loopback that knows one name, as a cluster's knows that of a headless Service: it
// gives the addresses of whoever is ready, and no name where nobody is. gRPC asks it because the
// target says so; nothing of the machine is touched.
//
//   NameServer names;
//   names.Set({"127.0.0.2", "127.0.0.3"});
//   Channel::Open({.address = names.TargetOf(port), …});
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace yikatong::rpc::testing {

// Thread safe.
class NameServer {
 public:
  // An answer is given again until it is older than `cache`.
  explicit NameServer(absl::Duration cache = absl::ZeroDuration());
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  void Set(std::vector<std::string> addresses);
  // For a channel to the name, asked of this server; all addresses have one port.
  std::string TargetOf(int port) const;
  int64_t asked() const { return asked_; }

 private:
  void Serve();
  std::vector<std::string> Known();
  std::string Answer(std::string_view query);

  const absl::Duration cache_;
  int socket_ = -1;
  int port_ = 0;
  std::atomic<int64_t> asked_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::string> addresses_, cached_;
  absl::Time cached_at_ = absl::InfinitePast();
  std::thread thread_;
};

}  // namespace yikatong::rpc::testing
