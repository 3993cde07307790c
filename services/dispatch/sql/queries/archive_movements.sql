-- One page of a batch's movements, by their id.
SELECT movement_id::text, from_bucket, to_bucket, reason, items, amount_fen, at FROM movement
WHERE district = $1::integer AND batch_id = $2::bigint
  AND ($3::text = '' OR movement_id > nullif($3::text, '')::uuid)
ORDER BY movement_id LIMIT $4::integer
