-- Uploads of one batch run side by side under a shared lock, which sealing takes alone; the same chunk, and chunks that share
-- rows, wait for each other. Advisory, since a lock on the batch's row would make all of them wait.
SELECT pg_advisory_xact_lock_shared($1::bigint),
       pg_advisory_xact_lock(hashint8($1::bigint), -$2::integer),
       pg_advisory_xact_lock(hashint8($1::bigint), $3::integer),
       pg_advisory_xact_lock(hashint8($1::bigint), $4::integer)
