// The command line of officers and operators, over the public gRPC of the services.
#include <cstdlib>
#include <string>
#include <vector>

#include "services/yktctl/app.h"

int main(int argc, char** argv) {
  // Nothing but our own calls drives connections here, and those that fail at once drive none: a
  // service that was away would never be found again, since gRPC looks after a connection that it
  // makes only every five seconds, and gives it up after ten.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", /*overwrite=*/0);
  yikatong::yktctl::Connections connections;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments == std::vector<std::string>{"lines"})
    return yikatong::yktctl::RunLines(connections);
  return yikatong::yktctl::RunCommand(arguments, connections);
}
