-- The next number of the batch; its row is locked by the caller.
INSERT INTO objection (district, batch_id, objection_id, item_id, text, state, raised_by, raised_on)
SELECT $1::integer, $2::bigint, 1 + coalesce(max(objection_id), 0), $3::bigint, $4::text, 1, $5::text, $6::date
FROM objection WHERE district = $1::integer AND batch_id = $2::bigint
RETURNING objection_id
