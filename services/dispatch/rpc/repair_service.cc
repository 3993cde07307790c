#include "services/dispatch/rpc/repair_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/base/utf8.h"
#include "common/status/free_text.h"
#include "common/status/status.h"
#include "services/dispatch/domain/review.h"
#include "services/dispatch/store/once.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

constexpr int kMostRecoveries = 100;
constexpr std::size_t kMostNote = 200;
constexpr std::int64_t kMostFen = 1'000'000'000'000;  // 10 billion yuan

absl::Status FieldInvalid(std::string_view field) {
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0 || asked > 1'000) return FieldInvalid("page_size");
  return asked == 0 ? 100 : asked;
}

// The numbers of a page token "a-b-c"; zeros for an empty one.
template <std::size_t N>
absl::StatusOr<std::array<std::int64_t, N>> ReadToken(std::string_view token) {
  std::array<std::int64_t, N> numbers{};
  if (token.empty()) return numbers;
  const char* at = token.data();
  const char* const end = token.data() + token.size();
  for (std::size_t i = 0; i < N; ++i) {
    const auto read = std::from_chars(at, end, numbers[i]);
    const bool last = i + 1 == N;
    if (read.ec != std::errc() || numbers[i] < 0 || (last != (read.ptr == end)) ||
        (!last && *read.ptr != '-')) {
      return status::Refuse(Reason::kPageTokenInvalid);
    }
    at = last ? end : read.ptr + 1;
  }
  return numbers;
}

v1::Recovery ToWire(const Recovery& recovery) {
  v1::Recovery wire;
  wire.set_recovery_id(recovery.recovery_id);
  wire.set_case_id(recovery.case_id);
  wire.set_district(recovery.district);
  wire.set_batch_id(recovery.batch_id);
  wire.set_item_id(recovery.item_id);
  wire.set_cause(static_cast<v1::RecoveryCause>(recovery.cause));
  wire.set_state(static_cast<v1::RecoveryState>(recovery.state));
  wire.set_due_fen(recovery.due_fen);
  wire.set_received_fen(recovery.received_fen);
  wire.set_reason(recovery.reason);
  wire.set_opened_by(recovery.opened_by);
  wire.set_opened_on(base::FormatDate(recovery.opened_on));
  wire.set_approved_by(recovery.approved_by);
  wire.set_notice(recovery.notice);
  if (recovery.due_on.has_value()) wire.set_due_on(base::FormatDate(*recovery.due_on));
  wire.set_document(recovery.document);
  wire.set_decision(recovery.decision);
  wire.set_reference(recovery.reference);
  return wire;
}

v1::Arrival ToWire(const Arrival& arrival) {
  v1::Arrival wire;
  wire.set_arrival_id(arrival.arrival_id);
  wire.set_district(arrival.district);
  wire.set_receipt(arrival.receipt);
  wire.set_amount_fen(arrival.amount_fen);
  wire.set_arrived_on(base::FormatDate(arrival.arrived_on));
  wire.set_note(arrival.note);
  wire.set_state(static_cast<v1::ArrivalState>(arrival.state));
  wire.set_recovery_id(arrival.recovery_id);
  wire.set_decision(arrival.decision);
  return wire;
}

void ToWire(const Repair& repair, const Deadline& deadline, v1::Repair& wire) {
  wire.set_kind(static_cast<v1::RepairKind>(repair.kind));
  wire.set_batch_id(repair.batch_id);
  wire.set_item_id(repair.item_id);
  wire.set_subject_id(repair.subject_id);
  wire.set_amount_fen(repair.amount_fen);
  wire.set_reason(repair.reason);
  wire.set_what_to_do(WhatToDo(repair, status::Lang::kEnglish));
  wire.set_what_to_do_zh(WhatToDo(repair, status::Lang::kChinese));
  wire.set_since_on(base::FormatDate(repair.since_on));
  if (deadline.due_on.has_value()) wire.set_due_on(base::FormatDate(*deadline.due_on));
  wire.set_overdue(deadline.overdue);
  wire.set_escalated(deadline.escalated);
}

