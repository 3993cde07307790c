#include "services/yktctl/csv.h"

#include <fmt/core.h>

#include <charconv>

#include "common/base/utf8.h"
#include "common/status/status.h"

namespace yikatong::yktctl {

absl::Status CsvReader::Bad(std::string_view what) const {
  return status::Refuse(status::Reason::kFieldInvalid,
                        fmt::format("{}, line {}: {}", path_, line_, what));
}

absl::StatusOr<CsvReader> CsvReader::Open(const std::string& path,
                                          const std::vector<std::string>& required) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return status::Refuse(status::Reason::kFieldInvalid, fmt::format("{} cannot be read", path));
  CsvReader reader(std::move(in), path);
  YKT_ASSIGN_OR_RETURN(const bool head, reader.ReadRecord());
  if (!head) return reader.Bad("the file is empty");
  for (std::size_t i = 0; i < reader.fields_.size(); ++i) reader.columns_[reader.fields_[i]] = i;
  for (const std::string& column : required) {
    if (!reader.columns_.contains(column))
      return reader.Bad(fmt::format("the head has no column `{}`", column));
  }
  return reader;
}

absl::StatusOr<bool> CsvReader::Next() {
  YKT_ASSIGN_OR_RETURN(const bool more, ReadRecord());
  if (more && fields_.size() != columns_.size()) {
    return Bad(fmt::format("{} fields where the head has {}", fields_.size(), columns_.size()));
  }
  return more;
}

absl::StatusOr<bool> CsvReader::ReadRecord() {
  fields_.clear();
  std::string line;
  std::string field;
  bool quoted = false;
  bool first = true;
  while (std::getline(in_, line)) {
    ++line_;
    bytes_ += static_cast<std::int64_t>(line.size()) + 1;
    if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.size() + field.size() > kMaxLine) return Bad("a row is longer than 64 KiB");
    if (!quoted && first && (line.empty() || line == "\r")) continue;
    first = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (quoted) {
        if (c != '"') {
          field += c;
        } else if (i + 1 < line.size() && line[i + 1] == '"') {
          field += c;
          ++i;
        } else {
          quoted = false;
        }
      } else if (c == '"' && field.empty()) {
        quoted = true;
      } else if (c == ',') {
        fields_.push_back(std::move(field));
        field.clear();
      } else if (c != '\r' || i + 1 != line.size()) {
        field += c;
      }
    }
    if (quoted) {
      field += '\n';
      continue;
    }
    fields_.push_back(std::move(field));
    for (const std::string& one : fields_) {
      if (!base::IsUtf8(one)) return Bad("the text is not valid UTF-8");
    }
    return true;
  }
  if (quoted) return Bad("a quote is not closed");
  return false;
}

std::string_view CsvReader::Get(std::string_view column) const {
  const auto found = columns_.find(column);
  return found == columns_.end() || found->second >= fields_.size() ? std::string_view()
                                                                    : fields_[found->second];
}

absl::StatusOr<std::int64_t> CsvReader::Number(std::string_view column) const {
  const std::string_view text = Get(column);
  if (text.empty()) return 0;
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return Bad(fmt::format("`{}` is not a whole number", column));
  }
  return value;
}

absl::StatusOr<std::int64_t> CsvReader::Fen(std::string_view column) const {
  std::string_view text = Get(column);
  if (text.empty()) return 0;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  std::string cents(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  const bool good = !whole.empty() && whole.size() <= 15 && cents.size() <= 2 &&
                    (dot == std::string_view::npos || !cents.empty()) &&
                    whole.find_first_not_of("0123456789") == std::string_view::npos &&
                    cents.find_first_not_of("0123456789") == std::string::npos;
  if (!good)
    return Bad(fmt::format("`{}` is not an amount in yuan with at most two decimals", column));
  cents.resize(2, '0');
  std::int64_t fen = 0;
  const std::string digits = std::string(whole) + cents;
  std::from_chars(digits.data(), digits.data() + digits.size(), fen);
  return negative ? -fen : fen;
}

}  // namespace yikatong::yktctl
