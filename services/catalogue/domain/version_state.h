// The life of a policy version, as one table.
//
//   event \ state   DRAFT      SUBMITTED  APPROVED   PUBLISHED  REJECTED
//   update          DRAFT      –          –          –          –          by the owner
//   submit          SUBMITTED  –          –          –          –          by the owner
//   approve         –          APPROVED   –          –          –          by the joint conference
//   reject          –          REJECTED   –          –          –          by the joint conference
//   publish         –          –          PUBLISHED  –          –          by the owner
//
// What was approved never changes again: batches are pinned to it. A rejected version stays as the
// record; the owner drafts the next one.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "services/catalogue/domain/types.h"

namespace yikatong::catalogue {

enum class VersionEvent { kUpdate, kSubmit, kApprove, kReject, kPublish };

std::string_view StateName(VersionState state);  // DRAFT, SUBMITTED …
std::string_view EventName(VersionEvent event);  // update, submit …

// The state after `event`, or STATE_CONFLICT with `state` and `event` in the metadata.
absl::StatusOr<VersionState> Next(VersionState state, VersionEvent event);

}  // namespace yikatong::catalogue
