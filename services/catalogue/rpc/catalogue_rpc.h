// CatalogueService and ClockService over gRPC: wire to plain values and back; the use cases decide.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/rpc/call.h"
#include "services/catalogue/domain/ports.h"

namespace grpc {
class Service;
}

namespace yikatong::catalogue {

// What both need; all of it outlives them.
struct RpcParts {
  const rpc::Guard& guard;
  Storage& storage;
  const base::Clock& clock;
  base::IdSource& ids;
};

std::unique_ptr<grpc::Service> MakeCatalogueService(RpcParts parts);
std::unique_ptr<grpc::Service> MakeClockService(RpcParts parts);

// "yikatong.catalogue.v1.CatalogueService" and "….ClockService".
const char* CatalogueServiceName();
const char* ClockServiceName();

}  // namespace yikatong::catalogue
