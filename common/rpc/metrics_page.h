// The HTTP listener of /metrics. Internal to this room.
//
// Beside what the process counts it says which build it is, by a hash with which settings it runs,
// so that replicas with unlike ones are seen, and until when the process's certificate is good,
// read from the file at each look: a certificate that nobody renewed must be seen before it ends.
//
// prometheus::Exposer would do, but takes two seconds to stop: each drain would wait for it.
#pragma once

#include <memory>
#include <string>
#include <thread>

namespace httplib {
class Server;
}
namespace prometheus {
class Collectable;
}

namespace yikatong::rpc {

class MetricsPage {
 public:
  // Null `metrics`: only what is said above. `certificate` is a PEM file; one that cannot be read
  // is left out, and so is an empty `config_hash`.
  MetricsPage(std::shared_ptr<prometheus::Collectable> metrics, std::string certificate,
              std::string config_hash);
  ~MetricsPage();  // stops

  // Listens on "host:port"; gives the port, or 0 when it cannot.
  int Start(const std::string& address);

 private:
  std::string Page() const;

  const std::shared_ptr<prometheus::Collectable> metrics_;
  const std::string certificate_;
  const std::string config_hash_;
  const std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
};

}  // namespace yikatong::rpc
