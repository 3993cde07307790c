#include "common/telemetry/log.h"

#include <fmt/core.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>

#include "common/base/dates.h"
#include "common/base/redact.h"
#include "common/base/utf8.h"
#include "common/status/status.h"

namespace yikatong::telemetry {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

// Keys whose values never stand in a line, whatever they look like.
constexpr std::array<std::string_view, 20> kSecretKeys = {
    "id_number", "id_no",       "account",      "account_number", "account_no",
    "card",      "card_number", "phone",        "mobile",         "name",
    "person",    "person_name", "account_name", "payee_name",     "password",
    "secret",    "token",       "private_key",  "authorization",  "address_line"};

bool IsSecretKey(std::string_view key) {
  for (const std::string_view secret : kSecretKeys) {
    if (key == secret) return true;
  }
  return false;
}

base::References ReferencesOf(std::string_view key) {
  return key == "reference" || key == "item_id" ? base::References::kShown
                                                : base::References::kHidden;
}

void AppendQuoted(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// `text` cut to the limit at the start of a code point; what is not UTF-8 is written byte by byte
// as \xNN.
std::string Printable(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxValueBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  std::string out(text.substr(0, end));
  if (end < text.size()) out += "…";
  if (base::IsUtf8(out)) return out;
  std::string escaped;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    escaped += byte < 0x80 ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return escaped;
}

void AppendText(std::string& out, std::string_view key, std::string_view text) {
  const std::string printable = Printable(text);
  if (key.ends_with("_fen")) return AppendQuoted(out, printable);
  AppendQuoted(out, base::RedactSensitive(printable, ReferencesOf(key)));
}

void AppendNumber(std::string& out, std::string_view key, std::int64_t number) {
  const std::string digits = std::to_string(number);
  // 11 digits are a sum or a count far more often than a phone number, and phone numbers are never
  // integers in the tree; from 15 digits on nothing but an account, an ID number or a reference is
  // this long.
  if (digits.size() >= 15 && !key.ends_with("_fen") &&
      base::LooksSensitive(digits, ReferencesOf(key))) {
    return AppendQuoted(out, base::kRedacted);
  }
  out += digits;
}

void AppendField(std::string& out, const Field& field) {
  out += ',';
  AppendQuoted(out, field.key());
  out += ':';
  if (IsSecretKey(field.key())) return AppendQuoted(out, base::kRedacted);
  const auto& value = field.value();
  if (const auto* view = std::get_if<std::string_view>(&value)) {
    AppendText(out, field.key(), *view);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    AppendText(out, field.key(), *text);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    AppendNumber(out, field.key(), *number);
  } else {
    const double real = std::get<double>(value);
    out += std::isfinite(real) ? fmt::format("{:.6g}", real) : "null";
  }
}

void AppendTrace(std::string& out, Fields fields) {
  const LineTrace* const trace = LineTrace::Current();
  if (trace == nullptr) return;
  for (const Field& field : fields) {
    if (field.key() == "trace_id") return;
  }
  AppendField(out, {"trace_id", trace->trace_id()});
  AppendField(out, {"span_id", trace->span_id()});
}

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  std::function<void(std::string_view)> write_;
};

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

const base::Clock& RealTime() {
  static const base::SystemClock clock;
  return clock;
}

// Where Log writes. The mutex guards the pointer only.
struct ProcessLog {
  std::mutex mutex;
  std::shared_ptr<Logger> logger = std::make_shared<Logger>("unnamed", Level::kInfo, RealTime());

  std::shared_ptr<Logger> Get() {
    const std::lock_guard lock(mutex);
    return logger;
  }
  std::shared_ptr<Logger> Swap(std::shared_ptr<Logger> next) {
    const std::lock_guard lock(mutex);
    logger.swap(next);
    return next;
  }
};

ProcessLog& TheProcessLog() {
  // Never destroyed: threads may still log while the process ends.
  static ProcessLog* const log = new ProcessLog;
  return *log;
}

}  // namespace

std::optional<Level> ParseLevel(std::string_view text) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == text) return static_cast<Level>(i);
  }
  return std::nullopt;
}

Field::Field(std::string_view key, const absl::Status& status) : key_(key) {
  std::string text = absl::StatusCodeToString(status.code());
  if (const std::string reason = status::ReasonNameOf(status); !reason.empty())
    text += " " + reason;
  const absl::string_view message = status.message();
  if (!message.empty()) text += ": " + std::string(message);
  value_ = std::move(text);
}

class Logger::Impl {
 public:
  Impl(std::string_view service, Level least, const base::Clock& clock, spdlog::sink_ptr sink)
      : clock_(clock), logger_(std::string(service), std::move(sink)) {
    AppendQuoted(service_, service);
    logger_.set_level(ToSpdlog(least));
    logger_.set_pattern("%v");
    logger_.flush_on(spdlog::level::trace);
  }

  bool Enabled(Level level) const { return logger_.should_log(ToSpdlog(level)); }

  void Write(Level level, std::string_view event, Fields fields) {
    if (!Enabled(level)) return;
    std::string line = fmt::format(R"({{"time":"{}","level":"{}","service":{},"event":)",
                                   base::FormatTimestamp(clock_.Now()),
                                   kLevelNames[static_cast<std::size_t>(level)], service_);
    AppendQuoted(line, event);
    for (const Field& field : fields) AppendField(line, field);
    AppendTrace(line, fields);
    line += '}';
    logger_.log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const base::Clock& clock_;
  std::string service_;
  spdlog::logger logger_;
};

Logger::Logger(std::string_view service, Level least, const base::Clock& clock)
    : impl_(std::make_unique<Impl>(service, least, clock,
                                   std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

Logger::Logger(std::string_view service, Level least, const base::Clock& clock,
               std::function<void(std::string_view line)> write)
    : impl_(std::make_unique<Impl>(service, least, clock,
                                   std::make_shared<FunctionSink>(std::move(write)))) {}

Logger::~Logger() = default;

bool Logger::Enabled(Level level) const { return impl_->Enabled(level); }

void Logger::Write(Level level, std::string_view event, Fields fields) {
  impl_->Write(level, event, fields);
}

void Log::Start(std::string_view service, Level least) {
  TheProcessLog().Swap(std::make_shared<Logger>(service, least, RealTime()));
}

void Log::Write(Level level, std::string_view event, Fields fields) {
  TheProcessLog().Get()->Write(level, event, fields);
}

namespace {
thread_local const LineTrace* current_trace = nullptr;
}  // namespace

LineTrace::LineTrace(std::string_view trace_id, std::string_view span_id)
    : trace_id_(trace_id), span_id_(span_id), outer_(current_trace) {
  current_trace = this;
}

LineTrace::~LineTrace() { current_trace = outer_; }

const LineTrace* LineTrace::Current() { return current_trace; }

LogCapture::LogCapture(std::function<void(std::string_view line)> write)
    : previous_(TheProcessLog().Swap(
          std::make_shared<Logger>("test", Level::kDebug, RealTime(), std::move(write)))) {}

LogCapture::~LogCapture() { TheProcessLog().Swap(std::move(previous_)); }

}  // namespace yikatong::telemetry
