-- Written beside the step itself; one that cannot be in a transaction is recorded before and after.
INSERT INTO schema_migrations (number, name, checksum, kind, done) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (number) DO UPDATE SET done = excluded.done, applied_at = now()
