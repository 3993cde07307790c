#include "services/yktctl/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "services/yktctl/commands/call.h"

namespace yikatong::yktctl {

int RunCommand(std::vector<std::string> arguments, Connections& connections) {
  CLI::App app("Yikatong: subsidies on one card. Every command has --help.");
  Options options;
  app.add_option("--endpoints", options.endpoints,
                 "File that says where the services are and who may call them")
      ->envname("YKT_ENDPOINTS");
  app.add_option("--as", options.as, "Person of the endpoints file to act as")->envname("YKT_AS");
  app.add_flag("--json", options.json, "Answers as JSON, one a line");
  const std::map<std::string, status::Lang> languages = {{"en", status::Lang::kEnglish},
                                                         {"zh", status::Lang::kChinese}};
  app.add_option("--lang", options.lang, "Language of errors: en or zh")
      ->transform(CLI::CheckedTransformer(languages))
      ->envname("YKT_LANG");
  app.add_option("--timeout", options.timeout_s, "Seconds that one call may take")
      ->check(CLI::Range(1, 3600));
  app.add_option("--request-id", options.request_id,
                 "Repeat a request whose answer was lost, under its id");
  app.add_flag("--no-progress", options.no_progress, "No progress bars");
  app.footer(
      "Exit status: 0 done, 1 refused with a reason, 2 wrong usage or file, 3 a service is away or "
      "its answer was lost,\n"
      "4 done but some rows were refused.");
  app.require_subcommand(1);
  app.fallthrough();

  Session session(options, connections);
  int code = kDone;
  AddTokenCommands(app, session, code);
  AddClockCommands(app, session, code);
  AddPolicyCommands(app, session, code);
  AddPersonCommands(app, session, code);
  AddBatchCommands(app, session, code);
  AddRepairCommands(app, session, code);
  AddBudgetCommands(app, session, code);
  AddBankCommands(app, session, code);
  AddAuditCommands(app, session, code);
  app.add_subcommand("lines",
                     "Run commands from the standard input, one JSON array of words a line");
  try {
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return code;
}

int RunLines(Connections& connections) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const nlohmann::json words = nlohmann::json::parse(line, nullptr, false);
    const bool array =
        words.is_array() &&
        std::all_of(words.begin(), words.end(), [](const auto& word) { return word.is_string(); });
    if (!array) {
      std::cerr << "each line is a JSON array of words\n";
      return kUsage;
    }
    std::ostringstream errors;
    std::streambuf* const terminal = std::cerr.rdbuf(errors.rdbuf());
    const int code = RunCommand(words.get<std::vector<std::string>>(), connections);
    std::cerr.rdbuf(terminal);
    std::cout << nlohmann::json{{"exit", code}, {"error", errors.str()}}.dump(
                     -1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n'
              << std::flush;
  }
  return kDone;
}

}  // namespace yikatong::yktctl
