#include "services/registry/config.h"

#include "common/outbox/restore.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/business_clock.h"
#include "common/rpc/settings.h"
#include "services/registry/store/pg_people_store.h"

namespace yikatong::registry {

config::Schema Settings() {
  config::Schema schema("registry");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "auditlog");
  postgres::DeclareDatabase(schema);
  outbox::DeclareRestore(schema);
  redis::DeclareRedis(schema);
  rpc::DeclareBusinessClock(schema);
  rpc::DeclareClockOwner(schema, "catalogue");
  schema
      .Path("column_keys", config::kRequired,
            "Key ring that sensitive columns are encrypted under; the highest id is used for what "
            "is new.")
      .Path("index_key", config::kRequired,
            "Key ring of exactly one key, for blind indexes; can never be changed.")
      .Path("signing_key", config::kRequired,
            "PEM private key (Ed25519) that signs sealed accounts.")
      .Path("gateway_key", config::kRequired,
            "PEM public key (X25519) of the gateway, for which accounts are sealed.");
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config,
                                            telemetry::Metrics* metrics) {
  postgres::DatabaseOptions options = postgres::DatabaseOptionsOf(config, "registry", metrics);
  options.settings = SessionSettings();
  return options;
}

}  // namespace yikatong::registry
