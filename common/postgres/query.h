// A named SQL statement. Statements live one a file under a room's sql/queries/ and become
// constants of this type at build time (cmake/embed_sql.py); the stem of the file is the name.
#pragma once

namespace yikatong::postgres {

// Both pointers refer to literals and live for ever.
struct Query {
  const char* name;  // the prepared statement is named after it; at most 58 characters
  const char* sql;
};

}  // namespace yikatong::postgres
