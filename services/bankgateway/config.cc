#include "services/bankgateway/config.h"

#include "common/outbox/restore.h"
#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/business_clock.h"
#include "common/rpc/settings.h"

namespace yikatong::bankgateway {

config::Schema Settings() {
  config::Schema schema("bankgateway");
  rpc::DeclareServer(schema);
  rpc::DeclarePeer(schema, "auditlog");
  postgres::DeclareDatabase(schema, {.connections = 16, .least = 4, .most = 128});
  outbox::DeclareRestore(schema);
  redis::DeclareRedis(schema);
  rpc::DeclareBusinessClock(schema);
  rpc::DeclareClockOwner(schema, "catalogue");
  schema
      .Path("column_keys", config::kRequired,
            "Key ring that accounts and files are encrypted under; the highest id is used for what "
            "is new.")
      .Path("wrapping_key", config::kRequired,
            "PEM private key (X25519) that the registry seals accounts for.")
      .Path("registry_key", config::kRequired,
            "PEM public key (Ed25519) that signs sealed accounts.")
      .Path("file_key", config::kRequired, "PEM private key (Ed25519) that signs files for banks.")
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
      .Int("not_paid_after_days", 3, 1, 60,
           "Days after a payment's day, on the business clock, before two persons may decide that "
           "nobody was paid: the longest horizon of the banks.")
      .Int("statement_missing_after_days", 2, 1, 30,
           "Working days after a day until a statement that is not closed is a case.")
      .Bool("leave_unclaimed", false,
            "Only --finish-restore uses it: finish although payments of the undone time belong to "
            "nobody; they become cases.");
  return schema;
}

postgres::DatabaseOptions DatabaseOptionsOf(const config::Config& config,
                                            telemetry::Metrics* metrics) {
  postgres::DatabaseOptions options = postgres::DatabaseOptionsOf(config, "bankgateway", metrics);
  // A chunk is planned as it comes: tables grow from nothing to millions of rows within a day, and
  // a plan that was kept from their first minutes would read them whole.
  options.settings["plan_cache_mode"] = "force_custom_plan";
  // Of a table that was never analysed, or that has grown since, the planner must not think that
  // reading it whole is cheaper than looking up a chunk's keys.
  options.settings["enable_seqscan"] = "off";
  return options;
}

}  // namespace yikatong::bankgateway
