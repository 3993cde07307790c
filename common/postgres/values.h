// The values that go into a statement and come out of it.
//
// Going in: `Param`, made from a C++ value. Coming out: `Rows` and `Row`.
//
//   for (postgres::Row row : rows) total_fen += row.Int64(1);
//
// A reader that does not fit the column (a NULL read as a number, a column that is not there) is a
// broken invariant: it throws RowError, which Database::Transact turns into INTERNAL
// INVARIANT_BROKEN before anything is committed. Read rows inside the transaction's function.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace yikatong::postgres {

// Marks bytes that go to a bytea, as against text.
struct Bytes {
  std::string_view data;
};

// One scalar parameter. Copies its value. A uuid goes as text (32 hex digits, dashes optional).
class Param {
 public:
  // A value is a parameter as it stands: no call would be clearer for saying so.
  // NOLINTBEGIN(google-explicit-constructor)
  Param(std::nullptr_t) : null_(true) {}
  Param(std::nullopt_t) : null_(true) {}
  Param(bool value) : text_(value ? "t" : "f") {}
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) Param(T value)
      : text_(std::to_string(value)) {}
  Param(const char* text) : text_(text) {}
  Param(std::string text) : text_(std::move(text)) {}
  Param(std::string_view text) : text_(text) {}
  Param(Bytes bytes);
  Param(absl::CivilDay day);
  Param(absl::Time time);  // to the microsecond
  template <typename T>
  Param(const std::optional<T>& value)
      : Param(value.has_value() ? Param(*value) : Param(nullptr)) {}
  // NOLINTEND(google-explicit-constructor)

  bool null() const { return null_; }
  const std::string& text() const { return text_; }  // PostgreSQL's text form

 private:
  std::string text_;
  bool null_ = false;
};

// A reader asked for what the row does not hold.
class RowError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// What a statement returned, whichever way it came over the wire. For this room's own use.
class ResultSource {
 public:
  struct Value {
    const char* data;  // nullptr: NULL
    int size;
    bool binary;
    uint32_t type;  // PostgreSQL's type oid
  };
  virtual ~ResultSource() = default;
  virtual int64_t rows() const = 0;
  virtual int columns() const = 0;
  virtual int64_t affected() const = 0;
  virtual Value Get(int64_t row, int column) const = 0;
};

// One row; refers to its Rows and must not outlive it. Columns count from 0.
class Row {
 public:
  Row(const ResultSource* source, int64_t index) : source_(source), index_(index) {}

  bool IsNull(int column) const;
  int64_t Int64(int column) const;  // smallint, integer, bigint
  int Int(int column) const;        // as above; throws when it does not fit
  bool Bool(int column) const;
  std::string Text(
      int column) const;  // text, or any type in its text form; a uuid as 32 hex digits
  std::string_view TextView(int column) const;  // text, varchar and char only; no copy
  std::string Bytes(int column) const;          // bytea, or a uuid's 16 bytes
  absl::CivilDay Date(int column) const;
  absl::Time Time(int column) const;  // timestamptz

  // The same, with NULL as nullopt.
  std::optional<int64_t> MaybeInt64(int column) const;
  std::optional<std::string> MaybeText(int column) const;
  std::optional<std::string> MaybeBytes(int column) const;
  std::optional<absl::CivilDay> MaybeDate(int column) const;
  std::optional<absl::Time> MaybeTime(int column) const;

 private:
  ResultSource::Value Fetch(int column) const;
  ResultSource::Value FetchValue(int column) const;

  const ResultSource* source_;
  int64_t index_;
};

// All rows of one statement. Cheap to copy (shares the result); safe to read from many threads.
class Rows {
 public:
  class Iterator {
   public:
    Iterator(const ResultSource* source, int64_t index) : source_(source), index_(index) {}
    Row operator*() const { return Row(source_, index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const ResultSource* source_;
    int64_t index_;
  };

  explicit Rows(std::shared_ptr<const ResultSource> source) : source_(std::move(source)) {}

  int64_t size() const { return source_->rows(); }
  bool empty() const { return size() == 0; }
  // Rows inserted, updated, deleted or returned.
  int64_t affected() const { return source_->affected(); }
  Row operator[](int64_t index) const;  // throws RowError outside of [0, size)
  Iterator begin() const { return Iterator(source_.get(), 0); }
  Iterator end() const { return Iterator(source_.get(), size()); }

 private:
  std::shared_ptr<const ResultSource> source_;
};

}  // namespace yikatong::postgres
