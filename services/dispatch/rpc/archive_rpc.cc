#include "services/dispatch/rpc/archive_rpc.h"

#include "common/status/status.h"

namespace yikatong::dispatch {

#define YKT_METHOD(name) "/yikatong.dispatch.v1.ArchiveService/" name

grpc::Status ArchiveRpc::ListArchives(grpc::ServerContext* context,
                                      const v1::ListArchivesRequest* request,
                                      v1::ListArchivesResponse* response) {
  return rpc::Unary(guard_, context, YKT_METHOD("ListArchives"), *request,
                    [&](const identity::Caller& caller) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(*response, handlers_.ListArchives(*request, caller));
                      return absl::OkStatus();
                    });
}

grpc::Status ArchiveRpc::GetArchive(grpc::ServerContext* context,
                                    const v1::GetArchiveRequest* request, v1::Archive* response) {
  return rpc::Unary(guard_, context, YKT_METHOD("GetArchive"), *request,
                    [&](const identity::Caller& caller) -> absl::Status {
                      YKT_ASSIGN_OR_RETURN(*response, handlers_.GetArchive(*request, caller));
                      return absl::OkStatus();
                    });
}

grpc::Status ArchiveRpc::ExportArchive(grpc::ServerContext* context,
                                       const v1::ExportArchiveRequest* request,
                                       grpc::ServerWriter<v1::ExportArchiveResponse>* stream) {
  return rpc::Streamed(guard_, context, YKT_METHOD("ExportArchive"),
                       [&](const identity::Caller& caller) -> absl::Status {
                         YKT_RETURN_IF_ERROR(rpc::CheckSize(*request));
                         YKT_RETURN_IF_ERROR(handlers_.ExportArchive(
                             *request, caller, [&](const v1::ExportArchiveResponse& piece) {
                               return stream->Write(piece);
                             }));
                         return rpc::StreamEnd(*context);
                       });
}

#undef YKT_METHOD

}  // namespace yikatong::dispatch
