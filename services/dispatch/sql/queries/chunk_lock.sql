-- Each step's transaction begins here: no row means that somebody else holds the chunk now, and the step must not happen.
SELECT stage FROM chunk
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND fence = $4::bigint FOR UPDATE
