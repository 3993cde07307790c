#include "services/dispatch/domain/record.h"

#include <utility>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/base/redact.h"

namespace yikatong::dispatch {

void RecordWriter::Key(std::string_view key) {
  records_.bytes += open_ ? ",\"" : "{\"";
  records_.bytes += key;
  records_.bytes += "\":";
  open_ = true;
}

void RecordWriter::Quote(std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string& out = records_.bytes;
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
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

RecordWriter& RecordWriter::Number(std::string_view key, std::int64_t value) {
  Key(key);
  records_.bytes += std::to_string(value);
  return *this;
}

RecordWriter& RecordWriter::Text(std::string_view key, std::string_view value) {
  Key(key);
  Quote(value);
  return *this;
}

RecordWriter& RecordWriter::Words(std::string_view key, std::string_view value) {
  return Text(key, base::RedactSensitive(value));
}

RecordWriter& RecordWriter::Flag(std::string_view key, bool value) {
  Key(key);
  records_.bytes += value ? "true" : "false";
  return *this;
}

RecordWriter& RecordWriter::Day(std::string_view key, absl::CivilDay value) {
  return Text(key, base::FormatDate(value));
}

RecordWriter& RecordWriter::Day(std::string_view key, std::optional<absl::CivilDay> value) {
  if (value.has_value()) return Day(key, *value);
  Key(key);
  records_.bytes += "null";
  return *this;
}

RecordWriter& RecordWriter::Instant(std::string_view key, absl::Time value) {
  return Text(key, base::FormatTimestamp(value));
}

RecordWriter& RecordWriter::Hex(std::string_view key, std::string_view bytes) {
  return Text(key, base::ToHex(bytes));
}

void RecordWriter::End() {
  if (!open_) return;
  records_.bytes += "}\n";
  ++records_.count;
  open_ = false;
}

Records RecordWriter::Take() {
  open_ = false;
  return std::exchange(records_, {});
}

}  // namespace yikatong::dispatch
