#include "services/dispatch/clients/registry_client.h"

#include <google/protobuf/arena.h>
#include <grpcpp/client_context.h>

#include "common/base/dates.h"
#include "common/status/status.h"
#include "services/dispatch/clients/peer_status.h"
#include "yikatong/registry/v1/registry.grpc.pb.h"

namespace yikatong::dispatch {
namespace {

namespace pb = registry::v1;
const absl::Duration kDeadline = absl::Seconds(10);

absl::StatusOr<ResolvedPerson> FromWire(const pb::ResolvedPerson& wire) {
  ResolvedPerson person;
  person.person_id = wire.person_id();
  if (person.person_id == 0) return person;
  person.name_matches = wire.name_matches();
  const std::optional<absl::CivilDay> born = base::ParseDate(wire.born_on());
  YKT_INVARIANT(born.has_value(), "the registry gave a birth that is no date");
  person.born_on = *born;
  if (!wire.died_on().empty()) {
    person.died_on = base::ParseDate(wire.died_on());
    YKT_INVARIANT(person.died_on.has_value(), "the registry gave a death that is no date");
  }
  person.village = wire.village_code();
  person.household_id = wire.household_id();
  person.head_person_id = wire.head_person_id();
  person.guardian_person_id = wire.guardian_person_id();
  person.aliases.assign(wire.alias_person_ids().begin(), wire.alias_person_ids().end());
  return person;
}

}  // namespace

class RegistryClient::Impl {
 public:
  explicit Impl(const rpc::Channel& channel)
      : channel_(channel), stub_(pb::RegistryService::NewStub(channel.grpc())) {}

  absl::StatusOr<std::vector<ResolvedPerson>> Resolve(std::span<const PersonLookup> lookups,
                                                      bool with_head) {
    grpc::ClientContext context;
    channel_.Prepare(context, kDeadline);
    google::protobuf::Arena arena;
    auto* request = google::protobuf::Arena::CreateMessage<pb::ResolvePeopleRequest>(&arena);
    auto* response = google::protobuf::Arena::CreateMessage<pb::ResolvePeopleResponse>(&arena);
    request->set_purpose("collection");
    request->set_with_head(with_head);
    request->mutable_lookups()->Reserve(static_cast<int>(lookups.size()));
    for (const PersonLookup& lookup : lookups) {
      pb::PersonLookup* wire = request->add_lookups();
      wire->set_id_no(lookup.id_no);
      wire->set_name(lookup.name);
    }
    YKT_RETURN_IF_ERROR(FromPeer("registry", stub_->ResolvePeople(&context, *request, response)));
    YKT_INVARIANT(response->people_size() == static_cast<int>(lookups.size()),
                  "the registry left look-ups unanswered");
    std::vector<ResolvedPerson> people;
    people.reserve(lookups.size());
    for (const pb::ResolvedPerson& wire : response->people()) {
      YKT_ASSIGN_OR_RETURN(ResolvedPerson person, FromWire(wire));
      people.push_back(std::move(person));
    }
    return people;
  }

 private:
  const rpc::Channel& channel_;
  std::unique_ptr<pb::RegistryService::Stub> stub_;
};

RegistryClient::RegistryClient(const rpc::Channel& channel)
    : impl_(std::make_unique<Impl>(channel)) {}
RegistryClient::~RegistryClient() = default;

absl::StatusOr<std::vector<ResolvedPerson>> RegistryClient::Resolve(
    std::span<const PersonLookup> lookups, bool with_head) {
  return impl_->Resolve(lookups, with_head);
}

}  // namespace yikatong::dispatch
