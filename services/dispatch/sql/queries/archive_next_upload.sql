-- The next uploaded chunk of a batch: one file of its roster and one of its refused rows.
SELECT chunk FROM upload_chunk
WHERE district = $1::integer AND batch_id = $2::bigint AND chunk > $3::integer ORDER BY chunk LIMIT 1
