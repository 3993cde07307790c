#include "services/dispatch/domain/intake.h"

#include "common/base/period.h"
#include "common/money/money.h"
#include "common/status/status.h"
#include "services/dispatch/domain/ids.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

absl::Status CheckNew(const identity::Caller& caller, const NewBatch& batch, absl::CivilDay today) {
  if (!caller.InDistrict(batch.district)) return status::Refuse(Reason::kDistrictForeign);
  if (batch.district / 10'000 != kProvince) {
    return status::Refuse(Reason::kFieldInvalid, "", {{"field", "district"}});
  }
  if (batch.department_id.empty() || batch.department_id.size() > 64) {
    return status::Refuse(Reason::kFieldInvalid, "", {{"field", "department_id"}});
  }
  YKT_RETURN_IF_ERROR(CheckDeclared(batch.declared_count, batch.declared_fen));
  if (!base::Period::Parse(batch.period)) return status::Refuse(Reason::kPeriodInvalid);
  if (batch.pay_on && *batch.pay_on < today) return status::Refuse(Reason::kPayDatePast);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckDeclared(std::int64_t count, std::int64_t fen) {
  if (count < 1) return status::Refuse(Reason::kBatchEmpty);
  if (count > kMaxBatchRows || fen > money::kMaxBatchFen) {
    return status::Refuse(Reason::kBatchTooLarge, "",
                          {{"most_rows", std::to_string(kMaxBatchRows)},
                           {"most_fen", std::to_string(money::kMaxBatchFen)}});
  }
  if (fen < 1) return status::Refuse(Reason::kFieldInvalid, "", {{"field", "declared_fen"}});
  return absl::OkStatus();
}

absl::StatusOr<std::string> Collection::Create(const identity::Caller& caller,
                                               const Request& request, const NewBatch& batch,
                                               const Encode<Batch>& encode) {
  YKT_ASSIGN_OR_RETURN(const std::optional<std::string> before, store_.FindAnswer(caller, request));
  if (before) return *before;
  YKT_RETURN_IF_ERROR(CheckNew(caller, batch, business_.Today()));
  YKT_ASSIGN_OR_RETURN(const PinnedRule pinned,
                       catalogue_.PayableVersion(batch.policy_id, batch.period, batch.district,
                                                 batch.department_id));
  // A policy of a foreign field does not exist for this caller.
  if (!caller.InField(pinned.rule.field)) return status::Refuse(Reason::kPolicyUnknown);
  return store_.CreateBatch(caller, request, batch, pinned, encode);
}

absl::StatusOr<std::shared_ptr<const Roster>> Collection::Open(const identity::Caller& caller,
                                                               std::int64_t batch_id) {
  YKT_ASSIGN_OR_RETURN(BatchRow batch, store_.FindBatch(caller, batch_id));
  YKT_ASSIGN_OR_RETURN(policy::PolicyRule rule, rules_.Decode(batch.rule));
  YKT_ASSIGN_OR_RETURN(Roster roster,
                       Roster::Of(std::move(batch), std::move(rule), business_.Today()));
  return std::make_shared<const Roster>(std::move(roster));
}

absl::StatusOr<ChunkAnswer> Collection::Take(const identity::Caller& caller, const Roster& roster,
                                             std::int32_t chunk, std::string content_hash,
                                             std::span<const RosterRow> rows) {
  YKT_ASSIGN_OR_RETURN(std::optional<ChunkAnswer> before,
                       store_.FindChunk(roster.batch, chunk, content_hash));
  if (before) return *std::move(before);
  YKT_ASSIGN_OR_RETURN(ChunkDraft draft, ReadRows(roster, chunk, std::move(content_hash), rows));
  std::vector<ResolvedPerson> people;
  if (!draft.lookups.empty()) {
    YKT_ASSIGN_OR_RETURN(people, people_.Resolve(draft.lookups, roster.PaysHeads()));
  }
  YKT_RETURN_IF_ERROR(JudgeRows(roster, rows, people, draft));
  return store_.TakeChunk(caller, roster, draft);
}

}  // namespace yikatong::dispatch
