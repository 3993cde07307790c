#include "common/redis/settings.h"

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

namespace yikatong::redis {
namespace {

// How the guard of calls names a caller that is a service.
constexpr std::string_view kServiceCaller = "service:";

// `host:port` or `unix:/path`; nothing for another form.
std::optional<RedisOptions> ReadAddress(const std::string& address) {
  RedisOptions options;
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) {
    options.unix_socket = address.substr(kUnix.size());
    return options.unix_socket.empty() ? std::nullopt : std::optional(options);
  }
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  options.host = address.substr(0, colon);
  const char* const end = address.data() + address.size();
  const auto [read, error] = std::from_chars(address.data() + colon + 1, end, options.port);
  const bool good = error == std::errc() && read == end && options.port > 0 && options.port < 65536;
  return good ? std::optional(options) : std::nullopt;
}

}  // namespace

void DeclareRedis(config::Schema& schema) {
  schema
      .Text("redis_address", "",
            "host:port or unix:/path; empty caches nothing and counts rates in this process.")
      .EachItsOwn()
      .OptionalSecret("redis_password", "Password of Redis.")
      .Int("rate_limit", 600, 1, 1'000'000,
           "Calls that one organisation may make in a second; more are refused with RATE_LIMITED.")
      .Int("service_rate_limit", 20'000, 1, 1'000'000,
           "Calls that one other service may make in a second.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        const std::string& address = config.Text("redis_address");
        if (address.empty() || ReadAddress(address).has_value()) return std::nullopt;
        return "redis_address is neither host:port nor unix:/path";
      });
}

std::unique_ptr<Cache> OpenCache(const config::Config& config, std::string_view service,
                                 const base::Clock& clock, telemetry::Metrics* metrics) {
  std::optional<RedisOptions> options = ReadAddress(config.Text("redis_address"));
  if (!options.has_value()) return MakeNoCache(clock);
  options->password = config.Secret("redis_password");
  options->prefix = std::string(service) + ":";
  options->metrics = metrics;
  return MakeRedisCache(*std::move(options), clock);
}

std::function<bool(std::string_view who)> RateLimitOf(const config::Config& config, Cache& cache) {
  return [&cache, of_organisation = config.Int("rate_limit"),
          of_service = config.Int("service_rate_limit")](std::string_view who) {
    const std::int64_t limit = who.starts_with(kServiceCaller) ? of_service : of_organisation;
    return cache.AllowRate(std::string("rate:").append(who), limit, std::chrono::seconds(1));
  };
}

}  // namespace yikatong::redis
