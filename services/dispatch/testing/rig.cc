#include "services/dispatch/testing/rig.h"

#include <fmt/format.h>

#include "common/status/status.h"
#include "services/dispatch/sql/queries.h"

namespace yikatong::dispatch::testing {

IntakeRig::IntakeRig(postgres::PgFixture& server, IntakeOptions options)
    : pg(server.FreshDatabase()),
      store({pg->database(), clock, business, ids}, rules, calendar, random, money, options),
      collection(store, catalogue, people, rules, business),
      handlers(collection, store, rules, calendar) {
  catalogue.Put(RuleOf("P001"));
  people.Populate(200);
}

v1::ItemRow RowOf(std::int64_t row, int n, std::int64_t amount_fen) {
  v1::ItemRow wire;
  wire.set_row(row);
  wire.set_id_no(IdOf(n));
  wire.set_name(FakePeople::NameOf(n));
  wire.set_amount_fen(amount_fen);
  return wire;
}

void IntakeTest::SetUpTestSuite() {
  server_ = postgres::PgFixture::Start({"dispatch", sql::kMigrations});
}

void IntakeTest::Renew(IntakeOptions options) {
  rig_.reset();
  rig_ = std::make_unique<IntakeRig>(*server_, options);
}

std::string IntakeTest::Outcome(const absl::Status& status) {
  if (status.ok()) return "OK";
  const std::string reason = status::ReasonNameOf(status);
  return reason.empty() ? status.ToString() : reason;
}

v1::CreateBatchRequest IntakeTest::NewBatch(std::int64_t rows, const std::string& policy,
                                            const std::string& period, std::int32_t district) {
  v1::CreateBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_district(district);
  request.set_department_id("civil.120105");
  request.set_policy_id(policy);
  request.set_period(period);
  request.set_declared_count(rows);
  request.set_declared_fen(rows * 104'500);
  return request;
}

std::int64_t IntakeTest::Opened(std::int64_t rows, const std::string& policy,
                                const std::string& period, std::int32_t district) {
  const auto batch =
      rig_->handlers.CreateBatch(NewBatch(rows, policy, period, district), operator_);
  EXPECT_TRUE(batch.ok()) << batch.status();
  return batch.ok() ? batch->batch_id() : 0;
}

v1::UploadItemsRequest IntakeTest::Chunk(std::int64_t batch, std::int32_t chunk,
                                         std::vector<v1::ItemRow> rows) {
  v1::UploadItemsRequest request;
  request.set_batch_id(batch);
  request.set_chunk(chunk);
  for (v1::ItemRow& row : rows) *request.add_rows() = std::move(row);
  return request;
}

v1::UploadItemsRequest IntakeTest::People(std::int64_t batch, std::int32_t chunk, std::int64_t row,
                                          int first, int count, std::int64_t amount_fen) {
  std::vector<v1::ItemRow> rows;
  rows.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) rows.push_back(RowOf(row + i, first + i, amount_fen));
  return Chunk(batch, chunk, std::move(rows));
}

absl::StatusOr<v1::UploadItemsResponse> IntakeTest::Upload(const v1::UploadItemsRequest& chunk,
                                                           const identity::Caller& caller) {
  UploadStream stream;
  return rig_->handlers.UploadChunk(chunk, caller, stream);
}

absl::StatusOr<v1::Batch> IntakeTest::Seal(std::int64_t batch) {
  v1::SealBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  return rig_->handlers.SealBatch(request, operator_);
}

std::int64_t IntakeTest::Sealed(int rows, const std::string& policy, const std::string& period) {
  const std::int64_t batch = Opened(rows, policy, period);
  const auto answer = Upload(People(batch, 1, 1, 0, rows));
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->accepted(), rows);
  const auto sealed = Seal(batch);
  EXPECT_TRUE(sealed.ok()) << sealed.status();
  return batch;
}

std::int64_t IntakeTest::Noticed(int rows, const std::string& policy) {
  const std::int64_t batch = Sealed(rows, policy);
  v1::PublishNoticeRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  const auto notice = rig_->handlers.PublishNotice(request, operator_);
  EXPECT_TRUE(notice.ok()) << notice.status();
  return batch;
}

