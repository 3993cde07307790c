#include "services/yktctl/session.h"

#include <fmt/core.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/base/ids.h"
#include "common/status/status.h"

namespace yikatong::yktctl {

absl::Status Session::Load() {
  if (loaded_) return absl::OkStatus();
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
  for (const auto& [name, service] : file["services"].items()) {
    services_[name] = {service.value("address", ""), service.value("tls_name", name)};
  }
  for (const auto& [key, value] : file.items()) {
    if (value.is_string()) settings_[key] = value.get<std::string>();
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
  tls_ = {person.value("tls_ca", ""), person.value("tls_certificate", ""),
          person.value("tls_key", "")};
  std::ifstream token(person.value("token_file", ""));
  if (!std::getline(token, token_)) {
    return absl::FailedPreconditionError(
        fmt::format("the token of {} cannot be read", options_.as));
  }
  loaded_ = true;
  return absl::OkStatus();
}

absl::StatusOr<rpc::Channel*> Session::To(const std::string& service) {
  YKT_RETURN_IF_ERROR(Load());
  auto& channel = channels_[service];
  if (channel == nullptr) {
    const auto found = services_.find(service);
    if (found == services_.end()) {
      return absl::FailedPreconditionError(
          fmt::format("{} names no service {}", options_.endpoints, service));
    }
    rpc::ChannelOptions channel_options;
    channel_options.address = found->second.first;
    channel_options.server = found->second.second;
    channel_options.tls = tls_;
    YKT_ASSIGN_OR_RETURN(channel, rpc::Channel::Open(std::move(channel_options)));
  }
  return channel.get();
}

void Session::Prepare(rpc::Channel& channel, grpc::ClientContext& context, absl::Duration timeout) {
  channel.Prepare(context,
                  timeout == absl::ZeroDuration() ? absl::Seconds(options_.timeout_s) : timeout,
                  token_);
}

const std::string& Session::RequestId() {
  if (request_id_.empty()) {
    request_id_ =
        options_.request_id.empty() ? base::RandomIdSource().NewId() : options_.request_id;
  }
  return request_id_;
}

std::string Session::Setting(std::string_view key) {
  if (!Load().ok()) return "";
  const auto found = settings_.find(key);
  return found == settings_.end() ? "" : found->second;
}

}  // namespace yikatong::yktctl
