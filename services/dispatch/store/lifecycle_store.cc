// What happens to a batch as a whole: sealing, departures, cancelling, evidence, review.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/base/period.h"
#include "common/postgres/bulk.h"
#include "common/status/status.h"
#include "services/dispatch/domain/review.h"
#include "services/dispatch/sql/queries.h"
#include "services/dispatch/store/intake_store.h"
#include "services/dispatch/store/new_batch.h"
#include "services/dispatch/store/once.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

// Sealing holds what the batch declared against what came.
absl::Status CheckDeclaration(const BatchRow& batch, const Totals& totals) {
  if (totals.uploaded == 0 || totals.accepted.items == 0)
    return status::Refuse(Reason::kBatchEmpty);
  if (totals.uploaded != batch.declared_count) {
    return status::Refuse(Reason::kCountDiffers, "",
                          {{"declared", std::to_string(batch.declared_count)},
                           {"uploaded", std::to_string(totals.uploaded)}});
  }
  if (totals.uploaded_fen != batch.declared_fen) {
    return status::Refuse(Reason::kTotalDiffers, "",
                          {{"declared_fen", std::to_string(batch.declared_fen)},
                           {"uploaded_fen", std::to_string(totals.uploaded_fen)}});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> PgIntakeStore::OnBatch(std::string_view name,
                                                   const identity::Caller& caller,
                                                   const Request& request, std::int64_t batch_id,
                                                   bool alone, const Step& step) {
  bool did = false;
  absl::StatusOr<std::string> answer =
      Mutate(context_.database, name, caller, request,
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               // Found before any lock is waited for: who may not see the batch must not be able to
               // wait for it either.
               YKT_RETURN_IF_ERROR(dispatch::FindBatch(tx, caller, batch_id).status());
               if (alone) YKT_RETURN_IF_ERROR(tx.Run(sql::kBatchLockAlone, batch_id).status());
               YKT_ASSIGN_OR_RETURN(BatchRow batch, LockBatch(tx, caller, batch_id));
               did = true;
               return step(tx, batch);
             });
  if (answer.ok() && did && changed_) changed_(batch_id);
  return answer;
}

absl::StatusOr<std::string> PgIntakeStore::Answer(postgres::Transaction& tx, const BatchRow& batch,
                                                  const Encode<Batch>& encode) {
  YKT_ASSIGN_OR_RETURN(const Batch whole, ReadBatch(tx, batch));
  return encode(whole);
}

absl::StatusOr<std::string> PgIntakeStore::SealBatch(const identity::Caller& caller,
                                                     const Request& request, std::int64_t batch_id,
                                                     const Encode<Batch>& encode) {
  return OnBatch(
      "seal_batch", caller, request, batch_id, true,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kSeal).status());
        YKT_ASSIGN_OR_RETURN(const Totals totals, ReadTotals(tx, batch));
        YKT_RETURN_IF_ERROR(CheckDeclaration(batch, totals));
        YKT_ASSIGN_OR_RETURN(const postgres::Rows chunks,
                             tx.Run(sql::kChunksSeal, batch.district, batch.batch_id));
        std::int64_t departures = 0;
        const std::optional<base::Period> period = base::Period::Parse(batch.period);
        YKT_INVARIANT(period.has_value(), "a batch has a period that is none");
        if (const std::optional<base::Period> before = period->Previous()) {
          YKT_ASSIGN_OR_RETURN(const postgres::Rows left,
                               tx.Run(sql::kDeparturesFind, batch.district, batch.batch_id,
                                      batch.policy_id, before->Text(), batch.period));
          departures = left.affected();
        }
        YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kSeal));
        YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                                  {"batch.sealed",
                                   request.request_id,
                                   "",
                                   0,
                                   {{"accepted", std::to_string(totals.accepted.items)},
                                    {"accepted_fen", std::to_string(totals.accepted.fen)},
                                    {"rejected", std::to_string(totals.rejected())},
                                    {"chunks", std::to_string(chunks.affected())},
                                    {"departures", std::to_string(departures)}},
                                   ""})
                                .status());
        return Answer(tx, batch, encode);
      });
}

