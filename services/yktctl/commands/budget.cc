#include "services/yktctl/commands/call.h"
#include "yikatong/dispatch/v1/budget.grpc.pb.h"
#include "yikatong/dispatch/v1/dispatch.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

// Money from above: receipts and their passing down.
void AddPassDownCommands(CLI::App& budget, Session& session, int& code) {
  using Budget = dispatch::v1::BudgetService;
  AddCall<Budget>(budget, session, code, "receive", "Record money that came from above", "dispatch",
                  &Budget::Stub::RecordFundReceipt,
                  {{"district", "District that received it; 120000 for the city", true},
                   {"from_level", "central, or city for a district", true, "from"},
                   {"document", "Document", true},
                   {"policy_id", "Policy", true, "policy"},
                   {"year", "Budget year", true},
                   {"source", "central, city, district or fund", true},
                   {"amount_fen", "Amount in yuan", true},
                   {"received_on", "Day on which it was received", true}});
  AddCall<Budget>(budget, session, code, "cancel-receipt",
                  "Cancel a receipt of which nothing was passed down", "dispatch",
                  &Budget::Stub::CancelFundReceipt,
                  {{"district", "District that received it", true},
                   {"receipt_id", "Receipt", true, "receipt"},
                   {"reason", "Why", true}});
  AddCall<Budget>(
      budget, session, code, "receipts", "Money from above, and what is left to be passed down",
      "dispatch", &Budget::Stub::ListFundReceipts,
      {{"district", "District that received it; none for all of yours"},
       {"policy_id", "Policy", false, "policy"},
       {"overdue_only", "yes: only what is left past its thirty days", false, "overdue"},
       {"page_size", "Rows a page"},
       {"page_token", "Page"}});
  AddCall<Budget>(budget, session, code, "pass-down", "Pass money of a receipt down to a line",
                  "dispatch", &Budget::Stub::PassDownFunds,
                  {{"district", "District that received it; 120000 for the city", true},
                   {"receipt_id", "Receipt", true, "receipt"},
                   {"to_district", "District of the line", true},
                   {"line_id", "Line", true, "line"},
                   {"amount_fen", "Amount in yuan", true},
                   {"document", "Document", true}});
  AddCall<Budget>(budget, session, code, "pass-downs", "What a receipt was passed down to",
                  "dispatch", &Budget::Stub::ListPassDowns,
                  {{"district", "District that received it", true},
                   {"receipt_id", "Receipt", true, "receipt"},
                   {"page_size", "Rows a page"},
                   {"page_token", "Page"}});
}

// Orders between lines and at the year's end, and statements.
void AddOrderCommands(CLI::App& budget, Session& session, int& code) {
  using Budget = dispatch::v1::BudgetService;
  AddCall<Budget>(budget, session, code, "request",
                  "Request a transfer, the end of a line's year, or what the treasury is owed",
                  "dispatch", &Budget::Stub::RequestBudgetOrder,
                  {{"kind", "transfer, lapse, carry_over or settle", true},
                   {"district", "District", true},
                   {"line_id", "Line that gives", true, "line"},
                   {"to_line_id", "Line that gets (transfer, carry_over)", false, "to_line"},
                   {"amount_fen", "Amount in yuan (transfer, settle)"},
                   {"document", "Document", true},
                   {"reason", "Why", true}});
  AddCall<Budget>(budget, session, code, "decide",
                  "Approve or refuse an order, as another person than who requested it", "dispatch",
                  &Budget::Stub::DecideBudgetOrder,
                  {{"district", "District", true},
                   {"order_id", "Order", true, "order"},
                   {"approve", "yes or no", true},
                   {"reason", "Why; needed for a refusal"}});
  AddCall<Budget>(budget, session, code, "withdraw", "Withdraw an order of your own", "dispatch",
                  &Budget::Stub::WithdrawBudgetOrder,
                  {{"district", "District", true},
                   {"order_id", "Order", true, "order"},
                   {"reason", "Why", true}});
  AddCall<Budget>(budget, session, code, "orders", "Orders and what became of them", "dispatch",
                  &Budget::Stub::ListBudgetOrders,
                  {{"district", "District; none for all of yours"},
                   {"line_id", "Line that gives or gets", false, "line"},
                   {"state", "requested, approved, refused or withdrawn"},
                   {"page_size", "Rows a page"},
                   {"page_token", "Page"}});
  AddCall<Budget>(budget, session, code, "blockers",
                  "The batches that keep a line's year from being closed", "dispatch",
                  &Budget::Stub::ListYearEndBlockers,
                  {{"district", "District", true},
                   {"line_id", "Line", true, "line"},
                   {"page_size", "Rows a page"},
                   {"page_token", "Page"}});
  AddCall<Budget>(budget, session, code, "statement", "One day of a line", "dispatch",
                  &Budget::Stub::GetBudgetStatement,
                  {{"district", "District", true},
                   {"line_id", "Line", true, "line"},
                   {"day", "Day; none for today"}});
}

}  // namespace

void AddBudgetCommands(CLI::App& app, Session& session, int& code) {
  using Dispatch = dispatch::v1::DispatchService;
  CLI::App* budget =
      app.add_subcommand("budget", "Budget lines, their ledger, and what becomes of their money")
          ->require_subcommand(1);
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
  AddPassDownCommands(*budget, session, code);
  AddOrderCommands(*budget, session, code);
}

}  // namespace yikatong::yktctl
