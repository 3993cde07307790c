// The money half, the budget and the repairs over real gRPC, with stand-ins for their peers.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/dispatch/testing/money_rig.h"
#include "services/dispatch/testing/served.h"

namespace yikatong::dispatch::testing {

class MoneyRpcTest : public MoneyTest {
 protected:
  using Stub = v1::DispatchService::Stub;

  void SetUp() override {
    MoneyTest::SetUp();
    served_ = std::make_unique<Served>(rig_->handlers, rig_->service, rpc::GuardOptions(),
                                       &rig_->budget, &rig_->repairs, &rig_->archives);
  }
  void TearDown() override { served_.reset(); }

  // As `person` of finance, or of the department.
  template <typename Service = v1::DispatchService, typename Request, typename Response>
  absl::Status Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&,
                                                          Response*),
                    const Request& request, Response* response, const std::string& person,
                    identity::RoleSet roles, const std::string& organisation = kFinance,
                    std::vector<std::int32_t> districts = {kHebei}) {
    const std::string token = served_->Token({.person = person,
                                              .organisation = organisation,
                                              .roles = roles,
                                              .fields = {"*"},
                                              .districts = std::move(districts)});
    return served_->Call<Service>(method, request, response, token, served_->As(organisation));
  }

  std::unique_ptr<Served> served_;
};

}  // namespace yikatong::dispatch::testing
