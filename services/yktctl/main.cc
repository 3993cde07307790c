// The command line of officers and operators, over the public gRPC of the services.
#include <string>
#include <vector>

#include "services/yktctl/app.h"

int main(int argc, char** argv) {
  yikatong::yktctl::Connections connections;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments == std::vector<std::string>{"lines"})
    return yikatong::yktctl::RunLines(connections);
  return yikatong::yktctl::RunCommand(arguments, connections);
}
