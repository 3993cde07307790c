-- The gateway holds it durably: the sealed bytes are of no more use here.
UPDATE submission SET acknowledged = true, envelope = NULL
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND submission_no = $4::smallint