template <typename Message>
absl::StatusOr<Message> Parse(absl::StatusOr<std::string> bytes) {
  if (!bytes.ok()) return std::move(bytes).status();
  Message message;
  YKT_INVARIANT(message.ParseFromString(*bytes), "a kept answer cannot be read");
  return message;
}

absl::StatusOr<std::vector<TopUpRow>> TopUpRowsOf(const v1::CreateTopUpRequest& request) {
  if (request.rows().empty() || request.rows_size() > kMostTopUps) return FieldInvalid("rows");
  std::vector<TopUpRow> rows;
  for (const v1::TopUpRow& wire : request.rows()) {
    if (wire.amount_fen() <= 0 || wire.amount_fen() > kMostFen) {
      return status::Refuse(Reason::kAmountInvalid, "", {{"item", std::to_string(wire.item_id())}});
    }
    TopUpRow row;
    row.item_id = wire.item_id();
    row.amount_fen = wire.amount_fen();
    row.input.quantity = wire.quantity();
    row.input.members = wire.members();
    row.input.income_fen = wire.income_fen();
    row.input.bill_fen = wire.bill_fen();
    row.input.tier = wire.tier();
    row.input.age = wire.age();
    row.input.assessed_fen = wire.assessed_fen();
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(),
            [](const TopUpRow& a, const TopUpRow& b) { return a.item_id < b.item_id; });
  const auto same = [](const TopUpRow& a, const TopUpRow& b) { return a.item_id == b.item_id; };
  if (std::adjacent_find(rows.begin(), rows.end(), same) != rows.end()) return FieldInvalid("rows");
  return rows;
}

}  // namespace

absl::StatusOr<v1::Recovery> RepairService::OnRecovery(std::string_view name,
                                                       const identity::Caller& caller,
                                                       const Request& request,
                                                       const RecoveryStep& step) {
  return Parse<v1::Recovery>(Mutate(context_.database, name, caller, request,
                                    [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                                      YKT_ASSIGN_OR_RETURN(const Recovery recovery, step(tx));
                                      return ToWire(recovery).SerializeAsString();
                                    }));
}

absl::StatusOr<v1::Arrival> RepairService::OnArrival(std::string_view name,
                                                     const identity::Caller& caller,
                                                     const Request& request,
                                                     const ArrivalStep& step) {
  return Parse<v1::Arrival>(Mutate(context_.database, name, caller, request,
                                   [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                                     YKT_ASSIGN_OR_RETURN(const Arrival arrival, step(tx));
                                     return ToWire(arrival).SerializeAsString();
                                   }));
}

absl::StatusOr<NewReceipt> RepairService::ReceiptOf(const std::string& receipt,
                                                    std::int64_t amount_fen, const std::string& day,
                                                    std::string_view day_field) const {
  YKT_RETURN_IF_ERROR(CheckReceipt(receipt));
  if (amount_fen <= 0 || amount_fen > kMostFen) return status::Refuse(Reason::kAmountInvalid);
  const std::optional<absl::CivilDay> came_on = base::ParseDate(day);
  if (!came_on.has_value() || *came_on > context_.business.Today()) return FieldInvalid(day_field);
  return NewReceipt{receipt, amount_fen, *came_on};
}

absl::StatusOr<v1::ListRepairsResponse> RepairService::ListRepairs(
    const v1::ListRepairsRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  YKT_ASSIGN_OR_RETURN(const auto place, ReadToken<3>(request.page_token()));
  if (place[1] > 4) return status::Refuse(Reason::kPageTokenInvalid);
  YKT_ASSIGN_OR_RETURN(const RepairPage page,
                       repairs_.List(caller, {request.district(), request.batch_id()},
                                     {place[0], static_cast<int>(place[1]), place[2]}, page_size));
  v1::ListRepairsResponse response;
  const absl::CivilDay today = context_.business.Today();
  for (const Repair& repair : page.repairs) {
    const Deadline deadline = DeadlineOf(repair, today, calendar_);
    if (request.overdue_only() && !deadline.overdue) continue;
    ToWire(repair, deadline, *response.add_repairs());
  }
  if (page.more) {
    response.set_next_page_token(
        fmt::format("{}-{}-{}", page.next.batch_id, page.next.place, page.next.key));
  }
  return response;
}

