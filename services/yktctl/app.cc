#include "services/yktctl/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "common/rpc/trace.h"
#include "services/yktctl/commands/call.h"

namespace yikatong::yktctl {
namespace {

struct Group {
  std::string_view name;
  void (*add)(CLI::App&, Session&, int&);
};
constexpr Group kGroups[] = {
    {"token", AddTokenCommands},     {"clock", AddClockCommands},   {"policy", AddPolicyCommands},
    {"person", AddPersonCommands},   {"batch", AddBatchCommands},   {"repair", AddRepairCommands},
    {"budget", AddBudgetCommands},   {"bank", AddBankCommands},     {"audit", AddAuditCommands},
    {"archive", AddArchiveCommands}, {"health", AddHealthCommands},
};

// Only the groups that are named, or all where none is: most of the time of a command would go into
// setting up those of the others.
void AddGroups(CLI::App& app, Session& session, int& code,
               const std::vector<std::string>& arguments) {
  const auto named = [&](const Group& group) {
    return std::find(arguments.begin(), arguments.end(), group.name) != arguments.end();
  };
  const bool any = std::any_of(std::begin(kGroups), std::end(kGroups), named);
  for (const Group& group : kGroups) {
    if (!any || named(group)) group.add(app, session, code);
  }
}

}  // namespace

int RunCommand(std::vector<std::string> arguments, Connections& connections) {
  CLI::App app("Yikatong: subsidies on one card. Every command has --help.", "yktctl");
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

  // All calls of one command are one trace.
  const rpc::CallScope scope(rpc::Trace::New());
  Session session(options, connections);
  int code = kDone;
  AddGroups(app, session, code, arguments);
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
