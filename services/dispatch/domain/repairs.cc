#include "services/dispatch/domain/repairs.h"

#include <string_view>

namespace yikatong::dispatch {
namespace {

constexpr int kEscalateDays = 10;

int WorkingDays(RepairKind kind) {
  switch (kind) {
    case RepairKind::kSetAside:
      return 1;
    case RepairKind::kReturnedBatch:
    case RepairKind::kUnroutable:
    case RepairKind::kFailed:
    case RepairKind::kUnknown:
    case RepairKind::kReturned:
      return 3;
    case RepairKind::kArrival:
    case RepairKind::kHeld:
    case RepairKind::kRecovery:
      return 5;
  }
  return 3;
}

struct Advice {
  std::string_view key;  // of a recovery: its state
  std::string_view english;
  std::string_view chinese;
};

constexpr Advice kOfRecovery[] = {
    {"PROPOSED", "Look into it; approve it as another person than who opened it, or cancel it.",
     "请核实；由开立人以外的人员批准，或予以撤销。"},
    {"ORDERED", "Tell the person, and record how.", "请通知本人，并登记通知方式。"},
    {"NOTIFIED", "Record what comes back; after the due day ask again, or ask for a write-off.",
     "请登记退回款项；逾期请再次催缴，或申请核销。"},
    {"WRITE_OFF_ASKED", "Decide on the write-off as another person than who asked.",
     "请由申请人以外的人员对核销作出决定。"}};

const Advice& OfKind(const Repair& repair) {
  static constexpr Advice kArrival = {
      "", "Find out which item it was paid for and confirm it, or refuse it.",
      "请查明该款项对应的条目并确认，或予以拒绝。"};
  static constexpr Advice kReturnedBatch = {"", "Correct the batch by another one, or cancel it.",
                                            "请更正批次，或取消该批次。"};
  static constexpr Advice kSetAside = {
      "", "Mend what the reason says, then take the chunk back into work.",
      "请按原因处理后，将该分块恢复处理。"};
  static constexpr Advice kHeld = {"", "Decide the objection.", "请处理该异议。"};
  static constexpr Advice kUnroutable = {"",
                                         "Have account or agreement mended, then reissue the item.",
                                         "请更正账户或协议后重发该条目。"};
  static constexpr Advice kUnknown = {
      "", "Press the bank for its answer; it is never paid again meanwhile.",
      "请催促银行答复；期间不得再次支付。"};
  static constexpr Advice kAgain = {"", "Correct it with the payee and reissue it, or end it.",
                                    "请与收款人更正后重发，或终止该条目。"};
  switch (repair.kind) {
    case RepairKind::kArrival:
      return kArrival;
    case RepairKind::kReturnedBatch:
      return kReturnedBatch;
    case RepairKind::kSetAside:
      return kSetAside;
    case RepairKind::kHeld:
      return kHeld;
    case RepairKind::kUnroutable:
      return kUnroutable;
    case RepairKind::kUnknown:
      return kUnknown;
    case RepairKind::kFailed:
    case RepairKind::kReturned:
      return kAgain;
    case RepairKind::kRecovery:
      for (const Advice& advice : kOfRecovery) {
        if (advice.key == repair.reason) return advice;
      }
      return kOfRecovery[0];
  }
  return kAgain;
}

}  // namespace

const char* RepairKindName(RepairKind kind) {
  switch (kind) {
    case RepairKind::kArrival:
      return "arrival";
    case RepairKind::kReturnedBatch:
      return "returned_batch";
    case RepairKind::kSetAside:
      return "set_aside";
    case RepairKind::kHeld:
      return "held";
    case RepairKind::kUnroutable:
      return "unroutable";
    case RepairKind::kFailed:
      return "failed";
    case RepairKind::kUnknown:
      return "unknown";
    case RepairKind::kReturned:
      return "returned";
    case RepairKind::kRecovery:
      return "recovery";
  }
  return "invalid";
}

Deadline DeadlineOf(const Repair& repair, absl::CivilDay today,
                    const calendar::Calendar& calendar) {
  Deadline deadline;
  absl::CivilDay leads_from = repair.since_on;
  if (repair.granted_until.has_value()) {
    deadline.due_on = repair.granted_until;
    leads_from = *repair.granted_until;
  } else if (const auto due = calendar.AddWorkingDays(repair.since_on, WorkingDays(repair.kind));
             due.ok()) {
    deadline.due_on = *due;
  }
  deadline.overdue = deadline.due_on.has_value() && today > *deadline.due_on;
  const auto escalates = calendar.AddWorkingDays(leads_from, kEscalateDays);
  deadline.escalated = escalates.ok() && today > *escalates;
  return deadline;
}

std::string WhatToDo(const Repair& repair, status::Lang lang) {
  const bool of_item = repair.kind == RepairKind::kUnroutable ||
                       repair.kind == RepairKind::kFailed || repair.kind == RepairKind::kUnknown ||
                       repair.kind == RepairKind::kReturned;
  if (of_item) {
    if (const auto reason = status::FindReason(repair.reason))
      return std::string(status::ReasonAction(*reason, lang));
  }
  const Advice& advice = OfKind(repair);
  return std::string(lang == status::Lang::kEnglish ? advice.english : advice.chinese);
}

}  // namespace yikatong::dispatch
