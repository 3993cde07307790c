#include "services/auditlog/config.h"

#include "common/postgres/settings.h"
#include "common/redis/settings.h"
#include "common/rpc/settings.h"

namespace yikatong::auditlog {

config::Schema Settings() {
  config::Schema schema("auditlog");
  rpc::DeclareServer(schema);
  postgres::DeclareDatabase(schema);
  redis::DeclareRedis(schema);
  schema
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
                "How often every entry, node and head is checked; the first time at the start.")
      .Text("former_verifier_key", "",
            "Verifier key, <origin>+<hash>+<key>, of the log that this one follows. While it is "
            "set, an empty log takes nothing before --begin-anew.")
      .Path("former_checkpoint", "",
            "The last checkpoint of that log that anybody holds, a signed note; for --begin-anew.")
      .Text("break_reason", "",
            "Why a new log begins, one line without personal data; for --begin-anew.");
  return schema;
}

}  // namespace yikatong::auditlog
