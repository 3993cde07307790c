-- The gateway took none of it, and will not: kept with its reason, so that nobody waits for a statement about it.
UPDATE submission SET acknowledged = true, envelope = NULL, refused = $5::text
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND submission_no = $4::smallint
