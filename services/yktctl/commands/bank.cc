#include "services/yktctl/commands/call.h"
#include "yikatong/bank/v1/simulator.grpc.pb.h"
#include "yikatong/bankgateway/v1/bankgateway.grpc.pb.h"

namespace yikatong::yktctl {

void AddBankCommands(CLI::App& app, Session& session, int& code) {
  using Gateway = bankgateway::v1::BankGatewayService;
  using Simulator = bank::v1::BankSimulatorService;
  const std::vector<Field> page = {{"page_size", "Rows a page"}, {"page_token", "Page"}};
  CLI::App* bank = app.add_subcommand("bank", "Banks, agreements, files and reconciliation")
                       ->require_subcommand(1);
  AddCall<Gateway>(*bank, session, code, "add", "Register a bank", "bankgateway",
                   &Gateway::Stub::CreateBank,
                   {{"bank.bank_code", "CNAPS code", true, "code"},
                    {"bank.name", "Name", true},
                    {"bank.address", "host:port of its AgentBankService"},
                    {"bank.tls_name", "Name in its certificate"},
                    {"bank.card_partner", "Partner of the social-security card: yes or no", true}});
  AddCall<Gateway>(*bank, session, code, "set-state", "Suspend a bank or take it up again",
                   "bankgateway", &Gateway::Stub::SetBankState,
                   {{"bank_code", "CNAPS code", true, "code"},
                    {"suspended", "yes or no", true},
                    {"reason", "Why", true}});
  AddCall<Gateway>(*bank, session, code, "list", "Banks", "bankgateway", &Gateway::Stub::ListBanks,
                   page);
  AddCall<Gateway>(
      *bank, session, code, "agree", "Record an agency agreement", "bankgateway",
      &Gateway::Stub::CreateAgreement,
      {{"agreement.agreement_no", "Number", true, "number"},
       {"agreement.district", "District", true},
       {"agreement.department_id", "Department; none for the whole district", false, "department"},
       {"agreement.bank_code", "Agent bank", true, "code"},
       {"agreement.valid_from", "First day", true},
       {"agreement.valid_to", "Last day", true},
       {"agreement.credits_other_banks", "Credits other banks' cards: yes or no"},
       {"agreement.with_identity", "Needs ID number and phone: yes or no"},
       {"agreement.bank_notifies", "The bank tells people: yes or no"},
       {"agreement.refuses_duplicates", "The bank refuses what it knows: yes or no"}});
  AddCall<Gateway>(*bank, session, code, "agreement-state",
                   "Suspend an agreement or take it up again", "bankgateway",
                   &Gateway::Stub::SetAgreementState,
                   {{"agreement_no", "Number", true, "number"},
                    {"suspended", "yes or no", true},
                    {"reason", "Why", true}});
  AddCall<Gateway>(*bank, session, code, "agreements", "Agreements", "bankgateway",
                   &Gateway::Stub::ListAgreements,
                   {{"district", "District; none for all"}, page[0], page[1]});
  AddCall<Gateway>(*bank, session, code, "instruction", "One instruction and its outcomes",
                   "bankgateway", &Gateway::Stub::GetInstruction,
                   {{"reference", "Reference, sixteen digits", true}});
  AddCall<Gateway>(*bank, session, code, "files", "Files, the newest first", "bankgateway",
                   &Gateway::Stub::ListFiles,
                   {{"district", "District; none for all"}, page[0], page[1]});
  AddCall<Gateway>(
      *bank, session, code, "reconciliations", "Statements that were compared", "bankgateway",
      &Gateway::Stub::ListReconciliations,
      {{"agreement_no", "Agreement; none for all", false, "agreement"}, page[0], page[1]});
  AddCall<Gateway>(
      *bank, session, code, "differences", "Differences between our books and statements",
      "bankgateway", &Gateway::Stub::ListDifferences,
      {{"agreement_no", "Agreement; none for all", false, "agreement"}, page[0], page[1]});
  AddCall<Gateway>(*bank, session, code, "statistics", "Instructions by state", "bankgateway",
                   &Gateway::Stub::GetStatistics, {{"district", "District; none for all"}});

  CLI::App* sim =
      bank->add_subcommand("sim", "The stand-in bank of a demonstration")->require_subcommand(1);
  AddCall<Simulator>(*sim, session, code, "faults", "Set the faults from now on", "banksim",
                     &Simulator::Stub::SetFaults,
                     {{"faults.seed", "Seed of the draws"},
                      {"faults.fail_permille", "Rows in a thousand that fail"},
                      {"faults.return_permille", "Rows in a thousand that come back later"},
                      {"faults.return_after_days", "Days until they do"},
                      {"faults.late_permille", "Rows in a thousand whose result is late"},
                      {"faults.late_days", "Days until it comes"},
                      {"faults.lost_answer_permille", "Files in a thousand whose answer is lost"},
                      {"faults.refuse_file_permille", "Files in a thousand that are refused"},
                      {"faults.delay_ms", "Milliseconds that an answer takes"},
                      {"faults.repeat_permille", "Results in a thousand that come twice"},
                      {"faults.down", "The bank is away: yes or no"},
                      {"bank_code", "CNAPS code of one bank; none for all", false, "code"}});
  AddCall<Simulator>(*sim, session, code, "journal", "What the bank's journal holds", "banksim",
                     &Simulator::Stub::GetJournalSummary, {});
}

}  // namespace yikatong::yktctl
