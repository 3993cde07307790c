#include "common/postgres/bulk.h"

#include <libpq-fe.h>

#include <memory>
#include <utility>

#include "common/postgres/connection.h"
#include "common/postgres/errors.h"
#include "common/postgres/wire.h"
#include "common/status/status.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

constexpr size_t kCopyFlushBytes = 65'536;
constexpr size_t kLongestRow = 16'384;  // or so: more only costs a growth

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ClearResult>;

class BinaryResult : public ResultSource {
 public:
  explicit BinaryResult(Result result) : result_(std::move(result)) {}
  int64_t rows() const override { return PQntuples(result_.get()); }
  int columns() const override { return PQnfields(result_.get()); }
  int64_t affected() const override {
    if (PQnfields(result_.get()) > 0) return PQntuples(result_.get());
    const std::string count = PQcmdTuples(result_.get());
    return count.empty() ? 0 : std::stoll(count);
  }
  Value Get(int64_t row, int column) const override {
    const int r = static_cast<int>(row);
    const uint32_t type = PQftype(result_.get(), column);
    if (PQgetisnull(result_.get(), r, column) != 0) return {nullptr, 0, true, type};
    return {PQgetvalue(result_.get(), r, column), PQgetlength(result_.get(), r, column), true,
            type};
  }

 private:
  Result result_;
};

std::string Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

// What went wrong with `result` on `connection`.
Failure Explain(const PGresult* result, PGconn* connection, const char* statement) {
  const std::string sqlstate = result == nullptr ? "" : Field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) return FromLostConnection(PQerrorMessage(connection), statement);
  Failure failure = FromSqlState(sqlstate, Field(result, PG_DIAG_CONSTRAINT_NAME),
                                 Field(result, PG_DIAG_MESSAGE_PRIMARY), statement);
  if (PQstatus(connection) == CONNECTION_BAD) failure.kind = Failure::Kind::kLost;
  return failure;
}

template <typename T>
bool IsNull(const T&) {
  return false;
}
template <typename T>
bool IsNull(const std::optional<T>& value) {
  return !value.has_value();
}
template <typename T>
const T& ValueOf(const T& value) {
  return value;
}
template <typename T>
const T& ValueOf(const std::optional<T>& value) {
  return *value;
}

// The elements of an array: each its length, then its bytes; -1 stands for NULL.
template <typename Values, typename Put>
void PutElements(std::string& out, const Values& values, Put put) {
  for (const auto& value : values) {
    if (IsNull(value)) {
      wire::PutInt32(out, -1);
    } else {
      put(out, ValueOf(value));
    }
  }
}

void PutNumber64(std::string& out, int64_t value) {
  wire::PutInt32(out, 8);
  wire::PutInt64(out, value);
}
void PutNumber32(std::string& out, int32_t value) {
  wire::PutInt32(out, 4);
  wire::PutInt32(out, value);
}
void PutBlob(std::string& out, std::string_view value) {
  wire::PutInt32(out, static_cast<int32_t>(value.size()));
  out.append(value);
}

template <typename Values>
bool AnyNull(const Values& values) {
  for (const auto& value : values) {
    if (IsNull(value)) return true;
  }
  return false;
}

}  // namespace

Columns& Columns::Scalar(const Param& value) {
  One& one = columns_.emplace_back();
  one.bytes = value.text();
  one.null = value.null();
  if (one.bytes.find('\0') != std::string::npos && error_.ok()) {
    error_ = status::Invariant("a text parameter with a NUL character");
  }
  return *this;
}

Columns::One& Columns::StartArray(uint32_t array_type, uint32_t element_type, size_t count,
                                  bool has_null) {
  One& one = columns_.emplace_back();
  one.type = array_type;
  one.length = static_cast<int64_t>(count);
  one.binary = true;
  one.bytes.reserve(20 + count * 12);
  wire::PutInt32(one.bytes, count == 0 ? 0 : 1);  // dimensions
  wire::PutInt32(one.bytes, has_null ? 1 : 0);
  wire::PutInt32(one.bytes, static_cast<int32_t>(element_type));
  if (count > 0) {
    wire::PutInt32(one.bytes, static_cast<int32_t>(count));
    wire::PutInt32(one.bytes, 1);  // the first index
  }
  return one;
}

