// The audit log over gRPC, as the relay of an outbox sees it.
//
//   outbox::GrpcSink<auditlog::v1::AuditLogService::Stub> sink(*channel);
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/outbox/relay.h"
#include "common/rpc/unary.h"
#include "common/status/status.h"

namespace yikatong::outbox {

// A producer's name "<service>/<restore epoch>" in its parts.
inline absl::StatusOr<std::pair<std::string, int>> ReadProducer(std::string_view producer) {
  const std::size_t slash = producer.find('/');
  YKT_INVARIANT(slash != std::string_view::npos, "a producer without a restore epoch");
  int epoch = 0;
  const char* const end = producer.data() + producer.size();
  const auto [read, error] = std::from_chars(producer.data() + slash + 1, end, epoch);
  YKT_INVARIANT(error == std::errc() && read == end, "a restore epoch that is no number");
  return std::pair(std::string(producer.substr(0, slash)), epoch);
}

// `Stub` is that of the log's generated service, with GetNextNumber and AppendEntries. Thread safe;
// `channel` must outlive it.
template <typename Stub>
class GrpcSink final : public AuditSink {
 public:
  explicit GrpcSink(const rpc::Channel& channel) : channel_(channel) {}

  absl::StatusOr<int64_t> NextNumber(std::string_view producer) override {
    YKT_ASSIGN_OR_RETURN(const auto name, ReadProducer(producer));
    typename rpc::UnaryMethod<&Stub::GetNextNumber>::Request request;
    request.set_producer(name.first);
    request.set_restore_epoch(name.second);
    YKT_ASSIGN_OR_RETURN(const auto response,
                         rpc::Ask<&Stub::GetNextNumber>(channel_, request, kTimeout));
    return response.next_number();
  }

  absl::Status Append(std::string_view producer, int64_t first_number,
                      const std::vector<std::string>& bodies) override {
    YKT_ASSIGN_OR_RETURN(const auto name, ReadProducer(producer));
    typename rpc::UnaryMethod<&Stub::AppendEntries>::Request request;
    request.set_producer(name.first);
    request.set_restore_epoch(name.second);
    request.set_first_number(first_number);
    for (const std::string& body : bodies) request.add_bodies(body);
    return rpc::Ask<&Stub::AppendEntries>(channel_, request, kTimeout).status();
  }

 private:
  // Shorter than the lease of the relay.
  static constexpr absl::Duration kTimeout = absl::Seconds(8);

  const rpc::Channel& channel_;
};

}  // namespace yikatong::outbox
