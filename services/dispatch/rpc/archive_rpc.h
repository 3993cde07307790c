// ArchiveService over gRPC. Nothing is decided here.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include "common/rpc/call.h"
#include "services/dispatch/rpc/archive_handlers.h"
#include "yikatong/dispatch/v1/archive.grpc.pb.h"

namespace yikatong::dispatch {

// Thread safe. Guard and handlers outlive it; it outlives the server.
class ArchiveRpc final : public v1::ArchiveService::Service {
 public:
  ArchiveRpc(const rpc::Guard& guard, ArchiveHandlers& handlers)
      : guard_(guard), handlers_(handlers) {}

  grpc::Status ListArchives(grpc::ServerContext* context, const v1::ListArchivesRequest* request,
                            v1::ListArchivesResponse* response) override;
  grpc::Status GetArchive(grpc::ServerContext* context, const v1::GetArchiveRequest* request,
                          v1::Archive* response) override;
  // Takes one of the places for long streams.
  grpc::Status ExportArchive(grpc::ServerContext* context, const v1::ExportArchiveRequest* request,
                             grpc::ServerWriter<v1::ExportArchiveResponse>* stream) override;

 private:
  const rpc::Guard& guard_;
  ArchiveHandlers& handlers_;
};

}  // namespace yikatong::dispatch
