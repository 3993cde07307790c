-- One page of those who left, by person.
SELECT person_id, masked_name, amount_fen, reason FROM departure
WHERE district = $1::integer AND batch_id = $2::bigint AND person_id > $3::bigint AND (NOT $4::boolean OR reason = '')
ORDER BY person_id LIMIT $5::integer
