// The parts of the service, put together from its settings.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/crypto/note.h"
#include "common/postgres/database.h"
#include "common/redis/cache.h"
#include "common/rpc/call.h"
#include "common/telemetry/metrics.h"
#include "services/auditlog/domain/audit_log.h"
#include "services/auditlog/rpc/refusals.h"
#include "services/auditlog/store/checkpoint_file.h"
#include "services/auditlog/store/postgres_log_store.h"
#include "services/auditlog/watchman.h"

namespace yikatong::auditlog {

// What the process was started for.
enum class Command { kServe, kMigrate, kCheckConfig, kVerify, kBeginAnew };

// Takes --migrate, --check-config, --verify and --begin-anew out of the arguments; the last one
// named counts.
Command TakeCommand(std::vector<const char*>& arguments);

// The log and what it stands on. Holds no thread.
class Parts {
 public:
  // Fails for a key or origin that cannot be used.
  // `clock` and `metrics` outlive the parts.
  static absl::StatusOr<std::unique_ptr<Parts>> Make(const config::Config& config,
                                                     const base::Clock& clock,
                                                     telemetry::Metrics& metrics);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  postgres::Database& database() { return database_; }
  LogStore& store() { return store_; }
  Integrity& integrity() { return integrity_; }
  CheckpointMemory* memory() { return memory_ ? &*memory_ : nullptr; }
  AuditLog& log() { return log_; }
  // Limits rates, records refusals of known callers; the bodies of an append are together above
  // the usual limit of a message. The parts and `refusals` must outlive what is returned.
  rpc::GuardOptions GuardOptionsOf(const config::Config& config, RefusalRecorder& refusals);

 private:
  Parts(const config::Config& config, crypto::NoteSigner signer, const base::Clock& clock,
        telemetry::Metrics& metrics);

  const std::unique_ptr<redis::Cache> cache_;
  postgres::Database database_;
  PostgresLogStore store_;
  crypto::NoteSigner signer_;
  Integrity integrity_;
  std::optional<CheckpointFile> memory_;
  AuditLog log_;
};

WatchmanOptions WatchmanOptionsOf(const config::Config& config);

// Brings the schema up to date, as the owner role.
absl::Status RunMigrate(const config::Config& config, std::ostream& out);

// Checks the whole log and says what was found; DATA_LOSS where it does not fit.
absl::Status RunVerify(Parts& parts, std::ostream& out, std::ostream& progress);

// Makes the break that the settings tell of the first entry of an empty log, and says what is to be
// published: the log's verifier key and its first checkpoint.
absl::Status RunBeginAnew(const config::Config& config, Parts& parts, const base::Clock& clock,
                          std::ostream& out);

// Reads command and settings, and does what was asked for: `serve` where it is to serve. Returns
// the exit code.
int RunCommand(int argc, char** argv,
               const std::function<absl::Status(const config::Config&)>& serve);

}  // namespace yikatong::auditlog