Columns& Columns::Int64s(std::span<const int64_t> values) {
  One& one = StartArray(oid::kInt8Array, oid::kInt8, values.size(), false);
  PutElements(one.bytes, values, PutNumber64);
  return *this;
}
Columns& Columns::Int64s(std::span<const std::optional<int64_t>> values) {
  One& one = StartArray(oid::kInt8Array, oid::kInt8, values.size(), AnyNull(values));
  PutElements(one.bytes, values, PutNumber64);
  return *this;
}
Columns& Columns::Int32s(std::span<const int32_t> values) {
  One& one = StartArray(oid::kInt4Array, oid::kInt4, values.size(), false);
  PutElements(one.bytes, values, PutNumber32);
  return *this;
}
Columns& Columns::Int32s(std::span<const std::optional<int32_t>> values) {
  One& one = StartArray(oid::kInt4Array, oid::kInt4, values.size(), AnyNull(values));
  PutElements(one.bytes, values, PutNumber32);
  return *this;
}
Columns& Columns::Int16s(std::span<const int16_t> values) {
  One& one = StartArray(oid::kInt2Array, oid::kInt2, values.size(), false);
  PutElements(one.bytes, values, [](std::string& out, int16_t value) {
    wire::PutInt32(out, 2);
    wire::PutInt16(out, value);
  });
  return *this;
}
Columns& Columns::Bools(const std::vector<bool>& values) {
  One& one = StartArray(oid::kBoolArray, oid::kBool, values.size(), false);
  for (const bool value : values) PutBlob(one.bytes, value ? "\1" : std::string_view("\0", 1));
  return *this;
}
Columns& Columns::Texts(std::span<const std::string> values) {
  PutElements(StartArray(oid::kTextArray, oid::kText, values.size(), false).bytes, values, PutBlob);
  return *this;
}
Columns& Columns::Texts(std::span<const std::string_view> values) {
  PutElements(StartArray(oid::kTextArray, oid::kText, values.size(), false).bytes, values, PutBlob);
  return *this;
}
Columns& Columns::Texts(std::span<const std::optional<std::string>> values) {
  PutElements(StartArray(oid::kTextArray, oid::kText, values.size(), AnyNull(values)).bytes, values,
              PutBlob);
  return *this;
}
Columns& Columns::ByteStrings(std::span<const std::string> values) {
  PutElements(StartArray(oid::kByteaArray, oid::kBytea, values.size(), false).bytes, values,
              PutBlob);
  return *this;
}
Columns& Columns::ByteStrings(std::span<const std::string_view> values) {
  PutElements(StartArray(oid::kByteaArray, oid::kBytea, values.size(), false).bytes, values,
              PutBlob);
  return *this;
}
Columns& Columns::ByteStrings(std::span<const std::optional<std::string>> values) {
  PutElements(StartArray(oid::kByteaArray, oid::kBytea, values.size(), AnyNull(values)).bytes,
              values, PutBlob);
  return *this;
}
Columns& Columns::Uuids(std::span<const std::string> values) {
  One& one = StartArray(oid::kUuidArray, oid::kUuid, values.size(), false);
  for (const std::string& value : values) {
    const std::string bytes = wire::UuidBytes(value);
    if (bytes.empty() && error_.ok()) error_ = status::Invariant("a malformed uuid parameter");
    PutBlob(one.bytes, bytes);
  }
  return *this;
}
Columns& Columns::Dates(std::span<const absl::CivilDay> values) {
  One& one = StartArray(oid::kDateArray, oid::kDate, values.size(), false);
  PutElements(one.bytes, values, [](std::string& out, absl::CivilDay day) {
    PutNumber32(out, wire::DateNumber(day));
  });
  return *this;
}
Columns& Columns::Dates(std::span<const std::optional<absl::CivilDay>> values) {
  One& one = StartArray(oid::kDateArray, oid::kDate, values.size(), AnyNull(values));
  PutElements(one.bytes, values, [](std::string& out, absl::CivilDay day) {
    PutNumber32(out, wire::DateNumber(day));
  });
  return *this;
}
Columns& Columns::Times(std::span<const absl::Time> values) {
  One& one = StartArray(oid::kTimestamptzArray, oid::kTimestamptz, values.size(), false);
  PutElements(one.bytes, values,
              [](std::string& out, absl::Time time) { PutNumber64(out, wire::TimeNumber(time)); });
  return *this;
}
Columns& Columns::Times(std::span<const std::optional<absl::Time>> values) {
  One& one = StartArray(oid::kTimestamptzArray, oid::kTimestamptz, values.size(), AnyNull(values));
  PutElements(one.bytes, values,
              [](std::string& out, absl::Time time) { PutNumber64(out, wire::TimeNumber(time)); });
  return *this;
}

