#include "services/bankgateway/domain/cases.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "common/status/free_text.h"
#include "common/status/status.h"

namespace yikatong::bankgateway {
namespace {

using status::Reason;

constexpr std::int64_t kHighFen = 1'000'000;  // 10,000 yuan
constexpr std::int64_t kNormalFen = 100'000;  // 1,000 yuan

absl::Status BadField(std::string_view field) {
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", std::string(field)}});
}

// A debit (or, negative, a credit) of the statement that no payment explains.
bool IsClaim(const CaseFacts& facts) { return facts.open_fen > 0; }
bool IsOwed(const CaseFacts& facts) { return facts.open_fen < 0; }

bool NeverPaid(OutcomeState last) {
  return last == OutcomeState::kFailed || last == OutcomeState::kNone ||
         last == OutcomeState::kUnknown;
}

// The payment itself is what the line paid: nobody paid it since, and it has no line of its own.
bool MayConfirmPaid(const CaseFacts& facts) {
  if (!facts.known || !facts.day_closed || facts.later_attempt || !IsClaim(facts)) return false;
  if (facts.kind == difference::kNotReportedPaid) {
    return facts.last == OutcomeState::kFailed && facts.open_fen == facts.book_fen;
  }
  return facts.kind == difference::kAmountDiffers && (NeverPaid(facts.last) || facts.line_missing);
}

bool MayConfirmNotPaid(const CaseFacts& facts) {
  if (!facts.behind_horizon || !facts.later_closed) return false;
  if (facts.kind == difference::kFileOtherContent) return facts.nothing_booked;
  return facts.kind == difference::kLineMissing && facts.last == OutcomeState::kPaid &&
         facts.open_fen == -facts.book_fen;
}

// Kinds whose money came over a line, so that it can only go back by another.
bool IsLineKind(std::string_view kind) {
  return kind == difference::kUnknownReference || kind == difference::kSecondDebit ||
         kind == difference::kAmountDiffers || kind == difference::kReversalWithoutPayment ||
         kind == difference::kNotReportedPaid;
}

// Money of lines cancels each other, in whole or in part. What misses a line waits for that line
// alone; but a reversal that came before its return was told is the line that the return misses.
bool MayMatch(const CaseFacts& facts) {
  if (!facts.other_open_fen.has_value() || facts.open_fen == 0) return false;
  const std::int64_t other = *facts.other_open_fen;
  if ((facts.open_fen > 0) == (other > 0) || other == 0) return false;
  if (facts.other_kind == difference::kReturnLineMissing) {
    return facts.kind == difference::kReversalWithoutPayment && facts.same_reference &&
           facts.open_fen == -other;
  }
  return IsLineKind(facts.kind) && IsLineKind(facts.other_kind) &&
         std::abs(facts.open_fen) <= std::abs(other);
}

bool AwaitsBank(std::string_view kind) {
  return kind == difference::kLineMissing || kind == difference::kReturnLineMissing ||
         kind == difference::kFileOtherContent || kind == difference::kStatementMissing;
}

// Only a result differed; no line of a statement did.
bool IsOfResult(const CaseFacts& facts) {
  return facts.open_fen == 0 &&
         (facts.kind == difference::kContradictingResult ||
          facts.kind == difference::kAmountDiffers || facts.kind == difference::kUnknownReference);
}

bool Fits(const CaseFacts& facts, Decision decision) {
  switch (decision) {
    case Decision::kNone:
      return false;
    case Decision::kConfirmPaid:
      return MayConfirmPaid(facts);
    case Decision::kConfirmNotPaid:
      return MayConfirmNotPaid(facts);
    case Decision::kConfirmReturned:
      return facts.kind == difference::kAmountDiffers && facts.known && facts.day_closed &&
             IsOwed(facts) && facts.last == OutcomeState::kPaid;
    case Decision::kClaimOnBank:
      return IsLineKind(facts.kind) && IsClaim(facts);
    case Decision::kOwedToBank:
      return IsLineKind(facts.kind) && IsOwed(facts);
    case Decision::kBankCorrects:
      return AwaitsBank(facts.kind);
    case Decision::kAskBank:
      return IsOfResult(facts);
    case Decision::kKeepBooks:
      return IsOfResult(facts) && facts.day_closed;
    case Decision::kMatchCase:
      return MayMatch(facts);
  }
  return false;
}

}  // namespace

absl::StatusOr<CaseState> Next(CaseState from, CaseEvent event) {
  using enum CaseState;
  constexpr CaseState kNo = CaseState{0};
  // Columns: assign, propose, reject, decide, await, settle, repeat.
  constexpr CaseState kTable[kCaseStates][7] = {
      {kAssigned, kProposed, kNo, kClosed, kWaitingForBank, kClosed, kOpen},
      {kAssigned, kProposed, kNo, kClosed, kWaitingForBank, kClosed, kAssigned},
      {kProposed, kNo, kAssigned, kClosed, kWaitingForBank, kClosed, kReopened},
      {kWaitingForBank, kProposed, kNo, kClosed, kWaitingForBank, kClosed, kReopened},
      {kNo, kNo, kNo, kNo, kNo, kNo, kNo},
      {kAssigned, kProposed, kNo, kClosed, kWaitingForBank, kClosed, kReopened},
  };
  const CaseState to = kTable[static_cast<int>(from) - 1][static_cast<int>(event)];
  if (to != kNo) return to;
  return status::Refuse(Reason::kStateConflict, "", {{"state", CaseStateName(from)}});
}

const char* CaseStateName(CaseState state) {
  switch (state) {
    case CaseState::kOpen:
      return "OPEN";
    case CaseState::kAssigned:
      return "ASSIGNED";
    case CaseState::kProposed:
      return "PROPOSED";
    case CaseState::kWaitingForBank:
      return "WAITING_FOR_BANK";
    case CaseState::kClosed:
      return "CLOSED";
    case CaseState::kReopened:
      return "REOPENED";
  }
  return "INVALID";
}

const char* CaseEventName(CaseEvent event) {
  switch (event) {
    case CaseEvent::kAssign:
      return "assign";
    case CaseEvent::kPropose:
      return "propose";
    case CaseEvent::kReject:
      return "reject";
    case CaseEvent::kDecide:
      return "decide";
    case CaseEvent::kAwait:
      return "await";
    case CaseEvent::kSettle:
      return "settle";
    case CaseEvent::kRepeat:
      return "repeat";
  }
  return "invalid";
}

const char* DecisionName(Decision decision) {
  switch (decision) {
    case Decision::kNone:
      return "NONE";
    case Decision::kConfirmPaid:
      return "CONFIRM_PAID";
    case Decision::kConfirmNotPaid:
      return "CONFIRM_NOT_PAID";
    case Decision::kConfirmReturned:
      return "CONFIRM_RETURNED";
    case Decision::kClaimOnBank:
      return "CLAIM_ON_BANK";
    case Decision::kOwedToBank:
      return "OWED_TO_BANK";
    case Decision::kBankCorrects:
      return "BANK_CORRECTS";
    case Decision::kAskBank:
      return "ASK_BANK";
    case Decision::kKeepBooks:
      return "KEEP_BOOKS";
    case Decision::kMatchCase:
      return "MATCH_CASE";
  }
  return "INVALID";
}

bool MovesMoney(Decision decision) {
  return decision == Decision::kConfirmPaid || decision == Decision::kConfirmNotPaid ||
         decision == Decision::kConfirmReturned || decision == Decision::kMatchCase;
}

std::vector<Decision> Fitting(const CaseFacts& facts) {
  std::vector<Decision> fitting;
  for (int i = 1; i <= kDecisions; ++i) {
    if (Fits(facts, Decision(i))) fitting.push_back(Decision(i));
  }
  return fitting;
}

absl::Status CheckDecision(const CaseFacts& facts, Decision decision) {
  if (Fits(facts, decision)) return absl::OkStatus();
  std::string fitting;
  for (const Decision one : Fitting(facts)) {
    if (!fitting.empty()) fitting += ",";
    fitting += DecisionName(one);
  }
  return status::Refuse(Reason::kCaseDecisionUnfit, "",
                        {{"decision", DecisionName(decision)}, {"fitting", fitting}});
}

Priority PriorityOf(std::int64_t amount_fen) {
  return amount_fen >= kHighFen     ? Priority::kHigh
         : amount_fen >= kNormalFen ? Priority::kNormal
                                    : Priority::kLow;
}

int DueWorkingDays(Priority priority) {
  switch (priority) {
    case Priority::kHigh:
      return 1;
    case Priority::kNormal:
      return 3;
    case Priority::kLow:
      return 5;
  }
  return 1;
}

absl::Status CheckProposal(const Proposal& proposal) {
  const int number = static_cast<int>(proposal.decision);
  if (number < 1 || number > kDecisions) return BadField("decision");
  YKT_RETURN_IF_ERROR(status::CheckFreeText(proposal.reason, "reason"));
  if (!proposal.evidence.empty() && proposal.evidence.size() != 32) {
    return BadField("evidence_sha256");
  }
  if ((proposal.decision == Decision::kMatchCase) != (proposal.other_case > 0)) {
    return BadField("other_case_id");
  }
  return absl::OkStatus();
}

const char* AgeBucket(int days) {
  return kAgeBuckets[days <= 1 ? 0 : days <= 5 ? 1 : days <= 10 ? 2 : 3];
}

std::string ReferenceText(std::int64_t reference) {
  char text[24];
  std::snprintf(text, sizeof text, "%016lld", static_cast<long long>(reference));
  return text;
}

}  // namespace yikatong::bankgateway
