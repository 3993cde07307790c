// The gateway's stub, for the files of BankGateway.
#pragma once

#include <memory>

#include "services/dispatch/clients/payment_clients.h"
#include "yikatong/bankgateway/v1/bankgateway.grpc.pb.h"

namespace yikatong::dispatch {

struct BankGateway::Stub {
  std::unique_ptr<bankgateway::v1::BankGatewayService::Stub> gateway;
};

}  // namespace yikatong::dispatch
