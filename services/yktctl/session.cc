#include "services/yktctl/session.h"

#include <fmt/core.h>
#include <grpcpp/channel.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/base/ids.h"
#include "common/status/status.h"

namespace yikatong::yktctl {
namespace {

// Whether the last try to connect failed, and the next call would at once. gRPC tries again by
// itself, but for that some thread must look after the connection: a server has them, here is none
// between two commands, and a channel that was lost would never be found again.
bool Lost(const rpc::Channel& channel) {
  return channel.grpc()->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_TRANSIENT_FAILURE;
}

}  // namespace

absl::StatusOr<Connection*> Session::Load() {
  const auto known = connections_.find({options_.endpoints, options_.as});
  if (known != connections_.end()) return &known->second;
  if (options_.endpoints.empty()) {
    return absl::FailedPreconditionError(
        "where are the services? give --endpoints FILE or set YKT_ENDPOINTS (deploy/local/up "
        "writes such a file)");
  }
  std::ifstream in(options_.endpoints);
  if (!in) return absl::FailedPreconditionError(fmt::format("cannot read {}", options_.endpoints));
  const nlohmann::json file = nlohmann::json::parse(in, nullptr, false);
  if (file.is_discarded() || !file.contains("services") || !file.contains("people")) {
    return absl::FailedPreconditionError(
        fmt::format("{} is not an endpoints file", options_.endpoints));
  }
  Connection connection;
  for (const auto& [name, service] : file["services"].items()) {
    connection.services[name] = {service.value("address", ""), service.value("tls_name", name)};
  }
  for (const auto& [key, value] : file.items()) {
    if (value.is_string()) connection.settings[key] = value.get<std::string>();
  }
  if (options_.as.empty()) {
    return absl::FailedPreconditionError(
        "as whom? give --as PERSON or set YKT_AS; endpoints.json lists the people");
  }
  const auto& people = file["people"];
  if (!people.contains(options_.as)) {
    return absl::FailedPreconditionError(
        fmt::format("{} knows nobody called {}", options_.endpoints, options_.as));
  }
  const auto& person = people[options_.as];
  connection.tls = {person.value("tls_ca", ""), person.value("tls_certificate", ""),
                    person.value("tls_key", "")};
  std::ifstream token(person.value("token_file", ""));
  if (!std::getline(token, connection.token)) {
    return absl::FailedPreconditionError(
        fmt::format("the token of {} cannot be read", options_.as));
  }
  return &connections_.emplace(std::pair(options_.endpoints, options_.as), std::move(connection))
              .first->second;
}

absl::StatusOr<rpc::Channel*> Session::To(const std::string& service) {
  YKT_ASSIGN_OR_RETURN(Connection * connection, Load());
  auto& channel = connection->channels[service];
  if (channel == nullptr || Lost(*channel)) {
    const auto found = connection->services.find(service);
    if (found == connection->services.end()) {
      return absl::FailedPreconditionError(
          fmt::format("{} names no service {}", options_.endpoints, service));
    }
    rpc::ChannelOptions channel_options;
    channel_options.address = found->second.first;
    channel_options.server = found->second.second;
    channel_options.tls = connection->tls;
    YKT_ASSIGN_OR_RETURN(channel, rpc::Channel::Open(channel_options));
  }
  return channel.get();
}

void Session::Prepare(rpc::Channel& channel, grpc::ClientContext& context, absl::Duration timeout) {
  const absl::StatusOr<Connection*> connection = Load();
  channel.Prepare(context,
                  timeout == absl::ZeroDuration() ? absl::Seconds(options_.timeout_s) : timeout,
                  connection.ok() ? (*connection)->token : std::string());
}

const std::string& Session::RequestId() {
  if (request_id_.empty()) {
    request_id_ =
        options_.request_id.empty() ? base::RandomIdSource().NewId() : options_.request_id;
  }
  return request_id_;
}

std::string Session::Setting(std::string_view key) {
  const absl::StatusOr<Connection*> connection = Load();
  if (!connection.ok()) return "";
  const auto found = (*connection)->settings.find(key);
  return found == (*connection)->settings.end() ? "" : found->second;
}

}  // namespace yikatong::yktctl
