#include "services/bankgateway/clients/audit_sink.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <charconv>
#include <utility>

#include "common/status/status.h"
#include "yikatong/auditlog/v1/auditlog.grpc.pb.h"

namespace yikatong::bankgateway {
namespace {

namespace pb = auditlog::v1;

// Shorter than the lease of the relay.
constexpr absl::Duration kTimeout = absl::Seconds(8);

absl::StatusOr<std::pair<std::string, int>> ReadProducer(std::string_view producer) {
  const std::size_t slash = producer.find('/');
  YKT_INVARIANT(slash != std::string_view::npos, "a producer without a restore epoch");
  int epoch = 0;
  const char* const end = producer.data() + producer.size();
  const auto [read, error] = std::from_chars(producer.data() + slash + 1, end, epoch);
  YKT_INVARIANT(error == std::errc() && read == end, "a restore epoch that is no number");
  return std::pair(std::string(producer.substr(0, slash)), epoch);
}

}  // namespace

absl::StatusOr<int64_t> AuditLogSink::NextNumber(std::string_view producer) {
  YKT_ASSIGN_OR_RETURN(const auto name, ReadProducer(producer));
  const auto stub = pb::AuditLogService::NewStub(channel_.grpc());
  grpc::ClientContext context;
  channel_.Prepare(context, kTimeout);
  pb::GetNextNumberRequest request;
  request.set_producer(name.first);
  request.set_restore_epoch(name.second);
  pb::GetNextNumberResponse response;
  YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub->GetNextNumber(&context, request, &response)));
  return response.next_number();
}

absl::Status AuditLogSink::Append(std::string_view producer, int64_t first_number,
                                  const std::vector<std::string>& bodies) {
  YKT_ASSIGN_OR_RETURN(const auto name, ReadProducer(producer));
  const auto stub = pb::AuditLogService::NewStub(channel_.grpc());
  grpc::ClientContext context;
  channel_.Prepare(context, kTimeout);
  pb::AppendEntriesRequest request;
  request.set_producer(name.first);
  request.set_restore_epoch(name.second);
  request.set_first_number(first_number);
  for (const std::string& body : bodies) request.add_bodies(body);
  pb::AppendEntriesResponse response;
  return rpc::FromGrpc(stub->AppendEntries(&context, request, &response));
}

}  // namespace yikatong::bankgateway
