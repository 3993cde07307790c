// What waits for somebody, what to do about it, and until when. Pure; thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/civil_time.h"
#include "common/calendar/calendar.h"
#include "common/status/reason.h"

namespace yikatong::dispatch {

// Numbered as yikatong.dispatch.v1.RepairKind; the numbers stand in repairs_of_batch.sql too.
enum class RepairKind : std::int16_t {
  kArrival = 1,
  kReturnedBatch = 2,
  kSetAside = 3,
  kHeld = 4,
  kUnroutable = 5,
  kFailed = 6,
  kUnknown = 7,
  kReturned = 8,
  kRecovery = 9
};
inline constexpr int kRepairKinds = 10;  // with the one that is none

const char* RepairKindName(RepairKind kind);  // arrival, returned_batch …, as metrics name it

// One thing that waits.
struct Repair {
  RepairKind kind = RepairKind::kFailed;
  std::int64_t batch_id = 0;    // 0 for an arrival
  std::int64_t item_id = 0;     // 0 where it is about none
  std::int64_t subject_id = 0;  // chunk, recovery or arrival
  std::int64_t amount_fen = 0;
  std::string reason;  // a reason's name, a recovery's state, or a reviewer's words
  absl::CivilDay since_on;
  std::optional<absl::CivilDay> granted_until;  // what a person was given, where that decides
};

struct Deadline {
  std::optional<absl::CivilDay> due_on;  // nothing where the calendar does not know the year
  bool overdue = false;
  bool escalated = false;
};

// Working days for each kind: a failed, returned or unroutable item goes out again within three,
// and whoever leads the department hears of all that waits for ten (domain: failed rows); a
// set-aside chunk is looked at on the next day; what has to be decided is decided within five. A
// person who was told to give money back has the days of the notice.
Deadline DeadlineOf(const Repair& repair, absl::CivilDay today, const calendar::Calendar& calendar);

// What to do about it, as a sentence.
std::string WhatToDo(const Repair& repair, status::Lang lang);

}  // namespace yikatong::dispatch
