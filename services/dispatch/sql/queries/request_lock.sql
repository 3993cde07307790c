-- Two requests of one id wait for each other; a lock of its own key space, so that it meets no batch's lock.
SELECT pg_advisory_xact_lock(hashtext($1::text), hashtext($2::text))
