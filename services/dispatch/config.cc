#include "services/dispatch/config.h"

#include <cstdio>

#include "common/outbox/restore.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/business_clock.h"
#include "common/rpc/settings.h"

namespace yikatong::dispatch {
namespace {

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
  postgres::DeclareDatabase(schema, {.connections = 16, .least = 4, .most = 128});
  outbox::DeclareRestore(schema);
  redis::DeclareRedis(schema);
  rpc::DeclareBusinessClock(schema);
  schema.Int("chunk_workers", 2, 0, 64, "Threads that route, submit and send chunks.")
      .Text("send_window", "00:00-24:00",
            "When chunks may be sent, Beijing time, HH:MM-HH:MM; may pass midnight.")
      .Duration("audit_backlog_limit", "24h", absl::Minutes(1), absl::Hours(24 * 30),
                "Funding and sending stop once the audit log is this far behind.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        if (ParseSendWindow(config.Text("send_window")).has_value()) return std::nullopt;
        return "send_window is not HH:MM-HH:MM";
      });
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config,
                                            telemetry::Metrics* metrics) {
  postgres::DatabaseOptions options = postgres::DatabaseOptionsOf(config, "dispatch", metrics);
  // A chunk is planned as it comes: tables grow from nothing to millions of rows within a day, and
  // a plan that was kept from their first minutes would read them whole.
  options.settings["plan_cache_mode"] = "force_custom_plan";
  // Of a table that was never analysed, or that has grown since, the planner must not think that
  // reading it whole is cheaper than looking up a chunk's keys.
  options.settings["enable_seqscan"] = "off";
  return options;
}

}  // namespace yikatong::dispatch
