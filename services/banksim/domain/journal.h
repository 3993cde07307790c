// The bank's durable memory: a text file that only grows. Its format is in the README of this
// folder; a reader in any language can check the suite against it.
//
// What belongs together is one group: lines, then `E|<lines>|<crc32>`. A group is on the disk whole
// before its deed is answered, and only then told to `replay`: memory changes by the same path when
// the bank works and when it starts again. Not thread safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace yikatong::banksim {

// The fields of one line, the kind first and without the checksum. Views refer to the line.
using JournalFields = std::vector<std::string_view>;

class Journal {
 public:
  // Takes one line; an error means that the journal contradicts itself.
  using Replay = std::function<absl::Status(const JournalFields&)>;

  // Opens or makes the file. Gives every line of every whole group to `replay`, in order, and cuts
  // off what a crash left behind the last one. DATA_LOSS where a line before that does not fit its
  // checksum, or `replay` refuses it.
  static absl::StatusOr<Journal> Open(const std::string& path, Replay replay);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;

  // One line of the group that is being gathered. Text must hold neither `|` nor a line end.
  class Line {
   public:
    Line(Journal& journal, char kind);
    ~Line();  // ends the line with its checksum
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    Line& Text(std::string_view text);
    Line& Number(std::int64_t number, int width = 0);

   private:
    Journal& journal_;
    std::size_t start_;
  };

  // Writes the gathered group, waits until the disk has it, and replays it. UNAVAILABLE where the
  // disk has not: the file is as before, and the group is forgotten. Where even that cannot be had
  // the process ends: nobody may trust its memory then.
  absl::Status Commit();
  void Forget();

 private:
  Journal(int descriptor, Replay replay) : descriptor_(descriptor), replay_(std::move(replay)) {}

  int descriptor_ = -1;
  Replay replay_;
  std::int64_t size_ = 0;  // of what is durable
  std::string group_;
  std::int64_t lines_ = 0;
};

}  // namespace yikatong::banksim