absl::StatusOr<v1::Batch> IntakeTest::AddPhoto(std::int64_t batch) {
  v1::AddAttachmentRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.mutable_attachment()->set_kind("notice_photo");
  request.mutable_attachment()->set_sha256(std::string(32, 'p'));
  request.mutable_attachment()->set_byte_size(1'000);
  request.mutable_attachment()->set_uri("photos/1");
  request.mutable_attachment()->set_media_type("image/jpeg");
  return rig_->handlers.AddAttachment(request, operator_);
}

std::int64_t IntakeTest::InReview(int rows, const std::string& policy) {
  const std::int64_t batch = Noticed(rows, policy);
  EXPECT_EQ(Outcome(AddPhoto(batch)), "OK");
  rig_->business.AdvanceDays(7);
  v1::CloseNoticeRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  EXPECT_EQ(Outcome(rig_->handlers.CloseNotice(request, operator_)), "OK");
  return batch;
}

absl::StatusOr<v1::Batch> IntakeTest::Review(std::int64_t batch, const std::string& step,
                                             const identity::Caller& caller, bool approve,
                                             const std::string& comment) {
  v1::ReviewBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_step(step);
  request.set_approve(approve);
  request.set_comment(comment);
  return rig_->handlers.ReviewBatch(request, caller);
}

absl::StatusOr<v1::Batch> IntakeTest::Cancel(std::int64_t batch) {
  v1::CancelBatchRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_reason("entered by mistake");
  return rig_->handlers.CancelBatch(request, operator_);
}

absl::StatusOr<v1::Objection> IntakeTest::Raise(std::int64_t batch, std::int64_t item,
                                                const identity::Caller& caller) {
  v1::RaiseObjectionRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_item_id(item);
  request.set_text("this person owns a car");
  return rig_->handlers.RaiseObjection(request, caller);
}

absl::StatusOr<v1::Objection> IntakeTest::Decide(std::int64_t batch, std::int64_t objection,
                                                 v1::ObjectionState decision,
                                                 const identity::Caller& caller) {
  v1::DecideObjectionRequest request;
  request.set_request_id(NewRequest());
  request.set_batch_id(batch);
  request.set_objection_id(objection);
  request.set_decision(decision);
  request.set_reason("looked into");
  return rig_->handlers.DecideObjection(request, caller);
}

v1::Batch IntakeTest::Get(std::int64_t batch) {
  v1::GetBatchRequest request;
  request.set_batch_id(batch);
  const auto found = rig_->handlers.GetBatch(request, operator_);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *found : v1::Batch();
}

std::vector<v1::Item> IntakeTest::Items(std::int64_t batch, const std::string& state) {
  v1::ListItemsRequest request;
  request.set_batch_id(batch);
  request.set_state(state);
  std::vector<v1::Item> items;
  do {
    const auto page = rig_->handlers.ListItems(request, operator_);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    items.insert(items.end(), page->items().begin(), page->items().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return items;
}

std::vector<std::string> IntakeTest::Reasons(const v1::UploadItemsResponse& answer) {
  std::vector<std::string> reasons;
  for (const auto& rejection : answer.rejections()) {
    reasons.push_back(fmt::format("{}:{}{}{}", rejection.row(), rejection.reason(),
                                  rejection.detail().empty() ? "" : " ", rejection.detail()));
  }
  return reasons;
}

void IntakeTest::ExpectBalanced(std::int64_t batch) {
  const v1::BatchTotals totals = Get(batch).totals();
  EXPECT_EQ(totals.accepted(), totals.held() + totals.stopped() + totals.unroutable() +
                                   totals.waiting() + totals.in_transit() + totals.paid() +
                                   totals.failed() + totals.unknown() + totals.returned_open());
  EXPECT_EQ(totals.accepted_fen(),
            totals.held_fen() + totals.stopped_fen() + totals.unroutable_fen() +
                totals.waiting_fen() + totals.in_transit_fen() + totals.paid_fen() +
                totals.failed_fen() + totals.unknown_fen() + totals.returned_open_fen());
  EXPECT_EQ(
      Sql(fmt::format(
          "SELECT count(*) || '/' || coalesce(sum(amount_fen), 0) FROM item WHERE batch_id = {}",
          batch)),
      fmt::format("{}/{}", totals.accepted(), totals.accepted_fen()));
}

}  // namespace yikatong::dispatch::testing
