#include "common/base/failpoint.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <set>
#include <thread>

#include "absl/status/status.h"

namespace yikatong::base::failpoint {
namespace internal {
std::atomic<bool> armed{false};
}  // namespace internal

namespace {

#ifdef YIKATONG_FAILPOINTS
constexpr bool kBuiltIn = true;
#else
constexpr bool kBuiltIn = false;
#endif

constexpr std::chrono::milliseconds kLookEvery{5};

struct State {
  std::mutex mutex;
  std::string folder;
  std::set<std::string, std::less<>> passed;
};

State& TheState() {
  static State state;
  return state;
}

// What the transaction in hand changes, and what those of the call in hand have changed.
struct Notes {
  std::vector<std::string> pending;
  std::vector<std::string> committed;
  bool in_call = false;
};
thread_local Notes notes;

// A file's first bytes; empty where there is none.
std::string ReadSmall(const std::string& path) {
  std::string text;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[128];
  const ssize_t got = read(file, buffer, sizeof buffer);
  if (got > 0) text.assign(buffer, static_cast<std::size_t>(got));
  close(file);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

absl::StatusCode CodeOf(std::string_view name) {
  for (int code = 1; code <= 16; ++code) {
    const auto candidate = static_cast<absl::StatusCode>(code);
    if (absl::StatusCodeToString(candidate) == name) return candidate;
  }
  return absl::StatusCode::kUnavailable;
}

void Await(const std::string& path) {
  while (access(path.c_str(), F_OK) != 0) std::this_thread::sleep_for(kLookEvery);
  unlink(path.c_str());
}

absl::Status Do(std::string_view action, std::string_view point, const std::string& folder) {
  if (action == "kill") {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  if (action == "stop") {
    kill(getpid(), SIGSTOP);
  } else if (action == "wait") {
    Await(folder + "/" + std::string(point) + ".go");
  } else if (action.starts_with("fail")) {
    const std::size_t blank = action.find(' ');
    const std::string_view code =
        blank == std::string_view::npos ? std::string_view() : action.substr(blank + 1);
    return absl::Status(CodeOf(code), "failpoint " + std::string(point));
  }
  return absl::OkStatus();
}

}  // namespace

bool BuiltIn() { return kBuiltIn; }

absl::Status Arm(const std::string& folder) {
  if (!kBuiltIn) {
    return absl::FailedPreconditionError("failpoints are not in this build: it is for production");
  }
  for (const char* part : {"", "/fired", "/passed"}) {
    const std::string path = folder + part;
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
      return absl::FailedPreconditionError("the failpoints' folder " + path + " cannot be made");
    }
  }
  State& state = TheState();
  {
    const std::lock_guard lock(state.mutex);
    state.folder = folder;
    state.passed.clear();
  }
  internal::armed.store(true);
  return absl::OkStatus();
}

void Disarm() {
  internal::armed.store(false);
  notes = {};
}

namespace internal {

absl::Status HitArmed(std::string_view point) {
  State& state = TheState();
  std::string folder;
  {
    const std::lock_guard lock(state.mutex);
    folder = state.folder;
    if (!state.passed.contains(point)) {
      state.passed.emplace(point);
      const std::string seen = folder + "/passed/" + std::string(point);
      const int file = open(seen.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
      if (file >= 0) close(file);
    }
  }
  const std::string armed_file = folder + "/" + std::string(point);
  const std::string taken =
      folder + "/fired/" + std::string(point) + "." + std::to_string(getpid());
  // Of all that get here at once one takes the file.
  if (rename(armed_file.c_str(), taken.c_str()) != 0) return absl::OkStatus();
  return Do(ReadSmall(taken), point, folder);
}

void NoteArmed(std::string_view machine, std::string_view from, std::string_view event) {
  std::string note(machine);
  note.append(".").append(from).append(".").append(event);
  if (std::find(notes.pending.begin(), notes.pending.end(), note) == notes.pending.end()) {
    notes.pending.push_back(std::move(note));
  }
}

std::int64_t ClockShiftArmed() {
  static std::mutex mutex;
  static std::chrono::steady_clock::time_point looked;
  static std::int64_t shift = 0;
  const std::lock_guard lock(mutex);
  const auto now = std::chrono::steady_clock::now();
  if (now - looked < std::chrono::milliseconds(20)) return shift;
  looked = now;
  std::string folder;
  {
    State& state = TheState();
    const std::lock_guard locked(state.mutex);
    folder = state.folder;
  }
  const std::string text = ReadSmall(folder + "/clock");
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  shift = value;
  return shift;
}

}  // namespace internal

absl::Status TransactionMoments::Hit(std::string_view moment) const {
  if (moment == ".before_begin") notes.pending.clear();
  absl::Status status = internal::HitArmed(std::string(name_) + std::string(moment));
  for (const std::string& note : notes.pending) {
    absl::Status noted = internal::HitArmed(note + std::string(moment));
    if (status.ok()) status = std::move(noted);
  }
  return status;
}

void TransactionMoments::AfterCommit() const {
  if (!Armed()) return;
  // Nothing can be refused any more: only kill, stop and wait make a difference here.
  Hit(".after_commit").IgnoreError();
  if (notes.in_call) {
    notes.committed.insert(notes.committed.end(), notes.pending.begin(), notes.pending.end());
  }
  notes.pending.clear();
}

CallMoments::CallMoments(std::string_view method) : method_(method.substr(method.rfind('/') + 1)) {
  if (!Armed()) return;
  notes.in_call = true;
  notes.committed.clear();
}

CallMoments::~CallMoments() {
  if (!notes.in_call) return;
  notes.in_call = false;
  notes.committed.clear();
}

absl::Status CallMoments::HitReply() const {
  absl::Status status = internal::HitArmed(std::string(method_) + ".before_reply");
  for (const std::string& note : notes.committed) {
    absl::Status noted = internal::HitArmed(note + ".before_reply");
    if (status.ok()) status = std::move(noted);
  }
  return status;
}

}  // namespace yikatong::base::failpoint
