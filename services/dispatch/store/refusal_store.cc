#include "services/dispatch/store/refusal_store.h"

#include "common/outbox/outbox.h"

namespace yikatong::dispatch {

absl::Status RecordRefusal(const StoreContext& context, const identity::Caller& caller,
                           std::string_view method, std::string_view reason) {
  outbox::Entry entry;
  entry.service = "dispatch";
  entry.kind = "call.refused";
  entry.district = caller.districts.size() == 1 ? caller.districts.front() : identity::kWholeCity;
  entry.subject = method;
  entry.actor_org = caller.IsService() ? "service:" + caller.service : caller.organisation;
  entry.actor_person = caller.person;
  entry.at = context.clock.Now();
  entry.business_date = context.business.Today();
  entry.details = {{"reason", std::string(reason)}};
  const std::string id = context.ids.NewId();
  return context.database.Transact(
      "record_refusal", [&](postgres::Transaction& tx) { return outbox::Append(tx, id, entry); });
}

}  // namespace yikatong::dispatch
