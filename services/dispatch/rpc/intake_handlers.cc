#include "services/dispatch/rpc/intake_handlers.h"

#include "common/base/dates.h"
#include "common/base/utf8.h"
#include "common/status/status.h"
#include "services/dispatch/domain/review.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr int kDefaultPage = 100;
constexpr int kMostPage = 1'000;
constexpr std::size_t kMostObjectionText = 2'000;

absl::Status BadField(std::string_view field) {
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

// The message in the answer's bytes, whether they were made now or kept from before.
template <typename Message>
absl::StatusOr<Message> Parse(absl::StatusOr<std::string> bytes) {
  if (!bytes.ok()) return std::move(bytes).status();
  Message message;
  YKT_INVARIANT(message.ParseFromString(*bytes), "a kept answer cannot be read");
  return message;
}

// What somebody objects, in their own words and lines.
absl::Status CheckObjectionText(std::string_view text) {
  if (text.empty()) return status::Refuse(Reason::kReasonMissing, "", {{"field", "text"}});
  const std::optional<std::u32string> points = base::DecodeUtf8(text);
  return points && points->size() <= kMostObjectionText ? absl::OkStatus() : BadField("text");
}

template <typename Request>
absl::StatusOr<Page> PageOf(const Request& request) {
  if (request.page_size() < 0 || request.page_size() > kMostPage) return BadField("page_size");
  if (request.page_token().size() > 64) return status::Refuse(Reason::kPageTokenInvalid);
  return Page{request.page_size() == 0 ? kDefaultPage : request.page_size(), request.page_token()};
}

}  // namespace

absl::StatusOr<v1::Batch> IntakeHandlers::CreateBatch(const v1::CreateBatchRequest& request,
                                                      const identity::Caller& caller) {
  NewBatch batch;
  batch.district = request.district();
  batch.department_id = request.department_id();
  batch.policy_id = request.policy_id();
  batch.period = request.period();
  batch.declared_count = request.declared_count();
  batch.declared_fen = request.declared_fen();
  if (!request.pay_on().empty()) {
    batch.pay_on = base::ParseDate(request.pay_on());
    if (!batch.pay_on) return BadField("pay_on");
  }
  return Parse<v1::Batch>(collection_.Create(
      caller, RequestOf("CreateBatch", request.request_id(), request), batch, encode_batch_));
}

absl::StatusOr<v1::UploadItemsResponse> IntakeHandlers::UploadChunk(
    const v1::UploadItemsRequest& request, const identity::Caller& caller, UploadStream& stream) {
  if (stream.roster == nullptr) {
    YKT_ASSIGN_OR_RETURN(stream.roster, collection_.Open(caller, request.batch_id()));
  }
  if (request.batch_id() != stream.roster->batch.batch_id) {
    return status::Refuse(Reason::kChunkInvalid, "the chunk is of another batch than the stream");
  }
  if (request.chunk() <= stream.last_chunk) {
    return status::Refuse(Reason::kChunkInvalid, "chunk numbers of a stream ascend from 1",
                          {{"before", std::to_string(stream.last_chunk)}});
  }
  std::vector<RosterRow> rows;
  rows.reserve(static_cast<std::size_t>(request.rows_size()));
  for (const v1::ItemRow& row : request.rows()) rows.push_back(FromWire(row));
  YKT_ASSIGN_OR_RETURN(const ChunkAnswer answer,
                       collection_.Take(caller, *stream.roster, request.chunk(),
                                        ContentHash("UploadItems", request), rows));
  stream.last_chunk = request.chunk();
  v1::UploadItemsResponse response;
  response.set_chunk(answer.chunk);
  response.set_accepted(answer.accepted);
  response.set_accepted_fen(answer.accepted_fen);
  for (const Rejection& rejection : answer.rejections) ToWire(rejection, response.add_rejections());
  return response;
}

absl::StatusOr<v1::Batch> IntakeHandlers::SealBatch(const v1::SealBatchRequest& request,
                                                    const identity::Caller& caller) {
  return Parse<v1::Batch>(store_.SealBatch(caller,
                                           RequestOf("SealBatch", request.request_id(), request),
                                           request.batch_id(), encode_batch_));
}

absl::StatusOr<v1::ListDeparturesResponse> IntakeHandlers::ListDepartures(
    const v1::ListDeparturesRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const Page page, PageOf(request));
  YKT_ASSIGN_OR_RETURN(
      const Listed<Departure> listed,
      store_.ListDepartures(caller, request.batch_id(), request.unexplained_only(), page));
  v1::ListDeparturesResponse response;
  for (const Departure& departure : listed.rows) {
    v1::Departure* wire = response.add_departures();
    wire->set_person_id(departure.person_id);
    wire->set_masked_name(departure.masked_name);
    wire->set_amount_fen(departure.amount_fen);
    wire->set_reason(departure.reason);
  }
  response.set_next_page_token(listed.next);
  return response;
}

