#include "services/catalogue/config.h"

#include <chrono>

#include "common/base/dates.h"
#include "common/redis/settings.h"
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

}  // namespace

config::Schema Settings() {
  config::Schema schema("catalogue");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "auditlog");
  redis::DeclareRedis(schema);
  schema
      .Text("database_conninfo", config::kRequired,
            "Database as the runtime role, in libpq's key=value form, without the password.")
      .OptionalSecret("database_password", "Password of the runtime role.")
      .Int("database_connections", 8, 2, 64, "Connections of the pool.")
      .Text("owner_conninfo", "", "Database as the owner role; only --migrate uses it.")
      .OptionalSecret("owner_password", "Password of the owner role.")
      .Choice("business_clock", "beijing", {"beijing", "adjustable"},
              "beijing: today's date; adjustable: a date that is moved by hand, for demonstrations "
              "only.")
      .Text("business_date", "",
            "First business date of an adjustable clock that has none yet; empty for today.")
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
  return options;
}

std::string OwnerConninfoOf(const config::Config& config) {
  const std::string& conninfo = config.Text("owner_conninfo");
  return conninfo.empty() ? conninfo : WithPassword(conninfo, config.Secret("owner_password"));
}

std::optional<absl::CivilDay> FirstBusinessDateOf(const config::Config& config) {
  return base::ParseDate(config.Text("business_date"));
}

}  // namespace yikatong::catalogue
