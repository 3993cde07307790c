// One command line, from its words to its exit code.
#pragma once

#include <string>
#include <vector>

#include "services/yktctl/session.h"

namespace yikatong::yktctl {

// Runs one command; prints what it prints. `arguments` are without the program's name.
int RunCommand(std::vector<std::string> arguments, Connections& connections);

// Runs commands that come line by line on the standard input, each a JSON array of words, over
// connections that stay open: for scripts that give thousands. After a command's own output comes
// one line
// `{"exit": CODE, "error": "what it printed to the standard error"}`. Ends at the end of the input
// with 0, and with kUsage at a line that is no such array.
int RunLines(Connections& connections);

}  // namespace yikatong::yktctl
