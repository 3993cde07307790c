#include "services/dispatch/store/once.h"

#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch {

namespace {

std::string OrganisationOf(const identity::Caller& caller) {
  return caller.IsService() ? "service:" + caller.service : caller.organisation;
}

}  // namespace

absl::StatusOr<std::optional<std::string>> KeptAnswer(postgres::Transaction& tx,
                                                      const identity::Caller& caller,
                                                      const Request& request) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows found,
                       tx.Run(sql::kRequestFind, OrganisationOf(caller), request.request_id));
  if (found.empty()) return std::nullopt;
  if (found[0].Text(0) != request.method || found[0].Bytes(1) != request.content_hash) {
    return status::Refuse(status::Reason::kRequestIdReused, "",
                          {{"first_method", found[0].Text(0)}});
  }
  return found[0].Bytes(2);
}

absl::StatusOr<std::string> RunOnce(postgres::Transaction& tx, const identity::Caller& caller,
                                    const Request& request,
                                    const std::function<absl::StatusOr<std::string>()>& work) {
  const std::string organisation = OrganisationOf(caller);
  YKT_RETURN_IF_ERROR(tx.Run(sql::kRequestLock, organisation, request.request_id).status());
  YKT_ASSIGN_OR_RETURN(std::optional<std::string> kept, KeptAnswer(tx, caller, request));
  if (kept) return *std::move(kept);
  YKT_ASSIGN_OR_RETURN(std::string answer, work());
  YKT_RETURN_IF_ERROR(tx.Run(sql::kRequestInsert, organisation, request.request_id, request.method,
                             postgres::Bytes{request.content_hash}, postgres::Bytes{answer})
                          .status());
  return answer;
}

absl::StatusOr<std::optional<std::string>> FindAnswer(postgres::Transaction& tx,
                                                      const identity::Caller& caller,
                                                      const Request& request) {
  YKT_ASSIGN_OR_RETURN(const postgres::Rows found,
                       tx.Run(sql::kRequestFind, OrganisationOf(caller), request.request_id));
  if (found.empty() || found[0].Text(0) != request.method ||
      found[0].Bytes(1) != request.content_hash)
    return std::optional<std::string>();
  return std::optional<std::string>(found[0].Bytes(2));
}

absl::StatusOr<std::optional<std::string>> FindAnswer(postgres::Database& database,
                                                      const identity::Caller& caller,
                                                      const Request& request) {
  std::optional<std::string> answer;
  YKT_RETURN_IF_ERROR(database.Read("find_answer", [&](postgres::Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(answer, FindAnswer(tx, caller, request));
    return absl::OkStatus();
  }));
  return answer;
}

absl::StatusOr<std::string> Mutate(
    postgres::Database& database, std::string_view name, const identity::Caller& caller,
    const Request& request,
    const std::function<absl::StatusOr<std::string>(postgres::Transaction&)>& work) {
  std::string answer;
  YKT_RETURN_IF_ERROR(database.Transact(name, [&](postgres::Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(answer, RunOnce(tx, caller, request, [&] { return work(tx); }));
    return absl::OkStatus();
  }));
  return answer;
}

}  // namespace yikatong::dispatch
