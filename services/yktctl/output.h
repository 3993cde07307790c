// How answers, errors and progress look: tables for a person, JSON for a program.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "services/yktctl/session.h"

namespace google::protobuf {
class Message;
}

namespace yikatong::yktctl {

// Exit codes: what a script can tell apart.
enum ExitCode {
  kDone = 0,
  kRefused = 1,  // a service refused, with a reason
  kUsage = 2,    // the command line or a file of it is wrong
  kUnavailable =
      3,  // a service is away, or its answer was lost: the same request id may be sent again
  kRowsRefused = 4,  // done, and some rows were refused
};

// A message as JSON, one line.
std::string ToJson(const google::protobuf::Message& message);

// Prints an answer: as JSON, or its scalar fields as `name  value` and each repeated message field
// as a table. `columns` picks and orders the fields of the rows; empty takes those that are plain
// values.
void Print(const Session& session, const google::protobuf::Message& message,
           const std::vector<std::string>& columns = {});

// A table with aligned columns; wide (Chinese) characters count two.
void PrintTable(const std::vector<std::string>& head,
                const std::vector<std::vector<std::string>>& rows);

// Prints what went wrong, the reason, the facts and what to do, to the standard error; gives the
// exit code.
int Fail(Session& session, const absl::Status& status);

// A bar on the standard error for whatever takes longer than a second; silent where that is no
// terminal unless something is still worth a line at its end.
class Progress {
 public:
  Progress(const Session& session, std::string what, std::int64_t total);
  ~Progress();
  void Set(std::int64_t done, std::string_view note = {});
  void SetTotal(std::int64_t total) { total_ = total; }

 private:
  void Draw(bool last);

  const bool shown_;
  const std::string what_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::string note_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = start_;
};

// Fen as yuan with two decimals.
std::string Yuan(std::int64_t fen);

}  // namespace yikatong::yktctl
