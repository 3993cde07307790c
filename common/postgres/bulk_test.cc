#include "common/postgres/bulk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/postgres/testing/pg_fixture.h"
#include "common/postgres/testing/sql/queries.h"
#include "common/status/status.h"
#include "fmt/core.h"

namespace yikatong::postgres {
namespace {

using status::Reason;
using status::ReasonOf;
using testing::ElementsAre;

class BulkTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { pg_ = PgFixture::Start({"things", things::kMigrations}); }
  static void TearDownTestSuite() { pg_.reset(); }
  void SetUp() override { db_ = pg_->FreshDatabase(); }

  absl::Status Transact(const Database::Function& function) {
    return db_->database().Transact("test", function);
  }
  std::string Count() { return db_->Sql("SELECT count(*) FROM thing"); }

  static inline std::unique_ptr<PgFixture> pg_;
  std::unique_ptr<TestDatabase> db_;
};

struct Chunk {
  std::vector<int64_t> ids;
  std::vector<std::optional<int64_t>> amounts;
  std::vector<std::optional<std::string>> names, seals;
  std::vector<std::string> tokens;
  std::vector<std::optional<absl::CivilDay>> days;
  std::vector<std::optional<absl::Time>> times;
  std::vector<bool> flags;
  std::vector<int16_t> smalls;
};

// Row i is wholly NULL where a column allows it when i is a multiple of 5.
Chunk MakeChunk(int count) {
  Chunk chunk;
  for (int i = 0; i < count; ++i) {
    const bool null = i % 5 == 0;
    const auto value = [&](auto v) { return null ? std::nullopt : std::optional(v); };
    chunk.ids.push_back(int64_t{7'000'000'000'000'000} * i - 5);
    chunk.amounts.push_back(value(int64_t{1'000'000'007} * i));
    chunk.names.push_back(value(fmt::format("村{}", i)));
    chunk.seals.push_back(value(std::string(static_cast<size_t>(i), static_cast<char>(i))));
    chunk.tokens.push_back(fmt::format("{:032x}", i));
    chunk.days.push_back(value(absl::CivilDay(1949, 10, 1) + int64_t{37} * i));
    chunk.times.push_back(value(absl::FromUnixMicros(int64_t{-1'000'000'007} * i + 1)));
    chunk.flags.push_back(i % 2 == 0);
    chunk.smalls.push_back(static_cast<int16_t>(-i));
  }
  return chunk;
}

Columns InColumns(const Chunk& c) {
  Columns columns;
  columns.Scalar(120105).Int64s(c.ids).Int64s(c.amounts).Texts(c.names).ByteStrings(c.seals);
  columns.Uuids(c.tokens).Dates(c.days).Times(c.times).Bools(c.flags).Int16s(c.smalls);
  return columns;
}

void ExpectRows(const Rows& rows, const Chunk& c) {
  ASSERT_EQ(rows.size(), static_cast<int64_t>(c.ids.size()));
  for (size_t i = 0; i < c.ids.size(); ++i) {
    const Row row = rows[static_cast<int64_t>(i)];
    EXPECT_EQ(row.Int(0), 120105);
    EXPECT_EQ(row.Int64(1), c.ids[i]);
    EXPECT_EQ(row.MaybeInt64(2), c.amounts[i]);
    EXPECT_EQ(row.MaybeText(3), c.names[i]);
    EXPECT_EQ(row.MaybeBytes(4), c.seals[i]);
    EXPECT_EQ(row.Text(5), c.tokens[i]);
    EXPECT_EQ(row.MaybeDate(6), c.days[i]);
    EXPECT_EQ(row.MaybeTime(7), c.times[i]);
    EXPECT_EQ(row.Bool(8), c.flags[i]);
    EXPECT_EQ(row.Int(9), c.smalls[i]);
  }
}

TEST_F(BulkTest, WhatGoesInByArraysComesOutTheSameInTextAndInBinary) {
  const Chunk chunk = MakeChunk(200);
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows put, tx.RunColumns(things::kPutThings, InColumns(chunk)));
    EXPECT_EQ(put.affected(), 200);
    YKT_ASSIGN_OR_RETURN(const Rows text, tx.Run(things::kGetThings));
    ExpectRows(text, chunk);
    YKT_ASSIGN_OR_RETURN(const Rows binary, tx.RunColumns(things::kGetThings, Columns()));
    ExpectRows(binary, chunk);
    for (int column : {0, 1, 5, 6, 7, 8, 9}) {  // NULL-free text forms are equal, too
      if (!text[1].IsNull(column) && column != 7) {
        EXPECT_EQ(text[1].Text(column), binary[1].Text(column)) << column;
      }
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(BulkTest, WhatGoesInByCopyComesOutTheSame) {
  const Chunk c = MakeChunk(1'000);
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
    for (size_t i = 0; i < c.ids.size(); ++i) {
      copy.Int32(120105);
      copy.Int64(c.ids[i]);
      c.amounts[i] ? copy.Int64(*c.amounts[i]) : copy.Null();
      c.names[i] ? copy.Text(*c.names[i]) : copy.Null();
      c.seals[i] ? copy.Bytes(*c.seals[i]) : copy.Null();
      copy.Uuid(c.tokens[i]);
      c.days[i] ? copy.Date(*c.days[i]) : copy.Null();
      c.times[i] ? copy.Time(*c.times[i]) : copy.Null();
      copy.Bool(c.flags[i]);
      copy.Int16(c.smalls[i]);
      YKT_RETURN_IF_ERROR(copy.EndRow());
    }
    YKT_ASSIGN_OR_RETURN(const int64_t stored, copy.Finish());
    EXPECT_EQ(stored, 1'000);
    EXPECT_FALSE(copy.Finish().ok());
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.Run(things::kGetThings));
    ExpectRows(rows, c);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(BulkTest, AnEmptyChunkIsNoMistake) {
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows put, tx.RunColumns(things::kPutThings, InColumns(Chunk())));
    EXPECT_EQ(put.affected(), 0);
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
    YKT_ASSIGN_OR_RETURN(const int64_t stored, copy.Finish());
    EXPECT_EQ(stored, 0);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(BulkTest, ArraysOfUnequalLengthAreRefusedSinceUnnestWouldFillThemUp) {
  Chunk chunk = MakeChunk(10);
  chunk.smalls.pop_back();
  EXPECT_EQ(ReasonOf(Transact([&](Transaction& tx) {
              return tx.RunColumns(things::kPutThings, InColumns(chunk)).status();
            })),
            Reason::kInvariantBroken);
}

TEST_F(BulkTest, ALoneArrayHasItsOwnLength) {
  const std::vector<int64_t> wanted = {3, 1, 99};
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    for (int id = 1; id <= 3; ++id) {
      YKT_RETURN_IF_ERROR(tx.Run(things::kPutBareThing, 7, id, 0).status());
    }
    Columns columns;
    columns.Scalar(7).Int64s(wanted).Lone();
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(things::kGetSomeThings, columns));
    std::vector<int64_t> got;
    for (const Row row : rows) got.push_back(row.Int64(0));
    EXPECT_THAT(got, ElementsAre(1, 3));
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(BulkTest, AMalformedUuidIsRefusedBeforeItIsSent) {
  Chunk chunk = MakeChunk(2);
  chunk.tokens[1] = "not a uuid";
  EXPECT_EQ(ReasonOf(Transact([&](Transaction& tx) {
              return tx.RunColumns(things::kPutThings, InColumns(chunk)).status();
            })),
            Reason::kInvariantBroken);
}

TEST_F(BulkTest, AKeyTakenTwiceNamesItsConstraintAndStoresNothing) {
  Chunk chunk = MakeChunk(10);
  chunk.ids[9] = chunk.ids[8];
  const absl::Status status = Transact([&](Transaction& tx) {
    return tx.RunColumns(things::kPutThings, InColumns(chunk)).status();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kDuplicateKey);
  EXPECT_EQ(ConstraintOf(status), "thing_key");
  EXPECT_EQ(Count(), "0");
  EXPECT_TRUE(Transact([&](Transaction& tx) {
                return tx.RunColumns(things::kPutThings, InColumns(MakeChunk(10))).status();
              }).ok());
}

TEST_F(BulkTest, ACopyThatTheServerRefusesNamesItsConstraint) {
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
    copy.Int32(1);
    copy.Int64(1);
    copy.Int64(-5);
    for (int i = 0; i < 7; ++i) copy.Null();
    YKT_RETURN_IF_ERROR(copy.EndRow());
    return copy.Finish().status();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kConstraintViolated);
  EXPECT_EQ(ConstraintOf(status), "thing_amount_not_negative");
  EXPECT_TRUE(db_->database().Ping().ok());
}

TEST_F(BulkTest, ARowWithTheWrongNumberOfFieldsEndsTheCopyAndTheConnectionGoesOn) {
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
    copy.Int32(1);
    return copy.EndRow();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kInvariantBroken);
  EXPECT_TRUE(db_->database().Ping().ok());
  EXPECT_EQ(db_->database().Counters().connections_opened, 1);
}

TEST_F(BulkTest, ACopyThatIsDroppedOrInterruptedFailsItsTransaction) {
  const absl::Status dropped = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
    return absl::OkStatus();
  });
  EXPECT_EQ(ReasonOf(dropped), Reason::kInvariantBroken);
  const absl::Status interrupted = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(BinaryCopy copy, BinaryCopy::Start(tx, things::kCopyThings, 10));
    EXPECT_EQ(ReasonOf(tx.Run(things::kCountThings).status()), Reason::kInvariantBroken);
    return copy.Finish().status();
  });
  EXPECT_EQ(ReasonOf(interrupted), Reason::kInvariantBroken);
  EXPECT_EQ(Count(), "0");
  EXPECT_TRUE(db_->database().Ping().ok());
}

TEST_F(BulkTest, WhatIsNoBinaryCopyIsRefused) {
  static constexpr Query kText{"copy_text", "COPY thing (district) FROM STDIN"};
  for (const auto& wrong : std::vector<std::pair<Query, int>>{{things::kCountThings, 1},
                                                              {kText, 1},
                                                              {things::kCopyThings, 9},
                                                              {things::kBrokenThing, 1}}) {
    const absl::Status status = Transact(
        [&](Transaction& tx) { return BinaryCopy::Start(tx, wrong.first, wrong.second).status(); });
    EXPECT_FALSE(status.ok()) << wrong.first.name;
    EXPECT_TRUE(db_->database().Ping().ok()) << wrong.first.name;
  }
}

TEST_F(BulkTest, AConnectionLostInABulkStatementIsUnavailable) {
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    return tx.RunColumns(things::kKillSelf, Columns()).status();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kDatabaseUnavailable);
  EXPECT_TRUE(db_->database().Ping().ok());
}

TEST_F(BulkTest, ABinaryColumnOfATypeThatNobodyReadsIsABrokenInvariant) {
  static constexpr Query kNumeric{"numeric", "SELECT 1.5::numeric"};
  const absl::Status status = Transact([&](Transaction& tx) -> absl::Status {
    YKT_ASSIGN_OR_RETURN(const Rows rows, tx.RunColumns(kNumeric, Columns()));
    rows[0].Int64(0);
    return absl::OkStatus();
  });
  EXPECT_EQ(ReasonOf(status), Reason::kInvariantBroken);
}

}  // namespace
}  // namespace yikatong::postgres