absl::StatusOr<std::string> PgIntakeStore::ExplainDepartures(
    const identity::Caller& caller, const Request& request, std::int64_t batch_id,
    const std::vector<std::int64_t>& person_ids, std::string_view reason,
    const Encode<DeparturesExplained>& encode) {
  return OnBatch("explain_departures", caller, request, batch_id, false,
                 [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
                   YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kPublishNotice).status());
                   postgres::Columns columns;
                   columns.Scalar(batch.district)
                       .Scalar(batch.batch_id)
                       .Int64s(person_ids)
                       .Lone()
                       .Scalar(reason);
                   YKT_ASSIGN_OR_RETURN(const postgres::Rows updated,
                                        tx.RunColumns(sql::kDepartureExplain, columns));
                   if (!person_ids.empty() &&
                       updated.affected() != static_cast<std::int64_t>(person_ids.size())) {
                     return status::Refuse(Reason::kPersonUnknown, "somebody named did not leave");
                   }
                   DeparturesExplained answer;
                   answer.explained = updated.affected();
                   YKT_ASSIGN_OR_RETURN(
                       const postgres::Rows left,
                       tx.Run(sql::kBatchUnexplained, batch.district, batch.batch_id));
                   answer.unexplained = left[0].Int64(0);
                   YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                                             {"departures.explained",
                                              request.request_id,
                                              "",
                                              0,
                                              {{"explained", std::to_string(answer.explained)},
                                               {"unexplained", std::to_string(answer.unexplained)}},
                                              ""})
                                           .status());
                   return encode(answer);
                 });
}

absl::Status PgIntakeStore::ReleaseClaims(postgres::Transaction& tx, const BatchRow& batch) {
  const std::int64_t edge_owner = EdgeOwner(batch.policy_id);
  YKT_RETURN_IF_ERROR(
      tx.Run(sql::kEdgeLockBatch, batch.district, batch.batch_id, edge_owner).status());
  YKT_RETURN_IF_ERROR(
      tx.Run(sql::kEdgeReleaseBatch, batch.district, batch.batch_id, edge_owner).status());
  YKT_ASSIGN_OR_RETURN(const postgres::Rows chunks,
                       tx.Run(sql::kChunksOfUpload, batch.district, batch.batch_id));
  for (const postgres::Row chunk : chunks) {
    YKT_RETURN_IF_ERROR(
        tx.Run(sql::kClaimReleaseRange, batch.district, batch.batch_id, chunk.Int64(0)).status());
  }
  return absl::OkStatus();
}

absl::Status PgIntakeStore::EndBatch(postgres::Transaction& tx, const identity::Caller& caller,
                                     BatchRow& batch, BatchEvent event, std::string_view reason,
                                     std::string_view request_id) {
  const BatchState from = batch.state;
  YKT_ASSIGN_OR_RETURN(const Totals totals, ReadTotals(tx, batch));
  YKT_RETURN_IF_ERROR(ReleaseClaims(tx, batch));
  if (from == BatchState::kFunded)
    YKT_RETURN_IF_ERROR(money_.ReleaseReservation(tx, caller, batch));
  const std::string why(status::ReasonName(Reason::kBatchCancelled));
  YKT_RETURN_IF_ERROR(
      AppendMovements(tx, context_, batch,
                      {{Bucket::kWaiting, Bucket::kCancelled, why, totals.Of(Bucket::kWaiting)},
                       {Bucket::kHeld, Bucket::kCancelled, why, totals.Of(Bucket::kHeld)}}));
  YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, event, reason));
  return Audit(tx, context_, caller, batch,
               {"batch.cancelled",
                std::string(request_id),
                "",
                0,
                {{"from", std::string(BatchStateName(from))},
                 {"items", std::to_string(totals.Of(Bucket::kWaiting).items +
                                          totals.Of(Bucket::kHeld).items)}},
                ""})
      .status();
}

absl::StatusOr<std::string> PgIntakeStore::CancelBatch(const identity::Caller& caller,
                                                       const Request& request,
                                                       std::int64_t batch_id,
                                                       std::string_view reason,
                                                       const Encode<Batch>& encode) {
  return OnBatch("cancel_batch", caller, request, batch_id, true,
                 [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
                   YKT_RETURN_IF_ERROR(Next(batch.state, BatchEvent::kCancel).status());
                   if (batch.state != BatchState::kCancelled) {
                     YKT_RETURN_IF_ERROR(EndBatch(tx, caller, batch, BatchEvent::kCancel, reason,
                                                  request.request_id));
                   }
                   return Answer(tx, batch, encode);
                 });
}

