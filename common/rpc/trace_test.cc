#include "common/rpc/trace.h"

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "common/rpc/call.h"
#include "common/rpc/wire_status.h"
#include "common/status/status.h"

namespace yikatong::rpc {
namespace {

constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, GoesOnWithTheCallersTraceUnderASpanOfItsOwn) {
  const Trace trace = Trace::Continue(kParent);
  EXPECT_EQ(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_NE(trace.span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(trace.sampled);
  EXPECT_EQ(trace.Traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-" + trace.span_id + "-01");
  EXPECT_EQ(Trace::Continue(trace.Traceparent()).trace_id, trace.trace_id);
}

TEST(Trace, StartsAnewWhereTheHeaderIsNotWellFormed) {
  for (std::string_view bad : {"", "x", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                               "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                               "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                               "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                               "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    const Trace trace = Trace::Continue(bad);
    EXPECT_EQ(trace.trace_id.size(), 32u);
    EXPECT_NE(trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") << bad;
    EXPECT_FALSE(trace.sampled);
  }
}

TEST(CallScope, NestsAndKeepsTheEarlierDeadline) {
  EXPECT_EQ(CallScope::Current(), nullptr);
  const absl::Time early = absl::FromUnixSeconds(100), late = absl::FromUnixSeconds(200);
  {
    const CallScope outer(Trace::New(), early);
    EXPECT_EQ(CallScope::Current(), &outer);
    {
      const CallScope inner(Trace::New(), late);
      EXPECT_EQ(CallScope::Current(), &inner);
      EXPECT_EQ(inner.deadline(), early);
    }
    EXPECT_EQ(CallScope::Current(), &outer);
  }
  EXPECT_EQ(CallScope::Current(), nullptr);
}

TEST(WireStatus, CarriesReasonAndMetadataBothWays) {
  const absl::Status sent = status::Refuse(status::Reason::kCountDiffers, "batch 7",
                                           {{"declared", "10"}, {"received", "9"}});
  const absl::Status received = FromGrpc(ToGrpc(sent));
  EXPECT_EQ(received.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(received.message(), sent.message());
  EXPECT_EQ(status::ReasonOf(received), status::Reason::kCountDiffers);
  EXPECT_EQ(status::MetadataOf(received), status::MetadataOf(sent));
}

TEST(WireStatus, KeepsAReasonThatOnlyANewerPeerKnows) {
  const absl::Status newer = status::Rebuild(absl::StatusCode::kFailedPrecondition, "text",
                                             "INVENTED_NEXT_YEAR", {{"a", "b"}});
  const absl::Status received = FromGrpc(ToGrpc(newer));
  EXPECT_EQ(status::ReasonNameOf(received), "INVENTED_NEXT_YEAR");
  EXPECT_EQ(status::ReasonOf(received), std::nullopt);
}

TEST(WireStatus, WithoutAReasonKeepsCodeAndMessage) {
  const absl::Status received = FromGrpc(ToGrpc(absl::UnavailableError("down")));
  EXPECT_EQ(received, absl::UnavailableError("down"));
  EXPECT_TRUE(FromGrpc(ToGrpc(absl::OkStatus())).ok());
  // What gRPC itself says, or details that are none.
  EXPECT_EQ(FromGrpc(grpc::Status(grpc::StatusCode::CANCELLED, "c", "\xff\xff")).code(),
            absl::StatusCode::kCancelled);
}

TEST(WireStatus, ReplacesTextThatIsNotUtf8) {
  const grpc::Status wire = ToGrpc(absl::InvalidArgumentError("bad \xff byte"));
  EXPECT_EQ(wire.error_message().find('\xff'), std::string::npos);
}

TEST(RequestId, IsPrintableAndAtMost64Characters) {
  EXPECT_TRUE(RequireRequestId("0123456789abcdef0123456789abcdef").ok());
  EXPECT_TRUE(RequireRequestId(std::string(64, 'x')).ok());
  EXPECT_EQ(status::ReasonOf(RequireRequestId("")), status::Reason::kRequestIdMissing);
  for (const std::string& bad : {std::string(65, 'x'), std::string("a b"), std::string("a\n"),
                                 std::string("一"), std::string("a\0b", 3)}) {
    EXPECT_EQ(status::ReasonOf(RequireRequestId(bad)), status::Reason::kRequestIdInvalid);
  }
}

}  // namespace
}  // namespace yikatong::rpc
