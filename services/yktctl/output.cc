#include "services/yktctl/output.h"

#include <fmt/core.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "common/base/dates.h"
#include "common/base/hex.h"
#include "common/status/status.h"

namespace yikatong::yktctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Columns that a character takes in a terminal: two for Chinese and its punctuation.
std::size_t WidthOf(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    width += bytes >= 3 ? 2 : 1;
    i += bytes;
  }
  return width;
}

bool EndsWith(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

bool Plain(const FieldDescriptor& field) {
  return !field.is_repeated() && (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
                                  field.message_type()->full_name() == "google.protobuf.Timestamp");
}

// An enum's value without its prefix.
std::string WordOf(const google::protobuf::EnumValueDescriptor& value) {
  const std::string zero = value.type()->value(0)->name();
  const std::size_t prefix = zero.rfind("UNSPECIFIED");
  return prefix != std::string::npos && value.name().size() > prefix ? value.name().substr(prefix)
                                                                     : value.name();
}

// One field as a person reads it: money in yuan, hashes in hex, an enum without its prefix.
std::string ValueOf(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::int64_t value = reflection.GetInt64(message, &field);
      return EndsWith(field.name(), "_fen") ? Yuan(value) : std::to_string(value);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "yes" : "no";
    case FieldDescriptor::CPPTYPE_ENUM:
      return WordOf(*reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string value = reflection.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? base::ToHex(value) : value;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (!reflection.HasField(message, &field)) return "";
      google::protobuf::Timestamp stamp;
      stamp.ParseFromString(reflection.GetMessage(message, &field).SerializeAsString());
      return base::FormatTimestamp(absl::FromUnixSeconds(stamp.seconds()) +
                                   absl::Nanoseconds(stamp.nanos()));
    }
    default:
      return "";
  }
}

void PrintFields(const Message& message, std::string_view indent) {
  const auto* type = message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    if (Plain(field)) {
      const std::string value = ValueOf(message, field);
      if (!value.empty()) std::cout << fmt::format("{}{:<24} {}\n", indent, field.name(), value);
    } else if (!field.is_repeated() && reflection.HasField(message, &field)) {
      std::cout << fmt::format("{}{}\n", indent, field.name());
      PrintFields(reflection.GetMessage(message, &field), std::string(indent) + "  ");
    }
  }
}

// A column `version.state` looks into a message inside the row.
std::string ColumnOf(const Message& row, const std::string& column) {
  const Message* at = &row;
  std::string_view rest = column;
  while (true) {
    const std::size_t dot = rest.find('.');
    const auto* field = at->GetDescriptor()->FindFieldByName(std::string(rest.substr(0, dot)));
    if (field == nullptr) return "";
    if (dot == std::string_view::npos) return ValueOf(*at, *field);
    at = &at->GetReflection()->GetMessage(*at, field);
    rest.remove_prefix(dot + 1);
  }
}

void PrintRepeated(const Message& message, const FieldDescriptor& field,
                   std::vector<std::string> columns) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    for (int i = 0; i < size; ++i) {
      std::cout << fmt::format("{:<24} {}\n", field.name(),
                               WordOf(*reflection.GetRepeatedEnum(message, &field, i)));
    }
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
  if (columns.empty()) {
    for (int i = 0; i < field.message_type()->field_count(); ++i) {
      if (Plain(*field.message_type()->field(i)))
        columns.push_back(field.message_type()->field(i)->name());
    }
  }
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < size; ++i) {
    const Message& row = reflection.GetRepeatedMessage(message, &field, i);
    std::vector<std::string>& cells = rows.emplace_back();
    for (const std::string& column : columns) cells.push_back(ColumnOf(row, column));
  }
  if (!rows.empty()) PrintTable(columns, rows);
}

}  // namespace

std::string Yuan(std::int64_t fen) {
  const std::int64_t whole = fen / 100;
  const std::int64_t rest = fen % 100;
  return fmt::format("{}{}.{:02}", fen < 0 && whole == 0 ? "-" : "", whole,
                     rest < 0 ? -rest : rest);
}

std::string ToJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}";
  return json;
}

void PrintTable(const std::vector<std::string>& head,
                const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < head.size(); ++column) {
    std::size_t width = WidthOf(head[column]);
    for (const auto& row : rows) width = std::max(width, WidthOf(row[column]));
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      text += cells[column];
      if (column + 1 < cells.size()) text.append(widths[column] - WidthOf(cells[column]) + 2, ' ');
    }
    std::cout << text << '\n';
  };
  line(head);
  for (const auto& row : rows) line(row);
}

void Print(const Session& session, const Message& message,
           const std::vector<std::string>& columns) {
  if (session.options().json) {
    std::cout << ToJson(message) << '\n';
    return;
  }
  PrintFields(message, "");
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    if (field.is_repeated()) PrintRepeated(message, field, columns);
  }
}

int Fail(Session& session, const absl::Status& status) {
  const status::Lang lang = session.options().lang;
  const std::string reason = status::ReasonNameOf(status);
  std::cerr << (lang == status::Lang::kChinese ? "失败：" : "failed: ")
            << status::Describe(status, lang) << '\n';
  if (!reason.empty())
    std::cerr << fmt::format("  {}: {}\n", lang == status::Lang::kChinese ? "原因代码" : "reason",
                             reason);
  for (const auto& [key, value] : status::MetadataOf(status))
    std::cerr << fmt::format("  {}: {}\n", key, value);
  if (status.code() == absl::StatusCode::kUnavailable ||
      status.code() == absl::StatusCode::kCancelled ||
      status.code() == absl::StatusCode::kDeadlineExceeded) {
    std::cerr << fmt::format(
        "  {} --request-id {}\n",
        lang == status::Lang::kChinese ? "可用同一请求号重试：" : "to repeat the same request:",
        session.RequestId());
    return kUnavailable;
  }
  return reason.empty() && status.code() == absl::StatusCode::kFailedPrecondition ? kUsage
                                                                                  : kRefused;
}

Progress::Progress(const Session& session, std::string what, std::int64_t total)
    : shown_(!session.options().no_progress && !session.options().json &&
             isatty(STDERR_FILENO) != 0),
      what_(std::move(what)),
      total_(total) {}

Progress::~Progress() {
  if (drawn_) Draw(true);
}

void Progress::Set(std::int64_t done, std::string_view note) {
  done_ = done;
  note_ = note;
  const auto now = std::chrono::steady_clock::now();
  // Nothing for the first second, then ten times a second.
  if (!shown_ || now - start_ < std::chrono::seconds(1) ||
      now - last_ < std::chrono::milliseconds(100))
    return;
  last_ = now;
  Draw(false);
}

void Progress::Draw(bool last) {
  constexpr int kWidth = 30;
  const double part =
      total_ > 0 ? std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_)) : 0;
  const int full = static_cast<int>(part * kWidth);
  std::cerr << fmt::format(
      "\r{} [{}{}] {}/{} {}\x1b[K", what_, std::string(static_cast<std::size_t>(full), '#'),
      std::string(static_cast<std::size_t>(kWidth - full), '.'), done_, total_, note_);
  if (last) std::cerr << '\n';
  std::cerr << std::flush;
  drawn_ = true;
}

}  // namespace yikatong::yktctl
