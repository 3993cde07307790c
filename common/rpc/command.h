// What the process of a service was started for.
//
//   dispatch --config FILE                        serves
//   dispatch --config FILE --migrate              brings the schema up to date, as the owner role
//   dispatch --config FILE --check-config         reads settings, keys and certificates, and ends
//   dispatch --config FILE --raise-restore-epoch  after the database was restored from a backup,
//                                                 before the first start
//   bankgateway --config FILE --finish-restore    when all that was found out is settled
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "common/config/config.h"

namespace yikatong::rpc {

struct Commands {
  using Command = std::function<absl::Status(const config::Config&)>;
  Command serve = nullptr;
  Command migrate = nullptr;
  Command check_config = nullptr;
  Command raise_restore_epoch = nullptr;
  Command finish_restore =
      nullptr;  // of the service that has something to find out after a restore
};

// Reads command and settings and does what was asked for. Returns the exit code; what is wrong is
// said on standard error.
int RunCommand(const config::Schema& schema, int argc, char** argv, const Commands& commands);

}  // namespace yikatong::rpc
