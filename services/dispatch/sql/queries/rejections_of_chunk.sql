-- The refused rows of one chunk, for the answer to a repetition.
SELECT row_number, reason, detail, amount_fen FROM rejection
WHERE district = $1::integer AND batch_id = $2::bigint AND row_number BETWEEN $4::bigint AND $5::bigint
  AND chunk = $3::integer
ORDER BY row_number