absl::StatusOr<v1::OpenRecoveriesResponse> RepairService::OpenRecoveries(
    const v1::OpenRecoveriesRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  NewRecoveries wanted;
  wanted.batch_id = request.batch_id();
  wanted.item_ids.assign(request.item_ids().begin(), request.item_ids().end());
  std::sort(wanted.item_ids.begin(), wanted.item_ids.end());
  if (wanted.item_ids.empty() || request.item_ids_size() > kMostRecoveries ||
      std::adjacent_find(wanted.item_ids.begin(), wanted.item_ids.end()) != wanted.item_ids.end()) {
    return FieldInvalid("item_ids");
  }
  // What was given back comes by an arrival, which has its receipt; what was paid besides by a
  // case.
  if (request.cause() < v1::RECOVERY_CAUSE_DECEASED ||
      request.cause() > v1::RECOVERY_CAUSE_NOT_ENTITLED) {
    return FieldInvalid("cause");
  }
  if (request.due_fen() < 0 || (request.due_fen() > 0 && wanted.item_ids.size() > 1))
    return FieldInvalid("due_fen");
  wanted.cause = static_cast<RecoveryCause>(request.cause());
  wanted.due_fen = request.due_fen();
  wanted.reason = request.reason();
  return Parse<v1::OpenRecoveriesResponse>(
      Mutate(context_.database, "open_recoveries", caller,
             RequestOf("OpenRecoveries", request.request_id(), request),
             [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
               YKT_ASSIGN_OR_RETURN(const std::vector<Recovery> opened,
                                    recoveries_.Open(tx, caller, wanted, request.request_id()));
               v1::OpenRecoveriesResponse response;
               response.set_case_id(opened.front().case_id);
               for (const Recovery& recovery : opened)
                 *response.add_recoveries() = ToWire(recovery);
               return response.SerializeAsString();
             }));
}

absl::StatusOr<v1::Recovery> RepairService::ApproveRecovery(
    const v1::ApproveRecoveryRequest& request, const identity::Caller& caller) {
  return OnRecovery(
      "approve_recovery", caller, RequestOf("ApproveRecovery", request.request_id(), request),
      [&](postgres::Transaction& tx) {
        return recoveries_.Approve(tx, caller, request.recovery_id(), request.request_id());
      });
}

absl::StatusOr<v1::Recovery> RepairService::NotifyRecovery(const v1::NotifyRecoveryRequest& request,
                                                           const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckEvidence(request.notice(), "notice"));
  return OnRecovery("notify_recovery", caller,
                    RequestOf("NotifyRecovery", request.request_id(), request),
                    [&](postgres::Transaction& tx) {
                      return recoveries_.Notify(tx, caller, request.recovery_id(), request.notice(),
                                                request.request_id());
                    });
}

absl::StatusOr<v1::Recovery> RepairService::RecordReceipt(const v1::RecordReceiptRequest& request,
                                                          const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const NewReceipt receipt, ReceiptOf(request.receipt(), request.amount_fen(),
                                                           request.received_on(), "received_on"));
  return OnRecovery("record_receipt", caller,
                    RequestOf("RecordReceipt", request.request_id(), request),
                    [&](postgres::Transaction& tx) {
                      return recoveries_.Receive(tx, caller, request.recovery_id(), receipt,
                                                 request.request_id());
                    });
}

absl::StatusOr<v1::Recovery> RepairService::RequestWriteOff(
    const v1::RequestWriteOffRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckEvidence(request.document(), "document"));
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return OnRecovery(
      "request_write_off", caller, RequestOf("RequestWriteOff", request.request_id(), request),
      [&](postgres::Transaction& tx) {
        return recoveries_.AskWriteOff(tx, caller, request.recovery_id(), request.document(),
                                       request.reason(), request.request_id());
      });
}

absl::StatusOr<v1::Recovery> RepairService::DecideWriteOff(const v1::DecideWriteOffRequest& request,
                                                           const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return OnRecovery(
      "decide_write_off", caller, RequestOf("DecideWriteOff", request.request_id(), request),
      [&](postgres::Transaction& tx) {
        return recoveries_.DecideWriteOff(tx, caller, request.recovery_id(), request.approve(),
                                          request.reason(), request.request_id());
      });
}

