#include "services/catalogue/config.h"

#include <charconv>
#include <chrono>

#include "common/base/dates.h"
#include "common/postgres/lease_length.h"
#include "common/rpc/settings.h"

namespace yikatong::catalogue {
namespace {

// A value of a conninfo, quoted as libpq reads it.
std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string WithPassword(const std::string& conninfo, const std::string& password) {
  return password.empty() ? conninfo : conninfo + " password=" + Quoted(password);
}

// `host:port` or `unix:/path`; nothing for another form.
std::optional<redis::RedisOptions> ReadRedisAddress(const std::string& address) {
  redis::RedisOptions options;
  options.prefix = "catalogue:";
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

config::Schema Settings() {
  config::Schema schema("catalogue");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "auditlog");
  schema
      .Text("database_conninfo", config::kRequired,
            "Database as the runtime role, in libpq's key=value form, without the password.")
      .OptionalSecret("database_password", "Password of the runtime role.")
      .Int("database_connections", 8, 2, 64, "Connections of the pool.")
      .Duration("lease", "15s", absl::Seconds(3), absl::Minutes(10),
                "How long a worker's life sign stands still until others take over its work; the "
                "same for all replicas.")
      .Text("owner_conninfo", "", "Database as the owner role; only --migrate uses it.")
      .OptionalSecret("owner_password", "Password of the owner role.")
      .Text("redis_address", "", "host:port or unix:/path; empty does without a cache.")
      .OptionalSecret("redis_password", "Password of Redis.")
      .Int("rate_limit", 600, 1, 1'000'000, "Calls that one organisation may make in a second.")
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: a date that is moved by hand, for demonstrations "
              "only.")
      .Text("business_date", "",
            "First business date of an adjustable clock that has none yet; empty for today.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        const std::string& address = config.Text("redis_address");
        if (address.empty() || ReadRedisAddress(address).has_value()) return std::nullopt;
        return "redis_address is neither host:port nor unix:/path";
      })
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        const std::string& date = config.Text("business_date");
        if (date.empty()) return std::nullopt;
        if (!base::ParseDate(date).has_value()) return "business_date is not a date YYYY-MM-DD";
        if (config.Text("business_clock") == "adjustable") return std::nullopt;
        return "business_date is only for business_clock = adjustable";
      });
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config) {
  postgres::DatabaseOptions options;
  options.conninfo =
      WithPassword(config.Text("database_conninfo"), config.Secret("database_password"));
  options.application_name = "catalogue";
  options.max_connections = static_cast<int>(config.Int("database_connections"));
  options.idle_in_transaction_timeout_ms =
      postgres::IdleInTransactionMs(absl::ToInt64Milliseconds(config.Duration("lease")));
  return options;
}

std::string OwnerConninfoOf(const config::Config& config) {
  const std::string& conninfo = config.Text("owner_conninfo");
  return conninfo.empty() ? conninfo : WithPassword(conninfo, config.Secret("owner_password"));
}

std::optional<redis::RedisOptions> RedisOptionsOf(const config::Config& config) {
  std::optional<redis::RedisOptions> options = ReadRedisAddress(config.Text("redis_address"));
  if (options.has_value()) options->password = config.Secret("redis_password");
  return options;
}

std::optional<absl::CivilDay> FirstBusinessDateOf(const config::Config& config) {
  return base::ParseDate(config.Text("business_date"));
}

}  // namespace yikatong::catalogue
