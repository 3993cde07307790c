-- One page of those who left a batch's roster, by person.
SELECT person_id, masked_name, amount_fen, reason FROM departure
WHERE district = $1::integer AND batch_id = $2::bigint AND person_id > $3::bigint ORDER BY person_id LIMIT $4::integer
