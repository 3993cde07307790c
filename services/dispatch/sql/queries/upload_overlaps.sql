-- Rows that another chunk brought. No chunk has more than 2000 rows, so that the index bounds the search.
SELECT first_row, last_row FROM upload_chunk
WHERE district = $1::integer AND batch_id = $2::bigint
  AND first_row BETWEEN $3::bigint - 1999 AND $4::bigint AND last_row >= $3::bigint