absl::StatusOr<v1::ExplainDeparturesResponse> IntakeHandlers::ExplainDepartures(
    const v1::ExplainDeparturesRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  if (request.person_ids_size() > 10'000) return BadField("person_ids");
  const std::vector<std::int64_t> people(request.person_ids().begin(), request.person_ids().end());
  const Encode<DeparturesExplained> encode =
      [](const DeparturesExplained& explained) -> absl::StatusOr<std::string> {
    v1::ExplainDeparturesResponse response;
    response.set_explained(explained.explained);
    response.set_unexplained(explained.unexplained);
    return response.SerializeAsString();
  };
  return Parse<v1::ExplainDeparturesResponse>(store_.ExplainDepartures(
      caller, RequestOf("ExplainDepartures", request.request_id(), request), request.batch_id(),
      people, request.reason(), encode));
}

absl::StatusOr<v1::Batch> IntakeHandlers::GetBatch(const v1::GetBatchRequest& request,
                                                   const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const Batch batch, store_.GetBatch(caller, request.batch_id()));
  YKT_ASSIGN_OR_RETURN(const policy::PolicyRule rule, rules_.Decode(batch.rule));
  return ToWire(batch, rule, calendar_);
}

absl::StatusOr<v1::ListBatchesResponse> IntakeHandlers::ListBatches(
    const v1::ListBatchesRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const Page page, PageOf(request));
  BatchFilter filter;
  filter.district = request.district();
  filter.policy_id = request.policy_id();
  if (!v1::BatchState_IsValid(request.state())) return BadField("state");
  if (request.state() != v1::BATCH_STATE_UNSPECIFIED)
    filter.state = static_cast<BatchState>(request.state());
  YKT_ASSIGN_OR_RETURN(const Listed<BatchRow> listed, store_.ListBatches(caller, filter, page));
  v1::ListBatchesResponse response;
  for (const BatchRow& batch : listed.rows) *response.add_batches() = ToWire(batch);
  response.set_next_page_token(listed.next);
  return response;
}

absl::StatusOr<v1::ListRejectionsResponse> IntakeHandlers::ListRejections(
    const v1::ListRejectionsRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const Page page, PageOf(request));
  YKT_ASSIGN_OR_RETURN(const Listed<Rejection> listed,
                       store_.ListRejections(caller, request.batch_id(), page));
  v1::ListRejectionsResponse response;
  for (const Rejection& rejection : listed.rows) ToWire(rejection, response.add_rejections());
  response.set_next_page_token(listed.next);
  return response;
}

absl::StatusOr<v1::ListItemsResponse> IntakeHandlers::ListItems(const v1::ListItemsRequest& request,
                                                                const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const Page page, PageOf(request));
  YKT_ASSIGN_OR_RETURN(const Listed<ItemView> listed,
                       store_.ListItems(caller, request.batch_id(), request.state(), page));
  v1::ListItemsResponse response;
  for (const ItemView& item : listed.rows) {
    v1::Item* wire = response.add_items();
    wire->set_item_id(item.item_id);
    wire->set_row(item.row);
    wire->set_masked_name(item.masked_name);
    wire->set_village_code(item.village);
    wire->set_amount_fen(item.amount_fen);
    wire->set_state(item.state);
    wire->set_reason(item.reason);
    wire->set_attempt(item.attempt);
    wire->set_reference(item.reference);
    wire->set_person_id(item.person_id);
  }
  response.set_next_page_token(listed.next);
  return response;
}

absl::StatusOr<v1::Batch> IntakeHandlers::CancelBatch(const v1::CancelBatchRequest& request,
                                                      const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return Parse<v1::Batch>(
      store_.CancelBatch(caller, RequestOf("CancelBatch", request.request_id(), request),
                         request.batch_id(), request.reason(), encode_batch_));
}

absl::StatusOr<v1::Batch> IntakeHandlers::CorrectBatch(const v1::CorrectBatchRequest& request,
                                                       const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  YKT_RETURN_IF_ERROR(CheckDeclared(request.declared_count(), request.declared_fen()));
  return Parse<v1::Batch>(store_.CorrectBatch(
      caller, RequestOf("CorrectBatch", request.request_id(), request), request.batch_id(),
      request.declared_count(), request.declared_fen(), request.reason(), encode_batch_));
}

