#include "services/auditlog/config.h"

#include "common/redis/settings.h"
#include "common/rpc/settings.h"

namespace yikatong::auditlog {
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
  config::Schema schema("auditlog");
  rpc::DeclareServer(schema);
  redis::DeclareRedis(schema);
  schema
      .Text("database_conninfo", config::kRequired,
            "Database as the runtime role, in libpq's key=value form, without the password.")
      .OptionalSecret("database_password", "Password of the runtime role.")
      .Int("database_connections", 8, 2, 64, "Connections of the pool.")
      .Text("owner_conninfo", "", "Database as the owner role; only --migrate uses it.")
      .OptionalSecret("owner_password", "Password of the owner role.")
      .Text("origin", config::kRequired,
            "Name of this log in its checkpoints, such as a DNS name; never changed, and never "
            "used for another log.")
      .Path("signing_key", config::kRequired,
            "PEM private key (Ed25519, PKCS#8) that signs checkpoints.")
      .Path("checkpoint_file", "",
            "Where the newest checkpoint is remembered, on a disk that is not the database's; "
            "empty remembers none.")
      .Int("restore_epoch", 1, 0, 9,
           "Of the entries that the log makes of its own; raised as every service's is after a "
           "restore.")
      .Duration(
          "check_every", "10s", absl::Milliseconds(100), absl::Hours(1),
          "How often the newest head is compared with the tree and the remembered checkpoint.")
      .Duration("check_whole_every", "1h", absl::Seconds(1), absl::Hours(24 * 30),
                "How often every entry, node and head is checked; the first time at the start.");
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config) {
  postgres::DatabaseOptions options;
  options.conninfo =
      WithPassword(config.Text("database_conninfo"), config.Secret("database_password"));
  options.application_name = "auditlog";
  options.max_connections = static_cast<int>(config.Int("database_connections"));
  return options;
}

std::string OwnerConninfoOf(const config::Config& config) {
  const std::string& conninfo = config.Text("owner_conninfo");
  return conninfo.empty() ? conninfo : WithPassword(conninfo, config.Secret("owner_password"));
}

}  // namespace yikatong::auditlog
