// How many rows a second go in, and out, by the ways that this room offers; prints a table. Durable
// (fsync on).
//   postgres_bulk_bench [ROWS [ROWS_IN_A_CHUNK]]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/postgres/bulk.h"
#include "common/postgres/testing/pg_fixture.h"
#include "common/postgres/testing/sql/queries.h"
#include "common/status/status.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

constexpr int kDistrict = 120105;

struct Chunk {
  std::vector<int64_t> ids, amounts;
  std::vector<std::string> names, seals, tokens;
  std::vector<absl::CivilDay> days;
  std::vector<absl::Time> times;
  std::vector<bool> flags;
  std::vector<int16_t> smalls;
};

Chunk MakeChunk(int64_t first, int64_t count) {
  Chunk chunk;
  for (int64_t id = first; id < first + count; ++id) {
    chunk.ids.push_back(id);
    chunk.amounts.push_back(id * 7 % 100'000);
    chunk.names.push_back(fmt::format("village-{}", id % 300));
    chunk.seals.emplace_back(144, static_cast<char>(id));
    chunk.tokens.push_back(fmt::format("{:032x}", id));
    chunk.days.push_back(absl::CivilDay(2026, 1, 1) + id % 365);
    chunk.times.push_back(absl::FromUnixSeconds(1'790'000'000 + id));
    chunk.flags.push_back(id % 2 == 0);
    chunk.smalls.push_back(static_cast<int16_t>(id % 100));
  }
  return chunk;
}

absl::Status ByScalars(Transaction& tx, const Chunk& c) {
  for (size_t i = 0; i < c.ids.size(); ++i) {
    YKT_RETURN_IF_ERROR(tx.Run(things::kPutThing, kDistrict, c.ids[i], c.amounts[i], c.names[i],
                               Bytes{c.seals[i]}, c.tokens[i], c.days[i], c.times[i],
                               bool{c.flags[i]}, c.smalls[i])
                            .status());
  }
  return absl::OkStatus();
}

absl::Status ByColumns(Transaction& tx, const Chunk& c) {
  Columns columns;
  columns.Scalar(kDistrict).Int64s(c.ids).Int64s(c.amounts).Texts(c.names).ByteStrings(c.seals);
  columns.Uuids(c.tokens).Dates(c.days).Times(c.times).Bools(c.flags).Int16s(c.smalls);
  return tx.RunColumns(things::kPutThings, columns).status();
}

absl::Status ByCopy(Transaction& tx, const Chunk& c) {
  YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
  for (size_t i = 0; i < c.ids.size(); ++i) {
    copy.Int32(kDistrict);
    copy.Int64(c.ids[i]);
    copy.Int64(c.amounts[i]);
    copy.Text(c.names[i]);
    copy.Bytes(c.seals[i]);
    copy.Uuid(c.tokens[i]);
    copy.Date(c.days[i]);
    copy.Time(c.times[i]);
    copy.Bool(c.flags[i]);
    copy.Int16(c.smalls[i]);
    YKT_RETURN_IF_ERROR(copy.EndRow());
  }
  return copy.Finish().status();
}

int64_t Total(const Rows& rows) {
  int64_t total = 0;
  for (const Row row : rows) {
    total += row.Int64(2) + static_cast<int64_t>(row.Bytes(4).size() + row.TextView(3).size());
  }
  return total;
}

template <typename Function>
void Measure(const char* what, int64_t rows, Function function) {
  const auto start = std::chrono::steady_clock::now();
  const absl::Status status = function();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!status.ok()) {
    fmt::print(stderr, "{}: {}\n", what, status.ToString());
    std::exit(1);
  }
  fmt::print("{:<44} {:>9} rows {:>7.3f} s {:>9.0f} rows/s\n", what, rows, took.count(),
             static_cast<double>(rows) / took.count());
}

void Main(int64_t rows, int64_t chunk_rows) {
  const auto pg =
      PgFixture::Start({.service = "things", .migrations = things::kMigrations, .durable = true});
  using Way = absl::Status (*)(Transaction&, const Chunk&);
  const auto write = [&](const char* what, int64_t count, Way way) {
    const auto db = pg->FreshDatabase();
    std::vector<Chunk> chunks;
    for (int64_t at = 0; at < count; at += chunk_rows) {
      chunks.push_back(MakeChunk(at, std::min(chunk_rows, count - at)));
    }
    Measure(what, count, [&] {
      for (const Chunk& chunk : chunks) {
        absl::Status status =
            db->database().Transact("write", [&](Transaction& tx) { return way(tx, chunk); });
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    });
  };
  fmt::print("one session, primary key, chunks of {} rows, a transaction each, fsync on\n",
             chunk_rows);
  write("INSERT by scalar parameters", rows / 10, ByScalars);
  write("INSERT FROM unnest of binary arrays", rows, ByColumns);
  write("binary COPY", rows, ByCopy);

  const auto db = pg->FreshDatabase();
  const Chunk all = MakeChunk(0, rows);
  Measure("binary COPY, one transaction", rows, [&] {
    return db->database().Transact("write", [&](Transaction& tx) { return ByCopy(tx, all); });
  });
  int64_t text = 0, binary = 0;
  Measure("read as text", rows, [&] {
    return db->database().Read("read", [&](Transaction& tx) -> absl::Status {
      YKT_ASSIGN_OR_RETURN(const Rows got, tx.Run(things::kGetThings));
      text = Total(got);
      return absl::OkStatus();
    });
  });
  Measure("read in binary", rows, [&] {
    return db->database().Read("read", [&](Transaction& tx) -> absl::Status {
      YKT_ASSIGN_OR_RETURN(const Rows got, tx.RunColumns(things::kGetThings, Columns()));
      binary = Total(got);
      return absl::OkStatus();
    });
  });
  if (text != binary) std::exit(1);
}

}  // namespace
}  // namespace yikatong::postgres

int main(int argc, char** argv) {
  int64_t rows = 200'000, chunk_rows = 1'000;
  if ((argc > 1 && !absl::SimpleAtoi(argv[1], &rows)) ||
      (argc > 2 && !absl::SimpleAtoi(argv[2], &chunk_rows)) || rows < 1 || chunk_rows < 1) {
    fmt::print(stderr, "usage: postgres_bulk_bench [ROWS [ROWS_IN_A_CHUNK]]\n");
    return 2;
  }
  yikatong::postgres::Main(rows, chunk_rows);
}
