-- Waits until no upload of the batch is under way, and lets none begin.
SELECT pg_advisory_xact_lock($1::bigint)
