#include "services/dispatch/domain/review.h"

#include <algorithm>
#include <string>

#include "common/identity/role.h"
#include "common/status/free_text.h"
#include "common/status/status.h"

namespace yikatong::dispatch {
namespace {

using status::Reason;

bool HasRole(const identity::Caller& caller, std::string_view name) {
  const std::optional<identity::Role> role = identity::ParseRole(name);
  return role.has_value() && caller.Has(*role);
}

absl::Status CheckStep(const policy::PolicyRule& rule, const Batch& batch,
                       const identity::Caller& caller, std::string_view step) {
  const policy::ReviewStep* next = NextReviewStep(rule, batch);
  if (next == nullptr || next->step != step) {
    return status::Refuse(Reason::kStepOrder, "",
                          {{"next_step", next == nullptr ? "" : next->step}});
  }
  if (!HasRole(caller, next->role))
    return status::Refuse(Reason::kPermissionDenied, "", {{"role", next->role}});
  return absl::OkStatus();
}

absl::Status CheckReturnOfApproved(const policy::PolicyRule& rule, const identity::Caller& caller,
                                   std::string_view step) {
  // A return that names a step was meant for a batch that still waits for it.
  if (!step.empty())
    return status::Refuse(Reason::kStepOrder, "every step was taken", {{"next_step", ""}});
  const bool reviews =
      std::any_of(rule.review_steps.begin(), rule.review_steps.end(),
                  [&](const policy::ReviewStep& s) { return HasRole(caller, s.role); });
  return reviews ? absl::OkStatus() : status::Refuse(Reason::kPermissionDenied);
}

}  // namespace

const policy::ReviewStep* NextReviewStep(const policy::PolicyRule& rule, const Batch& batch) {
  const auto taken = static_cast<std::size_t>(std::count_if(
      batch.reviews.begin(), batch.reviews.end(), [](const Review& r) { return r.approved; }));
  return taken < rule.review_steps.size() ? &rule.review_steps[taken] : nullptr;
}

std::optional<absl::CivilDay> ReviewDueOn(const policy::PolicyRule& rule, const Batch& batch,
                                          const calendar::Calendar& calendar) {
  const policy::ReviewStep* next = NextReviewStep(rule, batch);
  if (next == nullptr || next->within_working_days <= 0) return std::nullopt;
  const absl::CivilDay from =
      batch.reviews.empty() ? batch.state_since_on : batch.reviews.back().on;
  const absl::StatusOr<absl::CivilDay> due =
      calendar.AddWorkingDays(from, next->within_working_days);
  if (!due.ok()) return std::nullopt;
  return *due;
}

absl::Status CheckReview(const policy::PolicyRule& rule, const Batch& batch,
                         const identity::Caller& caller, std::string_view step, bool approve,
                         std::string_view comment) {
  YKT_RETURN_IF_ERROR(
      Next(batch.state, approve ? BatchEvent::kFinishReview : BatchEvent::kReturn).status());
  YKT_RETURN_IF_ERROR(batch.state == BatchState::kApproved
                          ? CheckReturnOfApproved(rule, caller, step)
                          : CheckStep(rule, batch, caller, step));
  if (caller.person == batch.created_by)
    return status::Refuse(Reason::kSamePerson, "", {{"earlier", "entered"}});
  for (const Review& earlier : batch.reviews) {
    if (earlier.person == caller.person)
      return status::Refuse(Reason::kSamePerson, "", {{"earlier", earlier.step}});
  }
  if (!approve) return CheckReason(comment, "comment");
  return comment.empty() ? absl::OkStatus() : CheckReason(comment, "comment");
}

absl::Status CheckReason(std::string_view reason, std::string_view field) {
  if (reason.empty())
    return status::Refuse(Reason::kReasonMissing, "", {{"field", std::string(field)}});
  return status::CheckFreeText(reason, field);
}

}  // namespace yikatong::dispatch
