#include "common/rpc/metrics_page.h"

#include <httplib.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/failpoint.h"

namespace yikatong::rpc {
namespace {

// When the first certificate of a PEM file ends; nothing where it cannot be read.
std::optional<absl::Time> CertificateEnds(const std::string& path) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "re"),
                                                                &std::fclose);
  if (file == nullptr) return std::nullopt;
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
  std::tm ends = {};
  if (certificate == nullptr ||
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &ends) != 1) {
    return std::nullopt;
  }
  return absl::FromTM(ends, absl::UTCTimeZone());
}

prometheus::MetricFamily ExpiryFamily(absl::Time ends) {
  prometheus::ClientMetric metric;
  metric.gauge.value = static_cast<double>(absl::ToUnixSeconds(ends));
  return {.name = "yikatong_certificate_expires_seconds",
          .help = "Unix time at which the certificate of this process ends.",
          .type = prometheus::MetricType::Gauge,
          .metric = {std::move(metric)}};
}

prometheus::MetricFamily BuildFamily() {
  prometheus::ClientMetric metric;
  metric.label = {{"failpoints", base::failpoint::BuiltIn() ? "yes" : "no"},
                  {"version", YIKATONG_VERSION}};
  metric.gauge.value = 1;
  return {.name = "yikatong_build_info",
          .help = "1; which release this process is, and whether it has the failpoints of tests.",
          .type = prometheus::MetricType::Gauge,
          .metric = {std::move(metric)}};
}

prometheus::MetricFamily ConfigFamily(const std::string& hash) {
  prometheus::ClientMetric metric;
  metric.label = {{"hash", hash}};
  metric.gauge.value = 1;
  return {.name = "yikatong_config_info",
          .help = "1; a hash of the settings that all replicas of a service should have alike.",
          .type = prometheus::MetricType::Gauge,
          .metric = {std::move(metric)}};
}

}  // namespace

MetricsPage::MetricsPage(std::shared_ptr<prometheus::Collectable> metrics, std::string certificate,
                         std::string config_hash)
    : metrics_(std::move(metrics)),
      certificate_(std::move(certificate)),
      config_hash_(std::move(config_hash)),
      server_(std::make_unique<httplib::Server>()) {
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
    response.set_content(Page(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

std::string MetricsPage::Page() const {
  std::vector<prometheus::MetricFamily> families;
  if (metrics_ != nullptr) families = metrics_->Collect();
  families.push_back(BuildFamily());
  if (!config_hash_.empty()) families.push_back(ConfigFamily(config_hash_));
  if (const std::optional<absl::Time> ends = CertificateEnds(certificate_)) {
    families.push_back(ExpiryFamily(*ends));
  }
  return prometheus::TextSerializer().Serialize(families);
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