absl::StatusOr<v1::Batch> IntakeHandlers::AddAttachment(const v1::AddAttachmentRequest& request,
                                                        const identity::Caller& caller) {
  const Attachment attachment = FromWire(request.attachment());
  YKT_RETURN_IF_ERROR(CheckAttachment(attachment));
  return Parse<v1::Batch>(
      store_.AddAttachment(caller, RequestOf("AddAttachment", request.request_id(), request),
                           request.batch_id(), attachment, encode_batch_));
}

absl::StatusOr<v1::Notice> IntakeHandlers::PublishNotice(const v1::PublishNoticeRequest& request,
                                                         const identity::Caller& caller) {
  const Encode<Notice> encode = [](const Notice& notice) -> absl::StatusOr<std::string> {
    return ToWire(notice).SerializeAsString();
  };
  return Parse<v1::Notice>(
      store_.PublishNotice(caller, RequestOf("PublishNotice", request.request_id(), request),
                           request.batch_id(), encode));
}

absl::StatusOr<v1::ListNoticeLinesResponse> IntakeHandlers::ListNoticeLines(
    const v1::ListNoticeLinesRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const Page page, PageOf(request));
  YKT_ASSIGN_OR_RETURN(const IntakeStore::NoticePage found,
                       store_.ListNoticeLines(caller, request.batch_id(), page));
  v1::ListNoticeLinesResponse response;
  *response.mutable_notice() = ToWire(found.notice);
  for (const NoticeLine& line : found.lines.rows) {
    v1::NoticeLine* wire = response.add_lines();
    wire->set_line(line.line);
    wire->set_masked_name(line.masked_name);
    wire->set_village_code(line.village);
    wire->set_amount_fen(line.amount_fen);
    wire->set_people(line.people);
    wire->set_item_id(line.item_id);
  }
  response.set_next_page_token(found.lines.next);
  return response;
}

absl::StatusOr<v1::Objection> IntakeHandlers::RaiseObjection(
    const v1::RaiseObjectionRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckObjectionText(request.text()));
  const Encode<Objection> encode = [](const Objection& objection) -> absl::StatusOr<std::string> {
    return ToWire(objection).SerializeAsString();
  };
  return Parse<v1::Objection>(
      store_.RaiseObjection(caller, RequestOf("RaiseObjection", request.request_id(), request),
                            request.batch_id(), request.item_id(), request.text(), encode));
}

absl::StatusOr<v1::Objection> IntakeHandlers::DecideObjection(
    const v1::DecideObjectionRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  if (request.decision() != v1::OBJECTION_STATE_UPHELD &&
      request.decision() != v1::OBJECTION_STATE_REJECTED &&
      request.decision() != v1::OBJECTION_STATE_WITHDRAWN) {
    return BadField("decision");
  }
  const Encode<Objection> encode = [](const Objection& objection) -> absl::StatusOr<std::string> {
    return ToWire(objection).SerializeAsString();
  };
  return Parse<v1::Objection>(store_.DecideObjection(
      caller, RequestOf("DecideObjection", request.request_id(), request), request.batch_id(),
      request.objection_id(), static_cast<ObjectionState>(request.decision()), request.reason(),
      encode));
}

absl::StatusOr<v1::Batch> IntakeHandlers::CloseNotice(const v1::CloseNoticeRequest& request,
                                                      const identity::Caller& caller) {
  return Parse<v1::Batch>(
      store_.CloseNotice(caller, RequestOf("CloseNotice", request.request_id(), request),
                         request.batch_id(), encode_batch_));
}

absl::StatusOr<v1::Batch> IntakeHandlers::ReviewBatch(const v1::ReviewBatchRequest& request,
                                                      const identity::Caller& caller) {
  return Parse<v1::Batch>(store_.ReviewBatch(
      caller, RequestOf("ReviewBatch", request.request_id(), request), request.batch_id(),
      request.step(), request.approve(), request.comment(), encode_batch_));
}

absl::Status IntakeHandlers::MaySee(std::int64_t batch_id, const identity::Caller& caller) {
  return store_.FindBatch(caller, batch_id).status();
}

absl::StatusOr<v1::WatchBatchResponse> IntakeHandlers::Progress(std::int64_t batch_id) {
  YKT_ASSIGN_OR_RETURN(const BatchProgress progress, store_.Progress(batch_id));
  v1::WatchBatchResponse response;
  response.set_state(static_cast<v1::BatchState>(progress.state));
  response.mutable_progress()->set_stage(progress.stage);
  response.mutable_progress()->set_done(progress.done);
  response.mutable_progress()->set_total(progress.total);
  return response;
}

}  // namespace yikatong::dispatch
