#include "services/dispatch/domain/batch.h"

#include <set>

#include "common/status/status.h"

namespace yikatong::dispatch {
namespace {

using S = BatchState;
using E = BatchEvent;
using status::Reason;

struct Transition {
  S from;
  E event;
  S to;
};

constexpr Transition kTransitions[] = {
    {S::kCollecting, E::kSeal, S::kSealed},       {S::kSealed, E::kPublishNotice, S::kNoticed},
    {S::kNoticed, E::kCloseNotice, S::kInReview}, {S::kInReview, E::kFinishReview, S::kApproved},
    {S::kApproved, E::kFund, S::kFunded},         {S::kFunded, E::kRelease, S::kPaying},
    {S::kPaying, E::kSettle, S::kSettled},        {S::kPaying, E::kReissue, S::kPaying},
    {S::kSettled, E::kReissue, S::kPaying},       {S::kSettled, E::kClose, S::kClosed},
    {S::kClosed, E::kReopen, S::kSettled},        {S::kCollecting, E::kTopUp, S::kInReview},

    {S::kSealed, E::kReturn, S::kReturned},       {S::kNoticed, E::kReturn, S::kReturned},
    {S::kInReview, E::kReturn, S::kReturned},     {S::kApproved, E::kReturn, S::kReturned},

    {S::kCollecting, E::kCancel, S::kCancelled},  {S::kSealed, E::kCancel, S::kCancelled},
    {S::kNoticed, E::kCancel, S::kCancelled},     {S::kInReview, E::kCancel, S::kCancelled},
    {S::kApproved, E::kCancel, S::kCancelled},    {S::kFunded, E::kCancel, S::kCancelled},
    {S::kReturned, E::kCancel, S::kCancelled},    {S::kCancelled, E::kCancel, S::kCancelled},
    {S::kReturned, E::kCorrect, S::kCancelled},
};

absl::Status BadField(const char* field) {
  return status::Refuse(Reason::kAttachmentInvalid, "", {{"field", field}});
}

}  // namespace

std::string_view BatchStateName(BatchState state) {
  switch (state) {
    case S::kCollecting:
      return "COLLECTING";
    case S::kSealed:
      return "SEALED";
    case S::kNoticed:
      return "NOTICED";
    case S::kInReview:
      return "IN_REVIEW";
    case S::kApproved:
      return "APPROVED";
    case S::kFunded:
      return "FUNDED";
    case S::kPaying:
      return "PAYING";
    case S::kSettled:
      return "SETTLED";
    case S::kClosed:
      return "CLOSED";
    case S::kReturned:
      return "RETURNED";
    case S::kCancelled:
      return "CANCELLED";
  }
  return "UNKNOWN";
}

std::string_view BatchEventName(BatchEvent event) {
  switch (event) {
    case E::kSeal:
      return "seal";
    case E::kPublishNotice:
      return "publish_notice";
    case E::kCloseNotice:
      return "close_notice";
    case E::kFinishReview:
      return "finish_review";
    case E::kReturn:
      return "return";
    case E::kFund:
      return "fund";
    case E::kRelease:
      return "release";
    case E::kSettle:
      return "settle";
    case E::kReissue:
      return "reissue";
    case E::kClose:
      return "close";
    case E::kCancel:
      return "cancel";
    case E::kCorrect:
      return "correct";
    case E::kReopen:
      return "reopen";
    case E::kTopUp:
      return "top_up";
  }
  return "unknown";
}

absl::StatusOr<BatchState> Next(BatchState from, BatchEvent event) {
  for (const Transition& t : kTransitions) {
    if (t.from == from && t.event == event) return t.to;
  }
  return status::Refuse(
      Reason::kBatchState, "",
      {{"state", std::string(BatchStateName(from))}, {"step", std::string(BatchEventName(event))}});
}

absl::Status CheckAttachment(const Attachment& attachment) {
  static const std::set<std::string_view> kKinds = {"notice_photo", "signed_roster", "decision",
                                                    "other"};
  if (!kKinds.contains(attachment.kind)) return BadField("kind");
  if (attachment.sha256.size() != 32) return BadField("sha256");
  if (attachment.byte_size < 1 || attachment.byte_size > (std::int64_t{1} << 30))
    return BadField("byte_size");
  if (attachment.uri.empty() || attachment.uri.size() > 512) return BadField("uri");
  const std::size_t slash = attachment.media_type.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == attachment.media_type.size() ||
      attachment.media_type.size() > 127) {
    return BadField("media_type");
  }
  return absl::OkStatus();
}

}  // namespace yikatong::dispatch
