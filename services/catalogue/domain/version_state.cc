#include "services/catalogue/domain/version_state.h"

#include <array>
#include <optional>
#include <string>

#include "common/status/status.h"

namespace yikatong::catalogue {
namespace {

using S = VersionState;
constexpr std::optional<S> kNo = std::nullopt;

// Rows are events, columns states from DRAFT to REJECTED.
constexpr std::array<std::array<std::optional<S>, 5>, 5> kNext = {{
    /* update  */ {S::kDraft, kNo, kNo, kNo, kNo},
    /* submit  */ {S::kSubmitted, kNo, kNo, kNo, kNo},
    /* approve */ {kNo, S::kApproved, kNo, kNo, kNo},
    /* reject  */ {kNo, S::kRejected, kNo, kNo, kNo},
    /* publish */ {kNo, kNo, S::kPublished, kNo, kNo},
}};

}  // namespace

std::string_view StateName(VersionState state) {
  constexpr std::array<std::string_view, 5> kNames = {"DRAFT", "SUBMITTED", "APPROVED", "PUBLISHED",
                                                      "REJECTED"};
  return kNames.at(static_cast<std::size_t>(state) - 1);
}

std::string_view EventName(VersionEvent event) {
  constexpr std::array<std::string_view, 5> kNames = {"update", "submit", "approve", "reject",
                                                      "publish"};
  return kNames.at(static_cast<std::size_t>(event));
}

absl::StatusOr<VersionState> Next(VersionState state, VersionEvent event) {
  const std::optional<VersionState> next =
      kNext.at(static_cast<std::size_t>(event)).at(static_cast<std::size_t>(state) - 1);
  if (next.has_value()) return *next;
  return status::Refuse(
      status::Reason::kStateConflict, "",
      {{"state", std::string(StateName(state))}, {"event", std::string(EventName(event))}});
}

}  // namespace yikatong::catalogue
