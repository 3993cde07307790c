// Reads CSV as spreadsheets write it (RFC 4180): quoted fields, doubled quotes, CRLF, a byte order
// mark. One row in memory at a time. Not thread safe.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace yikatong::yktctl {

class CsvReader {
 public:
  static constexpr std::size_t kMaxLine = 65'536;

  // Reads the head. INVALID_ARGUMENT for a file that cannot be read, has no head, or lacks one of
  // `required`.
  static absl::StatusOr<CsvReader> Open(const std::string& path,
                                        const std::vector<std::string>& required);

  // The next row; false at the end. INVALID_ARGUMENT with the line for a row with another number of
  // fields, an open quote, a line of more than 64 KiB, or invalid UTF-8.
  absl::StatusOr<bool> Next();

  // A field of the present row by its column's name; empty where the file has no such column.
  std::string_view Get(std::string_view column) const;
  // A whole number; INVALID_ARGUMENT with line and column for anything else. An empty field is 0.
  absl::StatusOr<std::int64_t> Number(std::string_view column) const;
  // Money in yuan with at most two decimals, as fen; INVALID_ARGUMENT for anything else. An empty
  // field is 0.
  absl::StatusOr<std::int64_t> Fen(std::string_view column) const;
  std::int64_t line() const { return line_; }
  std::int64_t bytes_read() const { return bytes_; }

 private:
  CsvReader(std::ifstream in, std::string path) : in_(std::move(in)), path_(std::move(path)) {}
  absl::StatusOr<bool> ReadRecord();
  absl::Status Bad(std::string_view what) const;

  std::ifstream in_;
  std::string path_;
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<std::string> fields_;
  std::int64_t line_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace yikatong::yktctl
