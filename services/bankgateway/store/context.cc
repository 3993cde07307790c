#include "services/bankgateway/store/context.h"

#include "common/crypto/sha256.h"
#include "common/crypto/wire.h"
#include "common/outbox/outbox.h"
#include "common/status/status.h"
#include "services/bankgateway/sql/queries.h"

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

absl::StatusOr<bool> DoneBefore(postgres::Transaction& tx, const std::string& request_id,
                                std::initializer_list<std::string_view> content) {
  std::string bytes;
  for (const std::string_view field : content) crypto::PutField(bytes, field);
  const crypto::Digest hash = crypto::Sha256(bytes);
  YKT_ASSIGN_OR_RETURN(const postgres::Rows taken, tx.Run(sql::kRequestInsert, request_id,
                                                          postgres::Bytes{crypto::BytesOf(hash)}));
  if (taken.affected() == 1) return false;
  YKT_ASSIGN_OR_RETURN(const postgres::Rows rows, tx.Run(sql::kRequestFind, request_id));
  YKT_INVARIANT(rows.size() == 1, "a request that is taken is not there");
  if (rows[0].Bytes(0) != crypto::BytesOf(hash)) {
    return status::Refuse(status::Reason::kRequestIdReused);
  }
  return true;
}

}  // namespace yikatong::bankgateway
