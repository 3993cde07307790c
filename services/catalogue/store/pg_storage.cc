#include "services/catalogue/store/pg_storage.h"

#include <utility>

#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"
#include "services/catalogue/sql/queries.h"
#include "services/catalogue/store/pg_repository.h"

namespace yikatong::catalogue {
namespace {

using postgres::Rows;
using status::Reason;

// Request ids are the caller's own: two organisations may choose the same.
std::string OwnerOf(const Call& call) {
  return call.caller.IsService() ? "service:" + call.caller.service : call.caller.organisation;
}

}  // namespace

PgStorage::PgStorage(postgres::Database& database, redis::Cache& cache, const base::Clock& clock,
                     base::IdSource& ids, StorageOptions options)
    : database_(database), cache_(cache), clock_(clock), ids_(ids), options_(options) {}

absl::StatusOr<std::string> PgStorage::Once(const Call& call, const Answering& work) {
  std::string answer;
  YKT_RETURN_IF_ERROR(
      database_.Transact(call.method, [&](postgres::Transaction& tx) -> absl::Status {
        const std::string owner = OwnerOf(call);
        YKT_ASSIGN_OR_RETURN(const Rows taken, tx.Run(kTakeRequest, owner, call.request_id,
                                                      call.method, postgres::Bytes{call.sha256}));
        if (taken.affected() == 0) {
          YKT_ASSIGN_OR_RETURN(const Rows first, tx.Run(kFindRequest, owner, call.request_id));
          YKT_INVARIANT(!first.empty() && !first[0].IsNull(1), "a request without its answer");
          if (first[0].Bytes(0) != call.sha256) {
            return status::Refuse(Reason::kRequestIdReused);
          }
          answer = first[0].Bytes(1);
          return absl::OkStatus();
        }
        PgRepository repository({.tx = tx,
                                 .cache = cache_,
                                 .clock = clock_,
                                 .ids = ids_,
                                 .clock_adjustable = options_.clock_adjustable,
                                 .reading = false},
                                call);
        YKT_ASSIGN_OR_RETURN(answer, work(repository));
        return tx.Run(kAnswerRequest, owner, call.request_id, postgres::Bytes{answer}).status();
      }));
  return answer;
}

absl::Status PgStorage::Read(const Call& call, const Work& work) {
  // One snapshot: a policy's revision and its versions are of the same moment.
  return database_.Transact(call.method,
                            [&](postgres::Transaction& tx) -> absl::Status {
                              PgRepository repository(
                                  {.tx = tx,
                                   .cache = cache_,
                                   .clock = clock_,
                                   .ids = ids_,
                                   .clock_adjustable = options_.clock_adjustable,
                                   .reading = true},
                                  call);
                              return work(repository);
                            },
                            {.isolation = postgres::Isolation::kRepeatableRead, .read_only = true});
}

absl::Status PgStorage::StartClock(absl::CivilDay first) {
  if (!options_.clock_adjustable) return absl::OkStatus();
  return database_.Transact("start_clock", [&](postgres::Transaction& tx) {
    return tx.Run(kStartBusinessDate, first).status();
  });
}

void PgStorage::RecordRefusal(const identity::Caller& caller, std::string_view method,
                              const absl::Status& refusal) {
  const Call call{.caller = caller, .method = std::string(method), .request_id = {}, .sha256 = {}};
  const absl::Status recorded =
      database_.Transact("record_refusal", [&](postgres::Transaction& tx) -> absl::Status {
        PgRepository repository({.tx = tx,
                                 .cache = cache_,
                                 .clock = clock_,
                                 .ids = ids_,
                                 .clock_adjustable = options_.clock_adjustable,
                                 .reading = false},
                                call);
        return repository.Record({.kind = "call.refused",
                                  .district = policy::kCityDivision,
                                  .subject = call.method,
                                  .details = {{"reason", status::ReasonNameOf(refusal)}}});
      });
  if (!recorded.ok()) {
    telemetry::Log::Error("refusal_not_recorded", {{"method", method}, {"status", recorded}});
  }
}

}  // namespace yikatong::catalogue
