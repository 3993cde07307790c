#include "common/rpc/metrics_page.h"

#include <httplib.h>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <charconv>
#include <utility>

namespace yikatong::rpc {

MetricsPage::MetricsPage(std::shared_ptr<prometheus::Collectable> metrics)
    : metrics_(std::move(metrics)), server_(std::make_unique<httplib::Server>()) {
  server_->new_task_queue = [] { return new httplib::ThreadPool(2); };
  server_->set_payload_max_length(4'096);
  server_->set_read_timeout(5, 0);
  server_->set_keep_alive_timeout(1);
  // Only that a port can be had again at once after a restart; the library would let two processes
  // share it.
  server_->set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  server_->Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    std::string page;
    if (metrics_ != nullptr) page = prometheus::TextSerializer().Serialize(metrics_->Collect());
    response.set_content(page, "text/plain; version=0.0.4; charset=utf-8");
  });
}

MetricsPage::~MetricsPage() {
  server_->stop();
  if (thread_.joinable()) thread_.join();
}

int MetricsPage::Start(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return 0;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  int port = 0;
  const char* end = address.data() + address.size();
  const auto [rest, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || rest != end || port < 0 || port > 65535) return 0;
  if (port == 0) {
    port = server_->bind_to_any_port(host);
    if (port <= 0) return 0;
  } else if (!server_->bind_to_port(host, port)) {
    return 0;
  }
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  // stop() does nothing to a server that does not run yet.
  while (!server_->is_running()) std::this_thread::yield();
  return port;
}

}  // namespace yikatong::rpc
