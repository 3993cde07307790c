// The whole of dispatch as its callers see it: every step over real gRPC with mutual TLS and
// tokens, over PostgreSQL, with stand-ins for its peers and clocks that a test moves.
#pragma once

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/status/status.h"
#include "services/dispatch/store/refusal_store.h"
#include "services/dispatch/testing/money_rig.h"
#include "services/dispatch/testing/served.h"

namespace yikatong::dispatch::testing {

inline constexpr std::int64_t kStandard = 104'500;  // of the made-up policies, a month

// One person and the organisation whose certificate they come with.
struct Officer {
  identity::TokenClaims claims;
  std::string organisation = kCivil;
};

class ScenarioTest : public MoneyTest {
 protected:
  using Stub = v1::DispatchService::Stub;

  void SetUp() override {
    MoneyTest::SetUp();
    Serve();
  }
  void TearDown() override { served_.reset(); }

  void Serve() {
    rpc::GuardOptions options;
    options.audit_refusal = [this](const identity::Caller& caller, std::string_view method,
                                   const absl::Status& refusal) {
      EXPECT_TRUE(RecordRefusal(rig_->context, caller, method, status::ReasonNameOf(refusal)).ok());
    };
    served_ = std::make_unique<Served>(rig_->handlers, rig_->service, options);
  }

  static Officer OfficerOf(const std::string& person, identity::RoleSet roles,
                           std::vector<std::int32_t> districts = {kHebei},
                           std::vector<std::string> fields = {"CIVIL"},
                           const std::string& organisation = kCivil) {
    return {{.person = person,
             .organisation = organisation,
             .roles = roles,
             .fields = std::move(fields),
             .districts = std::move(districts)},
            organisation};
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response* response, const Officer& officer) {
    return served_->Call(method, request, response, served_->Token(officer.claims),
                         served_->As(officer.organisation));
  }

  v1::CreateBatchRequest NewBatch(std::int64_t rows, const std::string& policy = "P001",
                                  const std::string& period = "2026-03") {
    v1::CreateBatchRequest request;
    request.set_request_id(NewRequest());
    request.set_district(kHebei);
    request.set_department_id(kCivil);
    request.set_policy_id(policy);
    request.set_period(period);
    request.set_declared_count(rows);
    request.set_declared_fen(rows * kStandard);
    return request;
  }
  std::string Create(const v1::CreateBatchRequest& request) {
    v1::Batch batch;
    return Outcome(Call(&Stub::CreateBatch, request, &batch, entering_));
  }
  std::int64_t Open(std::int64_t rows, const std::string& policy = "P001",
                    const std::string& period = "2026-03") {
    v1::Batch batch;
    EXPECT_EQ(Outcome(Call(&Stub::CreateBatch, NewBatch(rows, policy, period), &batch, entering_)),
              "OK");
    return batch.batch_id();
  }

  // One stream of chunks as `officer`; the answers, and how the stream ended.
  struct Streamed {
    std::vector<v1::UploadItemsResponse> answers;
    std::string outcome;
    std::int64_t accepted = 0;
    std::int64_t accepted_fen = 0;
    std::vector<std::string> refused;  // "row:REASON detail"
  };
  Streamed Upload(const std::vector<v1::UploadItemsRequest>& chunks, const Officer& officer) {
    rpc::Channel& channel = served_->As(officer.organisation);
    const auto stub = v1::DispatchService::NewStub(channel.grpc());
    grpc::ClientContext context;
    channel.Prepare(context, absl::Seconds(60), served_->Token(officer.claims));
    const auto stream = stub->UploadItems(&context);
    Streamed streamed;
    v1::UploadItemsResponse answer;
    for (const v1::UploadItemsRequest& chunk : chunks) {
      if (!stream->Write(chunk) || !stream->Read(&answer)) break;
      streamed.answers.push_back(answer);
      streamed.accepted += answer.accepted();
      streamed.accepted_fen += answer.accepted_fen();
      for (const auto& one : answer.rejections()) {
        streamed.refused.push_back(fmt::format("{}:{}{}{}", one.row(), one.reason(),
                                               one.detail().empty() ? "" : " ", one.detail()));
      }
    }
    stream->WritesDone();
    while (stream->Read(&answer)) continue;
    streamed.outcome = Outcome(rpc::FromGrpc(stream->Finish()));
    return streamed;
  }
  Streamed Upload(const std::vector<v1::UploadItemsRequest>& chunks) {
    return Upload(chunks, entering_);
  }
  static v1::UploadItemsRequest Chunk(std::int64_t batch, int chunk,
                                      const std::vector<v1::ItemRow>& rows) {
    v1::UploadItemsRequest request;
    request.set_batch_id(batch);
    request.set_chunk(chunk);
    for (const v1::ItemRow& row : rows) *request.add_rows() = row;
    return request;
  }
  // Rows about the people `first` … `first + count − 1`, from row `row`.
  static v1::UploadItemsRequest People(std::int64_t batch, int chunk, std::int64_t row, int first,
                                       int count, std::int64_t fen = kStandard) {
    std::vector<v1::ItemRow> rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) rows.push_back(RowOf(row + i, first + i, fen));
    return Chunk(batch, chunk, rows);
  }

