// Log lines: one JSON object a line on stderr, for machines to collect.
//
//   Log::Info("chunk_submitted", {{"chunk", chunk_id}, {"rows", 1000}, {"took_ms", 12.5}});
//   {"time":"2026-03-01T00:00:00.123Z","level":"info","service":"dispatch","event":"chunk_submitted","chunk":"…",…}
//
// The event is a constant in lower_snake_case; everything that varies is a field. No field may hold
// an ID number, account, phone number or name of a person. The guard below is the last line against
// a mistake, not a licence: a field whose key says that it is one (id_number, account, phone, name,
// token, password …) is replaced whole, and so is whatever looks like one in the value of another
// (base/redact.h). Fields `reference` and `item_id` may hold 16 digits, fields that end in `_fen`
// any number.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "common/base/clock.h"

namespace yikatong::telemetry {

enum class Level { kDebug, kInfo, kWarning, kError };

// Nothing for another word than debug, info, warning, error.
std::optional<Level> ParseLevel(std::string_view text);

// One field of a line. It borrows text: use it only as an argument, as above.
class Field {
 public:
  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
  Field(std::string_view key, const std::string& value)
      : key_(key), value_(std::string_view(value)) {}
  Field(std::string_view key, bool value) : key_(key), value_(value) {}
  Field(std::string_view key, double value) : key_(key), value_(value) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Field(std::string_view key, T value)
      : key_(key), value_(static_cast<std::int64_t>(value)) {}
  // "OK", or the name of the code, the reason where there is one, and the message.
  Field(std::string_view key, const absl::Status& status);

  std::string_view key() const { return key_; }
  const std::variant<std::string_view, std::string, bool, double, std::int64_t>& value() const {
    return value_;
  }

 private:
  std::string_view key_;
  std::variant<std::string_view, std::string, bool, double, std::int64_t> value_;
};

using Fields = std::initializer_list<Field>;

// A value is cut at this many bytes, so that one line cannot fill a disk.
inline constexpr std::size_t kMaxValueBytes = 4096;

// Writes lines. Thread safe. A logger of its own is for tests and tools; services use Log.
class Logger {
 public:
  // To stderr, in whole lines, flushed at once. `clock` must outlive the logger.
  Logger(std::string_view service, Level least, const base::Clock& clock);
  // To `write`, which gets each line without its line end, one at a time.
  Logger(std::string_view service, Level least, const base::Clock& clock,
         std::function<void(std::string_view line)> write);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  bool Enabled(Level level) const;
  void Write(Level level, std::string_view event, Fields fields = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The log of this process. It is the one thing here that a process has only one of, as it has one
// stderr: lines must reach it from places that nobody hands a logger. Before Start lines go out
// under the service name "unnamed", from level info.
class Log {
 public:
  // Call once, in main, before other threads.
  static void Start(std::string_view service, Level least);

  static void Debug(std::string_view event, Fields fields = {}) {
    Write(Level::kDebug, event, fields);
  }
  static void Info(std::string_view event, Fields fields = {}) {
    Write(Level::kInfo, event, fields);
  }
  static void Warning(std::string_view event, Fields fields = {}) {
    Write(Level::kWarning, event, fields);
  }
  static void Error(std::string_view event, Fields fields = {}) {
    Write(Level::kError, event, fields);
  }

  static void Write(Level level, std::string_view event, Fields fields);
};

// Gives every line that this thread writes while it lives the fields `trace_id` and `span_id`, but
// for one that has them itself. Scopes nest; the innermost counts. It borrows what it is given.
class LineTrace {
 public:
  LineTrace(std::string_view trace_id, std::string_view span_id);
  ~LineTrace();
  LineTrace(const LineTrace&) = delete;
  LineTrace& operator=(const LineTrace&) = delete;

  std::string_view trace_id() const { return trace_id_; }
  std::string_view span_id() const { return span_id_; }

  // The innermost of this thread, or null.
  static const LineTrace* Current();

 private:
  const std::string_view trace_id_, span_id_;
  const LineTrace* const outer_;
};

// Sends the lines of Log to a function while it lives, for tests. One at a time.
class LogCapture {
 public:
  explicit LogCapture(std::function<void(std::string_view line)> write);
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

 private:
  std::shared_ptr<Logger> previous_;
};

}  // namespace yikatong::telemetry
