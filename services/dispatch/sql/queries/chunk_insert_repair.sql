-- A repair chunk gets the next number of its batch; the batch's row is locked by the caller.
INSERT INTO chunk (district, batch_id, chunk, repair, first_item, last_item, item_ids, stage, due_since)
SELECT $1::integer, $2::bigint, coalesce(max(chunk), 0) + 1, true, $3::bigint, $4::bigint, $5::bigint[], 1, now()
FROM chunk WHERE district = $1::integer AND batch_id = $2::bigint
RETURNING chunk