absl::StatusOr<std::string> PgIntakeStore::CorrectBatch(
    const identity::Caller& caller, const Request& request, std::int64_t batch_id,
    std::int64_t declared_count, std::int64_t declared_fen, std::string_view reason,
    const Encode<Batch>& encode) {
  return OnBatch(
      "correct_batch", caller, request, batch_id, true,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        YKT_RETURN_IF_ERROR(
            EndBatch(tx, caller, batch, BatchEvent::kCorrect, reason, request.request_id));
        // The same version: what was asked for was right to be asked, only rows were wrong.
        PinnedRule pinned;
        pinned.bytes = batch.rule;
        YKT_ASSIGN_OR_RETURN(pinned.rule, rules_.Decode(batch.rule));
        const NewBatch wanted{batch.district, batch.department_id, batch.policy_id, batch.period,
                              declared_count, declared_fen,        std::nullopt};
        YKT_ASSIGN_OR_RETURN(
            const BatchRow taking_over,
            InsertBatch(tx, context_, random_, caller, request.request_id, wanted, pinned));
        YKT_RETURN_IF_ERROR(
            InsertOrigin(tx, taking_over, {BatchOrigin::Kind::kCorrects, batch.batch_id}));
        return Answer(tx, taking_over, encode);
      });
}

absl::StatusOr<std::string> PgIntakeStore::AddAttachment(const identity::Caller& caller,
                                                         const Request& request,
                                                         std::int64_t batch_id,
                                                         const Attachment& attachment,
                                                         const Encode<Batch>& encode) {
  return OnBatch(
      "add_attachment", caller, request, batch_id, false,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        if (batch.state == BatchState::kClosed || batch.state == BatchState::kCancelled) {
          return status::Refuse(Reason::kBatchState, "",
                                {{"state", std::string(BatchStateName(batch.state))}});
        }
        YKT_RETURN_IF_ERROR(tx.Run(sql::kAttachmentInsert, batch.district, batch.batch_id,
                                   postgres::Bytes{attachment.sha256}, attachment.kind,
                                   attachment.byte_size, attachment.uri, attachment.media_type,
                                   caller.person)
                                .status());
        YKT_RETURN_IF_ERROR(
            Audit(tx, context_, caller, batch,
                  {"attachment.added",
                   request.request_id,
                   "",
                   0,
                   {{"kind", attachment.kind}, {"sha256", base::ToHex(attachment.sha256)}},
                   ""})
                .status());
        return Answer(tx, batch, encode);
      });
}

absl::StatusOr<std::string> PgIntakeStore::ReviewBatch(const identity::Caller& caller,
                                                       const Request& request,
                                                       std::int64_t batch_id, std::string_view step,
                                                       bool approve, std::string_view comment,
                                                       const Encode<Batch>& encode) {
  return OnBatch(
      "review_batch", caller, request, batch_id, false,
      [&](postgres::Transaction& tx, BatchRow& batch) -> absl::StatusOr<std::string> {
        YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, rules_.Decode(batch.rule));
        YKT_ASSIGN_OR_RETURN(const Batch whole, ReadBatch(tx, batch));
        YKT_RETURN_IF_ERROR(CheckReview(rule, whole, caller, step, approve, comment));
        const absl::CivilDay today = context_.business.Today();
        const std::optional<absl::CivilDay> due = batch.state == BatchState::kInReview
                                                      ? ReviewDueOn(rule, whole, calendar_)
                                                      : std::nullopt;
        const bool late = due.has_value() && today > *due;
        const std::size_t step_no = whole.reviews.size() + 1;
        YKT_RETURN_IF_ERROR(tx.Run(sql::kReviewInsert, batch.district, batch.batch_id, step_no,
                                   step, caller.person, approve, comment, late, today,
                                   context_.clock.Now())
                                .status());
        if (!approve) {
          YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kReturn, comment));
        } else if (step_no == rule.review_steps.size()) {
          YKT_RETURN_IF_ERROR(Advance(tx, context_, batch, BatchEvent::kFinishReview));
        }
        YKT_RETURN_IF_ERROR(Audit(tx, context_, caller, batch,
                                  {approve ? "batch.reviewed" : "batch.returned",
                                   request.request_id,
                                   "",
                                   0,
                                   {{"step", std::string(step)}, {"late", late ? "true" : "false"}},
                                   ""})
                                .status());
        return Answer(tx, batch, encode);
      });
}

}  // namespace yikatong::dispatch
