// Many rows in one round trip: binary array parameters and binary COPY.
//
// The only place of the tree that speaks raw libpq, inside the same connection and transaction as
// every other statement. Measured on two cores: see bench/bulk_bench.cc.
//
// Columns: a set statement takes a chunk.
//   -- insert_items.sql: INSERT INTO item … SELECT * FROM unnest($2::bigint[], $3::text[]) …
//   Columns columns;
//   columns.Scalar(district).Int64s(item_ids).Texts(villages);     // $1, $2, $3
//   tx.RunColumns(kInsertItems, columns);
//
// BinaryCopy: rows into a table, the statement being a file under sql/queries/ as any other:
//   -- copy_items.sql: COPY item (district, item_id, amount_fen) FROM STDIN (FORMAT binary)
//   YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, kCopyItems, 3));
//   for (…) { copy.Int32(district); copy.Int64(id); copy.Int64(fen);
//   YKT_RETURN_IF_ERROR(copy.EndRow()); } YKT_ASSIGN_OR_RETURN(int64_t rows, copy.Finish());
// The C++ type must be the column's own type: binary COPY converts nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/postgres/database.h"

namespace yikatong::postgres {

// The parameters $1, $2, … of one statement, in the order of the calls. Copies everything. Not
// thread-safe. Arrays that are unnested together must be equally long; RunColumns refuses others
// with INVARIANT_BROKEN, since unnest would silently fill up with NULL.
class Columns {
 public:
  Columns& Scalar(const Param& value);

  Columns& Int64s(std::span<const int64_t> values);
  Columns& Int64s(std::span<const std::optional<int64_t>> values);
  Columns& Int32s(std::span<const int32_t> values);
  Columns& Int32s(std::span<const std::optional<int32_t>> values);
  Columns& Int16s(std::span<const int16_t> values);
  Columns& Bools(const std::vector<bool>& values);
  Columns& Texts(std::span<const std::string> values);
  Columns& Texts(std::span<const std::string_view> values);
  Columns& Texts(std::span<const std::optional<std::string>> values);
  Columns& ByteStrings(std::span<const std::string> values);
  Columns& ByteStrings(std::span<const std::string_view> values);
  Columns& ByteStrings(std::span<const std::optional<std::string>> values);
  // Each of 32 hex digits (dashes allowed) or 16 raw bytes; another length fails at RunColumns.
  Columns& Uuids(std::span<const std::string> values);
  Columns& Dates(std::span<const absl::CivilDay> values);
  Columns& Dates(std::span<const std::optional<absl::CivilDay>> values);
  Columns& Times(std::span<const absl::Time> values);  // timestamptz
  Columns& Times(std::span<const std::optional<absl::Time>> values);

  // An array that is not unnested beside the others (= ANY($n)): its length is its own.
  Columns& Lone();

 private:
  friend class Transaction;
  struct One {
    std::string bytes;    // wire form
    uint32_t type = 0;    // oid; 0 for a scalar, whose type the server infers
    int64_t length = -1;  // elements of an array; -1 for a scalar
    bool binary = false;
    bool null = false;
    bool lone = false;
  };
  absl::Status Check() const;
  One& StartArray(uint32_t array_type, uint32_t element_type, size_t count, bool has_null);

  std::vector<One> columns_;
  absl::Status error_;
};

// A COPY … FROM STDIN (FORMAT binary) under way. Nothing else may run in the transaction before
// Finish. Dropping it unfinished fails the transaction. Not thread-safe.
class BinaryCopy {
 public:
  // `columns`: how many fields each row has; EndRow checks it.
  static absl::StatusOr<BinaryCopy> Start(Transaction& tx, const Query& copy, int columns);
  BinaryCopy(BinaryCopy&& other) noexcept;
  BinaryCopy& operator=(BinaryCopy&&) = delete;
  ~BinaryCopy();

  void Null();
  void Int64(int64_t value);
  void Int32(int32_t value);
  void Int16(int16_t value);
  void Bool(bool value);
  void Text(std::string_view value);
  void Bytes(std::string_view value);
  void Uuid(std::string_view value);  // 16 raw bytes or 32 hex digits
  void Date(absl::CivilDay value);
  void Time(absl::Time value);  // timestamptz

  absl::Status EndRow();
  // Ends the COPY; returns the rows that it stored.
  absl::StatusOr<int64_t> Finish();

 private:
  BinaryCopy(Transaction& tx, const Query& copy, int columns);
  void Field(const void* data, size_t size);
  absl::Status Send();
  absl::Status Abandon(std::string_view why);

  Transaction* tx_;
  Query copy_;
  int columns_;
  int fields_ = 0;  // of the row being built
  std::string buffer_;
  bool bad_value_ = false;
};

}  // namespace yikatong::postgres