Columns& Columns::Lone() {
  if (!columns_.empty()) columns_.back().lone = true;
  return *this;
}

absl::Status Columns::Check() const {
  if (!error_.ok()) return error_;
  int64_t length = -1;
  for (const One& one : columns_) {
    if (one.length < 0 || one.lone) continue;
    if (length >= 0 && one.length != length) {
      return status::Invariant(
          fmt::format("arrays of {} and {} elements in one statement", length, one.length));
    }
    length = one.length;
  }
  return absl::OkStatus();
}

absl::StatusOr<Rows> Transaction::RunColumns(const Query& query, const Columns& columns) {
  if (!failure_.ok()) return failure_;
  if (open_copy_) return Fail({.status = status::Invariant("a statement in the middle of a COPY")});
  if (absl::Status status = columns.Check(); !status.ok()) return Fail({.status = status});

  const int count = static_cast<int>(columns.columns_.size());
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const Columns::One& one : columns.columns_) {
    types.push_back(one.type);
    values.push_back(one.null ? nullptr : one.bytes.c_str());
    lengths.push_back(static_cast<int>(one.bytes.size()));
    formats.push_back(one.binary ? 1 : 0);
  }
  connection_.CountStatement();
  PGconn* handle = connection_.handle();
  if (handle == nullptr) return Fail(FromLostConnection("closed", query.name));
  bool is_new = false;
  const std::string statement = connection_.StatementName(query, /*bulk=*/true, &is_new);
  if (is_new) {
    const Result prepared(PQprepare(handle, statement.c_str(), query.sql, count, types.data()));
    if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) {
      connection_.ForgetStatement(query, /*bulk=*/true);
      return Fail(Explain(prepared.get(), handle, query.name));
    }
  }
  Result result(PQexecPrepared(handle, statement.c_str(), count, values.data(), lengths.data(),
                               formats.data(), /*resultFormat=*/1));
  const ExecStatusType state = PQresultStatus(result.get());
  if (state != PGRES_TUPLES_OK && state != PGRES_COMMAND_OK) {
    return Fail(Explain(result.get(), handle, query.name));
  }
  return Rows(std::make_shared<BinaryResult>(std::move(result)));
}

BinaryCopy::BinaryCopy(Transaction& tx, const Query& copy, int columns)
    : tx_(&tx), copy_(copy), columns_(columns) {
  buffer_.reserve(kCopyFlushBytes + kLongestRow);
  buffer_.append("PGCOPY\n\377\r\n\0", 11);
  wire::PutInt32(buffer_, 0);  // flags
  wire::PutInt32(buffer_, 0);  // no extension
}

BinaryCopy::BinaryCopy(BinaryCopy&& other) noexcept
    : tx_(std::exchange(other.tx_, nullptr)),
      copy_(other.copy_),
      columns_(other.columns_),
      fields_(other.fields_),
      buffer_(std::move(other.buffer_)),
      bad_value_(other.bad_value_) {}

absl::StatusOr<BinaryCopy> BinaryCopy::Start(Transaction& tx, const Query& copy, int columns) {
  if (!tx.failure_.ok()) return tx.failure_;
  if (tx.open_copy_)
    return tx.Fail({.status = status::Invariant("a COPY in the middle of a COPY")});
  tx.connection_.CountStatement();
  PGconn* handle = tx.connection_.handle();
  if (handle == nullptr) return tx.Fail(FromLostConnection("closed", copy.name));
  const Result result(PQexec(handle, copy.sql));
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      return tx.Fail(Explain(result.get(), handle, copy.name));
    }
    return tx.Fail(
        {.status = status::Invariant(fmt::format("{} is no COPY FROM STDIN", copy.name))});
  }
  tx.open_copy_ = true;
  BinaryCopy started(tx, copy, columns);
  if (PQbinaryTuples(result.get()) != 1 || PQnfields(result.get()) != columns) {
    return started.Abandon("the COPY is not binary, or has another number of columns");
  }
  return started;
}

