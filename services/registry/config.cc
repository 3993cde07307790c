#include "services/registry/config.h"

#include <optional>

#include "common/postgres/lease_length.h"
#include "common/rpc/settings.h"
#include "services/registry/store/pg_people_store.h"

namespace yikatong::registry {
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
  config::Schema schema("registry");
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
      .Path("column_keys", config::kRequired,
            "Key ring that sensitive columns are encrypted under; the highest id is used for what "
            "is new.")
      .Path("index_key", config::kRequired,
            "Key ring of exactly one key, for blind indexes; can never be changed.")
      .Path("signing_key", config::kRequired,
            "PEM private key (Ed25519) that signs sealed accounts.")
      .Path("gateway_key", config::kRequired,
            "PEM public key (X25519) of the gateway, for which accounts are sealed.")
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: asked of the catalogue, for demonstrations only.")
      .Text("catalogue_address", "",
            "Address of the catalogue; only with business_clock = adjustable.")
      .Duration("business_clock_poll", "200ms", absl::Milliseconds(20), absl::Minutes(1),
                "How often the catalogue is asked for the business date.")
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
  options.application_name = "registry";
  options.max_connections = static_cast<int>(config.Int("database_connections"));
  options.idle_in_transaction_timeout_ms =
      postgres::IdleInTransactionMs(absl::ToInt64Milliseconds(config.Duration("lease")));
  options.settings = SessionSettings();
  return options;
}

std::string OwnerConninfoOf(const config::Config& config) {
  const std::string& conninfo = config.Text("owner_conninfo");
  return conninfo.empty() ? conninfo : WithPassword(conninfo, config.Secret("owner_password"));
}

}  // namespace yikatong::registry
