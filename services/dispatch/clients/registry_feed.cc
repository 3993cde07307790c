#include "services/dispatch/clients/registry_feed.h"

#include <grpcpp/client_context.h>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "yikatong/registry/v1/registry.grpc.pb.h"

namespace yikatong::dispatch {
namespace {

namespace pb = registry::v1;
constexpr absl::Duration kDeadline = absl::Seconds(10);

PersonChange::Kind KindOf(pb::ChangeKind kind) {
  switch (kind) {
    case pb::CHANGE_KIND_DEATH:
      return PersonChange::Kind::kDeath;
    case pb::CHANGE_KIND_MERGED:
      return PersonChange::Kind::kMerged;
    default:
      return PersonChange::Kind::kOther;
  }
}

}  // namespace

struct RegistryFeed::Stub {
  std::unique_ptr<pb::RegistryService::Stub> registry;
};

RegistryFeed::RegistryFeed(const rpc::Channel& channel)
    : channel_(channel), stub_(new Stub{pb::RegistryService::NewStub(channel.grpc())}) {}
RegistryFeed::~RegistryFeed() = default;

absl::StatusOr<ChangePage> RegistryFeed::ListChanges(std::int64_t after, int max_changes) {
  pb::ListChangesRequest request;
  request.set_after(after);
  request.set_page_size(max_changes);
  pb::ListChangesResponse response;
  grpc::ClientContext context;
  channel_.Prepare(context, kDeadline);
  YKT_RETURN_IF_ERROR(rpc::FromGrpc(stub_->registry->ListChanges(&context, request, &response)));
  ChangePage page;
  page.head = response.head();
  page.changes.reserve(static_cast<std::size_t>(response.changes_size()));
  for (const pb::Change& wire : response.changes()) {
    PersonChange change;
    change.number = wire.number();
    change.kind = KindOf(wire.kind());
    change.person_id = wire.person_id();
    change.other_person_id = wire.other_person_id();
    change.recorded_at = absl::FromUnixSeconds(wire.recorded_at().seconds()) +
                         absl::Nanoseconds(wire.recorded_at().nanos());
    const std::optional<absl::CivilDay> day = base::ParseDate(wire.happened_on());
    YKT_INVARIANT(day.has_value() || change.kind != PersonChange::Kind::kDeath,
                  "the registry told a death that has no day");
    if (day.has_value()) change.happened_on = *day;
    page.changes.push_back(change);
  }
  return page;
}

}  // namespace yikatong::dispatch
