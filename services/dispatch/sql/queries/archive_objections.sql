-- One page of a batch's objections, by number.
SELECT objection_id, item_id, state, text, raised_by, raised_on, decided_by, decision FROM objection
WHERE district = $1::integer AND batch_id = $2::bigint AND objection_id > $3::bigint ORDER BY objection_id LIMIT $4::integer
