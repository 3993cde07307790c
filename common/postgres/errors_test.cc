#include "common/postgres/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pqxx/except>
#include <string>
#include <vector>

#include "common/postgres/database.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::postgres {
namespace {

using status::Reason;
using testing::HasSubstr;
using testing::Not;
using Kind = Failure::Kind;

template <typename Exception>
Failure Thrown(const Exception& exception) {
  try {
    throw exception;
  } catch (...) {
    return FromCurrentException("statement");
  }
}

template <typename Exception>
Failure ThrownInCommit(const Exception& exception, bool open) {
  try {
    throw exception;
  } catch (...) {
    return FromCommitException("transaction", open);
  }
}

TEST(ErrorsTest, EachStateOfTheServerHasItsReason) {
  struct Case {
    const char* sqlstate;
    Reason reason;
    Kind kind;
  };
  for (const Case& c : std::vector<Case>{{"23505", Reason::kDuplicateKey, Kind::kOther},
                                         {"23P01", Reason::kDuplicateKey, Kind::kOther},
                                         {"23514", Reason::kConstraintViolated, Kind::kOther},
                                         {"23503", Reason::kConstraintViolated, Kind::kOther},
                                         {"40001", Reason::kDatabaseConflict, Kind::kRetry},
                                         {"40P01", Reason::kDatabaseConflict, Kind::kRetry},
                                         {"55P03", Reason::kDatabaseBusy, Kind::kOther},
                                         {"57014", Reason::kDatabaseBusy, Kind::kOther},
                                         {"53100", Reason::kStorageFull, Kind::kOther},
                                         {"53200", Reason::kDatabaseBusy, Kind::kOther},
                                         {"57P01", Reason::kDatabaseUnavailable, Kind::kLost},
                                         {"57P03", Reason::kDatabaseUnavailable, Kind::kLost},
                                         {"25P03", Reason::kDatabaseUnavailable, Kind::kLost},
                                         {"08006", Reason::kDatabaseUnavailable, Kind::kLost},
                                         {"42P01", Reason::kDatabaseRefused, Kind::kOther},
                                         {"22003", Reason::kDatabaseRefused, Kind::kOther}}) {
    const Failure failure = FromSqlState(c.sqlstate, "", "text", "statement");
    EXPECT_EQ(status::ReasonOf(failure.status), c.reason) << c.sqlstate;
    EXPECT_EQ(failure.kind, c.kind) << c.sqlstate;
  }
}

TEST(ErrorsTest, WhatTheDriverThrowsIsTheSameAsWhatTheServerSays) {
  EXPECT_EQ(status::ReasonOf(Thrown(pqxx::disk_full("ERROR: x", "q", "53100")).status),
            Reason::kStorageFull);
  EXPECT_EQ(Thrown(pqxx::deadlock_detected("x")).kind, Kind::kRetry);
  EXPECT_EQ(Thrown(pqxx::serialization_failure("x")).kind, Kind::kRetry);
  EXPECT_EQ(Thrown(pqxx::broken_connection("x")).kind, Kind::kLost);
  const Failure unique =
      Thrown(pqxx::unique_violation("ERROR:  duplicate key value violates unique constraint "
                                    "\"item_key\"\nDETAIL:  Key (a)=(\"b\")",
                                    "q", "23505"));
  EXPECT_EQ(ConstraintOf(unique.status), "item_key");
  const Failure check = Thrown(pqxx::check_violation(
      "ERROR:  new row for relation \"line\" violates check constraint \"line_available\"", "q",
      "23514"));
  EXPECT_EQ(ConstraintOf(check.status), "line_available");
}

TEST(ErrorsTest, ACommitIsUnknownUnlessTheServerSaidThatItRolledBack) {
  EXPECT_EQ(status::ReasonOf(ThrownInCommit(pqxx::in_doubt_error("x"), true).status),
            Reason::kCommitUnknown);
  EXPECT_EQ(status::ReasonOf(ThrownInCommit(pqxx::broken_connection("x"), false).status),
            Reason::kCommitUnknown);
  EXPECT_EQ(status::ReasonOf(ThrownInCommit(pqxx::sql_error("x", "q", "57P01"), true).status),
            Reason::kCommitUnknown);
  EXPECT_EQ(status::ReasonOf(ThrownInCommit(pqxx::statement_completion_unknown("x"), true).status),
            Reason::kCommitUnknown);
  EXPECT_EQ(status::ReasonOf(ThrownInCommit(pqxx::serialization_failure("x"), false).status),
            Reason::kCommitUnknown);
  EXPECT_EQ(ThrownInCommit(pqxx::serialization_failure("x"), true).kind, Kind::kRetry);
  EXPECT_EQ(
      status::ReasonOf(ThrownInCommit(pqxx::unique_violation("x", "q", "23505"), true).status),
      Reason::kDuplicateKey);
}

TEST(ErrorsTest, TheLogHasTheStatementButNoValueOfTheRow) {
  std::string lines;
  {
    telemetry::LogCapture capture([&](std::string_view line) { lines.append(line).append("\n"); });
    Thrown(pqxx::unique_violation(
        "ERROR:  duplicate key value violates unique constraint \"person_key\"\n"
        "DETAIL:  Key (id_number)=(11010519491231002X) already exists.",
        "q", "23505"));
    FromSqlState("22P02", "", "invalid input syntax for type bigint: \"11010519491231002X\"",
                 "put_person");
  }
  EXPECT_THAT(lines, HasSubstr("put_person"));
  EXPECT_THAT(lines, HasSubstr("person_key"));
  EXPECT_THAT(lines, Not(HasSubstr("11010519491231002X")));
}

TEST(ErrorsTest, WhatIsNotTheDriversGoesOn) {
  EXPECT_THROW(Thrown(std::runtime_error("other")), std::runtime_error);
}

}  // namespace
}  // namespace yikatong::postgres
