#include "services/bankgateway/config.h"

#include <optional>

#include "common/postgres/lease_length.h"
#include "common/rpc/settings.h"

namespace yikatong::bankgateway {
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

}  // namespace

config::Schema Settings() {
  config::Schema schema("bankgateway");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "auditlog");
  schema
      .Text("database_conninfo", config::kRequired,
            "Database as the runtime role, in libpq's key=value form, without the password.")
      .OptionalSecret("database_password", "Password of the runtime role.")
      .Int("database_connections", 16, 4, 128, "Connections of the pool.")
      .Text("owner_conninfo", "", "Database as the owner role; only --migrate uses it.")
      .OptionalSecret("owner_password", "Password of the owner role.")
      .Duration("lease", "15s", absl::Seconds(3), absl::Minutes(10),
                "How long a worker's life sign stands still until others take over its work; the "
                "same for all replicas.")
      .Path("column_keys", config::kRequired,
            "Key ring that accounts and files are encrypted under; the highest id is used for what "
            "is new.")
      .Path("wrapping_key", config::kRequired,
            "PEM private key (X25519) that the registry seals accounts for.")
      .Path("registry_key", config::kRequired,
            "PEM public key (Ed25519) that signs sealed accounts.")
      .Path("file_key", config::kRequired, "PEM private key (Ed25519) that signs files for banks.")
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: asked of the catalogue, for demonstrations only.")
      .Text("catalogue_address", "",
            "Address of the catalogue; only with business_clock = adjustable.")
      .Duration("business_clock_poll", "200ms", absl::Milliseconds(20), absl::Minutes(1),
                "How often the catalogue is asked for the business date.")
      .Duration("pack_wait", "300ms", absl::ZeroDuration(), absl::Minutes(10),
                "How long a chunk waits for others to share its file.")
      .Int("file_rows", 10'000, 1, 20'000, "Rows of a file, at most.")
      .Int("senders", 2, 1, 32, "Files that are sent at one time.")
      .Duration("result_poll", "100ms", absl::Milliseconds(5), absl::Minutes(10),
                "How often a bank without news is asked for results.")
      .Duration("day_poll", "500ms", absl::Milliseconds(5), absl::Minutes(10),
                "How often closed days and late rows are looked for.")
      .Int("unknown_after_days", 2, 1, 30,
           "Days after sending, on the business clock, until a row without a final outcome is told "
           "as unknown.")
      .Rule([](const config::Config& config) -> std::optional<std::string> {
        if (config.Text("business_clock") == "beijing" ||
            !config.Text("catalogue_address").empty()) {
          return std::nullopt;
        }
        return "catalogue_address is needed with business_clock = adjustable";
      });
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config) {
  postgres::DatabaseOptions options;
  options.conninfo =
      WithPassword(config.Text("database_conninfo"), config.Secret("database_password"));
  options.application_name = "bankgateway";
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

}  // namespace yikatong::bankgateway
