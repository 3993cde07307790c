#include "services/yktctl/commands/call.h"
#include "yikatong/bank/v1/simulator.grpc.pb.h"
#include "yikatong/bankgateway/v1/bankgateway.grpc.pb.h"

namespace yikatong::yktctl {
namespace {

using bankgateway::v1::BankGatewayService;

// Reconciliation as work: what differs, whose it is, what is decided.
void AddCaseCommands(CLI::App& bank, Session& session, int& code) {
  using Gateway = BankGatewayService;
  CLI::App* cases = bank.add_subcommand("case", "Cases: differences that somebody has to decide")
                        ->require_subcommand(1);
  const Field id = {"case_id", "The case", true, "id"};
  const std::vector<std::string> columns = {
      "case_id",  "district", "agreement_no", "kind",    "subject",  "state",   "owner",
      "priority", "age_days", "due_on",       "overdue", "open_fen", "decision"};
  AddCall<Gateway>(*cases, session, code, "list", "Open cases, the oldest first", "bankgateway",
                   &Gateway::Stub::ListCases,
                   {{"district", "District; none for all"},
                    {"agreement_no", "Agreement; none for all", false, "agreement"},
                    {"state", "State; none for all that are not closed"},
                    {"kind", "Kind, SECOND_DEBIT say; none for all"},
                    {"overdue", "Only overdue ones: yes or no"},
                    {"page_size", "Rows a page"},
                    {"page_token", "Page"}},
                   columns);
  AddCall<Gateway>(*cases, session, code, "show",
                   "One case, its history, and the decisions that fit it", "bankgateway",
                   &Gateway::Stub::GetCase, {id});
  AddCall<Gateway>(*cases, session, code, "assign", "Make a person answer for a case",
                   "bankgateway", &Gateway::Stub::AssignCase,
                   {id, {"owner", "Person; none for yourself"}});
  AddCall<Gateway>(*cases, session, code, "note", "Add a note to a case", "bankgateway",
                   &Gateway::Stub::NoteCase, {id, {"text", "The words", true}});
  AddCall<Gateway>(
      *cases, session, code, "decide",
      "Decide a case; what moves money then waits for a second person (confirm)", "bankgateway",
      &Gateway::Stub::ProposeDecision,
      {id,
       {"decision", "One of those that `case show` lists as fitting", true},
       {"reason", "Why", true},
       {"evidence_sha256", "SHA-256 of the bank's letter, in hexadecimal", false, "evidence"},
       {"other_case_id", "The case that it is matched with", false, "other"}});
  AddCall<Gateway>(*cases, session, code, "confirm",
                   "As a second person: bring a proposed decision into force, or turn it down",
                   "bankgateway", &Gateway::Stub::ConfirmDecision,
                   {id,
                    {"decision", "The decision that you have seen proposed", true},
                    {"approve", "yes or no", true},
                    {"reason", "Why; needed to turn it down"}});
}

}  // namespace

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
  AddCall<Gateway>(*bank, session, code, "move", "Change where a bank is reached", "bankgateway",
                   &Gateway::Stub::SetBankAddress,
                   {{"bank_code", "CNAPS code", true, "code"},
                    {"address", "host:port of its AgentBankService", true},
                    {"tls_name", "Name in its certificate; none for the host"},
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
  AddCaseCommands(*bank, session, code);

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
                      {"faults.second_debit_permille",
                       "Credited rows in a thousand that the statement debits twice"},
                      {"faults.foreign_debit_permille",
                       "Credited rows in a thousand beside which it debits a reference of nobody"},
                      {"faults.stray_reversal_permille",
                       "Credited rows in a thousand beside which it credits such a reference"},
                      {"faults.correct_after_days", "Days until the bank corrects those; 0: never"},
                      {"bank_code", "CNAPS code of one bank; none for all", false, "code"}});
  AddCall<Simulator>(*sim, session, code, "journal", "What the bank's journal holds", "banksim",
                     &Simulator::Stub::GetJournalSummary, {});
}

}  // namespace yikatong::yktctl
