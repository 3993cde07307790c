#include "common/rpc/command.h"

#include <unistd.h>

#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/failpoint.h"
#include "common/rpc/server.h"

namespace yikatong::rpc {

int RunCommand(const config::Schema& schema, int argc, char** argv, const Commands& commands) {
  const std::pair<std::string_view, const Commands::Command&> named[] = {
      {"--migrate", commands.migrate},
      {"--check-config", commands.check_config},
      {"--raise-restore-epoch", commands.raise_restore_epoch},
      {"--finish-restore", commands.finish_restore}};
  const Commands::Command* command = &commands.serve;
  std::vector<const char*> arguments;
  for (int i = 0; i < argc; ++i) {
    bool taken = false;
    for (const auto& [name, one] : named) {
      if (argv[i] != name || one == nullptr) continue;
      command = &one;
      taken = true;
    }
    if (!taken) arguments.push_back(argv[i]);
  }
  const config::Start start = config::FromCommandLine(
      schema, static_cast<int>(arguments.size()), arguments.data(), environ, std::cout, std::cerr);
  if (!start.config) return start.exit_code;
  absl::Status done;
  if (command == &commands.serve) {
    done = base::failpoint::ArmIfSet(start.config->Path("failpoints"));
  }
  if (done.ok()) done = (*command)(*start.config);
  return done.ok() ? 0 : ExitFailure(done);
}

}  // namespace yikatong::rpc
