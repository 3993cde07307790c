#include "services/dispatch/config.h"

#include <charconv>
#include <cstdio>

#include "common/postgres/lease_length.h"
#include "common/rpc/settings.h"

namespace yikatong::dispatch {
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
  options.prefix = "dispatch:";
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

// Exactly `HH:MM`, 00:00 to 24:00.
std::optional<absl::Duration> TimeOfDay(std::string_view text) {
  const auto digit = [&](std::size_t at) {
    return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : 1'000;
  };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const int hour = digit(0) * 10 + digit(1);
  const int minute = digit(3) * 10 + digit(4);
  if (minute >= 60 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return absl::Minutes(hour * 60 + minute);
}

}  // namespace

std::optional<SendWindow> ParseSendWindow(const std::string& text) {
  if (text.size() != 11 || text[5] != '-') return std::nullopt;
  const std::optional<absl::Duration> from = TimeOfDay(std::string_view(text).substr(0, 5));
  const std::optional<absl::Duration> to = TimeOfDay(std::string_view(text).substr(6));
  if (!from.has_value() || !to.has_value()) return std::nullopt;
  return SendWindow{*from, *to};
}

config::Schema Settings() {
  config::Schema schema("dispatch");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "catalogue");
  rpc::DeclarePeer(schema, "registry");
  rpc::DeclarePeer(schema, "bankgateway");
  rpc::DeclarePeer(schema, "auditlog");
  schema
      .Text("database_conninfo", config::kRequired,
            "Database as the runtime role, in libpq's key=value form, without the password.")
      .OptionalSecret("database_password", "Password of the runtime role.")
      .Int("database_connections", 16, 4, 128, "Connections of the pool.")
      .Text("owner_conninfo", "", "Database as the owner role; only --migrate uses it.")
      .OptionalSecret("owner_password", "Password of the owner role.")
      .Text("redis_address", "", "host:port or unix:/path; empty does without.")
      .OptionalSecret("redis_password", "Password of Redis.")
      .Int("rate_limit", 600, 1, 1'000'000, "Calls that one organisation may make in a second.")
      .Duration("lease", "15s", absl::Seconds(3), absl::Minutes(10),
                "How long a worker's life sign stands still until others take over its work; the "
                "same for all replicas.")
      .Int("chunk_workers", 2, 0, 64, "Threads that route, submit and send chunks.")
      .Text("send_window", "00:00-24:00",
            "When chunks may be sent, Beijing time, HH:MM-HH:MM; may pass midnight.")
      .Duration("audit_backlog_limit", "24h", absl::Minutes(1), absl::Hours(24 * 30),
                "Funding and sending stop once the audit log is this far behind.")
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: asked of the catalogue, for demonstrations only.")
      .Duration("business_clock_poll", "200ms", absl::Milliseconds(20), absl::Minutes(1),
                "How often the catalogue is asked for an adjustable business date.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        const std::string& address = config.Text("redis_address");
        if (address.empty() || ReadRedisAddress(address).has_value()) return std::nullopt;
        return "redis_address is neither host:port nor unix:/path";
      })
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        if (ParseSendWindow(config.Text("send_window")).has_value()) return std::nullopt;
        return "send_window is not HH:MM-HH:MM";
      });
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config) {
  postgres::DatabaseOptions options;
  options.conninfo =
      WithPassword(config.Text("database_conninfo"), config.Secret("database_password"));
  options.application_name = "dispatch";
  // A chunk is planned as it comes: tables grow from nothing to millions of rows within a day, and
  // a plan that was kept from their first minutes would read them whole.
  options.settings["plan_cache_mode"] = "force_custom_plan";
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

}  // namespace yikatong::dispatch