BinaryCopy::~BinaryCopy() {
  if (tx_ != nullptr && tx_->open_copy_) Abandon("dropped before Finish").IgnoreError();
}

// Ends the COPY as failed; the connection can then be rolled back and used again.
absl::Status BinaryCopy::Abandon(std::string_view why) {
  Transaction& tx = *std::exchange(tx_, nullptr);
  tx.open_copy_ = false;
  PGconn* handle = tx.connection_.handle();
  if (handle == nullptr || PQputCopyEnd(handle, "given up") != 1) {
    return tx.Fail(FromLostConnection("COPY given up", copy_.name));
  }
  while (Result rest{PQgetResult(handle)}) {
  }
  return tx.Fail({.status = status::Invariant(fmt::format("COPY {}: {}", copy_.name, why))});
}

void BinaryCopy::Field(const void* data, size_t size) {
  if (fields_ == 0) wire::PutInt16(buffer_, static_cast<int16_t>(columns_));
  ++fields_;
  wire::PutInt32(buffer_, static_cast<int32_t>(size));
  buffer_.append(static_cast<const char*>(data), size);
}

void BinaryCopy::Null() {
  Field("", 0);
  buffer_.resize(buffer_.size() - 4);
  wire::PutInt32(buffer_, -1);
}
void BinaryCopy::Int64(int64_t value) {
  const uint64_t v = __builtin_bswap64(static_cast<uint64_t>(value));
  Field(&v, sizeof v);
}
void BinaryCopy::Int32(int32_t value) {
  const uint32_t v = __builtin_bswap32(static_cast<uint32_t>(value));
  Field(&v, sizeof v);
}
void BinaryCopy::Int16(int16_t value) {
  const uint16_t v = __builtin_bswap16(static_cast<uint16_t>(value));
  Field(&v, sizeof v);
}
void BinaryCopy::Bool(bool value) {
  const char v = value ? 1 : 0;
  Field(&v, 1);
}
void BinaryCopy::Text(std::string_view value) { Field(value.data(), value.size()); }
void BinaryCopy::Bytes(std::string_view value) { Field(value.data(), value.size()); }
void BinaryCopy::Uuid(std::string_view value) {
  const std::string bytes = wire::UuidBytes(value);
  if (bytes.empty()) bad_value_ = true;
  Field(bytes.data(), bytes.size());
}
void BinaryCopy::Date(absl::CivilDay value) { Int32(wire::DateNumber(value)); }
void BinaryCopy::Time(absl::Time value) { Int64(wire::TimeNumber(value)); }

absl::Status BinaryCopy::Send() {
  PGconn* handle = tx_->connection_.handle();
  if (PQputCopyData(handle, buffer_.data(), static_cast<int>(buffer_.size())) != 1) {
    Transaction& tx = *std::exchange(tx_, nullptr);
    tx.open_copy_ = false;
    return tx.Fail(FromLostConnection(PQerrorMessage(handle), copy_.name));
  }
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status BinaryCopy::EndRow() {
  if (tx_ == nullptr) return status::Invariant("a row after the end of a COPY");
  if (fields_ != columns_) return Abandon("a row with another number of fields");
  if (bad_value_) return Abandon("a malformed uuid");
  fields_ = 0;
  return buffer_.size() >= kCopyFlushBytes ? Send() : absl::OkStatus();
}

absl::StatusOr<int64_t> BinaryCopy::Finish() {
  if (tx_ == nullptr) return status::Invariant("a COPY finished twice");
  if (fields_ != 0) return Abandon("the last row was not ended");
  wire::PutInt16(buffer_, -1);  // the trailer
  YKT_RETURN_IF_ERROR(Send());
  Transaction& tx = *std::exchange(tx_, nullptr);
  tx.open_copy_ = false;
  PGconn* handle = tx.connection_.handle();
  if (PQputCopyEnd(handle, nullptr) != 1) {
    return tx.Fail(FromLostConnection(PQerrorMessage(handle), copy_.name));
  }
  Result result(PQgetResult(handle));
  const bool done = PQresultStatus(result.get()) == PGRES_COMMAND_OK;
  while (Result rest{PQgetResult(handle)}) {
  }
  if (!done) return tx.Fail(Explain(result.get(), handle, copy_.name));
  return std::stoll(PQcmdTuples(result.get()));
}

}  // namespace yikatong::postgres
