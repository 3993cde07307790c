#include "common/postgres/errors.h"

#include <pqxx/except>

#include "absl/strings/cord.h"
#include "common/base/redact.h"
#include "common/postgres/database.h"
#include "common/postgres/values.h"
#include "common/status/status.h"
#include "common/telemetry/log.h"

namespace yikatong::postgres {
namespace {

using status::Reason;
using Kind = Failure::Kind;

constexpr char kConstraintPayload[] = "yikatong.postgres.constraint";

// The server's own words are for whoever keeps the database: the first line only, since the lines
// after it hold the values of the row.
void LogFailure(std::string_view sqlstate, std::string_view constraint, std::string_view text,
                std::string_view statement) {
  // Data exceptions quote the value itself in their first line.
  const std::string line = sqlstate.substr(0, 2) == "22"
                               ? "a value that does not fit its type"
                               : base::RedactSensitive(text.substr(0, text.find('\n')));
  telemetry::Log::Warning("database_failure", {{"sqlstate", std::string(sqlstate)},
                                               {"constraint", std::string(constraint)},
                                               {"statement", std::string(statement)},
                                               {"text", line}});
}

absl::Status WithConstraint(absl::Status status, std::string_view constraint) {
  if (!constraint.empty()) {
    status.SetPayload(kConstraintPayload,
                      absl::Cord(absl::string_view(constraint.data(), constraint.size())));
  }
  return status;
}

bool IsClass(std::string_view sqlstate, std::string_view prefix) {
  return sqlstate.substr(0, prefix.size()) == prefix;
}

bool IsLost(std::string_view sqlstate) {
  // Connection exceptions; shutdown, crash and start-up; idle sessions that the server ended.
  return IsClass(sqlstate, "08") || sqlstate == "57P01" || sqlstate == "57P02" ||
         sqlstate == "57P03" || sqlstate == "57P05" || sqlstate == "25P03";
}

Failure Classify(std::string_view sqlstate, std::string_view constraint) {
  const std::string state(sqlstate);
  if (sqlstate == "23505" || sqlstate == "23P01") {
    return {WithConstraint(status::Refuse(Reason::kDuplicateKey), constraint), Kind::kOther, state};
  }
  if (sqlstate == "40001" || sqlstate == "40P01") {
    return {status::Refuse(Reason::kDatabaseConflict), Kind::kRetry, state};
  }
  if (sqlstate == "55P03" || sqlstate == "57014") {
    return {Busy("a lock or statement took too long"), Kind::kOther, state};
  }
  if (sqlstate == "53100") return {status::Refuse(Reason::kStorageFull), Kind::kOther, state};
  if (IsClass(sqlstate, "53"))
    return {Busy("the database is out of a resource"), Kind::kOther, state};
  if (IsLost(sqlstate))
    return {Unavailable("the database ended the connection"), Kind::kLost, state};
  if (IsClass(sqlstate, "23")) {
    return {WithConstraint(status::Refuse(Reason::kConstraintViolated, "",
                                          {{"constraint", std::string(constraint)}}),
                           constraint),
            Kind::kOther, state};
  }
  return {status::Refuse(Reason::kDatabaseRefused), Kind::kOther, state};
}

// libpqxx keeps no field but the text. The constraint is the last quoted name of its first line.
std::string ConstraintIn(std::string_view sqlstate, std::string_view text) {
  if (!IsClass(sqlstate, "23")) return "";
  const std::string_view line = text.substr(0, text.find('\n'));
  const size_t end = line.rfind('"');
  if (end == std::string_view::npos || end == 0) return "";
  const size_t start = line.rfind('"', end - 1);
  if (start == std::string_view::npos) return "";
  return std::string(line.substr(start + 1, end - start - 1));
}

}  // namespace

absl::Status Unavailable(std::string_view what) {
  return status::Refuse(Reason::kDatabaseUnavailable, what);
}

absl::Status Busy(std::string_view what) { return status::Refuse(Reason::kDatabaseBusy, what); }

Failure FromSqlState(std::string_view sqlstate, std::string_view constraint, std::string_view text,
                     std::string_view statement) {
  LogFailure(sqlstate, constraint, text, statement);
  return Classify(sqlstate, constraint);
}

Failure FromLostConnection(std::string_view text, std::string_view statement) {
  LogFailure("", "", text, statement);
  return {Unavailable("the connection was lost"), Kind::kLost, ""};
}

Failure FromCurrentException(std::string_view statement) {
  try {
    throw;
  } catch (const RowError& error) {
    LogFailure("", "", error.what(), statement);
    return {status::Invariant("a row is not what its reader expects"), Kind::kOther, ""};
  } catch (const pqxx::too_many_connections& error) {
    LogFailure("53300", "", error.what(), statement);
    return {Unavailable("the database takes no more connections"), Kind::kLost, "53300"};
  } catch (const pqxx::broken_connection& error) {
    return FromLostConnection(error.what(), statement);
  } catch (const pqxx::serialization_failure& error) {
    return FromSqlState("40001", "", error.what(), statement);
  } catch (const pqxx::deadlock_detected& error) {
    return FromSqlState("40P01", "", error.what(), statement);
  } catch (const pqxx::transaction_rollback& error) {
    return FromSqlState("40000", "", error.what(), statement);
  } catch (const pqxx::sql_error& error) {
    return FromSqlState(error.sqlstate(), ConstraintIn(error.sqlstate(), error.what()),
                        error.what(), statement);
  } catch (const pqxx::in_doubt_error& error) {
    return FromLostConnection(error.what(), statement);
  } catch (const pqxx::pqxx_exception& error) {
    LogFailure("", "", error.base().what(), statement);
    return {status::Invariant("a misuse of the database driver"), Kind::kOther, ""};
  }
}

Failure FromCommitException(std::string_view transaction, bool connection_open) {
  Failure failure = FromCurrentException(transaction);
  const bool server_refused = connection_open && !failure.sqlstate.empty() &&
                              failure.kind != Kind::kLost && failure.sqlstate != "40000";
  if (server_refused) return failure;
  return {status::Refuse(Reason::kCommitUnknown), Kind::kLost, failure.sqlstate};
}

std::string ConstraintOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kConstraintPayload);
  return payload.has_value() ? std::string(*payload) : "";
}

}  // namespace yikatong::postgres
