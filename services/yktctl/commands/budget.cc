#include "services/yktctl/commands/call.h"
#include "yikatong/dispatch/v1/dispatch.grpc.pb.h"

namespace yikatong::yktctl {

void AddBudgetCommands(CLI::App& app, Session& session, int& code) {
  using Dispatch = dispatch::v1::DispatchService;
  CLI::App* budget =
      app.add_subcommand("budget", "Budget lines and their ledger")->require_subcommand(1);
  AddCall<Dispatch>(*budget, session, code, "create", "Create a budget line", "dispatch",
                    &Dispatch::Stub::CreateBudgetLine,
                    {{"district", "District that spends", true},
                     {"policy_id", "Policy", true, "policy"},
                     {"year", "Budget year", true},
                     {"source", "central, city, district or fund", true}});
  AddCall<Dispatch>(*budget, session, code, "appropriate", "Appropriate money to a line",
                    "dispatch", &Dispatch::Stub::AppropriateBudget,
                    {{"district", "District", true},
                     {"line_id", "Line", true, "line"},
                     {"amount_fen", "Amount in yuan", true},
                     {"basis", "Document", true}});
  AddCall<Dispatch>(*budget, session, code, "list", "What became of each line's money", "dispatch",
                    &Dispatch::Stub::ListBudgetLines,
                    {{"district", "District; none for all of yours"},
                     {"policy_id", "Policy", false, "policy"},
                     {"page_size", "Rows a page"},
                     {"page_token", "Page"}});
  AddCall<Dispatch>(*budget, session, code, "ledger", "The ledger rows of a line", "dispatch",
                    &Dispatch::Stub::ListLedgerEntries,
                    {{"district", "District", true},
                     {"line_id", "Line", true, "line"},
                     {"page_size", "Rows a page"},
                     {"page_token", "Page"}});
}

}  // namespace yikatong::yktctl
