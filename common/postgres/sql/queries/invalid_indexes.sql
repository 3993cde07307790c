-- What an interrupted CREATE INDEX CONCURRENTLY left behind.
SELECT indexrelid::regclass::text FROM pg_index
WHERE NOT indisvalid
  AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
