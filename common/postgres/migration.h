// One step of a database's schema. Steps live under a room's sql/migrations/NNNN_name.sql and
// become rows of `kMigrations` at build time (cmake/embed_sql.py). See migrate.h for the rules.
#pragma once

namespace yikatong::postgres {

// All pointers refer to literals and live for ever. A row with number 0 means "no migrations".
struct Migration {
  int number;
  const char* name;  // NNNN_name, the stem of the file
  const char* sql;   // with every "-- include" already put in
};

}  // namespace yikatong::postgres
