-- A database that was never migrated has no such table.
SELECT to_regclass('schema_migrations') IS NOT NULL
