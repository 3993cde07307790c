#include "services/dispatch/domain/recovery.h"

#include <algorithm>

#include "common/policy/amount.h"
#include "common/status/free_text.h"
#include "common/status/status.h"
#include "services/dispatch/domain/review.h"

namespace yikatong::dispatch {
namespace {

using S = RecoveryState;
using E = RecoveryEvent;
using status::Reason;

struct Transition {
  S from;
  E event;
  S to;
};

constexpr Transition kTransitions[] = {
    {S::kProposed, E::kApprove, S::kOrdered},
    {S::kProposed, E::kCancel, S::kCancelled},

    {S::kOrdered, E::kNotify, S::kNotified},
    {S::kOrdered, E::kReceivePart, S::kOrdered},
    {S::kOrdered, E::kReceiveRest, S::kRecovered},
    {S::kOrdered, E::kCancel, S::kCancelled},

    {S::kNotified, E::kReceivePart, S::kNotified},
    {S::kNotified, E::kReceiveRest, S::kRecovered},
    {S::kNotified, E::kAskWriteOff, S::kWriteOffAsked},
    {S::kNotified, E::kCancel, S::kCancelled},

    {S::kWriteOffAsked, E::kReceivePart, S::kWriteOffAsked},
    {S::kWriteOffAsked, E::kReceiveRest, S::kRecovered},
    {S::kWriteOffAsked, E::kGrantWriteOff, S::kWrittenOff},
    {S::kWriteOffAsked, E::kRefuseWriteOff, S::kNotified},
};

constexpr std::size_t kMaxDocument = 200;
constexpr std::size_t kMaxReceipt = 64;

}  // namespace

const char* RecoveryStateName(RecoveryState state) {
  switch (state) {
    case S::kProposed:
      return "PROPOSED";
    case S::kOrdered:
      return "ORDERED";
    case S::kNotified:
      return "NOTIFIED";
    case S::kWriteOffAsked:
      return "WRITE_OFF_ASKED";
    case S::kRecovered:
      return "RECOVERED";
    case S::kWrittenOff:
      return "WRITTEN_OFF";
    case S::kCancelled:
      return "CANCELLED";
  }
  return "INVALID";
}

const char* RecoveryCauseName(RecoveryCause cause) {
  switch (cause) {
    case RecoveryCause::kDeceased:
      return "DECEASED";
    case RecoveryCause::kPaidTwice:
      return "PAID_TWICE";
    case RecoveryCause::kWrongAmount:
      return "WRONG_AMOUNT";
    case RecoveryCause::kNotEntitled:
      return "NOT_ENTITLED";
    case RecoveryCause::kGivenBack:
      return "GIVEN_BACK";
    case RecoveryCause::kPaidBesides:
      return "PAID_BESIDES";
  }
  return "INVALID";
}

const char* RecoveryEventName(RecoveryEvent event) {
  switch (event) {
    case E::kApprove:
      return "approve";
    case E::kNotify:
      return "notify";
    case E::kReceivePart:
    case E::kReceiveRest:
      return "receive";
    case E::kAskWriteOff:
      return "ask_write_off";
    case E::kGrantWriteOff:
      return "grant_write_off";
    case E::kRefuseWriteOff:
      return "refuse_write_off";
    case E::kCancel:
      return "cancel";
  }
  return "invalid";
}

absl::StatusOr<RecoveryState> Next(RecoveryState from, RecoveryEvent event) {
  for (const Transition& t : kTransitions) {
    if (t.from == from && t.event == event) return t.to;
  }
  return status::Refuse(Reason::kRecoveryState, "",
                        {{"state", RecoveryStateName(from)}, {"step", RecoveryEventName(event)}});
}

bool IsOpen(RecoveryState state) { return state < S::kRecovered; }

absl::StatusOr<std::vector<LinePart>> SplitMoneyBack(const BatchFunding& funding,
                                                     std::int64_t before_fen,
                                                     std::int64_t amount_fen) {
  if (funding.shares.size() != funding.line_ids.size())
    return status::Refuse(Reason::kFundingShares);
  YKT_ASSIGN_OR_RETURN(const std::vector<policy::SourceAmount> before,
                       policy::SplitSources(before_fen, funding.shares));
  YKT_ASSIGN_OR_RETURN(const std::vector<policy::SourceAmount> after,
                       policy::SplitSources(before_fen + amount_fen, funding.shares));
  std::vector<LinePart> parts;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::int64_t fen = after[i].amount_fen - before[i].amount_fen;
    const bool closed = i < funding.closed.size() && funding.closed[i];
    if (fen != 0) parts.push_back({funding.line_ids[i], fen, closed});
  }
  return parts;
}

absl::Status PostMoneyBack(Posting& posting, const BatchFunding& funding, std::int64_t batch_id,
                           RecoveryCause cause, std::int64_t before_fen, std::int64_t amount_fen,
                           absl::CivilDay today) {
  YKT_ASSIGN_OR_RETURN(const std::vector<LinePart> parts,
                       SplitMoneyBack(funding, before_fen, amount_fen));
  for (const LinePart& part : parts) {
    BatchFunding whole;
    whole.shares = {{"", 10'000}};
    whole.line_ids = {part.line_id};
    const Account back = AccountForReturn(funding.year, part.closed, today);
    const bool forth = part.amount_fen > 0;
    YKT_RETURN_IF_ERROR(posting.Move(whole, batch_id, 0, "recovered", RecoveryCauseName(cause),
                                     forth ? back : Account::kPaid, forth ? Account::kPaid : back,
                                     forth ? part.amount_fen : -part.amount_fen));
  }
  return absl::OkStatus();
}

absl::Status PostPaidBesides(Posting& posting, const BatchFunding& funding, std::int64_t batch_id,
                             std::int64_t amount_fen) {
  YKT_ASSIGN_OR_RETURN(const std::vector<LinePart> parts, SplitMoneyBack(funding, 0, amount_fen));
  for (const LinePart& part : parts) {
    BatchFunding whole;
    whole.shares = {{"", 10'000}};
    whole.line_ids = {part.line_id};
    YKT_RETURN_IF_ERROR(posting.Move(
        whole, batch_id, 0, "paid_besides", RecoveryCauseName(RecoveryCause::kPaidBesides),
        Account::kPaid, part.closed ? Account::kLapsed : Account::kAvailable, part.amount_fen));
  }
  return absl::OkStatus();
}

absl::Status CheckEvidence(std::string_view document, std::string_view field) {
  if (document.empty())
    return status::Refuse(Reason::kDocumentMissing, "", {{"field", std::string(field)}});
  return status::CheckFreeText(document, field, kMaxDocument);
}

absl::Status CheckReceipt(std::string_view receipt) {
  const bool printable =
      std::all_of(receipt.begin(), receipt.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!receipt.empty() && receipt.size() <= kMaxReceipt && printable) return absl::OkStatus();
  return status::Refuse(Reason::kFieldInvalid, "", {{"field", "receipt"}});
}

}  // namespace yikatong::dispatch
