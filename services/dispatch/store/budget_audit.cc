#include "services/dispatch/store/budget_audit.h"

#include <utility>

#include "common/outbox/outbox.h"

namespace yikatong::dispatch {

absl::Status AuditBudget(postgres::Transaction& tx, const StoreContext& context,
                         const identity::Caller& caller, std::int32_t district,
                         std::string_view subject, std::string_view kind,
                         std::string_view request_id, std::map<std::string, std::string> details) {
  outbox::Entry entry;
  entry.service = "dispatch";
  entry.kind = kind;
  entry.district = district;
  entry.subject = subject;
  entry.actor_org = caller.IsService() ? "service:" + caller.service : caller.organisation;
  entry.actor_person = caller.person;
  entry.at = context.clock.Now();
  entry.business_date = context.business.Today();
  entry.request_id = request_id;
  entry.details = std::move(details);
  return outbox::Append(tx, context.ids.NewId(), entry);
}

}  // namespace yikatong::dispatch
