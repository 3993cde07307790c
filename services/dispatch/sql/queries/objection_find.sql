-- One objection; the batch's row is locked by the caller.
SELECT item_id, text, state, raised_by, decision FROM objection
WHERE district = $1::integer AND batch_id = $2::bigint AND objection_id = $3::bigint
