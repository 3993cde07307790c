-- Money given back that belongs to nothing yet; by id, and ids begin with the district.
SELECT arrival_id, amount_fen, recorded_on FROM arrival
WHERE state = 1 AND ($1::boolean OR district = ANY ($2::integer[])) AND ($3::integer = 0 OR district = $3::integer)
  AND arrival_id > $4::bigint
ORDER BY arrival_id LIMIT $5::integer
