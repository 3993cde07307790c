#include "services/bankgateway/store/context.h"

#include "common/outbox/outbox.h"

namespace yikatong::bankgateway {

absl::Status Audit(const StoreContext& context, postgres::Transaction& tx,
                   const identity::Caller* caller, const Deed& deed) {
  outbox::Entry entry;
  entry.service = "bankgateway";
  entry.kind = deed.kind;
  entry.district = deed.district;
  entry.subject = deed.subject;
  entry.actor_org = "service:bankgateway";
  if (caller != nullptr) {
    entry.actor_org = caller->IsService() ? "service:" + caller->service : caller->organisation;
    entry.actor_person = caller->person;
  }
  entry.at = context.clock.Now();
  entry.business_date = context.today.Today();
  entry.request_id = deed.request_id;
  entry.root = deed.root;
  entry.leaves = deed.leaves;
  entry.details = deed.details;
  return outbox::Append(tx, context.ids.NewId(), entry);
}

absl::Status RecordRefusal(const StoreContext& context, const identity::Caller& caller,
                           std::string_view method, std::string_view reason) {
  return context.database.Transact("record_refusal", [&](postgres::Transaction& tx) {
    return Audit(context, tx, &caller,
                 {.kind = "call.refused",
                  .district = identity::kWholeCity,
                  .subject = std::string(method.substr(method.rfind('/') + 1)),
                  .details = {{"reason", reason.empty() ? "NONE" : std::string(reason)}}});
  });
}

}  // namespace yikatong::bankgateway
