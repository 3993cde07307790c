// The one place where what PostgreSQL reports becomes an absl::Status. For this room's own use.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace yikatong::postgres {

struct Failure {
  enum class Kind {
    kOther,  // the same again would fail again
    kRetry,  // rolled back by the server for the sake of another: the whole transaction may be run
             // again
    kLost,   // the connection is gone
  };
  absl::Status status = {};
  Kind kind = Kind::kOther;
  std::string sqlstate = {};  // "" when there is none
};

// From the fields of an error that the server reported. `text` is its primary message, for the log
// only.
Failure FromSqlState(std::string_view sqlstate, std::string_view constraint, std::string_view text,
                     std::string_view statement);

// The connection went away with no word from the server.
Failure FromLostConnection(std::string_view text, std::string_view statement);

// From what libpqxx throws. Call it inside a catch block; what is neither libpqxx's nor RowError
// goes on.
Failure FromCurrentException(std::string_view statement);

// For what happened in COMMIT, inside a catch block. COMMIT_UNKNOWN unless the server said clearly
// that it rolled back.
Failure FromCommitException(std::string_view transaction, bool connection_open);

// No connection could be had.
absl::Status Unavailable(std::string_view what);
absl::Status Busy(std::string_view what);

}  // namespace yikatong::postgres
