// Whom the command line talks to, and as whom: read from endpoints.json, which an installation
// hands out.
//
//   {"services": {"dispatch": {"address": "127.0.0.1:41000", "tls_name": "dispatch"}, …},
//    "people": {"operator-civil-120105-1": {"token_file": …, "tls_ca": …, "tls_certificate": …,
//    "tls_key": …}, …}}
#pragma once

#include <grpcpp/client_context.h>

#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/client.h"
#include "common/status/reason.h"

namespace yikatong::yktctl {

// What stands before the command.
struct Options {
  std::string endpoints;  // path of endpoints.json
  std::string as;         // name of a person there
  bool json = false;
  status::Lang lang = status::Lang::kEnglish;
  int timeout_s = 60;
  std::string
      request_id;  // empty: a new one; give the same again to repeat a call whose answer was lost
  bool no_progress = false;
};

// One person's way to the services: read once, kept open for as many commands as follow.
struct Connection {
  std::map<std::string, std::pair<std::string, std::string>>
      services;  // name -> address, name in its certificate
  std::map<std::string, std::string, std::less<>> settings;
  rpc::TlsFiles tls;
  std::string token;
  std::map<std::string, std::unique_ptr<rpc::Channel>> channels;
};
// By endpoints file and person.
using Connections = std::map<std::pair<std::string, std::string>, Connection>;

// One command. Not thread safe; contexts that it prepared may be used on other threads.
class Session {
 public:
  // Both outlive the session.
  Session(const Options& options, Connections& connections)
      : options_(options), connections_(connections) {}

  // The channel of one service, opened at its first use. FAILED_PRECONDITION with what to do where
  // endpoints.json, the person or the service is not there.
  absl::StatusOr<rpc::Channel*> To(const std::string& service);
  // Deadline and token.
  void Prepare(rpc::Channel& channel, grpc::ClientContext& context,
               absl::Duration timeout = absl::ZeroDuration());
  // The request id of this run.
  const std::string& RequestId();
  const Options& options() const { return options_; }
  // A value of endpoints.json by its key; empty where there is none.
  std::string Setting(std::string_view key);

 private:
  absl::StatusOr<Connection*> Load();

  const Options& options_;
  Connections& connections_;
  std::string request_id_;
};

// Calls a unary method of `service`'s stub.
template <typename Service, typename Request, typename Response>
absl::Status Call(Session& session, const std::string& service,
                  grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                  const Request& request, Response& response) {
  absl::StatusOr<rpc::Channel*> channel = session.To(service);
  if (!channel.ok()) return channel.status();
  const auto stub = Service::NewStub((*channel)->grpc());
  grpc::ClientContext context;
  session.Prepare(**channel, context);
  return rpc::FromGrpc((stub.get()->*method)(&context, request, &response));
}

}  // namespace yikatong::yktctl
