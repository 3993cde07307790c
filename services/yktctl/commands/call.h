// A command that is one call: its options are fields of the request, its output is the answer.
//
//   AddCall<v1::DispatchService>(batch, session, code, "fund", "Reserve the batch's money",
//   "dispatch",
//                                &v1::DispatchService::Stub::FundBatch, {{"batch_id", "The batch",
//                                true}});
//
// A field `agreement.bank_code` is the option `--bank-code`; money fields take yuan, enums their
// short name. A field `request_id` is filled with the run's own.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/yktctl/output.h"
#include "services/yktctl/session.h"

namespace google::protobuf {
class Message;
}

namespace yikatong::yktctl {

// One option of a call.
struct Field {
  std::string path;  // in the request
  std::string help;
  bool required = false;
  std::string option = {};  // where it is not the last part of the path
};

// Adds the options that set `request`, which must outlive the command.
void BindFields(CLI::App& command, google::protobuf::Message& request,
                const std::vector<Field>& fields);
// Fills `request_id` where the request has one.
void FillRequestId(Session& session, google::protobuf::Message& request);
// The `next_page_token` of a list's answer; empty where it has none.
std::string NextPage(const google::protobuf::Message& response);
bool SetPageToken(google::protobuf::Message& request, const std::string& token);

template <typename Service, typename Request, typename Response>
CLI::App* AddCall(CLI::App& parent, Session& session, int& code, const std::string& name,
                  const std::string& help, const std::string& service,
                  grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                  const std::vector<Field>& fields, const std::vector<std::string>& columns = {}) {
  CLI::App* command = parent.add_subcommand(name, help);
  auto request = std::make_shared<Request>();
  BindFields(*command, *request, fields);
  auto every_page = std::make_shared<bool>(false);
  if (Request::descriptor()->FindFieldByName("page_token") != nullptr) {
    command->add_flag("--all", *every_page, "Every page, one after the other");
  }
  command->callback([&session, &code, service, method, request, columns, every_page] {
    FillRequestId(session, *request);
    do {
      Response response;
      const absl::Status status = Call<Service>(session, service, method, *request, response);
      if (!status.ok()) {
        code = Fail(session, status);
        return;
      }
      Print(session, response, columns);
      if (!*every_page || !SetPageToken(*request, NextPage(response))) return;
    } while (true);
  });
  return command;
}

// The groups of commands.
void AddTokenCommands(CLI::App& app, Session& session, int& code);
void AddClockCommands(CLI::App& app, Session& session, int& code);
void AddPolicyCommands(CLI::App& app, Session& session, int& code);
void AddPersonCommands(CLI::App& app, Session& session, int& code);
void AddBatchCommands(CLI::App& app, Session& session, int& code);
void AddRepairCommands(CLI::App& app, Session& session, int& code);
void AddBudgetCommands(CLI::App& app, Session& session, int& code);
void AddBankCommands(CLI::App& app, Session& session, int& code);
void AddAuditCommands(CLI::App& app, Session& session, int& code);
void AddArchiveCommands(CLI::App& app, Session& session, int& code);
void AddHealthCommands(CLI::App& app, Session& session, int& code);

}  // namespace yikatong::yktctl
