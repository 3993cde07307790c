// Every repair over real gRPC: the calls that tests of repairs have in common.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "common/status/status.h"
#include "services/dispatch/testing/money_rpc.h"

namespace yikatong::dispatch::testing {

inline constexpr identity::RoleSet kOperator = {identity::Role::kDepartmentOperator};
inline constexpr identity::RoleSet kReviewer = {identity::Role::kDepartmentReviewer};
inline constexpr identity::RoleSet kCity = {identity::Role::kCityFinance};

class RepairRpcTest : public MoneyRpcTest {
 protected:
  // A call that has a request id; its reason, or OK.
  template <typename Request, typename Response>
  std::string Do(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                 Request request, Response* response, const std::string& person,
                 identity::RoleSet roles, const std::string& organisation = kCivil) {
    if (request.request_id().empty()) request.set_request_id(NewRequest());
    return Outcome(Call(method, request, response, person, roles, organisation));
  }

  std::string Open(std::int64_t batch, const std::vector<std::int64_t>& items,
                   v1::RecoveryCause cause, v1::OpenRecoveriesResponse* opened,
                   std::int64_t due_fen = 0, const std::string& person = "o") {
    v1::OpenRecoveriesRequest request;
    request.set_batch_id(batch);
    for (const std::int64_t item : items) request.add_item_ids(item);
    request.set_cause(cause);
    request.set_due_fen(due_fen);
    request.set_reason("paid by mistake");
    return Do(&Stub::OpenRecoveries, request, opened, person, kOperator);
  }
  std::string Approve(std::int64_t recovery, v1::Recovery* answer,
                      const std::string& person = "rev") {
    v1::ApproveRecoveryRequest request;
    request.set_recovery_id(recovery);
    return Do(&Stub::ApproveRecovery, request, answer, person, kReviewer);
  }
  std::string Notify(std::int64_t recovery, v1::Recovery* answer) {
    v1::NotifyRecoveryRequest request;
    request.set_recovery_id(recovery);
    request.set_notice("letter 2026-9");
    return Do(&Stub::NotifyRecovery, request, answer, "o", kOperator);
  }
  std::string Receive(std::int64_t recovery, const std::string& receipt, std::int64_t fen,
                      v1::Recovery* answer, const std::string& request_id = "") {
    v1::RecordReceiptRequest request;
    request.set_request_id(request_id);
    request.set_recovery_id(recovery);
    request.set_receipt(receipt);
    request.set_amount_fen(fen);
    request.set_received_on("2026-03-09");
    return Do(&Stub::RecordReceipt, request, answer, "f", kCity, kFinance);
  }
  std::string ReissueOf(std::int64_t batch, const std::vector<std::int64_t>& items) {
    v1::ReissueItemsRequest request;
    request.set_batch_id(batch);
    for (const std::int64_t item : items) request.add_item_ids(item);
    request.set_reason("corrected");
    v1::ReissueItemsResponse answer;
    return Do(&Stub::ReissueItems, request, &answer, "o", kOperator);
  }
  std::string AbandonOf(std::int64_t batch, std::int64_t item) {
    v1::AbandonItemsRequest request;
    request.set_batch_id(batch);
    request.add_item_ids(item);
    request.set_reason("cannot be paid");
    v1::AbandonItemsResponse answer;
    return Do(&Stub::AbandonItems, request, &answer, "o", kOperator);
  }
  std::string CloseOf(std::int64_t batch) {
    v1::CloseBatchRequest request;
    request.set_batch_id(batch);
    v1::Batch answer;
    return Do(&Stub::CloseBatch, request, &answer, "o", kOperator);
  }
  std::vector<v1::Repair> Repairs(std::int64_t batch, bool overdue_only = false,
                                  int page_size = 2) {
    v1::ListRepairsRequest request;
    request.set_batch_id(batch);
    request.set_overdue_only(overdue_only);
    request.set_page_size(page_size);
    std::vector<v1::Repair> repairs;
    do {
      v1::ListRepairsResponse page;
      EXPECT_EQ(Outcome(Call(&Stub::ListRepairs, request, &page, "a", {identity::Role::kAuditor})),
                "OK");
      repairs.insert(repairs.end(), page.repairs().begin(), page.repairs().end());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return repairs;
  }
  // "KIND reason due" of each.
  std::vector<std::string> Told(const std::vector<v1::Repair>& repairs) {
    std::vector<std::string> told;
    for (const v1::Repair& repair : repairs) {
      EXPECT_FALSE(repair.what_to_do().empty());
      EXPECT_FALSE(repair.what_to_do_zh().empty());
      told.push_back(fmt::format("{} {} {}", v1::RepairKind_Name(repair.kind()).substr(12),
                                 repair.reason(), repair.due_on()));
    }
    return told;
  }
  std::vector<v1::Item> Items(std::int64_t batch, const std::string& state) {
    v1::ListItemsRequest request;
    request.set_batch_id(batch);
    request.set_state(state);
    v1::ListItemsResponse page;
    EXPECT_EQ(Outcome(Call(&Stub::ListItems, request, &page, "a", {identity::Role::kAuditor})),
              "OK");
    return {page.items().begin(), page.items().end()};
  }
  // A batch whose items are all paid; the line is there already.
  std::int64_t PaidBatch(int rows, Replica& replica) {
    const std::int64_t batch = Approved(rows);
    EXPECT_EQ(Outcome(Fund(batch)), "OK");
    EXPECT_EQ(Outcome(Release(batch)), "OK");
    Work(replica);
    PayAll(replica);
    Settle();
    return batch;
  }
  std::int64_t PaidFor(const std::string& month, int rows, Replica& replica) {
    period_ = month;
    return PaidBatch(rows, replica);
  }
  void Settle() { EXPECT_EQ(*rig_->chunks.SettleBatches(), 1); }
  void FollowChanges(Replica& replica) {
    rig_->clock.Advance(absl::Minutes(1));
    ASSERT_TRUE(replica.registry.BeatOnce().ok());
    const auto followed = replica.changes.FollowOnce();
    ASSERT_TRUE(followed.ok()) << followed.status();
  }
};

}  // namespace yikatong::dispatch::testing
