-- What was applied, in order, to be compared with what this binary knows.
SELECT number, checksum, kind, done FROM schema_migrations ORDER BY number
