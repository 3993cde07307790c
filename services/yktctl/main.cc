// The command line of officers and operators, over the public gRPC of the services.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <string>

#include "services/yktctl/commands/call.h"
#include "services/yktctl/session.h"

namespace yk = yikatong::yktctl;

int main(int argc, char** argv) {
  CLI::App app("Yikatong: subsidies on one card. Every command has --help.");
  yk::Options options;
  app.add_option("--endpoints", options.endpoints,
                 "File that says where the services are and who may call them")
      ->envname("YKT_ENDPOINTS");
  app.add_option("--as", options.as, "Person of the endpoints file to act as")->envname("YKT_AS");
  app.add_flag("--json", options.json, "Answers as JSON, one a line");
  const std::map<std::string, yikatong::status::Lang> languages = {
      {"en", yikatong::status::Lang::kEnglish}, {"zh", yikatong::status::Lang::kChinese}};
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

  yk::Session session(options);
  int code = yk::kDone;
  yk::AddTokenCommands(app, session, code);
  yk::AddClockCommands(app, session, code);
  yk::AddPolicyCommands(app, session, code);
  yk::AddPersonCommands(app, session, code);
  yk::AddBatchCommands(app, session, code);
  yk::AddBudgetCommands(app, session, code);
  yk::AddBankCommands(app, session, code);
  yk::AddAuditCommands(app, session, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? yk::kDone : yk::kUsage;
  }
  return code;
}
