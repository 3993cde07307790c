-- One page of refused rows, by row.
SELECT row_number, chunk, reason, detail, amount_fen FROM rejection
WHERE district = $1::integer AND batch_id = $2::bigint AND (row_number, chunk) > ($3::bigint, $4::integer)
ORDER BY row_number, chunk LIMIT $5::integer
