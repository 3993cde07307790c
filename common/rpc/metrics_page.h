// The HTTP listener of /metrics. Internal to this room.
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
  // Null `metrics`: an empty page.
  explicit MetricsPage(std::shared_ptr<prometheus::Collectable> metrics);
  ~MetricsPage();  // stops

  // Listens on "host:port"; gives the port, or 0 when it cannot.
  int Start(const std::string& address);

 private:
  const std::shared_ptr<prometheus::Collectable> metrics_;
  const std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
};

}  // namespace yikatong::rpc