absl::StatusOr<v1::Recovery> RepairService::CancelRecovery(const v1::CancelRecoveryRequest& request,
                                                           const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return OnRecovery("cancel_recovery", caller,
                    RequestOf("CancelRecovery", request.request_id(), request),
                    [&](postgres::Transaction& tx) {
                      return recoveries_.Cancel(tx, caller, request.recovery_id(), request.reason(),
                                                request.request_id());
                    });
}

absl::StatusOr<v1::Recovery> RepairService::GetRecovery(const v1::GetRecoveryRequest& request,
                                                        const identity::Caller& caller) {
  v1::Recovery wire;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("get_recovery", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(const Recovery recovery,
                             recoveries_.Find(tx, caller, request.recovery_id()));
        wire = ToWire(recovery);
        return absl::OkStatus();
      }));
  return wire;
}

absl::StatusOr<v1::ListRecoveriesResponse> RepairService::ListRecoveries(
    const v1::ListRecoveriesRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  YKT_ASSIGN_OR_RETURN(const auto after, ReadToken<1>(request.page_token()));
  v1::ListRecoveriesResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_recoveries", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(
            const std::vector<Recovery> recoveries,
            recoveries_.List(tx, caller,
                             {request.district(), request.batch_id(), request.case_id(),
                              static_cast<int>(request.state())},
                             after[0], page_size));
        for (const Recovery& recovery : recoveries) *response.add_recoveries() = ToWire(recovery);
        if (static_cast<int>(recoveries.size()) == page_size)
          response.set_next_page_token(std::to_string(recoveries.back().recovery_id));
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::Arrival> RepairService::RecordArrival(const v1::RecordArrivalRequest& request,
                                                         const identity::Caller& caller) {
  if (!caller.InDistrict(request.district())) return status::Refuse(Reason::kDistrictForeign);
  YKT_ASSIGN_OR_RETURN(const NewReceipt receipt, ReceiptOf(request.receipt(), request.amount_fen(),
                                                           request.arrived_on(), "arrived_on"));
  if (!request.note().empty())
    YKT_RETURN_IF_ERROR(status::CheckFreeText(request.note(), "note", kMostNote));
  return OnArrival("record_arrival", caller,
                   RequestOf("RecordArrival", request.request_id(), request),
                   [&](postgres::Transaction& tx) {
                     return recoveries_.RecordArrival(tx, caller, request.district(), receipt,
                                                      request.note(), request.request_id());
                   });
}

absl::StatusOr<v1::Arrival> RepairService::ConfirmArrival(const v1::ConfirmArrivalRequest& request,
                                                          const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return OnArrival("confirm_arrival", caller,
                   RequestOf("ConfirmArrival", request.request_id(), request),
                   [&](postgres::Transaction& tx) {
                     return recoveries_.ConfirmArrival(tx, caller, request.arrival_id(),
                                                       request.batch_id(), request.item_id(),
                                                       request.reason(), request.request_id());
                   });
}

absl::StatusOr<v1::Arrival> RepairService::RefuseArrival(const v1::RefuseArrivalRequest& request,
                                                         const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return OnArrival("refuse_arrival", caller,
                   RequestOf("RefuseArrival", request.request_id(), request),
                   [&](postgres::Transaction& tx) {
                     return recoveries_.RefuseArrival(tx, caller, request.arrival_id(),
                                                      request.reason(), request.request_id());
                   });
}

