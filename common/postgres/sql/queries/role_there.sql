-- CREATE ROLE knows no IF NOT EXISTS.
SELECT 1 FROM pg_roles WHERE rolname = $1
