#include "services/dispatch/rpc/wire.h"

#include "common/base/dates.h"
#include "common/crypto/sha256.h"
#include "common/status/status.h"
#include "services/dispatch/domain/review.h"

namespace yikatong::dispatch {
namespace {

void SetTime(absl::Time time, google::protobuf::Timestamp* wire) {
  const std::int64_t micros = absl::ToUnixMicros(time);
  std::int64_t seconds = micros / 1'000'000;
  std::int64_t rest = micros % 1'000'000;
  if (rest < 0) {
    --seconds;
    rest += 1'000'000;
  }
  wire->set_seconds(seconds);
  wire->set_nanos(static_cast<std::int32_t>(rest * 1'000));
}

void SetTotals(const Totals& totals, v1::BatchTotals* wire) {
  const auto of = [&](Bucket bucket) { return totals.Of(bucket); };
  wire->set_accepted(totals.accepted.items);
  wire->set_accepted_fen(totals.accepted.fen);
  wire->set_rejected(totals.rejected());
  wire->set_held(of(Bucket::kHeld).items);
  wire->set_held_fen(of(Bucket::kHeld).fen);
  wire->set_stopped(of(Bucket::kStopped).items + of(Bucket::kCancelled).items);
  wire->set_stopped_fen(of(Bucket::kStopped).fen + of(Bucket::kCancelled).fen);
  wire->set_unroutable(of(Bucket::kUnroutable).items);
  wire->set_unroutable_fen(of(Bucket::kUnroutable).fen);
  wire->set_waiting(of(Bucket::kWaiting).items);
  wire->set_waiting_fen(of(Bucket::kWaiting).fen);
  wire->set_in_transit(of(Bucket::kInTransit).items);
  wire->set_in_transit_fen(of(Bucket::kInTransit).fen);
  wire->set_paid(of(Bucket::kPaid).items);
  wire->set_paid_fen(of(Bucket::kPaid).fen);
  wire->set_failed(of(Bucket::kFailed).items);
  wire->set_failed_fen(of(Bucket::kFailed).fen);
  wire->set_unknown(of(Bucket::kUnknown).items);
  wire->set_unknown_fen(of(Bucket::kUnknown).fen);
  wire->set_returned_open(of(Bucket::kReturnedOpen).items);
  wire->set_returned_open_fen(of(Bucket::kReturnedOpen).fen);
  wire->set_returned(of(Bucket::kReturned).items);
  wire->set_returned_fen(of(Bucket::kReturned).fen);
  wire->set_reissued_paid(of(Bucket::kReissuedPaid).items);
  wire->set_reissued_paid_fen(of(Bucket::kReissuedPaid).fen);
  wire->set_not_converted(of(Bucket::kNotConverted).items);
}

void SetAttachment(const Attachment& attachment, type::v1::Attachment* wire) {
  wire->set_kind(attachment.kind);
  wire->set_sha256(attachment.sha256);
  wire->set_byte_size(attachment.byte_size);
  wire->set_uri(attachment.uri);
  wire->set_media_type(attachment.media_type);
}

}  // namespace

v1::Batch ToWire(const BatchRow& batch) {
  v1::Batch wire;
  wire.set_batch_id(batch.batch_id);
  wire.set_district(batch.district);
  wire.set_department_id(batch.department_id);
  wire.set_policy_id(batch.policy_id);
  wire.set_policy_version(batch.policy_version);
  wire.set_period(batch.period);
  wire.set_state(static_cast<v1::BatchState>(batch.state));
  wire.set_declared_count(batch.declared_count);
  wire.set_declared_fen(batch.declared_fen);
  wire.set_created_by(batch.created_by);
  if (batch.pay_on) wire.set_pay_on(base::FormatDate(*batch.pay_on));
  SetTime(batch.created_at, wire.mutable_created_at());
  wire.set_reason(batch.reason);
  return wire;
}

namespace {

v1::Batch WithoutNextStep(const Batch& batch) {
  v1::Batch wire = ToWire(static_cast<const BatchRow&>(batch));
  SetTotals(batch.totals, wire.mutable_totals());
  for (const Review& review : batch.reviews) {
    v1::ReviewRecord* record = wire.add_reviews();
    record->set_step(review.step);
    record->set_person(review.person);
    SetTime(review.at, record->mutable_at());
    record->set_approved(review.approved);
    record->set_comment(review.comment);
    record->set_late(review.late);
  }
  wire.set_unexplained_departures(batch.unexplained_departures);
  if (batch.origin.kind == BatchOrigin::Kind::kCorrects)
    wire.set_corrects_batch_id(batch.origin.of_batch);
  if (batch.origin.kind == BatchOrigin::Kind::kTopsUp)
    wire.set_tops_up_batch_id(batch.origin.of_batch);
  for (const Attachment& attachment : batch.attachments)
    SetAttachment(attachment, wire.add_attachments());
  return wire;
}

}  // namespace

v1::Batch ToWire(const Batch& batch, const policy::PolicyRule& rule,
                 const calendar::Calendar& calendar) {
  v1::Batch wire = WithoutNextStep(batch);
  if (batch.state == BatchState::kInReview) {
    if (const policy::ReviewStep* next = NextReviewStep(rule, batch))
      wire.set_next_step(next->step);
    if (const auto due = ReviewDueOn(rule, batch, calendar))
      wire.set_next_step_due_on(base::FormatDate(*due));
  }
  return wire;
}

absl::StatusOr<v1::Batch> ToWire(const Batch& batch, const policy::PolicyRule&) {
  YKT_INVARIANT(batch.state != BatchState::kInReview,
                "a batch in review is shown with its next step");
  return WithoutNextStep(batch);
}

absl::StatusOr<std::string> BatchEncoder::operator()(const Batch& batch) const {
  YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, rules_.Decode(batch.rule));
  return ToWire(batch, rule, calendar_).SerializeAsString();
}

Attachment FromWire(const type::v1::Attachment& wire) {
  return {wire.kind(), wire.sha256(), wire.byte_size(), wire.uri(), wire.media_type()};
}

v1::Notice ToWire(const Notice& notice) {
  v1::Notice wire;
  wire.set_batch_id(notice.batch_id);
  wire.set_from_date(base::FormatDate(notice.from_date));
  wire.set_to_date(base::FormatDate(notice.to_date));
  wire.set_root(notice.root);
  wire.set_lines(notice.lines);
  wire.set_aggregate_only(notice.aggregate_only);
  return wire;
}

v1::Objection ToWire(const Objection& objection) {
  v1::Objection wire;
  wire.set_objection_id(objection.objection_id);
  wire.set_batch_id(objection.batch_id);
  wire.set_item_id(objection.item_id);
  wire.set_text(objection.text);
  wire.set_state(static_cast<v1::ObjectionState>(objection.state));
  wire.set_decision(objection.decision);
  return wire;
}

void ToWire(const Rejection& rejection, type::v1::RowRejection* wire) {
  wire->set_row(rejection.row);
  wire->set_reason(rejection.reason);
  wire->set_detail(rejection.detail);
}

RosterRow FromWire(const v1::ItemRow& wire) {
  RosterRow row;
  row.row = wire.row();
  row.id_no = wire.id_no();
  row.name = wire.name();
  row.payee_id_no = wire.payee_id_no();
  row.payee_name = wire.payee_name();
  row.amount_fen = wire.amount_fen();
  row.quantity = wire.quantity();
  row.members = wire.members();
  row.income_fen = wire.income_fen();
  row.bill_fen = wire.bill_fen();
  row.tier = wire.tier();
  row.object_id = wire.object_id();
  return row;
}

std::string ContentHash(std::string_view method, const google::protobuf::MessageLite& message) {
  const std::string bytes = message.SerializeAsString();
  return crypto::StringOf(crypto::Sha256({method, std::string_view("\0", 1), bytes}));
}

Request RequestOf(std::string_view method, std::string_view request_id,
                  const google::protobuf::MessageLite& message) {
  return {std::string(method), std::string(request_id), ContentHash(method, message)};
}

}  // namespace yikatong::dispatch
