// People for the tests of this service, and a storage on a database of its own.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/crypto/sha256.h"
#include "common/identity/caller.h"
#include "services/catalogue/domain/ports.h"

namespace yikatong::catalogue::testing {

inline identity::Caller Person(std::string person, std::string organisation,
                               identity::RoleSet roles, std::vector<std::string> fields = {"*"},
                               std::vector<std::int32_t> districts = {identity::kWholeCity}) {
  identity::Caller caller;
  caller.person = std::move(person);
  caller.organisation = std::move(organisation);
  caller.roles = roles;
  caller.fields = std::move(fields);
  caller.districts = std::move(districts);
  caller.token_id = "t";
  return caller;
}

inline identity::Caller Operator(const std::string& organisation = "civil.120000",
                                 std::string field = "CIVIL",
                                 std::int32_t district = identity::kWholeCity) {
  return Person("op-" + organisation, organisation, {identity::Role::kDepartmentOperator},
                {std::move(field)}, {district});
}
inline identity::Caller Conference() {
  return Person("chair", "conference", {identity::Role::kJointConference});
}
inline identity::Caller Admin() {
  return Person("admin", "operations", {identity::Role::kSystemAdmin});
}
inline identity::Caller CityFinance() {
  return Person("finance", "finance.120000", {identity::Role::kCityFinance});
}
inline identity::Caller Dispatch() {
  identity::Caller caller;
  caller.service = "dispatch";
  return caller;
}

inline Call CallOf(identity::Caller caller, std::string request_id = "",
                   std::string_view content = "") {
  return {.caller = std::move(caller),
          .method = "/test",
          .request_id = std::move(request_id),
          .sha256 = crypto::StringOf(crypto::Sha256(content))};
}

}  // namespace yikatong::catalogue::testing