absl::StatusOr<v1::ListArrivalsResponse> RepairService::ListArrivals(
    const v1::ListArrivalsRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  YKT_ASSIGN_OR_RETURN(const auto after, ReadToken<1>(request.page_token()));
  v1::ListArrivalsResponse response;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("list_arrivals", [&](postgres::Transaction& tx) -> absl::Status {
        response.Clear();
        YKT_ASSIGN_OR_RETURN(
            const std::vector<Arrival> arrivals,
            recoveries_.ListArrivals(tx, caller, request.district(),
                                     static_cast<int>(request.state()), after[0], page_size));
        for (const Arrival& arrival : arrivals) *response.add_arrivals() = ToWire(arrival);
        if (static_cast<int>(arrivals.size()) == page_size)
          response.set_next_page_token(std::to_string(arrivals.back().arrival_id));
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::Batch> RepairService::CreateTopUp(const v1::CreateTopUpRequest& request,
                                                     const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  YKT_ASSIGN_OR_RETURN(const std::vector<TopUpRow> rows, TopUpRowsOf(request));
  const Request once = RequestOf("CreateTopUp", request.request_id(), request);
  BatchRow of;
  std::optional<std::string> before;
  YKT_RETURN_IF_ERROR(
      context_.database.Read("find_topped_up", [&](postgres::Transaction& tx) -> absl::Status {
        YKT_ASSIGN_OR_RETURN(before, FindAnswer(tx, caller, once));
        YKT_ASSIGN_OR_RETURN(of, FindBatch(tx, caller, request.batch_id()));
        return absl::OkStatus();
      }));
  if (before.has_value()) return Parse<v1::Batch>(*before);
  // The catalogue is asked before the batch is locked. The version that holds for the period now:
  // what was missed may be what a later version gives from an earlier day.
  YKT_ASSIGN_OR_RETURN(
      const PinnedRule pinned,
      catalogue_.PayableVersion(of.policy_id, of.period, of.district, of.department_id));
  return Parse<v1::Batch>(Mutate(context_.database, "create_top_up", caller, once,
                                 [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
                                   YKT_ASSIGN_OR_RETURN(
                                       const BatchRow row,
                                       top_ups_.Create(tx, caller, request.batch_id(), pinned, rows,
                                                       request.reason(), request.request_id(),
                                                       once.content_hash));
                                   YKT_ASSIGN_OR_RETURN(const Batch batch, ReadBatch(tx, row));
                                   return encode_batch_(batch);
                                 }));
}

absl::StatusOr<v1::ListSetAsideChunksResponse> RepairService::ListSetAsideChunks(
    const v1::ListSetAsideChunksRequest& request, const identity::Caller& caller) {
  YKT_ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  YKT_ASSIGN_OR_RETURN(const auto after, ReadToken<2>(request.page_token()));
  YKT_ASSIGN_OR_RETURN(
      const std::vector<AsideChunk> chunks,
      repairs_.ListAside(caller, {request.district(), request.batch_id()}, after[0],
                         static_cast<std::int32_t>(after[1]), page_size));
  v1::ListSetAsideChunksResponse response;
  for (const AsideChunk& chunk : chunks) {
    v1::SetAsideChunk& wire = *response.add_chunks();
    wire.set_batch_id(chunk.batch_id);
    wire.set_chunk(chunk.chunk);
    wire.set_repair(chunk.repair);
    wire.set_committed(chunk.committed);
    wire.set_reason(chunk.why);
  }
  if (static_cast<int>(chunks.size()) == page_size) {
    response.set_next_page_token(fmt::format("{}-{}", chunks.back().batch_id, chunks.back().chunk));
  }
  return response;
}

absl::StatusOr<v1::ResumeChunkResponse> RepairService::ResumeChunk(
    const v1::ResumeChunkRequest& request, const identity::Caller& caller) {
  YKT_RETURN_IF_ERROR(CheckReason(request.reason()));
  return Parse<v1::ResumeChunkResponse>(Mutate(
      context_.database, "resume_chunk", caller,
      RequestOf("ResumeChunk", request.request_id(), request),
      [&](postgres::Transaction& tx) -> absl::StatusOr<std::string> {
        YKT_ASSIGN_OR_RETURN(const BatchRow batch, LockBatch(tx, caller, request.batch_id()));
        YKT_ASSIGN_OR_RETURN(const bool sending,
                             repairs_.Resume(tx, caller, batch, request.chunk(), request.reason(),
                                             request.request_id()));
        v1::ResumeChunkResponse response;
        response.set_sending(sending);
        return response.SerializeAsString();
      }));
}

}  // namespace yikatong::dispatch
