// The records of archives: one JSON object a line, fields in the order in which they are written,
// no blanks. The same values give the same bytes for ever, since hashes stand over them. Pure; not
// thread safe.
//
//   RecordWriter out;
//   out.Number("item", 1050000000001).Text("name", "测*").Flag("social_card", true).End();
//   → {"item":1050000000001,"name":"测*","social_card":true}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::dispatch {

// Whole lines.
struct Records {
  std::string bytes;
  std::int64_t count = 0;
};

class RecordWriter {
 public:
  RecordWriter& Number(std::string_view key, std::int64_t value);
  // UTF-8, as the database holds it. Quotes, backslashes and control characters are escaped.
  RecordWriter& Text(std::string_view key, std::string_view value);
  // Words that an officer wrote: what looks like an ID number, an account or a phone number is
  // replaced.
  RecordWriter& Words(std::string_view key, std::string_view value);
  RecordWriter& Flag(std::string_view key, bool value);
  RecordWriter& Day(std::string_view key, absl::CivilDay value);                 // "2026-03-01"
  RecordWriter& Day(std::string_view key, std::optional<absl::CivilDay> value);  // null for none
  RecordWriter& Instant(std::string_view key, absl::Time value);                 // RFC 3339, UTC
  RecordWriter& Hex(std::string_view key, std::string_view bytes);
  // Ends the line.
  void End();

  std::int64_t count() const { return records_.count; }
  // All lines; the writer is empty afterwards.
  Records Take();

 private:
  void Key(std::string_view key);
  void Quote(std::string_view value);

  Records records_;
  bool open_ = false;  // a line was begun
};

}  // namespace yikatong::dispatch
