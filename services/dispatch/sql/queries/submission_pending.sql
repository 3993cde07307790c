-- What of a chunk the gateway has not acknowledged yet.
SELECT submission_no, rows, envelope FROM submission
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk = $3::integer AND NOT acknowledged
ORDER BY submission_no
