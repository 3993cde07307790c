-- Applying one chunk begins here: the fence must be ours, and the chunk the next one.
SELECT applied FROM outcome_cursor WHERE gateway = $1::text AND fence = $2::bigint FOR UPDATE