  // A step that names the batch and nothing more.
  template <typename Request, typename Response>
  std::string Step(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   std::int64_t batch, const Officer& officer, Request request = {}) {
    request.set_request_id(NewRequest());
    request.set_batch_id(batch);
    Response response;
    return Outcome(Call(method, request, &response, officer));
  }
  std::string Seal(std::int64_t batch) { return Step(&Stub::SealBatch, batch, entering_); }
  std::string Cancel(std::int64_t batch, const Officer& officer) {
    v1::CancelBatchRequest request;
    request.set_reason("entered by mistake");
    return Step(&Stub::CancelBatch, batch, officer, request);
  }
  std::string Review(std::int64_t batch, const std::string& step, const Officer& officer,
                     bool approve = true) {
    v1::ReviewBatchRequest request;
    request.set_step(step);
    request.set_approve(approve);
    if (!approve) request.set_comment("two households have moved");
    return Step(&Stub::ReviewBatch, batch, officer, request);
  }
  v1::Batch Show(std::int64_t batch, const Officer& officer) {
    v1::GetBatchRequest request;
    request.set_batch_id(batch);
    v1::Batch shown;
    EXPECT_EQ(Outcome(Call(&Stub::GetBatch, request, &shown, officer)), "OK");
    return shown;
  }
  v1::Batch Show(std::int64_t batch) { return Show(batch, entering_); }

  // A batch of `rows` people whose notice is over.
  std::int64_t InReview(int rows) {
    const std::int64_t batch = Open(rows);
    EXPECT_EQ(Upload({People(batch, 1, 1, 0, rows)}).accepted, rows);
    EXPECT_EQ(Seal(batch), "OK");
    EXPECT_EQ(Step(&Stub::PublishNotice, batch, entering_), "OK");
    v1::AddAttachmentRequest photo;
    photo.mutable_attachment()->set_kind("notice_photo");
    photo.mutable_attachment()->set_sha256(std::string(32, 'p'));
    photo.mutable_attachment()->set_byte_size(1'000);
    photo.mutable_attachment()->set_uri("photos/1");
    photo.mutable_attachment()->set_media_type("image/jpeg");
    EXPECT_EQ(Step(&Stub::AddAttachment, batch, entering_, photo), "OK");
    rig_->business.AdvanceDays(7);
    EXPECT_EQ(Step(&Stub::CloseNotice, batch, entering_), "OK");
    return batch;
  }

  // How many entries of refused calls name this reason.
  int RefusalsInTheLog(const std::string& reason) {
    return std::stoi(Sql(
        fmt::format("SELECT count(*) FROM outbox WHERE convert_from(body, 'UTF8') LIKE E'%kind: "
                    "call.refused%detail.reason: {}\\n%'",
                    reason)));
  }
  // Two batches arrive at the same moment; how many rows of each were taken.
  std::array<std::int64_t, 2> Race(const std::vector<v1::UploadItemsRequest>& one,
                                   const std::vector<v1::UploadItemsRequest>& other) {
    std::array<std::int64_t, 2> accepted{};
    served_->As(kCivil);  // opened before two threads ask for it
    std::array<std::thread, 2> threads;
    for (std::size_t side = 0; side < 2; ++side) {
      threads[side] = std::thread([&, side] {
        const Streamed streamed = Upload(side == 0 ? one : other);
        EXPECT_EQ(streamed.outcome, "OK");
        accepted[side] = streamed.accepted;
      });
    }
    for (std::thread& thread : threads) thread.join();
    return accepted;
  }

  std::unique_ptr<Served> served_;
  const Officer entering_ = OfficerOf("operator", {identity::Role::kDepartmentOperator});
  const Officer town_officer_ = OfficerOf("town", {identity::Role::kTownReviewer});
  const Officer department_officer_ =
      OfficerOf("department", {identity::Role::kDepartmentReviewer});
};

}  // namespace yikatong::dispatch::testing
