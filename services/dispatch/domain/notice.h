// A public notice: the masked list of a batch, frozen by the RFC 6962 root over its lines. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/civil_time.h"
#include "services/dispatch/domain/batch.h"

namespace yikatong::dispatch {

// Smallest count that a notice of counts shows; what is below stands as 0.
inline constexpr std::int64_t kSmallestCell = 5;

struct Notice {
  std::int64_t batch_id = 0;
  absl::CivilDay from_date;
  absl::CivilDay to_date;  // the last day that counts
  std::string root;
  std::int64_t lines = 0;
  bool aggregate_only = false;
};

struct NoticeLine {
  std::int64_t line = 0;    // from 1; in a notice of counts the village's place by its code
  std::string masked_name;  // empty in a notice of counts
  std::int64_t village = 0;
  std::int64_t amount_fen = 0;
  std::int64_t people = 1;
  std::int64_t item_id = 0;  // 0 in a notice of counts
};

// The bytes that the root commits to:
//   yikatong-notice/v1\nline: 1\nname: 测*\nvillage: 120105001001\namount_fen: 104500\npeople:
//   1\nitem: 1050000000001\n
std::string NoticeLineBytes(const NoticeLine& line);

// A line of counts as the public sees it: a cell below kSmallestCell shows neither count nor sum.
NoticeLine WithoutSmallCells(NoticeLine line);

// An objection to one item. States are numbered as yikatong.dispatch.v1.ObjectionState.
enum class ObjectionState : std::int16_t { kOpen = 1, kUpheld = 2, kRejected = 3, kWithdrawn = 4 };

struct Objection {
  std::int64_t objection_id = 0;
  std::int64_t batch_id = 0;
  std::int64_t item_id = 0;
  std::string text;
  ObjectionState state = ObjectionState::kOpen;
  std::string raised_by;
  std::string decision;
};

}  // namespace yikatong::dispatch
