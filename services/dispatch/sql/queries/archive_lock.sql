-- Each step's transaction begins here: no row means that somebody else makes the package now, or that it has to begin again.
SELECT former_sha256, last_paid_on FROM archive_work
WHERE district = $1::integer AND batch_id = $2::bigint AND fence = $3::bigint AND run = $4::integer FOR UPDATE
