// The settings of Redis and of the rates that it counts, declared once, so that every server has
// the same keys.
//
//   config::Schema schema("dispatch");
//   redis::DeclareRedis(schema);
//   …
//   const std::unique_ptr<redis::Cache> cache = redis::OpenCache(config, "dispatch", clock);
//   rpc::GuardOptions options = rpc::GuardOptionsOf(config);
//   options.allow = redis::RateLimitOf(config, *cache);
//
// Keys: redis_address, redis_password, rate_limit, service_rate_limit.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/redis/cache.h"

namespace yikatong::redis {

void DeclareRedis(config::Schema& schema);

// Every key and channel begins with `service`. Without an address it is the cache that caches
// nothing, counts rates in this process and has no metrics. `clock` and `metrics` must outlive it;
// `metrics` may be null.
std::unique_ptr<Cache> OpenCache(const config::Config& config, std::string_view service,
                                 const base::Clock& clock, telemetry::Metrics* metrics = nullptr);

// False once `who` had its calls of this second, over all replicas of the service. An organisation
// is limited by rate_limit. A service ("service:<name>") calls for everybody at once and by chunks:
// it has the far higher service_rate_limit, which only a loop that ran wild can reach, and a
// refused one goes on within the second. `cache` must outlive what is returned.
std::function<bool(std::string_view who)> RateLimitOf(const config::Config& config, Cache& cache);

}  // namespace yikatong::redis
