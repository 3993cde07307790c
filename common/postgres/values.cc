#include "common/postgres/values.h"

#include <charconv>
#include <limits>

#include "common/base/hex.h"
#include "common/postgres/wire.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

using Value = ResultSource::Value;

[[noreturn]] void Mismatch(const Value& value, const char* wanted) {
  throw RowError(fmt::format("a column of type {} ({}) read as {}", value.type,
                             value.binary ? "binary" : "text", wanted));
}

std::string_view View(const Value& value) { return {value.data, static_cast<size_t>(value.size)}; }

bool IsText(uint32_t type) {
  return type == oid::kText || type == oid::kVarchar || type == oid::kBpchar || type == oid::kName;
}

// Digits of a fixed width at `at`; -1 when they are none.
int Digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return -1;
  int number = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + (text[i] - '0');
  }
  return number;
}

int64_t ReadInt64(const Value& value) {
  if (value.binary) {
    if (value.type == oid::kInt8 && value.size == 8) return wire::GetInt64(value.data);
    if (value.type == oid::kInt4 && value.size == 4) return wire::GetInt32(value.data);
    if (value.type == oid::kInt2 && value.size == 2) return wire::GetInt16(value.data);
    Mismatch(value, "an integer");
  }
  int64_t number = 0;
  const char* end = value.data + value.size;
  const auto [stop, error] = std::from_chars(value.data, end, number);
  if (error != std::errc() || stop != end) Mismatch(value, "an integer");
  return number;
}

absl::CivilDay ReadDate(const Value& value) {
  if (value.binary) {
    if (value.type != oid::kDate || value.size != 4) Mismatch(value, "a date");
    return wire::kEpochDay + wire::GetInt32(value.data);
  }
  const std::string_view text = View(value);
  const int year = Digits(text, 0, 4), month = Digits(text, 5, 2), day = Digits(text, 8, 2);
  if (text.size() != 10 || year < 0 || month < 0 || day < 0) Mismatch(value, "a date");
  return absl::CivilDay(year, month, day);
}

absl::Time ReadTime(const Value& value) {
  if (value.binary) {
    if (value.type != oid::kTimestamptz || value.size != 8) Mismatch(value, "a time");
    return wire::EpochTime() + absl::Microseconds(wire::GetInt64(value.data));
  }
  // "2026-11-23 08:00:00.123456+00"; every session is in UTC.
  absl::Time time;
  std::string error;
  const std::string_view text = View(value);
  if (value.type != oid::kTimestamptz || text.size() < 22 ||
      text.substr(text.size() - 3) != "+00" ||
      !absl::ParseTime("%Y-%m-%d %H:%M:%E*S", absl::string_view(text.data(), text.size() - 3),
                       absl::UTCTimeZone(), &time, &error)) {
    Mismatch(value, "a time");
  }
  return time;
}

std::string ReadBytes(const Value& value) {
  const std::string_view data = View(value);
  if (value.binary) {
    if (value.type != oid::kBytea && value.type != oid::kUuid) Mismatch(value, "bytes");
    return std::string(data);
  }
  std::optional<std::string> bytes;
  if (value.type == oid::kBytea && data.substr(0, 2) == "\\x")
    bytes = base::FromHex(data.substr(2));
  if (value.type == oid::kUuid) bytes = base::FromHex(wire::WithoutDashes(data));
  if (!bytes.has_value()) Mismatch(value, "bytes");
  return *std::move(bytes);
}

std::string ReadText(const Value& value) {
  if (!value.binary) {
    return value.type == oid::kUuid ? wire::WithoutDashes(View(value)) : std::string(View(value));
  }
  if (IsText(value.type)) return std::string(View(value));
  switch (value.type) {
    case oid::kInt2:
    case oid::kInt4:
    case oid::kInt8:
      return std::to_string(ReadInt64(value));
    case oid::kUuid:
      return base::ToHex(View(value));
    case oid::kBool:
      return value.data[0] != 0 ? "t" : "f";
    case oid::kDate:
      return wire::DateText(ReadDate(value));
    case oid::kTimestamptz:
      return wire::TimeText(ReadTime(value));
    default:
      Mismatch(value, "text; cast it in the statement");
  }
}

}  // namespace

Param::Param(struct Bytes bytes) : text_("\\x" + base::ToHex(bytes.data)) {}
Param::Param(absl::CivilDay day) : text_(wire::DateText(day)) {}
Param::Param(absl::Time time) : text_(wire::TimeText(time)) {}

Value Row::Fetch(int column) const {
  if (column < 0 || column >= source_->columns()) {
    throw RowError(fmt::format("no column {} in a row of {}", column, source_->columns()));
  }
  return source_->Get(index_, column);
}

Value Row::FetchValue(int column) const {
  const Value value = Fetch(column);
  if (value.data == nullptr) throw RowError(fmt::format("column {} is NULL", column));
  return value;
}

bool Row::IsNull(int column) const { return Fetch(column).data == nullptr; }
int64_t Row::Int64(int column) const { return ReadInt64(FetchValue(column)); }

int Row::Int(int column) const {
  const int64_t number = Int64(column);
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) {
    throw RowError(fmt::format("column {} does not fit an int", column));
  }
  return static_cast<int>(number);
}

bool Row::Bool(int column) const {
  const Value value = FetchValue(column);
  if (value.type != oid::kBool || value.size != 1) Mismatch(value, "a boolean");
  return value.binary ? value.data[0] != 0 : value.data[0] == 't';
}

std::string Row::Text(int column) const { return ReadText(FetchValue(column)); }

std::string_view Row::TextView(int column) const {
  const Value value = FetchValue(column);
  if (!IsText(value.type)) Mismatch(value, "a view of text");
  return View(value);
}

std::string Row::Bytes(int column) const { return ReadBytes(FetchValue(column)); }
absl::CivilDay Row::Date(int column) const { return ReadDate(FetchValue(column)); }
absl::Time Row::Time(int column) const { return ReadTime(FetchValue(column)); }

std::optional<int64_t> Row::MaybeInt64(int column) const {
  const Value value = Fetch(column);
  return value.data == nullptr ? std::nullopt : std::optional(ReadInt64(value));
}

std::optional<std::string> Row::MaybeText(int column) const {
  const Value value = Fetch(column);
  return value.data == nullptr ? std::nullopt : std::optional(ReadText(value));
}

std::optional<std::string> Row::MaybeBytes(int column) const {
  const Value value = Fetch(column);
  return value.data == nullptr ? std::nullopt : std::optional(ReadBytes(value));
}

std::optional<absl::CivilDay> Row::MaybeDate(int column) const {
  const Value value = Fetch(column);
  return value.data == nullptr ? std::nullopt : std::optional(ReadDate(value));
}

std::optional<absl::Time> Row::MaybeTime(int column) const {
  const Value value = Fetch(column);
  return value.data == nullptr ? std::nullopt : std::optional(ReadTime(value));
}

Row Rows::operator[](int64_t index) const {
  if (index < 0 || index >= size()) {
    throw RowError(fmt::format("no row {} among {}", index, size()));
  }
  return Row(source_.get(), index);
}

}  // namespace yikatong::postgres
