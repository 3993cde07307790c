// Named points at which a test makes a process fail: killed, stopped, delayed or refused just
// there.
//
// A build for production holds none of it (CMake's YIKATONG_FAILPOINTS is off unless a preset for
// tests sets it): Arm then refuses, and so does a service whose settings name a folder. Where
// nothing is armed a point costs one relaxed load.
//
//   absl::Status status = failpoint::Hit("submit_file.after_send");
//
// Armed, a process looks in one folder. To arm a point is to put a file of its name there; its
// content says what happens:
//
//   kill            the process ends at once, as by kill -9
//   stop            the process stops as by SIGSTOP, until somebody sends SIGCONT
//   wait            the thread waits until the file is put back under the name "<point>.go"
//   fail <CODE>     the point answers that status; before a commit ABORTED runs the whole again
//
// Whoever reaches it takes the file first, by renaming it to "fired/<point>.<pid>": so a point
// fires once, whichever of several processes and threads gets there, and whoever put it there can
// see who. Every point that was ever passed leaves an empty file "passed/<point>", so that points
// can be found without a list. "clock" in the folder holds seconds that the wall clock is off by
// (SystemClock::Now; never the monotonic clock).
//
// State of the process and not of an object, as signals are: a point may stand anywhere, and only
// Arm changes it. Thread safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace yikatong::base::failpoint {

namespace internal {
extern std::atomic<bool> armed;
absl::Status HitArmed(std::string_view point);
void NoteArmed(std::string_view machine, std::string_view from, std::string_view event);
std::int64_t ClockShiftArmed();
}  // namespace internal

// Whether this build has failpoints at all.
bool BuiltIn();

// Looks for points in `folder` from now on. FAILED_PRECONDITION in a build without failpoints, or
// where the folder cannot be written.
absl::Status Arm(const std::string& folder);
// The same for a setting that may be empty: nothing is armed then.
inline absl::Status ArmIfSet(const std::string& folder) {
  return folder.empty() ? absl::OkStatus() : Arm(folder);
}
// Back to the state before Arm, for tests.
void Disarm();

inline bool Armed() { return internal::armed.load(std::memory_order_relaxed); }

// Does what the point was armed for; OK otherwise.
inline absl::Status Hit(std::string_view point) {
  return Armed() ? internal::HitArmed(point) : absl::OkStatus();
}

// Says what the transaction in hand changes, e.g. Note("batch", "SEALED", "publish_notice"): its
// moments are then also points of that name, "batch.SEALED.publish_notice.before_commit" and so on.
inline void Note(std::string_view machine, std::string_view from, std::string_view event) {
  if (Armed()) internal::NoteArmed(machine, from, event);
}

// Seconds that the wall clock is off by.
inline std::int64_t ClockShiftSeconds() { return Armed() ? internal::ClockShiftArmed() : 0; }

// The moments of one try of a transaction, on the thread that runs it:
//   <name>.before_begin   nothing is locked yet
//   <name>.before_commit  all is done but the commit
//   <name>.in_commit      fails where the answer to the commit is to be lost
//   <name>.after_commit   nobody was told yet
class TransactionMoments {
 public:
  explicit TransactionMoments(std::string_view name) : name_(name) {}
  absl::Status BeforeBegin() const { return Armed() ? Hit(".before_begin") : absl::OkStatus(); }
  absl::Status BeforeCommit() const { return Armed() ? Hit(".before_commit") : absl::OkStatus(); }
  bool LosesCommit() const { return Armed() && !Hit(".in_commit").ok(); }
  void AfterCommit() const;

 private:
  absl::Status Hit(std::string_view moment) const;
  const std::string_view name_;
};

// One call that is served, on the thread that serves it: "<method>.before_reply", and the same for
// everything that its transactions changed.
class CallMoments {
 public:
  explicit CallMoments(std::string_view method);
  ~CallMoments();
  CallMoments(const CallMoments&) = delete;
  CallMoments& operator=(const CallMoments&) = delete;
  // An error of a point takes the place of the answer, as when the answer is lost.
  absl::Status BeforeReply() const { return Armed() ? HitReply() : absl::OkStatus(); }

 private:
  absl::Status HitReply() const;
  const std::string_view method_;
};

}  // namespace yikatong::base::failpoint
